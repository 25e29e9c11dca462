import type { Health, QueueFigures } from './verdict.ts';

/** The worst first. */
export const ORDER: Readonly<Record<Health, number>> = { critical: 0, warn: 1, unknown: 2, ok: 3 };

/** When a request is tried again. */
export interface Schedule {
  readonly consumer: string;
  /** Before the second try, the third, …; the last one goes for all that follow. */
  readonly waits_seconds: readonly number[];
  /** -1: for ever. */
  readonly tries: number;
  /** null: never. */
  readonly gives_up_after_seconds: number | null;
  /** In a sentence. */
  readonly text: string;
}

/** How a queue went, for each second, in steps; null where nobody looked. */
export interface QueueRates {
  readonly step_seconds: number;
  /** Where each step begins, in milliseconds since 1970. */
  readonly at: readonly number[];
  readonly in: readonly (number | null)[];
  readonly out: readonly (number | null)[];
  readonly dead: readonly (number | null)[];
  readonly now: { readonly in: number | null; readonly out: number | null; readonly dead: number | null };
}

/** A queue as somebody watches it. `null` where it cannot be known. */
export interface LiveQueue extends QueueFigures {
  readonly system: string | null;
  /** The worst of the checks that are about it. */
  readonly health: Health;
  readonly retrying: number | null;
  readonly dying: number | null;
  readonly capacity: {
    readonly messages: number | null;
    readonly bytes: number | null;
    readonly max_messages: number | null;
    readonly max_bytes: number | null;
    /** Of the limit that is nearer, from 0 to 1; null without one. */
    readonly share: number | null;
    readonly free_messages: number | null;
    readonly discard: 'new' | 'old';
  };
  readonly rates: QueueRates;
  readonly paused: readonly { readonly consumer: string; readonly until: string | null }[];
  readonly consumers: readonly {
    readonly name: string;
    readonly pending: number;
    readonly ack_pending: number;
    readonly waiting_pulls: number;
    readonly max_deliver: number;
    readonly schedule: Schedule;
  }[];
}

/** A check that is not well, with what somebody would do about it. */
export interface LiveFinding {
  readonly system: string | null;
  readonly queue?: string;
  readonly id: string;
  readonly code: string;
  readonly status: Exclude<Health, 'ok'>;
  readonly summary: string;
  readonly page: string;
  /** The line to type. */
  readonly next?: string;
  readonly act?: {
    readonly kind: 'see' | 'plan' | 'resume';
    readonly count?: number;
    readonly filters: Readonly<Record<string, readonly string[]>>;
  };
}

/** All queues of a server at one moment. */
export interface LiveStatus {
  /** RFC 3339, the server's clock where it tells. */
  readonly at: string;
  readonly health: Health;
  readonly systems: readonly {
    readonly system: string | null;
    readonly health: Health;
    /** How many resources differ; null where that cannot be told. */
    readonly drift: number | null;
  }[];
  readonly findings: readonly LiveFinding[];
  readonly queues: readonly LiveQueue[];
}
