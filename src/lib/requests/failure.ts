import type { QueueStanding } from '../dlq/standing.ts';
import { type FailureRecord, readFailures as readRecords } from '../ledger/failure.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';

/** A failed delivery as the worker wrote it down. */
export type Failure = FailureRecord;

/** The failures of a message, the first one first. @throws OpsError CONN_* */
export const readFailures = (nats: Nats, message: StoredMessage): Promise<Failure[]> => readRecords(nats, message);

/** RFC 3339: when a message is delivered again after this failure; `undefined` where it was the last time. */
export const nextDelivery = (failure: Failure, _standing: QueueStanding, _subject: string): string | undefined =>
  failure.next_delivery_at;
