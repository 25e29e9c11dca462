// The bare client listing the configurations of every stream and consumer of the account: the floor for `plan`.
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const nc = await connect({ servers: process.argv[2] });
const manager = await jetstreamManager(nc);
const streams = [];
for await (const stream of manager.streams.list()) streams.push(stream.config);
const consumers = [];
for (const { name } of streams) {
  for await (const consumer of manager.consumers.list(name)) consumers.push(consumer.config);
}
await nc.close();
process.stdout.write(`${streams.length + consumers.length}\n`);
