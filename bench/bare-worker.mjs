// The least a client can do for the same work: take, put, ack, with so many under way at once.
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';

const [url, total, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const nc = await connect({ servers: url });
const consumer = await jetstream(nc).consumers.get('REQUESTS', 'request-worker');
const kv = await new Kvm(nc).open('responses');

let done = 0;
const messages = await consumer.consume({ max_messages: concurrency * 2 });
const underWay = new Set();
for await (const message of messages) {
  const { id, query } = message.json();
  const one = kv.put(id, JSON.stringify({ id, query, response: 'Success' })).then(() => {
    message.ack();
    underWay.delete(one);
    if (++done === total) messages.stop();
  });
  underWay.add(one);
  if (underWay.size >= concurrency) await Promise.race(underWay);
}
await nc.flush();
await nc.close();
