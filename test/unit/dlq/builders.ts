import type { Death } from '../../../src/lib/dlq/death.ts';
import type { ConsumerStanding, QueueStanding } from '../../../src/lib/dlq/standing.ts';
import type { DlqRecord, Entry } from '../../../src/lib/model/entry.ts';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { type HeaderLine, printHeaders } from '../../../src/lib/nats/raw-headers.ts';

/** RFC 3339 so many seconds after an hour of no meaning. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3) + seconds * 1000).toISOString();

export function stored(
  fields: Partial<Omit<StoredMessage, 'headers' | 'payload'>> & {
    headers?: HeaderLine[];
    payload?: string | Uint8Array;
  } = {},
): StoredMessage {
  const { headers = [], payload = '', ...rest } = fields;
  return {
    stream: 'REQUESTS',
    seq: 7,
    subject: 'requests.dns',
    time: at(0),
    ...rest,
    headers: printHeaders(headers),
    payload: Buffer.from(payload),
  };
}

export const record = (fields: Partial<DlqRecord> = {}): DlqRecord => ({
  stream: 'dlq',
  seq: 1,
  subject: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.worker',
  kind: 'advisory',
  reason: 'max_deliveries',
  time: at(60),
  stored: at(60),
  deliveries: 3,
  ...fields,
});

export const death = (fields: Partial<Death> = {}): Death => ({
  queue: 'REQUESTS',
  consumer: 'worker',
  seq: 7,
  id: 'REQUESTS/worker/7',
  record: record(),
  pointsAtOriginal: true,
  ...fields,
});

export const consumer = (fields: Partial<ConsumerStanding> = {}): ConsumerStanding => ({
  name: 'worker',
  created: at(-100),
  filters: [],
  delivered: 10,
  ackFloor: 0,
  pending: 0,
  ackPending: 0,
  redelivered: 0,
  waiting: 0,
  maxDeliver: 3,
  waits: [30e9],
  paused: false,
  acks: true,
  ...fields,
});

export const standing = (fields: Partial<QueueStanding> = {}): QueueStanding => ({
  queue: 'REQUESTS',
  exists: true,
  created: at(-100),
  retention: 'workqueue',
  maxAge: 0,
  copies: [],
  subjects: ['requests.*'],
  messages: 10,
  bytes: 1000,
  firstSeq: 1,
  lastSeq: 10,
  consumers: [consumer()],
  readAt: 0,
  ...fields,
});

export function entry(fields: Partial<Entry> = {}): Entry {
  const message = fields.inner?.message ?? stored({ payload: '{"id":"r7","kind":"dns"}' });
  return {
    id: 'REQUESTS/worker/7',
    queue: 'REQUESTS',
    consumer: 'worker',
    seq: 7,
    subject: 'requests.dns',
    request_id: 'r7',
    state: 'replayable',
    reason: 'max_deliveries',
    detail: null,
    deliveries: 3,
    died_at: at(60),
    published_at: at(0),
    size: 24,
    replays: 0,
    inner: { records: [record()], message, original: message, streamCreated: at(-100) },
    ...fields,
  };
}
