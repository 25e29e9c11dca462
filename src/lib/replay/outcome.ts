import { isNoRoom } from '../nats/api-error.ts';
import type { CopyStored } from '../nats/copies.ts';
import type { Move, Moved, Step } from './protocol.ts';
import { isFull, refusal } from './refusal.ts';

/** What comes after an error in one of a message's steps. */
export type After =
  /** It is about more than this message, or with the copy in nobody knows what is done: the next run looks it up. */
  | { readonly goes: 'in-doubt' }
  /** The queue has no room: nothing of it is done, and it goes by way of the journal. */
  | { readonly goes: 'full-way' }
  /** The server has no room for anything. */
  | { readonly goes: 'no-room' }
  | { readonly goes: 'told'; readonly outcome: 'waiting' | 'failed'; readonly error: string };

/** Decides that by the steps that were `taken` before it, of the way that begins with the journal or the other one. */
export function afterFault(
  error: unknown,
  { original, taken, isFullWay }: { original: boolean; taken: ReadonlySet<Step>; isFullWay: boolean },
): After {
  const why = refusal(error);
  // With its copy in, what is refused is the removal.
  if (why === undefined || taken.has('publish')) return { goes: 'in-doubt' };
  const told = (outcome: 'waiting' | 'failed', text: string): After => ({ goes: 'told', outcome, error: text });
  if (taken.has('journal')) return told('waiting', `${why}; the message is safe in the journal`);
  if (isFull(error) && !isFullWay) {
    return original
      ? { goes: 'full-way' }
      : told('waiting', 'the queue is full, and removing this makes no room in it');
  }
  if (isNoRoom(error)) return { goes: 'no-room' };
  return told('failed', isFullWay ? `it cannot be journalled: ${why}` : why);
}

/** A message that came through all its steps. `isLate`: its original had gone by another hand. */
export const movedBy = (move: Move, copy: CopyStored | undefined, isLate: boolean): Moved => ({
  move,
  outcome: 'moved',
  ...(copy && { newSeq: copy.seq }),
  ...(copy && copy.how !== 'stored' && { before: copy.how }),
  ...(isLate && copy?.how === 'stored' && { late: true }),
});

/** Payloads under way at once, in bytes, however many messages that are. */
const BYTES_IN_FLIGHT = 32 * 1024 * 1024;

type Sized = Pick<Move, 'payload' | 'headers'>;

export const sizeOf = ({ payload, headers }: Sized): number => payload.byteLength + headers.byteLength;

/** So many messages go at once: as many as are wished for, fewer of large ones, but never less than four of several. */
export function lanesFor(inFlight: number, moves: readonly Sized[]): number {
  const bytes = moves.reduce((sum, move) => sum + sizeOf(move), 0);
  const average = bytes / Math.max(1, moves.length);
  return Math.max(1, Math.min(inFlight, moves.length, Math.max(4, Math.floor(BYTES_IN_FLIGHT / (average + 1)))));
}
