import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import type { Protocol } from './protocol.ts';

/** What all steps of one replay on one queue work with. */
export interface ReplayRun {
  readonly nats: Nats;
  /** The queue's stream. */
  readonly queue: string;
  /** RFC 3339: when it was made. One that is made anew uses the same sequences for other messages. */
  readonly created: string;
  /** The stream that gets the copies: the queue, or what captures `--to`. */
  readonly target: string;
  /** The same as it was seen last: what an intent is marked with before the next look has come. */
  seen: StreamInfo;
  /** Its DLQs: what is written down of its messages names records in these. */
  readonly dlqs: readonly string[];
  /** The bucket of the responses, where it is known. */
  readonly responses?: string;
  readonly protocol: Protocol;
  /** Whether a dead message of the queue is found without a record of it: by arithmetic, which only a work queue allows. */
  readonly orphansAreFound: boolean;
  /** The most messages between their first step and their last but one. */
  readonly inFlight: number;
  /** Its id among the replays, and how many it has moved by now: written down with what it begins. */
  readonly about?: { readonly id: string; moved(): number };
  /** Aborted by Ctrl-C, and when the lock is lost: what has begun is finished, nothing new begins. */
  readonly signal: AbortSignal;
  /** How long a connection may be of no use before the run gives up, in milliseconds. */
  readonly patienceMs: number;
  /** Waits until the next message may be published. */
  pace?(signal: AbortSignal): Promise<void>;
  tellWarning(text: string): void;
}
