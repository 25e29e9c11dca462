import { isConsumerName, isSeq, isStreamName } from '../facts/tokens.ts';
import { asBuffer } from '../model/bytes.ts';
import { type DlqRecord, type EntryReason, entryId } from '../model/entry.ts';
import { isObject, jsonIn } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { readCarried } from './carried.ts';
import type { Death } from './death.ts';
import { isTime } from './time.ts';

/** A message of a DLQ stream that is no dead letter, and why not. */
export interface Unreadable {
  readonly stream: string;
  readonly seq: number;
  readonly why: string;
}

/** What the server itself gives as reason where a message is not there any more while a worker has it. */
const REMOVED: readonly string[] = ['Unacknowledged message was deleted', 'Message deleted by stream limits'];

/** Whether a record only says that the message went, by whatever hand: nobody gave it up. */
export const tellsRemoval = ({ kind, reason, detail }: DlqRecord): boolean =>
  kind === 'advisory' && reason === 'terminated' && detail !== undefined && REMOVED.includes(detail);

export const isDeath = (reading: Death | Unreadable): reading is Death => 'id' in reading;

/** An advisory of the server has a few hundred bytes. */
const LARGEST_ADVISORY = 64 * 1024;
const LONGEST_DETAIL = 2000;

// Maps: what anybody may write is asked for by name, and every object has a `constructor`.
const BY_TYPE: ReadonlyMap<unknown, EntryReason> = new Map([
  ['io.nats.jetstream.advisory.v1.max_deliver', 'max_deliveries'],
  ['io.nats.jetstream.advisory.v1.terminated', 'terminated'],
]);
const BY_TOKEN: ReadonlyMap<string | undefined, EntryReason> = new Map([
  ['MAX_DELIVERIES', 'max_deliveries'],
  ['MSG_TERMINATED', 'terminated'],
]);

interface Named {
  readonly reason: EntryReason;
  readonly stream?: string;
  readonly consumer?: string;
}

/** The kind, stream and consumer that an advisory's subject names; a mirror or an import may have put words before it. */
function readSubject(subject: string): Named | undefined {
  const tokens = subject.split('.');
  const at = tokens.findIndex((token, index) => token === 'CONSUMER' && BY_TOKEN.has(tokens[index + 1]));
  const [kind, stream, consumer] = at < 0 ? [] : tokens.slice(at + 1);
  const reason = BY_TOKEN.get(kind);
  return reason && { reason, stream, consumer };
}

/**
 * Reads one message of a DLQ stream: an advisory, a worker's reject, or a dead letter of a service whose headers we
 * know. Whoever may publish there may have written anything: what does not hold together is told apart, never thrown.
 */
export function readDeath(message: StoredMessage): Death | Unreadable {
  const unreadable = (why: string): Unreadable => ({ stream: message.stream, seq: message.seq, why });
  const named = readSubject(message.subject);
  // The server's advisories have no headers. What carries its original may lie on their subjects where a DLQ has no other.
  if (message.headers.byteLength > 0) {
    const carried = readCarried(message);
    if (carried) return carried;
  }
  if (message.payload.byteLength > LARGEST_ADVISORY) return unreadable('too large for an advisory');
  const body = jsonIn(asBuffer(message.payload).toString());
  if (body === undefined) return unreadable('not JSON');
  if (!isObject(body)) return unreadable('not a JSON object');
  const reason = BY_TYPE.get(body.type) ?? named?.reason;
  if (!reason) return unreadable('no advisory of a death');
  const { stream, consumer, stream_seq: seq, deliveries, timestamp } = body;
  if (!isStreamName(stream)) return unreadable('names no stream');
  if (!isConsumerName(consumer)) return unreadable('names no consumer');
  if (!isSeq(seq)) return unreadable('its stream_seq is no sequence');
  // The server writes both from one source. Where they differ, somebody else wrote it.
  if (named && (named.stream !== stream || named.consumer !== consumer)) {
    return unreadable('its subject names another stream or consumer than its text');
  }
  const detail =
    typeof body.reason === 'string' && body.reason !== '' ? body.reason.slice(0, LONGEST_DETAIL) : undefined;
  return {
    queue: stream,
    consumer,
    seq,
    id: entryId(stream, consumer, seq),
    pointsAtOriginal: true,
    record: {
      stream: message.stream,
      seq: message.seq,
      subject: message.subject,
      kind: 'advisory',
      reason,
      // Stored after it was sent: a time in the future of that is none of the server's.
      time: isTime(timestamp) && Date.parse(timestamp) <= Date.parse(message.time) + 60_000 ? timestamp : message.time,
      stored: message.time,
      deliveries: isCount(deliveries) ? deliveries : null,
      detail,
    },
  };
}

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
