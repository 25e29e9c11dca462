/** What became of one dead letter of a run that it did not bring back for good. */
export interface RunFailure {
  readonly id: string;
  readonly error: string;
  /** The sequence of its copy, where there is one: under that one it stands now. */
  readonly new_seq?: number;
}

/** What a run finished of what another had begun, before anything of its own. */
export interface FinishedRun {
  /** The other run; absent where nobody wrote it down. */
  readonly id?: string;
  readonly count: number;
  /** How many of the other's copies were in by then, these among them; absent for what lay in the journal. */
  readonly replayed?: number;
}

/** How far a run is. */
export interface RunFigures {
  /** How many it chose. */
  readonly chosen: number;
  /** Copies that are in. */
  readonly replayed: number;
  /** Of those, as far as they were followed: they have their response, were acked without one, or died again. */
  readonly answered: number;
  readonly acked: number;
  readonly died: number;
  readonly skipped: number;
  readonly failed: number;
  /** Chosen and not done. */
  readonly waiting: number;
  /** The first of those that failed or died again. */
  readonly failures: readonly RunFailure[];
  readonly finished_for?: readonly FinishedRun[];
}

export const RUN_STATES = ['running', 'done', 'interrupted', 'failed', 'unfinished'] as const;

/** A replay as `dlq replays` prints it. */
export interface ReplayRunJson extends RunFigures {
  readonly id: string;
  /** `unfinished`: it says it runs, and was not heard of for a while; it was killed, or lost its connection. */
  readonly state: (typeof RUN_STATES)[number];
  readonly who: string;
  readonly host: string;
  readonly pid: number;
  readonly ci?: string;
  /** RFC 3339. */
  readonly started_at: string;
  readonly updated_at: string;
  /** Of which it chose some; all that it looks at as long as that is not known. */
  readonly queues: readonly string[];
  /** The line that does the same: what it chose and how. It goes on with what is left. */
  readonly line: string;
  /** So many went ahead, and the others only once these lived. */
  readonly canary?: number;
  /** While it runs, at the speed so far; null where nobody can say: it waits for its canary, or for the last fates. */
  readonly seconds_left: number | null;
  /** Why it ended before its time. */
  readonly error?: string;
  /** Of an unfinished one: the first that began after it in all of its queues. What is left is told there. */
  readonly taken_over_by?: string;
  /** The runs that finished what this one had begun; those are in `replayed`. */
  readonly finished_by?: readonly { readonly id: string; readonly count: number }[];
  /** Who told it to stop, and from where. */
  readonly stopped_by?: string;
}
