/** A consumer whose delivery was stopped or started. */
export interface PauseResult {
  readonly queue: string;
  readonly consumer: string;
  readonly paused: boolean;
  /** RFC 3339; absent where it is not paused, or until somebody resumes it. */
  readonly until?: string;
  /** Whether the request changed anything. */
  readonly changed: boolean;
}

/** How far a queue is drained. */
export interface DrainResult {
  readonly queue: string;
  /** Nothing waits, for a consumer or for nobody; nothing is in flight, nothing in a journal. Dead messages may remain. */
  readonly drained: boolean;
  readonly ready: number;
  readonly in_flight: number;
  /** Held by a replay that has not ended. */
  readonly journalled: number;
  /** `null` where it cannot be known. */
  readonly dead: number | null;
  readonly dying: number;
  readonly waited_seconds: number;
}
