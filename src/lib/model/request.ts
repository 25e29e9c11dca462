import type { EntryId, EntryReason } from './entry.ts';

/** Where a request is in its life. `retry` waits for its next delivery, as far as the worker told. */
export type RequestState = 'answered' | 'queued' | 'in_flight' | 'retry' | 'dead' | 'unknown';

/** What is known of a request, as `request get --json` prints it. Absent where nothing on the server tells. */
export interface RequestStatus {
  readonly id: string;
  readonly state: RequestState;
  /** The queue's stream. */
  readonly queue?: string;
  readonly consumer?: string;
  readonly seq?: number;
  readonly subject?: string;
  /** RFC 3339. */
  readonly published_at?: string;
  readonly replays?: number;
  /** How often it was delivered, where the worker or an advisory told. */
  readonly deliveries?: number;
  /** RFC 3339. When it is delivered again if a worker pulls then. */
  readonly next_delivery_at?: string;
  /** RFC 3339. */
  readonly died_at?: string;
  readonly reason?: EntryReason;
  /** In words: why it died, why its last delivery failed, why it waits. */
  readonly detail?: string;
  /** The dead letter's id, for `dlq show` and `dlq replay`. */
  readonly entry?: EntryId;
  readonly bucket?: string;
  readonly revision?: number;
  /** RFC 3339. */
  readonly answered_at?: string;
}

/** A request and the bytes of its response, where it is answered. */
export interface Fetched {
  readonly status: RequestStatus;
  readonly response?: Uint8Array;
}

/** One request that waits for its first delivery or for its next, as `request ls --json` prints it. */
export interface WaitingJson {
  readonly id: string | null;
  readonly queue: string;
  readonly seq: number;
  readonly subject: string;
  /** RFC 3339. */
  readonly published_at: string;
  /** Of the payload, in bytes. */
  readonly size: number;
  readonly replays: number;
  /** `retry`: its last delivery failed, and it waits for the next; `in_flight`: a worker has that. */
  readonly state: 'queued' | 'retry' | 'in_flight';
  /** Of what failed: how often it was delivered, after how many it is dead, when it is tried again, and why it failed. */
  readonly deliveries?: number;
  readonly max_deliver?: number | null;
  /** RFC 3339. */
  readonly next_delivery_at?: string | null;
  readonly detail?: string;
}

export type MomentKind = 'made' | 'published' | 'delivered' | 'failed' | 'next' | 'died' | 'replayed' | 'answered';

/** A moment in the life of a request. */
export interface Moment {
  /** RFC 3339. */
  readonly at: string;
  readonly event: MomentKind;
  readonly detail: string;
  /** True where the time is computed from the consumer's backoff and not known. */
  readonly computed?: boolean;
}

export interface TimelineJson extends RequestStatus {
  /** The trace it is a part of, as its W3C header has it. */
  readonly traceparent?: string;
  readonly timeline: readonly Moment[];
}

export type CancelOutcome = 'cancelled' | 'uncertain' | 'answered' | 'in_flight' | 'dead' | 'unknown';

export interface CancelledJson {
  readonly id: string;
  readonly outcome: CancelOutcome;
  readonly queue?: string;
  readonly seq?: number;
  readonly detail: string;
}

/** A request that was stored, as `request send --json` prints it. */
export interface SentJson {
  readonly id: string;
  readonly queue: string;
  readonly seq: number;
  readonly subject: string;
  /** True where the queue had it already; nothing was stored then. */
  readonly duplicate: boolean;
}

/** One line of a bulk that was not stored. */
export interface SendFault {
  /** From 1. */
  readonly line: number;
  readonly id?: string;
  readonly code: string;
  readonly message: string;
}

/** What became of a bulk, as `request send --ndjson --json` prints it. */
export interface BulkJson {
  readonly sent: number;
  readonly duplicates: number;
  readonly failed: number;
  /** Lines of a file after the last that was tried; absent where they are in the rejects, or are not known. */
  readonly untried?: number;
  /** True where reading stopped before the end of the input. */
  readonly stopped: boolean;
  /** The last line that was tried. */
  readonly lines: number;
  /** The first so many. */
  readonly errors: readonly SendFault[];
}
