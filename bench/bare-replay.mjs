// The least a client can do to replay: for each advisory get the request, publish it, delete the request, delete the
// advisory, with so many under way at once. No intent, no lock, nothing to go on from when it is killed.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';

const [url, concurrency] = [process.argv[2], Number(process.argv[3])];
const nc = await connect({ servers: url });
const js = jetstream(nc);
const manager = await jetstreamManager(nc);

async function replay(advisory) {
  const { stream_seq } = advisory.json();
  const request = await manager.direct.getMessage('REQUESTS', { seq: stream_seq });
  const hdrs = headers();
  for (const [name, values] of request.header) for (const value of values) hdrs.append(name, value);
  // With the old id the copy would be swallowed as a duplicate.
  hdrs.set('Nats-Msg-Id', `replay-${stream_seq}`);
  await js.publish(request.subject, request.data, { headers: hdrs });
  await manager.streams.deleteMessage('REQUESTS', stream_seq, false);
  await manager.streams.deleteMessage('requests_dlq', advisory.seq, false);
}

async function* advisories() {
  const { state } = await manager.streams.info('requests_dlq');
  for (let seq = state.first_seq; seq <= state.last_seq; ) {
    for await (const advisory of await manager.direct.getBatch('requests_dlq', { seq, batch: 1000 })) {
      seq = advisory.seq + 1;
      yield advisory;
    }
  }
}

const all = advisories();
const lane = async () => {
  for (let one = await all.next(); !one.done; one = await all.next()) await replay(one.value);
};
await Promise.all(Array.from({ length: concurrency }, lane));
await nc.close();
