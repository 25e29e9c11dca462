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

/** A message of a DLQ stream that goes when its entry goes. */
export interface RecordRef {
  readonly stream: string;
  readonly seq: number;
}

/** One message on its way back into a queue: what is published, and what goes once it is stored. */
export interface Move {
  /** The entry's id. */
  readonly id: string;
  /** Stable for this replay of this message, whoever carries it out and however often. */
  readonly msgId: string;
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  /** The original, where it is to be removed. Its time tells it from another message under the same sequence. */
  readonly original?: RecordRef & { readonly time: string };
  readonly records: readonly RecordRef[];
  readonly requestId?: string;
  /** Why the entry was dead, as the fate of its copy is worded. */
  readonly died?: string;
}

/** What became of one message. */
export interface Moved {
  readonly move: Move;
  readonly outcome: 'moved' | 'waiting' | 'failed';
  /** The copy's sequence, where this run learned it. */
  readonly newSeq?: number;
  /** True where the copy was in already: an earlier run had published it. */
  readonly before?: boolean;
  /** True where the original had gone meanwhile by another hand (a late ack): the request may be done twice. */
  readonly late?: boolean;
  readonly error?: string;
}
