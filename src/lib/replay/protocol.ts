import type { Journalled } from '../ledger/journal.ts';
import type { Seen } from '../model/message.ts';
import type { Copy } from '../nats/copies.ts';
import type { Freed } from '../nats/keeps.ts';

//   The order in which one message moves. Each step is confirmed before the next begins; docs/replay-protocol.md has the
//   table of what is durable after each, and what the next run sees when this one is killed there.
//
//   there is room     publish ─→ remove original ─→ remove records
//   the queue is full journal ─→ remove original ─→ publish ─→ forget journal ─→ remove records
//
//   The records of a page go together after its messages, so that a whole prefix of the DLQ can go as one purge.

/** One confirmed write on the server. */
export type Step = 'journal' | 'publish' | 'remove-original' | 'forget-journal' | 'remove-records';

export interface Protocol {
  readonly room: readonly Step[];
  readonly full: readonly Step[];
}

export const PROTOCOL = {
  room: ['publish', 'remove-original', 'remove-records'],
  full: ['journal', 'remove-original', 'publish', 'forget-journal', 'remove-records'],
} as const satisfies Protocol;

/** One message on its way back into a queue: what is published, and what goes once it is stored. */
export interface Move extends Copy, Pick<Journalled, 'id' | 'msgId' | 'records' | 'requestId'> {
  /** Under which sequence the original is stored, also where it stays. */
  readonly seq?: number;
  /** The original, where it is to be removed. */
  readonly original?: Seen;
  /** What the original leaves in the queue, where it is to be removed. */
  readonly frees?: Freed;
  /** Where its consumer does not take it: without its records nothing says that it died. */
  readonly untaken?: true;
  /** Why the entry was dead, as the fate of its copy is worded. */
  readonly died?: string;
}

/** What became of one message. */
export interface Moved {
  readonly move: Move;
  readonly outcome: 'moved' | 'waiting' | 'failed';
  /** The copy's sequence, where this run learned it. */
  readonly newSeq?: number;
  /** Set where an earlier run had published the copy: it is stored still, or has left the stream again. */
  readonly before?: 'before' | 'left';
  /** True where the original had gone meanwhile by another hand (a late ack): the request may be done twice. */
  readonly late?: boolean;
  readonly error?: string;
}
