import { consumerFilters, subjectCovers } from '../facts/subjects.ts';
import { type Config, textsOf } from '../model/json.ts';
import type { ConsumerFigures, StreamFigures } from '../model/resource.ts';

/** How many messages a new consumer of the same name would be given again. */
export interface Redelivered {
  readonly count: number;
  /** False: an upper bound. */
  readonly exact: boolean;
}

/** True where a consumer's canonical filters leave no subject of its stream out. */
export function coversStream(consumer: Config, stream: Config): boolean {
  const filters = consumerFilters(consumer);
  if (filters.length === 0) return true;
  return textsOf(stream.subjects).every((subject) => filters.some((filter) => subjectCovers(filter, subject)));
}

/**
 * What a workqueue's consumer gave up and is still stored: the dead, and those that were answered since. Where it is the only
 * one and covers the stream, exactly what is neither waiting nor in flight; else that number is an upper bound, for others'
 * messages are counted too.
 */
export function givenUp(
  stream: { readonly figures: StreamFigures; readonly config: Config },
  consumer: { readonly figures: ConsumerFigures; readonly config: Config },
): Redelivered {
  const { messages, consumer_count } = stream.figures;
  const count = Math.max(0, messages - consumer.figures.num_pending - consumer.figures.num_ack_pending);
  return { count, exact: count === 0 || (consumer_count === 1 && coversStream(consumer.config, stream.config)) };
}
