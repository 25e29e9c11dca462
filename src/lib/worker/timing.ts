import type { Config } from '../model/json.ts';

/** What a consumer's configuration says of waiting, in milliseconds. */
export interface Timing {
  readonly ackWaitMs: number;
  /** Empty where there is none. */
  readonly backoffMs: readonly number[];
  /** 0 where there is no end. */
  readonly maxDeliver: number;
}

const DEFAULT_ACK_WAIT_MS = 30_000;

export function readTiming(config: Config): Timing {
  const backoff = Array.isArray(config.backoff) ? config.backoff.map((nanos) => Number(nanos) / 1e6) : [];
  return {
    ackWaitMs: Number(config.ack_wait ?? 0) / 1e6 || DEFAULT_ACK_WAIT_MS,
    backoffMs: backoff,
    maxDeliver: Math.max(0, Number(config.max_deliver ?? 0)),
  };
}

const step = (backoff: readonly number[], delivery: number): number | undefined =>
  backoff[Math.min(delivery, backoff.length) - 1];

/** How long the server waits for the ack of a delivery (from 1). */
export const ackWaitMs = ({ ackWaitMs: wait, backoffMs }: Timing, delivery: number): number =>
  step(backoffMs, delivery) ?? wait;

export const isLast = ({ maxDeliver }: Timing, delivery: number): boolean => maxDeliver > 0 && delivery >= maxDeliver;

/**
 * How long after a failed delivery (from 1) the next one may come: what the consumer's backoff says, which the server
 * itself only heeds where nothing is said at all. After the last there is nothing to wait for: it is dead at once.
 */
export const retryDelayMs = (timing: Timing, delivery: number): number =>
  isLast(timing, delivery) ? 0 : ackWaitMs(timing, delivery);
