// The client's own way to read what `dlq ls` reads: every advisory and every request, by batches, a line for each.
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const nc = await connect({ servers: process.argv[2] });
const manager = await jetstreamManager(nc);
const decoder = new TextDecoder();

async function* read(stream) {
  const { state } = await manager.streams.info(stream);
  for (let seq = state.first_seq; seq <= state.last_seq; ) {
    for await (const message of await manager.direct.getBatch(stream, { seq, batch: 1000 })) {
      seq = message.seq + 1;
      yield message;
    }
  }
}

const requests = read('REQUESTS');
let lines = '';
for await (const message of read('requests_dlq')) {
  const { consumer, stream_seq, timestamp } = JSON.parse(decoder.decode(message.data));
  const { value } = await requests.next();
  const { id } = JSON.parse(decoder.decode(value.data));
  lines += `${JSON.stringify({ consumer, stream_seq, timestamp, subject: value.subject, time: value.timestamp, id })}\n`;
  if (lines.length > 65_536) {
    process.stdout.write(lines);
    lines = '';
  }
}
process.stdout.write(lines);
await nc.close();
