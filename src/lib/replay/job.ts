import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import type { CopyOptions } from './copy.ts';
import type { Protocol } from './protocol.ts';
import type { Tally } from './tally.ts';

/** How a person wants it done. */
export interface ReplayWishes {
  /** Messages a second. */
  readonly rate?: number;
  /** So many at once; left out, what the way to the server asks for. */
  readonly maxInFlight?: number;
  readonly maxReplays: number;
  /** Holds while the queue's consumers have more than this waiting. */
  readonly maxPending?: number;
  /** Sends so many ahead, and the others only if these live. */
  readonly canary?: number;
  readonly wait: boolean;
  /** How long copies are followed, in milliseconds. */
  readonly waitMs: number;
  readonly to?: string;
  /** Other consumers may get the messages again. */
  readonly allowRedelivery?: boolean;
  /** The module that `edit` asks. */
  readonly transform?: string;
  /** What a person or a module made of an entry; null where they left it as it is, `undefined` where they were not shown it. */
  edit?(entry: Entry): Promise<CopyOptions['edited'] | null | undefined>;
}

export interface QueueJob {
  readonly nats: Nats;
  readonly ref: QueueRef;
  readonly filter: EntryFilter;
  readonly wishes: ReplayWishes;
  readonly tally: Tally;
  /** The run's id among the replays. */
  readonly runId?: string;
  /** Aborted by Ctrl-C, and when the lock is lost. */
  readonly signal: AbortSignal;
  /** The stream that captures `--to`. */
  readonly target?: StreamInfo;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly protocol?: Protocol;
  /** What may be in a worker's hand, whatever its records say. */
  isDoubtful?(entry: Entry): boolean;
  /** What had died when it was judged whom a copy reaches, in the stream of that incarnation. */
  isJudged?(entry: Entry, created: string): boolean;
  /** Is waited for before anything of this run, or of an earlier one, moves. */
  readonly whole?: Promise<void>;
  /** Hears that something of an earlier run was finished. */
  onFinished?(): void;
  /** Is waited for before the first of this run moves. */
  begin?(): Promise<void>;
  /** Hears how many records were read, of how many. */
  onRead?(read: number, total: number): void;
  /** Hears of each that is to move, before it does. */
  onTaken?(entry: Entry): void;
  onProgress(done: number): void;
  tellNote(text: string): void;
  tellWarning(text: string): void;
  onUnreadable?(one: { stream: string; seq: number; why: string }): void;
}
