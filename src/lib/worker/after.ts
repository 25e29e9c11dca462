import type { WorkerEvent } from '../model/worker.ts';
import type { FailureNote } from './failures.ts';
import { isLast, retryDelayMs, type Timing } from './timing.ts';

/** What follows where a delivery was not answered. Pure. */
export interface After {
  /** When it may come again, in milliseconds. */
  readonly delayMs: number;
  /** What is kept of why; undefined where that is known already. */
  readonly note?: Omit<FailureNote, 'at'>;
  readonly told: Told;
}

/** What is logged of a delivery, beside which it is and how long it took. */
export type Told = Omit<WorkerEvent, 'seq' | 'subject' | 'delivery' | 'ms'>;

const FAILED = {
  failed: 'failed',
  retry: 'put off',
  unstored: 'its response could not be stored',
} as const;

export interface Failed {
  readonly kind: keyof typeof FAILED;
  readonly reason: string;
  readonly id: string;
  /** What the handler asks for; the consumer's backoff decides where it asks for nothing. */
  readonly delayMs?: number;
}

/** After a failure: it is delivered again, unless that was the last time. `delivery` counts from 1. */
export function afterFailure(timing: Timing, delivery: number, { kind, reason, id, delayMs }: Failed): After {
  const wait = delayMs ?? retryDelayMs(timing, delivery);
  const dies = isLast(timing, delivery);
  return {
    delayMs: wait,
    note: { kind, reason, id, ...(!dies && { nextInMs: wait }) },
    told: {
      level: dies || kind === 'unstored' ? 'error' : 'warn',
      event: kind,
      message: `${FAILED[kind]}${dies ? ', for the last time: it is dead' : ''}`,
      reason,
      request_id: id,
      ...(!dies && { retry_in_ms: wait }),
    },
  };
}

export interface Unkept {
  readonly reason: string;
  readonly id: string | undefined;
  /** Why there is no copy of it. */
  readonly why: string;
  /** Whether a stream captures rejects, so that a copy may succeed next time. */
  readonly keepsRejects: boolean;
}

/**
 * After a reject of which there is no copy: its payload stays in the queue, and it dies of its deliveries. Where no copy
 * can ever be made that need not take long, and is told once.
 */
export function afterReject(timing: Timing, delivery: number, { reason, id, why, keepsRejects }: Unkept): After {
  const hurries = timing.maxDeliver > 0 && !keepsRejects;
  const isNews = delivery === 1 || !hurries;
  return {
    delayMs: hurries ? 0 : retryDelayMs(timing, delivery),
    ...(isNews && { note: { kind: 'rejected', reason, id } }),
    told: {
      level: isNews ? 'error' : 'debug',
      event: 'rejected',
      message: `rejected, and left in the queue to die: ${why}`,
      reason,
      request_id: id,
    },
  };
}

/** Whether an ack must be confirmed. A first delivery whose ack is lost comes again, and is found answered. */
export const needsConfirming = (timing: Timing, delivery: number): boolean => delivery > 1 || isLast(timing, delivery);
