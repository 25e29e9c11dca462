import type { StoredMessage } from './message.ts';

export const ENTRY_STATES = ['replayable', 'parked', 'gone', 'orphan'] as const;
export type EntryState = (typeof ENTRY_STATES)[number];
/** Of these something is left that can be put back. */
export const TO_REPLAY: readonly EntryState[] = ['replayable', 'parked', 'orphan'];

/** What was replayed so often and died again is parked: only who asks for more tries it once more. */
export const MOST_REPLAYS = 3;

export const ENTRY_REASONS = ['max_deliveries', 'terminated', 'rejected'] as const;
export type EntryReason = (typeof ENTRY_REASONS)[number];

/** Why the original of an entry is not in its stream, as far as the server still tells. */
export const GONE_CAUSES = [
  'terminated',
  'expired',
  'acked_or_removed',
  /** Its response is in the bucket: whatever is still stored of it, nobody waits for it. */
  'answered',
  /** The server missed it while a worker had it. No death: it was acked, taken back, or dropped by a limit. */
  'removed_in_flight',
  'stream_recreated',
  /** The stream, the one it was, has not come to that sequence: it was restored from before, or the record is false. */
  'beyond_last_seq',
  'stream_deleted',
] as const;
export type GoneCause = (typeof GONE_CAUSES)[number];

/** `<stream>/<consumer>/<stream_seq>`; the parts hold no slash of their own, as the server wants it. */
export type EntryId = string;

/** An entry as `dlq ls --json` prints it: these keys and no others. `null` where nothing on the server tells. */
export interface EntryJson {
  readonly id: EntryId;
  /** The queue's stream. */
  readonly queue: string;
  readonly consumer: string;
  /** The original's sequence in the queue's stream. */
  readonly seq: number;
  readonly subject: string | null;
  readonly request_id: string | null;
  readonly state: EntryState;
  readonly reason: EntryReason;
  /** The worker's words. */
  readonly detail: string | null;
  readonly deliveries: number | null;
  /** RFC 3339. */
  readonly died_at: string | null;
  /** RFC 3339. */
  readonly published_at: string | null;
  /** Of the payload, in bytes. */
  readonly size: number | null;
  /** How often it was replayed before it died this time. */
  readonly replays: number;
}

/** What kind of message in a DLQ stream speaks of a dead letter. */
export type RecordKind = 'advisory' | 'rejected' | 'dlq-service' | 'nestjs-jetstream';

/** One message of a DLQ stream that speaks of the entry. All of them go when the entry goes. */
export interface DlqRecord {
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  readonly kind: RecordKind;
  readonly reason: EntryReason;
  /** RFC 3339: the advisory's own time, else when it was stored. */
  readonly time: string;
  /** RFC 3339, when it was stored: with stream and seq it names this record and no other. */
  readonly stored: string;
  readonly deliveries: number | null;
  /** The worker's words, where it gave some. */
  readonly detail?: string;
  /** The record as stored, where it was asked for (`show`, `export`). */
  readonly raw?: StoredMessage;
}

/** What the tool knows of an entry beyond what it prints of it. */
export interface EntryInner {
  /** Everything in the DLQ streams that speaks of it, oldest first; empty for an orphan. */
  readonly records: readonly DlqRecord[];
  /** The original in the queue's stream. Absent where it is not there. */
  readonly original?: StoredMessage;
  /** What a replay publishes: the original, or the copy that a record carries. Absent where nothing is left of it. */
  readonly message?: StoredMessage;
  readonly cause?: GoneCause;
  /** RFC 3339: when the queue's stream was made. With stream and seq it names a message for good. */
  readonly streamCreated: string;
  /** True where a replay holds it in its journal: it left the stream, and the full queue has not taken its copy yet. */
  readonly journalled?: true;
  /** True where that queue was made anew since, or is gone: what is made now is another, and gets nothing of it. */
  readonly stale?: true;
  /**
   * True where its consumer does not take its subject, or is gone, and no other has its place: it died before that, or
   * never, and anybody may have written that it did.
   */
  readonly untaken?: true;
  /** True where that is because its consumer is gone. */
  readonly ownerless?: true;
  /** True where a message that is stored, and waits or is in flight, may be this one: put back, it would be there twice. */
  readonly inDoubt?: true;
}

/** Why nothing tells that an entry died. */
export const untakenWords = ({ ownerless }: EntryInner): string =>
  `its consumer ${ownerless ? 'is gone' : 'does not take its subject'}: nothing tells whether it died`;

/** A dead letter: what is printed of it, and beside it what the tool works with. */
export interface Entry extends EntryJson {
  readonly inner: EntryInner;
}

export const entryId = (queue: string, consumer: string, seq: number): EntryId => `${queue}/${consumer}/${seq}`;

/** The entry as it is printed, in the order people read it. */
export const entryJson = (entry: Entry): EntryJson => ({
  id: entry.id,
  queue: entry.queue,
  consumer: entry.consumer,
  seq: entry.seq,
  subject: entry.subject,
  request_id: entry.request_id,
  state: entry.state,
  reason: entry.reason,
  detail: entry.detail,
  deliveries: entry.deliveries,
  died_at: entry.died_at,
  published_at: entry.published_at,
  size: entry.size,
  replays: entry.replays,
});

/** A queue of the server, with or without a spec. */
export interface QueueRef {
  /** The stream. */
  readonly queue: string;
  /** What it takes; none where the stream is not there. */
  readonly subjects?: readonly string[];
  /** The DLQ stream; the first where there are several. */
  readonly dlq: string | undefined;
  /** All streams that capture its deaths. */
  readonly dlqs: readonly string[];
  /** Streams that may capture more of them, and cannot be read. */
  readonly unread?: readonly string[];
  readonly consumers: readonly string[];
  /** The bucket of the responses, where it is known. */
  readonly responses?: string;
  readonly system?: string;
}
