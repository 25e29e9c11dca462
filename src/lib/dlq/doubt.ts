import type { Entry } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import { responsible } from './fate.ts';
import type { QueueStanding } from './standing.ts';

/**
 * Whether a work queue's message may be in a worker's hand, though an advisory calls it dead: anybody who may publish on
 * the server's advisory subjects can write one. Beyond doubt is what the consumer settled (up to its ack floor, or all
 * of it where nothing is in flight), and what was told of longer ago than all its deliveries take.
 */
export function isDoubtful({ consumer: named, inner }: Entry, standing: QueueStanding, nowMs: number): boolean {
  const { original, records } = inner;
  if (standing.retention !== 'workqueue' || !original || records.length === 0) return false;
  const consumer = responsible(named, original.subject, standing);
  if (!consumer || consumer.ackPending === 0 || original.seq <= consumer.ackFloor) return false;
  const { maxDeliver, waits } = consumer;
  const longest = maxDeliver > 0 ? (maxDeliver * Math.max(...waits)) / 1e6 : Number.POSITIVE_INFINITY;
  const told = Math.min(...records.map(({ stored }) => Date.parse(stored)));
  return told + longest > nowMs;
}

/** Whether nothing tells that an entry died, for its consumer does not take it. Whoever names it by its id knows. */
export const isUntold = ({ inner }: Entry, { ids }: Pick<EntryFilter, 'ids'>): boolean =>
  inner.untaken === true && !ids?.length;

/**
 * Whether a work queue's message would be found dead without its records. One that its consumer does not take would not:
 * they alone say that it died.
 */
export const isFoundWithout = ({
  original,
  untaken,
}: {
  readonly original?: object;
  readonly untaken?: true;
}): boolean => original !== undefined && !untaken;
