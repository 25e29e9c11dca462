import type { Intended, JournalEntry, Mark } from '../ledger/journal.ts';
import type { Seen } from '../model/message.ts';

//   What a run finds of a message that one before it (killed, or cut off) meant to move:
//   original   journal   copy found or answered    so
//   there      there     –                         killed before the original went: the journal's pass goes on
//   there      –         yes                       killed after the publish: remove original and records
//   there      –         no                        not published, as far as anything tells: it is a dead letter as before
//   gone       there     –                         the journal's pass goes on
//   gone       –         –                         killed before the records went: remove them
//   gone with its stream, which was made anew      only a copy or an answer tells that it was moved
//   none       –         yes / no                  (limits, rejects) remove the records / a dead letter as before

/** Whether a stream is the one that was written down; nobody wrote it down up to 0.1.0. */
export const isSame = (written: string, created: string): boolean => written === '' || written === created;

/** What is stored of an intent's messages, by message id. */
export interface Evidence {
  /** Whose originals are in the queue. */
  readonly there: ReadonlySet<string>;
  /** RFC 3339: when the queue's stream was made. */
  readonly created: string;
  /** Whose copies were found, with their sequences. */
  readonly copies: ReadonlyMap<string, number>;
  /** Whose requests were answered since. */
  readonly answered: ReadonlySet<string>;
}

/** Whether an original is gone: the run before removed it, and it did so with the copy in. */
const hasLeft = ({ msgId, original }: Intended, { there, created }: Pick<Evidence, 'there' | 'created'>): boolean =>
  original !== undefined && !there.has(msgId) && isSame(original.created, created);

/** Those of which only a copy or an answer can tell whether they were moved. */
export const doubtfulAmong = (moves: readonly Intended[], found: Pick<Evidence, 'there' | 'created'>): Intended[] =>
  moves.filter((move) => !hasLeft(move, found));

/** Those that were moved, with what is still to go of them. None of these may lie in the journal. */
export function settle(
  moves: readonly Intended[],
  found: Evidence,
): { readonly done: Map<string, number | undefined>; readonly originals: Seen[]; readonly records: Seen[] } {
  const { there, copies, answered } = found;
  const moved = moves.filter((move) => copies.has(move.msgId) || answered.has(move.msgId) || hasLeft(move, found));
  return {
    done: new Map(moved.map(({ msgId }) => [msgId, copies.get(msgId)])),
    originals: moved.flatMap(({ msgId, original }) => (original && there.has(msgId) ? [original] : [])),
    records: moved.flatMap(({ records }) => records),
  };
}

/** Where copies behind a mark begin: in a stream that was made anew, at its first sequence. */
export const firstCopy = ({ created, after }: Mark, now: string): number => (isSame(created, now) ? after + 1 : 1);

/** Where the copies of these can lie: behind the lowest sequence in each stream as it was made. */
export function marksOf(entries: readonly Pick<JournalEntry, 'target'>[]): Mark[] {
  const marks = new Map<string, Mark>();
  for (const { target } of entries) {
    const key = `${target.stream} ${target.created}`;
    const known = marks.get(key);
    if (!known || target.after < known.after) marks.set(key, target);
  }
  return [...marks.values()];
}

/** Those of a journal that belong to a queue: what was taken out before it was made anew is none of the new one's. */
export const journalOf = <T extends Pick<JournalEntry, 'target'>>(
  entries: readonly T[],
  queue: string,
  created: string,
) => entries.filter(({ target }) => target.stream !== queue || isSame(target.created, created));
