import { hostname } from 'node:os';
import { failureKey } from '../facts/names.ts';
import { inLedger, ledger } from '../ledger/bucket.ts';
import { type FailureRecord, forgetFailures } from '../ledger/failure.ts';
import { answerOf } from '../nats/answer.ts';
import { isApiError } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { Delivery } from '../nats/consume.ts';
import { publishedAt } from './job.ts';

export interface FailureNote {
  readonly kind: FailureRecord['kind'];
  readonly reason: string;
  readonly id?: string;
  readonly at: Date;
  /** Milliseconds until it is delivered again; absent after the last delivery. */
  readonly nextInMs?: number;
}

/** Keeps the reasons of failed deliveries. Never fails itself: without reasons the work still goes on. */
export interface Failures {
  note(delivery: Delivery, note: FailureNote): Promise<void>;
  /** The request is answered: what went wrong before is of no interest. */
  forget(delivery: Delivery): Promise<void>;
}

const LONGEST_REASON = 2000;
const TIMEOUT_MS = 2000;
/** A dead letter that nobody looked at for so long has no need of its reasons. */
const TTL_SECONDS = 30 * 86_400;
/** A ledger made by an older version of this tool, or on a server that did not know TTLs then. */
const TTL_DISABLED = 10166;

const worker = `${hostname()}/${process.pid}`;

/** Opens the ledger for reasons, and makes it where this is the first thing that is kept. `onTrouble` is told once. */
export function openFailures(nats: Nats, onTrouble: (why: string) => void): Failures {
  let usable = true;
  let ttlSeconds: number | undefined = TTL_SECONDS;
  /** Puts a value that goes by itself, into a bucket that may have to be made first, or knows no such thing. */
  const keep = async (key: string, value: string): Promise<void> => {
    for (;;) {
      try {
        await inLedger(nats, undefined, () => ledger(nats).put(key, value, { timeoutMs: TIMEOUT_MS, ttlSeconds }));
        return;
      } catch (error) {
        if (!isApiError(error, TTL_DISABLED) || ttlSeconds === undefined) throw error;
        ttlSeconds = undefined;
      }
    }
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (!usable) return;
    let trouble: unknown;
    try {
      const answer = await answerOf(work());
      // A server that is away just now is no reason to stop trying.
      if (answer.is === 'denied') trouble = answer.error;
    } catch (error) {
      if (isApiError(error)) trouble = error;
    }
    if (trouble === undefined) return;
    usable = false;
    onTrouble((trouble as Error).message);
  };
  return {
    note: (delivery, { kind, reason, id, at, nextInMs }) =>
      attempt(async () => {
        const record: FailureRecord = {
          stream: delivery.stream,
          consumer: delivery.consumer,
          seq: delivery.seq,
          published_at: publishedAt(delivery),
          request_id: id,
          delivery: delivery.delivery,
          kind,
          reason: reason.slice(0, LONGEST_REASON),
          at: at.toISOString(),
          ...(nextInMs !== undefined && { next_delivery_at: new Date(at.getTime() + nextInMs).toISOString() }),
          worker,
        };
        await keep(failureKey(delivery.stream, delivery.seq), JSON.stringify(record));
      }),
    forget: (delivery) => attempt(() => forgetFailures(nats, delivery)),
  };
}
