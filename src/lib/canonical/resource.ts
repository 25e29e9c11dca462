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
  version: string,
  streamOf: StreamLookup,
): Config {
  switch (resource.kind) {
    case 'stream':
      return canonicalStream({ ...resource.config, name: resource.name }, { version });
    case 'bucket':
      return canonicalBucket(resource.config, { version, name: resource.name });
    case 'consumer':
      return canonicalConsumer(resource.config, { version, stream: streamOf(splitConsumerName(resource.name).stream) });
  }
}

/** A resource of a server in the same canonical form. A bucket's configuration is that of its stream. */
export function canonicalObserved(
  resource: Pick<ObservedResource, 'kind' | 'name' | 'config'>,
  version: string,
  streamOf: StreamLookup,
): Config {
  return resource.kind === 'bucket'
    ? toBucket({ ...resource.config, name: bucketStream(resource.name) }, { version })
    : canonicalDesired(resource, version, streamOf);
}

/** The stream that a desired bucket stands for, canonical: what its `backing.*` entries are compared with. */
export const canonicalBacking = (name: string, config: Config, version: string): Config =>
  canonicalStream(toBackingStream(name, config, { version }), { version });

/** Finds streams of a collection by name, for consumers whose defaults depend on them. */
export const streamsOf =
  (find: (key: ResourceKey) => { readonly config: Config } | undefined): StreamLookup =>
  (stream) =>
    find(`stream ${stream}`)?.config;
