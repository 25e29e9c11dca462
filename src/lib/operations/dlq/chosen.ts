import { isDoubtful } from '../../dlq/doubt.ts';
import { scanEntries } from '../../dlq/scan.ts';
import type { QueueStanding, SeenQueue } from '../../dlq/standing.ts';
import type { Context } from '../../model/context.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { Asked } from '../../replay/asked.ts';
import type { ReplayWishes } from '../../replay/job.ts';
import { Once } from '../../replay/once.ts';
import { whySkipped } from '../../replay/select.ts';
import type { Transform } from '../../replay/transform.ts';
import { tellReading } from './reading.ts';

/** How many dead letters a replay is about. */
export interface Chosen {
  readonly total: number;
  readonly byQueue: ReadonlyMap<string, number>;
  /** Queues of which some may be in a worker's hand, whatever their records say. */
  readonly doubtful: ReadonlySet<string>;
  /** How many of them a module makes another of. */
  readonly changed: number;
}

/** The ids of those that a run has taken by now, and of those that were counted, by queue: what has gone was chosen too. */
export type Taken = Map<string, Set<string>>;

export function take(taken: Taken, queue: string, id: string): void {
  const ids = taken.get(queue) ?? new Set();
  taken.set(queue, ids.add(id));
}

/** So many are counted in about a second: where each round trip takes long, that is much of the whole. */
const FEW = 20_000;

/**
 * Whether a run need not know how many it is about before it begins: where they are few, and nothing is in a worker's hand
 * that its records might call dead.
 */
export const canCountMeanwhile = (queues: readonly SeenQueue[]): boolean => {
  const seen = queues.flatMap((queue) => queue.seen ?? []);
  const records = seen.flatMap(({ dlqs }) => dlqs.map(({ figures }) => figures.messages));
  return (
    seen.length === queues.length &&
    records.reduce((sum, count) => sum + count, 0) <= FEW &&
    seen.every(({ standing }) => standing.consumers.every(({ ackPending }) => ackPending === 0))
  );
};

const standingOf = (queues: readonly SeenQueue[], name: string): QueueStanding | undefined =>
  queues.find(({ queue }) => queue === name)?.seen?.standing;

/**
 * Counts what a replay will move, and asks a module for each of them. `taken` is given where that goes on meanwhile.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED, USAGE_FILE where the module fails
 */
export async function countChosen(
  context: Context,
  nats: Nats,
  queues: readonly SeenQueue[],
  filter: EntryFilter,
  { maxReplays, to }: Pick<ReplayWishes, 'maxReplays' | 'to'>,
  transform: Transform | undefined,
  taken?: Taken,
): Promise<Chosen> {
  const byQueue = new Map<string, number>();
  const doubtful = new Set<string>();
  const asked = transform && new Asked(transform, context.io.signal);
  const once = new Once((name) => (standingOf(queues, name)?.retention ?? 'workqueue') !== 'workqueue');
  let total = 0;
  let changed = 0;
  const options = {
    now: context.now().getTime(),
    signal: context.io.signal,
    asSeen: true,
    ...(!taken && { onRead: tellReading(context, 'Choosing') }),
  };
  for await (const entry of scanEntries(nats, queues, filter, options)) {
    if (whySkipped(entry, { maxReplays, lastSeq: Number.POSITIVE_INFINITY, filter }) || once.isAgain(entry)) continue;
    if (asked) {
      const made = await asked.ask(entry, { allowTtl: true, to });
      if (!made) continue;
      if (made.changes.length > 0) changed += 1;
    }
    total += 1;
    const standing = standingOf(queues, entry.queue);
    if (standing && isDoubtful(entry, standing, options.now)) doubtful.add(entry.queue);
    byQueue.set(entry.queue, (byQueue.get(entry.queue) ?? 0) + 1);
    if (taken) take(taken, entry.queue, entry.id);
  }
  asked?.judge();
  if (taken) {
    for (const [queue, ids] of taken) byQueue.set(queue, ids.size);
    total = [...byQueue.values()].reduce((sum, count) => sum + count, 0);
  }
  return { total, byQueue, changed, doubtful };
}
