import type { Context } from '../model/context.ts';
import { withNats } from '../nats/open.ts';
import { Places } from '../places/places.ts';
import { chooseSources, loadForWork } from './spec-source.ts';

/** What a command was told of the place it is about. */
export interface PlaceChoice {
  /** `-f/--file`: the spec; without one, the server says what its queues are. */
  readonly file?: string;
  /** Only these queues. */
  readonly queues?: readonly string[];
  /** The bucket of the responses, where nothing else says it. */
  readonly bucket?: string;
}

/** Connects, and gives the queues, consumers and buckets that are meant. @throws OpsError SPEC_*, CONN_*, DENIED_* */
export async function withPlaces<T>(
  context: Context,
  { file, queues, bucket }: PlaceChoice,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const [source] = chooseSources(context, { file });
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  return withNats(context, loaded, (nats) => work(new Places(nats, { queues, bucket, spec: loaded?.spec })));
}
