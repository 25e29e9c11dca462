import { OWNER_KEY } from '../facts/names.ts';
import { type Config, isObject, type Json } from '../model/json.ts';
import { keyOf, type Observed, type ObservedResource, type ResourceKey } from '../model/resource.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { identifyStream, parseConsumer, parseStream } from './parse.ts';
import { IN_FLIGHT } from './read.ts';

/** Every item of a listing that the server gives in pages. */
async function listPages(nats: Nats, subject: string, field: string): Promise<Config[]> {
  const found: Config[] = [];
  for (;;) {
    const page = await nats.api(subject, { offset: found.length });
    const items: readonly Json[] = Array.isArray(page[field]) ? page[field] : [];
    found.push(...items.filter(isObject));
    if (items.length === 0 || found.length >= Number(page.total ?? 0)) return found;
  }
}

async function listConsumers(nats: Nats, stream: string): Promise<ObservedResource[]> {
  try {
    const found = await listPages(nats, `CONSUMER.LIST.${stream}`, 'consumers');
    return found.map((info) => parseConsumer(info, `${stream}/${String(info.name)}`));
  } catch (error) {
    // Deleted since it was listed.
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Everything in the account: streams, buckets (not as streams again) and consumers. */
export async function scanAll(nats: Nats): Promise<Observed> {
  const streams = (await listPages(nats, 'STREAM.LIST', 'streams')).map((info) =>
    parseStream(info, identifyStream(isObject(info.config) ? info.config : {})),
  );
  const busy = streams.filter((stream) => stream.kind === 'stream' && stream.figures.consumer_count > 0);
  const consumers = (await pipelined(busy, IN_FLIGHT, (stream) => listConsumers(nats, stream.name))).flat();
  const resources = new Map<ResourceKey, ObservedResource>();
  for (const resource of [...streams, ...consumers]) resources.set(keyOf(resource), resource);
  return { target: nats.target, resources };
}

/** The owner mark of a live configuration. */
export function ownerMark(config: Config): string | undefined {
  const mark = isObject(config.metadata) ? config.metadata[OWNER_KEY] : undefined;
  return typeof mark === 'string' && mark !== '' ? mark : undefined;
}

/** Everything in the account that carries the system's owner mark. */
export async function scanOwned(nats: Nats, system: string): Promise<Observed> {
  const all = await scanAll(nats);
  const owned = [...all.resources].filter(([, resource]) => ownerMark(resource.config) === system);
  return { target: all.target, resources: new Map(owned) };
}
