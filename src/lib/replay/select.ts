import { isUntold } from '../dlq/doubt.ts';
import { type Entry, untakenWords } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';

/** Why an entry is not moved; in a sentence for people. */
export interface Skipped {
  readonly entry: Entry;
  readonly why:
    | 'gone'
    | 'uncertain'
    | 'untaken'
    | 'parked'
    | 'new'
    | 'unedited'
    | 'transform'
    | 'journalled'
    | 'stale'
    | 'answered'
    | 'together';
  readonly text: string;
}

const GONE = {
  terminated: 'a worker terminated it, and the queue dropped it',
  expired: 'it grew older than the queue keeps messages',
  acked_or_removed: 'it was acked late, or removed',
  answered: 'its response is there',
  removed_in_flight: 'it went while a worker had it: acked, taken back, or dropped by a limit',
  stream_recreated: 'its stream was made anew since',
  beyond_last_seq: 'its stream has not come to its sequence',
  stream_deleted: 'its stream does not exist any more',
} as const;

const IN_DOUBT =
  'what it carries is stored in the queue as well, and not settled: that waits or is in flight, and this may be a copy of it';

export interface Selection {
  /** An entry that was replayed so often and died again stays where it is. */
  readonly maxReplays: number;
  /** The queue's last sequence when the run began: what died later is left to the next run. */
  readonly lastSeq: number;
  /** How the entries were chosen. */
  readonly filter: Pick<EntryFilter, 'ids'>;
  /** What may be in a worker's hand, whatever its records say. */
  isDoubtful?(entry: Entry): boolean;
  /** What had died when it was judged whom a copy reaches; absent where it reaches nobody else. */
  isJudged?(entry: Entry): boolean;
}

/** Whether an entry can be moved now; `undefined` where it can. */
export function whySkipped(
  entry: Entry,
  { maxReplays, lastSeq, filter, isDoubtful, isJudged }: Selection,
): Skipped | undefined {
  const { inner, replays } = entry;
  if (inner.stale) return { entry, why: 'stale', text: 'its queue was made anew since it was taken out' };
  if (inner.journalled) return { entry, why: 'journalled', text: 'it is in the journal, on its way into the queue' };
  if (inner.cause === 'answered') return { entry, why: 'answered', text: 'it has its response' };
  if (!inner.message) {
    const cause = inner.cause ? `: ${GONE[inner.cause]}` : '';
    return { entry, why: 'gone', text: `nothing is left of its message${cause}` };
  }
  if (inner.original && inner.original.seq > lastSeq) {
    return { entry, why: 'new', text: 'it came after this run began' };
  }
  if (isJudged?.(entry) === false) return { entry, why: 'new', text: 'it died after this run began' };
  if (isUntold(entry, filter))
    return {
      entry,
      why: 'untaken',
      text: untakenWords(inner),
    };
  if (inner.inDoubt) return { entry, why: 'uncertain', text: IN_DOUBT };
  if (isDoubtful?.(entry)) return { entry, why: 'uncertain', text: 'it may be in flight still' };
  if (replays >= maxReplays) {
    return {
      entry,
      why: 'parked',
      text: `it was replayed ${replays} ${replays === 1 ? 'time' : 'times'} and died again; --max-replays ${replays + 1} tries once more`,
    };
  }
  return undefined;
}

const SKIPPED: Readonly<Record<string, string>> = {
  gone: 'gone: nothing is left of the message',
  answered: 'answered: the response is in the bucket',
  stale:
    'of a queue that was made anew since an unfinished replay took them out: `dlq purge` archives them, `dlq import` makes them dead letters of the new queue',
  uncertain: 'that may still be in flight: ask again when that is settled',
  untaken:
    'whose consumers are gone, or do not take their subjects: nothing tells whether they died; who names them by id, moves them',
  parked: 'parked: replayed so often already that only a higher --max-replays tries them again',
  together: 'of messages that go with another entry: one copy goes to all consumers',
  unedited: 'left as they were in the editor',
  transform: 'as the transform has it',
};

/** Why entries were skipped, a sentence for each reason. */
export const skipNotes = (skips: Readonly<Record<string, number>>): string[] =>
  Object.entries(skips).map(([why, count]) => `${count} skipped, ${SKIPPED[why] ?? why}`);
