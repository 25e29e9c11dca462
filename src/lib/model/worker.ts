/** Why a worker came to its end. */
export type WorkerEnd = 'signal' | 'max' | 'idle';

/** What a worker did, as `worker run --json` prints it at the end. */
export interface WorkerReport {
  /** The queue's stream. */
  readonly queue: string;
  readonly consumer: string;
  /** Where the responses go. */
  readonly bucket: string;
  readonly seconds: number;
  readonly ended_by: WorkerEnd;
  /** Deliveries taken in hand. The counts below, and what is left in hand, add up to it. */
  readonly taken: number;
  readonly answered: number;
  /** Delivered again though a response was stored: acked, not done again. */
  readonly already_answered: number;
  /** The handler failed; the consumer's backoff decides when it is tried again. */
  readonly failed: number;
  /** The handler asked for a later delivery. */
  readonly retried: number;
  /** Can never be handled: kept in the DLQ with the reason, and ended. */
  readonly rejected: number;
  /** There was a response and it could not be stored; to be tried again. */
  readonly unstored: number;
  /** Given back at the end, for others to take at once. */
  readonly returned: number;
  /** Of those, the ones that were being worked on when the grace was over. */
  readonly cut_short: number;
}

export type WorkerCounts = Omit<WorkerReport, 'queue' | 'consumer' | 'bucket' | 'seconds' | 'ended_by'>;

/** One line of a worker's log. Texts in it may come from anybody. */
export interface WorkerEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A stable word: `answered`, `failed`, `rejected`, `started`, … */
  readonly event: string;
  readonly message: string;
  readonly request_id?: string;
  readonly seq?: number;
  readonly subject?: string;
  readonly delivery?: number;
  /** How long the work took, in milliseconds. */
  readonly ms?: number;
  readonly reason?: string;
  /** When it is delivered again, in milliseconds from now. */
  readonly retry_in_ms?: number;
}
