import { textOf } from '../model/json.ts';
import type { Hop, Migration } from '../model/migration.ts';
import { splitConsumerName } from '../model/resource.ts';
import { orUndefined } from '../nats/answer.ts';
import { readConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import type { Nats } from '../nats/port.ts';
import { readStream } from '../nats/streams.ts';
import { isParked, labelOf, UNTIL_RESUMED } from './configs.ts';
import type { Found, FoundConsumer, FoundStream } from './recognise.ts';

const streamOf = ({ config, created }: StreamInfo): FoundStream => {
  const { mirror } = config;
  const name = typeof mirror === 'object' && mirror !== null && 'name' in mirror ? textOf(mirror.name) : undefined;
  const label = labelOf(config);
  return {
    created,
    parked: isParked(config),
    ...(name !== undefined && { mirrorOf: name }),
    ...(label !== undefined && { label }),
  };
};

const consumerOf = ({ created, config }: ConsumerInfo): FoundConsumer => ({
  created,
  paused: config.pause_until === UNTIL_RESUMED,
});

/** What is on the server under the names that a migration uses. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function lookAt(nats: Nats, migration: Migration): Promise<Found> {
  const read = async (name: string) => {
    const info = await orUndefined(readStream(nats, name, { finish: true }));
    return info && streamOf(info);
  };
  if (migration.kind !== 'consumer') {
    const hop = migration.hops[0] as Hop;
    const [from, to] = await Promise.all([read(hop.from), read(hop.to)]);
    return { ...(from && { from }), ...(to && { to }) };
  }
  const { stream } = splitConsumerName(migration.from);
  const consumer = async (name: string) => {
    const info = await orUndefined(readConsumer(nats, stream, name, { finish: true }));
    return info && consumerOf(info);
  };
  const [moved] = migration.consumers;
  const [from, oldConsumer, newConsumer] = await Promise.all([
    read(stream),
    consumer(moved?.from ?? ''),
    moved && moved.to !== moved.from ? consumer(moved.to) : undefined,
  ]);
  return {
    ...(from && { from }),
    ...(oldConsumer && { oldConsumer }),
    ...(newConsumer && { newConsumer }),
  };
}
