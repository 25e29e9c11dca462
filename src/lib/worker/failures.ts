import { hostname } from 'node:os';
import { failureKey } from '../facts/names.ts';
import { ensureLedger, ledger, purgeKeys } from '../ledger/bucket.ts';
import { isApiError, isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { Delivery } from '../nats/consume.ts';
import { publishedAt } from './job.ts';

/** What the ledger keeps of a failed delivery: why, when, by whom. */
export interface FailureRecord {
  readonly stream: string;
  readonly consumer: string;
  readonly seq: number;
  /** RFC 3339. With stream and seq it names the message for good. */
  readonly published_at: string;
  readonly request_id?: string;
  readonly delivery: number;
  readonly kind: 'failed' | 'retry' | 'rejected' | 'unstored';
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  /** Host and process. */
  readonly worker: string;
}

export interface FailureNote {
  readonly kind: FailureRecord['kind'];
  readonly reason: string;
  readonly id?: string;
  readonly at: Date;
}

/** Keeps the reasons of failed deliveries. Never fails itself: without reasons the work still goes on. */
export interface Failures {
  note(delivery: Delivery, note: FailureNote): Promise<void>;
  /** The request is answered: what went wrong before is of no interest. */
  forget(delivery: Delivery): Promise<void>;
}

const LONGEST_REASON = 2000;
const TIMEOUT_MS = 2000;

const worker = `${hostname()}/${process.pid}`;

/** Opens the ledger for reasons, and makes it where this is the first thing that is kept. `onTrouble` is told once. */
export function openFailures(nats: Nats, onTrouble: (why: string) => void): Failures {
  let usable = true;
  let made: Promise<void> | undefined;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (!usable) return;
    try {
      await work();
    } catch (error) {
      // A server that is away just now is no reason to stop trying.
      if (!isApiError(error) && (error as { code?: string }).code !== 'DENIED_SUBJECT') return;
      if (isMissing(error)) return;
      usable = false;
      onTrouble((error as Error).message);
    }
  };
  return {
    note: (delivery, { kind, reason, id, at }) =>
      attempt(async () => {
        const record: FailureRecord = {
          stream: delivery.stream,
          consumer: delivery.consumer,
          seq: delivery.seq,
          published_at: publishedAt(delivery),
          ...(id !== undefined && { request_id: id }),
          delivery: delivery.delivery,
          kind,
          reason: reason.slice(0, LONGEST_REASON),
          at: at.toISOString(),
          worker,
        };
        const put = () =>
          ledger(nats).put(failureKey(delivery.stream, delivery.seq), JSON.stringify(record), {
            timeoutMs: TIMEOUT_MS,
          });
        try {
          await put();
        } catch (error) {
          if ((error as { code?: string }).code !== 'NOT_FOUND') throw error;
          made ??= ensureLedger(nats);
          await made;
          await put();
        }
      }),
    forget: (delivery) => attempt(() => purgeKeys(nats, failureKey(delivery.stream, delivery.seq))),
  };
}
