import { KV_PREFIX, OWNER_KEY } from '../facts/names.ts';
import { type Config, isObject, textsOf } from '../model/json.ts';
import { keyOf, type Observed, type ObservedResource, type ResourceKey } from '../model/resource.ts';
import { orElse, orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { listConsumers } from '../nats/consumers.ts';
import type { StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { listStreams } from '../nats/streams.ts';
import { asResource, IN_FLIGHT } from './read.ts';

/** What a listed stream is to us: a bucket where its name and its subjects are those of one. */
function identify(info: StreamInfo): ObservedResource {
  const { name, config } = info;
  const isBucket =
    name.startsWith(KV_PREFIX) && textsOf(config.subjects).every((subject) => subject.startsWith('$KV.'));
  return asResource(isBucket ? `bucket ${name.slice(KV_PREFIX.length)}` : `stream ${name}`, info);
}

/**
 * Everything in the account: streams, buckets (not as streams again) and consumers. Those of streams that are likely
 * there are asked for before it is known.
 */
export async function scanAll(nats: Nats, likely: readonly string[] = []): Promise<Observed> {
  const early = new Map(likely.slice(0, IN_FLIGHT).map((stream) => [stream, listConsumers(nats, stream)]));
  for (const asked of early.values()) asked.catch(() => {});
  const streams = (await orThrow(listStreams(nats))).map(identify);
  const busy = streams.filter(({ kind, figures }) => kind === 'stream' && figures.consumer_count > 0);
  const consumers = await pipelined(busy, IN_FLIGHT, async ({ name: stream }) => {
    // Deleted since it was listed.
    const found = await orElse(early.get(stream) ?? listConsumers(nats, stream), { missing: [] });
    return found.map((info) => asResource(`consumer ${stream}/${info.name}`, info));
  });
  const resources = new Map<ResourceKey, ObservedResource>();
  for (const resource of [...streams, ...consumers.flat()]) resources.set(keyOf(resource), resource);
  return { target: nats.target, resources };
}

/** The owner mark of a live configuration. */
export function ownerMark(config: Config): string | undefined {
  const mark = isObject(config.metadata) ? config.metadata[OWNER_KEY] : undefined;
  return typeof mark === 'string' && mark !== '' ? mark : undefined;
}

/** Everything in the account that carries the system's owner mark. */
export async function scanOwned(nats: Nats, system: string, likely?: readonly string[]): Promise<Observed> {
  const all = await scanAll(nats, likely);
  const owned = [...all.resources].filter(([, resource]) => ownerMark(resource.config) === system);
  return { target: all.target, resources: new Map(owned) };
}
