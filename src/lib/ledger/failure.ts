import { bucketStream, failureKey, LEDGER_BUCKET } from '../facts/names.ts';
import type { Entry } from '../model/entry.ts';
import { isObject, jsonIn } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { removeMessages } from '../nats/removal.ts';
import { ledger, purgeKeys } from './bucket.ts';

/** What a worker wrote down of a failed delivery: why, when, and what comes next. */
export interface FailureRecord {
  readonly stream: string;
  readonly consumer: string;
  readonly seq: number;
  /** RFC 3339, to the millisecond. With stream and sequence it names the message for good. */
  readonly published_at: string;
  readonly request_id?: string;
  /** From 1. */
  readonly delivery: number;
  /** It failed; it was put off; it can never be handled; its response could not be stored. */
  readonly kind: 'failed' | 'retry' | 'rejected' | 'unstored';
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  /** RFC 3339: when it is delivered again, if a worker pulls then. Absent after the last delivery. */
  readonly next_delivery_at?: string;
  /** Host and process. */
  readonly worker: string;
}

/** A message, by what names it: a stream that was made anew counts from 1 again. */
export interface FailedMessage {
  readonly stream: string;
  readonly seq: number;
  /** RFC 3339. */
  readonly time: string;
}

/** What died: whose words tell why. */
export interface FailedDeath {
  readonly consumer: string;
  readonly state?: Entry['state'];
}

/**
 * Whether a record is of a death's own consumer: each of a stream that keeps what was acked fails by itself, and one may
 * have been made in another's place. Of a record that names none, and of what no record tells of, any is.
 */
export const isBy = ({ consumer }: Pick<FailureRecord, 'consumer'>, death: FailedDeath): boolean =>
  consumer === death.consumer || death.consumer === '-' || death.state === 'orphan';

/**
 * Why the last delivery of a message to a consumer failed; `undefined` where no worker of ours wrote anything down, or
 * where we may not read it. @throws OpsError CONN_*
 */
export async function readFailure(
  nats: Nats,
  message: FailedMessage,
  death: FailedDeath,
): Promise<FailureRecord | undefined> {
  const read = ledger(nats).get(failureKey(message.stream, message.seq));
  const entry = await orElse(answerOf(read), { denied: undefined });
  const record = entry && parseFailure(new TextDecoder().decode(entry.value));
  if (!record || (isOf(record, message) && isBy(record, death))) return record;
  // All consumers write under one key.
  return (await readFailures(nats, message, death)).at(-1);
}

/**
 * The same of all deliveries that the ledger still has, the first one first: of all consumers, or of a death's.
 * @throws OpsError CONN_*
 */
export async function readFailures(nats: Nats, message: FailedMessage, death?: FailedDeath): Promise<FailureRecord[]> {
  const records: FailureRecord[] = [];
  await eachRecord(nats, failureKey(message.stream, message.seq), (record) => {
    if (isOf(record, message) && (!death || isBy(record, death))) records.push(record);
  });
  return records;
}

/**
 * The last failures of each message of a stream, one of each consumer, by sequence; none where they may not be read.
 * @throws OpsError CONN_*
 */
export async function readAllFailures(nats: Nats, stream: string): Promise<ReadonlyMap<number, FailureRecord[]>> {
  const found = new Map<number, FailureRecord[]>();
  await eachRecord(nats, `failure.${stream}.*`, (record) => {
    const others = (found.get(record.seq) ?? []).filter(({ consumer }) => consumer !== record.consumer);
    found.set(record.seq, [...others, record]);
  });
  return found;
}

/**
 * Removes what a consumer's workers wrote down of a message. All consumers write under one key, and what others wrote of it
 * stays: they may not have answered it. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function forgetFailures(
  nats: Nats,
  { stream, seq, consumer }: Pick<FailureRecord, 'stream' | 'seq' | 'consumer'>,
): Promise<void> {
  const key = failureKey(stream, seq);
  const own: StoredMessage[] = [];
  let isShared = false;
  await eachRecord(nats, key, (record, message) => {
    if (record.consumer === consumer) own.push(message);
    else isShared = true;
  });
  const last = own.at(-1);
  if (!isShared && last) await purgeKeys(nats, key, { upTo: last.seq });
  else
    await removeMessages(
      nats,
      own.map((one) => ({ ...one, created: '' })),
    );
}

/** Hands over what lies on keys that match; nothing where there is no ledger, or this user may not read it. */
async function eachRecord(
  nats: Nats,
  keys: string,
  take: (record: FailureRecord, message: StoredMessage) => unknown,
): Promise<void> {
  const read = async () => {
    const subject = `$KV.${LEDGER_BUCKET}.${keys}`;
    for await (const message of getRange(nats, bucketStream(LEDGER_BUCKET), 1, { subject })) {
      const record = parseFailure(new TextDecoder().decode(message.payload));
      if (record) take(record, message);
    }
  };
  await orElse(answerOf(read()), { missing: undefined, denied: undefined });
}

/** Whether a record is of this very message. */
export const isOf = (record: Pick<FailureRecord, 'published_at'>, message: Pick<FailedMessage, 'time'>): boolean =>
  Math.floor(Date.parse(message.time)) === Date.parse(record.published_at);

/** A record as stored; whoever may write there may have written anything. */
export function parseFailure(text: string): FailureRecord | undefined {
  const value = jsonIn(text);
  if (!isObject(value)) return undefined;
  const { reason, at, delivery, published_at } = value;
  const times = [at, published_at].every((each) => typeof each === 'string' && !Number.isNaN(Date.parse(each)));
  return times && typeof reason === 'string' && Number.isSafeInteger(delivery)
    ? (value as unknown as FailureRecord)
    : undefined;
}
