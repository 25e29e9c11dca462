import type { FieldTable } from '../facts/fields.ts';
import { bucketStream } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import { type DesiredResource, type ObservedResource, type ResourceKey, splitConsumerName } from '../model/resource.ts';
import { canonicalBucket, toBackingStream, toBucket } from './bucket.ts';
import { canonicalConsumer } from './consumer.ts';
import { canonicalStream } from './stream.ts';

export type StreamLookup = (stream: string) => Config | undefined;

/** A resource of a spec in canonical form; `streamOf` finds a consumer's stream, on which its defaults depend. */
export function canonicalDesired(
  resource: Pick<DesiredResource, 'kind' | 'name' | 'config'>,
  table: FieldTable,
  streamOf: StreamLookup,
): Config {
  switch (resource.kind) {
    case 'stream':
      return canonicalStream({ ...resource.config, name: resource.name }, table);
    case 'bucket':
      return canonicalBucket(resource.name, resource.config, table);
    case 'consumer':
      return canonicalConsumer(resource.config, table, streamOf(splitConsumerName(resource.name).stream));
  }
}

/** A resource of a server in the same canonical form. A bucket's configuration is that of its stream. */
export function canonicalObserved(
  resource: Pick<ObservedResource, 'kind' | 'name' | 'config'>,
  table: FieldTable,
  streamOf: StreamLookup,
): Config {
  return resource.kind === 'bucket'
    ? toBucket({ ...resource.config, name: bucketStream(resource.name) }, table)
    : canonicalDesired(resource, table, streamOf);
}

/** The stream that a desired bucket stands for, canonical: what its `backing.*` entries are compared with. */
export const canonicalBacking = (name: string, config: Config, table: FieldTable): Config =>
  canonicalStream(toBackingStream(name, config), table);

/** Finds streams of a collection by name, for consumers whose defaults depend on them. */
export const streamLookup =
  (find: (key: ResourceKey) => { readonly config: Config } | undefined): StreamLookup =>
  (stream) =>
    find(`stream ${stream}`)?.config;
