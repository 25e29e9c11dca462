import type { Entry, EntryReason, EntryState } from './entry.ts';

/** An id or a shorthand of one: `REQUESTS/worker/17`, `worker/17`, `17`. What is left out may be anything. */
export interface IdPattern {
  readonly text: string;
  readonly queue?: string;
  readonly consumer?: string;
  readonly seq: number;
}

/** Which entries a command is about, as people write it. */
export interface EntryChoice {
  /** Whole ids or shorthands. */
  readonly ids?: readonly string[];
  /** A file with more of them; `-` is standard input. */
  readonly idsFrom?: string;
  /** Conditions that all have to hold. */
  readonly where?: readonly string[];
  readonly filter: EntryFilter;
  /** `-f/--file`: the spec; without one, the server says what its queues are. */
  readonly file?: string;
}

/** A condition of `--where`, as it was written and as it is asked. */
export interface WhereTerm<T = Entry> {
  readonly text: string;
  readonly key: string;
  holds(of: T): boolean;
}

/** Which entries a verb is about. Several values of one kind mean any of them; several kinds mean all of them. */
export interface EntryFilter {
  readonly ids?: readonly IdPattern[];
  readonly queues?: readonly string[];
  readonly consumers?: readonly string[];
  /** May hold `*` and `>`. */
  readonly subjects?: readonly string[];
  /** Died at this time or later, in milliseconds since 1970. */
  readonly since?: number;
  /** Died before this time, in milliseconds since 1970. */
  readonly until?: number;
  readonly reasons?: readonly EntryReason[];
  readonly states?: readonly EntryState[];
  /** A text in the payload; JSON is compared as JSON, not by its blanks. */
  readonly match?: string;
  readonly requestIds?: readonly string[];
  /** All of them have to hold. */
  readonly where?: readonly WhereTerm[];
  /** At most so many. */
  readonly limit?: number;
  /** A migration's own marker too, which is nobody's request: for who removes what is recorded of it. */
  readonly markers?: true;
  /** Only what a record speaks of: for the others the whole queue would be read. */
  readonly recorded?: boolean;
}
