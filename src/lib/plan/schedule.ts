import type { Config, Json } from '../model/json.ts';
import { printDuration } from '../model/units.ts';

/** One delivery of a request whose worker never answers. */
export interface Delivery {
  /** Counts from 1. */
  readonly delivery: number;
  /** Nanoseconds since the first delivery. */
  readonly at: number;
}

export interface RetrySchedule {
  /** At most the first ten deliveries. */
  readonly deliveries: readonly Delivery[];
  /** -1: tried for ever. */
  readonly maxDeliver: number;
  /** Nanoseconds from the first delivery until it is dead; absent where it never dies. */
  readonly diesAt?: number;
  /** A sentence such as `a failing request is tried at 0s, 5s, 15s and dies after 30s`. */
  readonly text: string;
}

const SHOWN = 10;
const NAMED = 4;
const DEFAULT_WAIT = 30e9;

/**
 * When a message is tried again and when it dies, if no worker ever acknowledges it. The nth delivery waits
 * `backoff[n-1]`, the last step repeats; without backoff each waits ack_wait. Death comes with the pull after that.
 */
export function retrySchedule(config: Config): RetrySchedule | undefined {
  if (config.ack_policy === 'none') return undefined;
  const steps = (Array.isArray(config.backoff) ? config.backoff : []) as readonly Json[];
  const wait = (delivery: number): number =>
    Number(steps[Math.min(delivery - 1, steps.length - 1)] ?? config.ack_wait ?? 0) || DEFAULT_WAIT;
  const maxDeliver = Number(config.max_deliver ?? -1) > 0 ? Number(config.max_deliver) : -1;
  const shown = maxDeliver > 0 ? Math.min(maxDeliver, SHOWN) : SHOWN;
  const deliveries: Delivery[] = [];
  let at = 0;
  for (let delivery = 1; delivery <= shown; delivery++) {
    deliveries.push({ delivery, at });
    at += wait(delivery);
  }
  if (maxDeliver < 0) {
    const times = deliveries.slice(0, NAMED).map((each) => printDuration(each.at));
    const every = printDuration(wait(Math.max(steps.length, 1)));
    const text = `a failing request is tried at ${times.join(', ')}, … and then every ${every} for ever`;
    return { deliveries, maxDeliver, text };
  }
  // Beyond what is shown every wait is the last one, or nearly: backoff is at most max_deliver long.
  for (let delivery = shown + 1; delivery <= maxDeliver; delivery++) {
    if (delivery >= steps.length) {
      at += wait(delivery) * (maxDeliver - delivery + 1);
      break;
    }
    at += wait(delivery);
  }
  return { deliveries, maxDeliver, diesAt: at, text: sentence(deliveries, maxDeliver, at) };
}

function sentence(deliveries: readonly Delivery[], maxDeliver: number, diesAt: number): string {
  const dies = `dies after ${printDuration(diesAt)}`;
  if (maxDeliver === 1) return `a failing request is tried once and ${dies}`;
  const all = maxDeliver <= NAMED + 1;
  const times = deliveries.slice(0, all ? maxDeliver : NAMED).map((each) => printDuration(each.at));
  return all
    ? `a failing request is tried at ${times.slice(0, -1).join(', ')} and ${times.at(-1)}, and ${dies}`
    : `a failing request is tried at ${times.join(', ')}, … (${maxDeliver} times) and ${dies}`;
}
