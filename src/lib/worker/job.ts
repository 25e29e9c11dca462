import { isKvKey } from '../facts/kv-key.ts';
import { asBuffer } from '../model/bytes.ts';
import { isObject, parseExact } from '../model/json.ts';
import type { Delivery } from '../nats/consume.ts';

/** A request that can be handled. */
export interface Job {
  readonly id: string;
  /** The payload, parsed; its `id` is a text. */
  readonly body: { readonly [field: string]: unknown };
  readonly delivery: Delivery;
  /** 0 where there is no end. */
  readonly maxDeliver: number;
}

/** What came of a request, before anything is stored or acknowledged. */
export type Outcome =
  | { readonly type: 'answer'; readonly value: Uint8Array | string }
  | { readonly type: 'retry'; readonly reason: string; readonly delayMs?: number }
  | { readonly type: 'reject'; readonly reason: string }
  | { readonly type: 'failure'; readonly reason: string }
  /** We were told to stop while it ran. */
  | { readonly type: 'stopped' };

/** What does the work. It never rejects: whatever happens to a request is an outcome. */
export interface Runner {
  run(job: Job): Promise<Outcome>;
  /** Stops what still runs: its outcome is `stopped`. */
  stop(): Promise<void>;
}

/** The request in a delivery, or why it can never be handled. */
export function readJob(delivery: Delivery, maxDeliver: number): Job | { readonly reject: string } {
  let body: unknown;
  try {
    body = parseExact(asBuffer(delivery.payload).toString('utf8'));
  } catch (error) {
    return { reject: `not JSON: ${(error as Error).message}` };
  }
  if (!isObject(body)) return { reject: 'not a JSON object' };
  const { id } = body;
  if (id === undefined || id === null || id === '') return { reject: 'no id' };
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return { reject: 'its id is neither a text nor a number' };
  const text = String(id);
  if (!isKvKey(text)) return { reject: `its id cannot be the key of a response: ${JSON.stringify(text.slice(0, 80))}` };
  return { id: text, body: typeof id === 'string' ? body : { ...body, id: text }, delivery, maxDeliver };
}

/** Microseconds since 1970 of an RFC 3339 time with up to nanoseconds. */
export function microsOf(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return Math.floor(Date.parse(time) / 1000) * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

export const publishedAt = ({ publishedUs }: Delivery): string => new Date(publishedUs / 1000).toISOString();
