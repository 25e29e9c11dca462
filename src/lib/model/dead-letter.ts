import type { EntryJson, GoneCause, RecordKind } from './entry.ts';

/** One thing that happened to a request. */
export interface LifeEvent {
  /** RFC 3339; null where nothing tells. */
  readonly at: string | null;
  readonly event: 'published' | 'replayed' | 'delivered' | 'died' | 'removed';
  /** In words. */
  readonly detail: string;
  /** True where it follows from the consumer's waits and was not recorded: without a nak it was not before that. */
  readonly computed?: boolean;
}

/** A dead letter with all that is known of it, as `dlq show --json` prints it. */
export interface DeadLetter extends EntryJson {
  /** All values of each header, in their order. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The trace it is a part of, as its W3C header has it. */
  readonly traceparent?: string;
  /** The payload, where it is text. */
  readonly payload?: string;
  /** The payload, where it is not text. */
  readonly payload_base64?: string;
  /** Why the original is not in its stream. */
  readonly cause?: GoneCause;
  readonly timeline: readonly LifeEvent[];
  /** What the DLQ streams have of it. */
  readonly records: readonly {
    readonly stream: string;
    readonly seq: number;
    readonly kind: RecordKind;
    readonly time: string;
  }[];
}
