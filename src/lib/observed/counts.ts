// What a change loses, from figures that were read: pure, beside the files that read them.
import { filtersOf } from '../canonical/consumer.ts';
import { subjectCovers } from '../facts/subjects.ts';
import { equalJson } from '../model/json.ts';
import {
  type Desired,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  type StreamFigures,
  splitConsumerName,
} from '../model/resource.ts';

export interface Count {
  readonly count: number;
  /** False: an estimate, or an upper bound. */
  readonly exact: boolean;
}

// Beyond how many deleted sequences we estimate instead of listing.
const DELETED_LISTED = 500_000;

type Sequences = Pick<StreamFigures, 'messages' | 'first_seq' | 'last_seq'>;

/** How many messages are stored below `seq`; undefined where only the list of deleted sequences tells. */
export function countBelow({ messages, first_seq, last_seq }: Sequences, seq: number): Count | undefined {
  const span = seq - first_seq;
  const whole = last_seq - first_seq + 1;
  const gaps = whole - messages;
  if (seq > last_seq) return { count: messages, exact: true };
  if (gaps === 0) return { count: span, exact: true };
  return gaps > DELETED_LISTED ? { count: Math.round((span * messages) / whole), exact: false } : undefined;
}

/** The same by the deleted sequences, which are gaps. */
export const countBetween = ({ first_seq }: Sequences, seq: number, deleted: readonly number[]): Count => ({
  count: seq - first_seq - deleted.filter((each) => each >= first_seq && each < seq).length,
  exact: true,
});

/** How many of the oldest must go so that no more than `to` bytes stay: by their average size. */
export function countByBytes({ messages, bytes }: Pick<StreamFigures, 'messages' | 'bytes'>, to: number): Count {
  const excess = bytes - to;
  if (messages === 0 || excess <= 0) return { count: 0, exact: true };
  return { count: Math.min(messages, Math.ceil((excess * messages) / bytes)), exact: false };
}

/** How many messages the subjects have beyond `limit` each, together. */
export function countBeyond(counts: Iterable<number>, limit: number): number {
  let beyond = 0;
  for (const count of counts) beyond += Math.max(0, count - limit);
  return beyond;
}

/** A consumer of a workqueue, and what it takes before and after the plan. */
export interface Taker {
  readonly key: ResourceKey;
  readonly live: Extract<ObservedResource, { kind: 'consumer' }> | undefined;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const takes = (filters: readonly string[], subject: string): boolean =>
  filters.some((filter) => subjectCovers(filter, subject));

/** The workers of each workqueue that holds messages and changes who takes which. */
export function changedQueues({ desired, observed }: { desired: Desired; observed: Observed }): Map<string, Taker[]> {
  const queues = new Map<string, Taker[]>();
  const add = (key: ResourceKey, worker: Omit<Taker, 'key'>): void => {
    const { stream } = splitConsumerName(key.slice('consumer '.length));
    const held = observed.resources.get(`stream ${stream}`);
    if (held?.kind !== 'stream' || held.config.retention !== 'workqueue' || held.figures.messages === 0) return;
    queues.set(stream, [...(queues.get(stream) ?? []), { key, ...worker }]);
  };
  const wanted = new Set<ResourceKey>();
  for (const resource of desired.resources) {
    if (resource.kind !== 'consumer') continue;
    const key = keyOf(resource);
    wanted.add(key);
    const found = observed.resources.get(key);
    const live = found?.kind === 'consumer' ? found : undefined;
    add(key, { live, before: live ? filtersOf(live.config) : [], after: filtersOf(resource.config) });
  }
  for (const [key, live] of observed.resources) {
    if (live.kind !== 'consumer' || wanted.has(key)) continue;
    const filters = filtersOf(live.config);
    add(key, { live, before: filters, after: filters });
  }
  for (const [stream, workers] of queues) {
    if (workers.every(({ live, before, after }) => !live || equalJson(before.toSorted(), after.toSorted())))
      queues.delete(stream);
  }
  return queues;
}

type Counts = ReadonlyMap<string, number>;

/** How many messages lie on subjects that this filter takes and the worker did not take before. */
export const countGained = (counts: Counts, { before }: Pick<Taker, 'before'>, filter: string): number =>
  [...counts].reduce(
    (sum, [subject, count]) => (subjectCovers(filter, subject) && !takes(before, subject) ? sum + count : sum),
    0,
  );

/** How many messages lie on subjects that the worker took before and nobody takes any more. */
export const countDropped = (
  counts: Counts,
  { before }: Pick<Taker, 'before'>,
  workers: readonly Pick<Taker, 'after'>[],
): number =>
  [...counts].reduce(
    (sum, [subject, count]) =>
      takes(before, subject) && !workers.some(({ after }) => takes(after, subject)) ? sum + count : sum,
    0,
  );
