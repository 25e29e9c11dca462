import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCount, isDeath, readDeath, tellsRemoval, type Unreadable } from '../../../src/lib/dlq/advisory.ts';
import type { Death } from '../../../src/lib/dlq/death.ts';
import type { DlqRecord } from '../../../src/lib/model/entry.ts';
import { at, record, stored } from './builders.ts';

const SUBJECT = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.worker';
const GOOD = {
  type: 'io.nats.jetstream.advisory.v1.max_deliver',
  id: 'x',
  timestamp: at(1),
  stream: 'REQUESTS',
  consumer: 'worker',
  stream_seq: 7,
  deliveries: 3,
};
const read = (fields: Record<string, unknown>, subject = SUBJECT): Death | Unreadable =>
  readDeath(stored({ stream: 'dlq', seq: 5, subject, time: at(2), payload: JSON.stringify({ ...GOOD, ...fields }) }));

describe('an advisory', () => {
  test('of the server is a death with its time, its deliveries and its place in the DLQ', () => {
    expect(read({})).toMatchObject({
      id: 'REQUESTS/worker/7',
      pointsAtOriginal: true,
      record: { stream: 'dlq', seq: 5, kind: 'advisory', reason: 'max_deliveries', time: at(1), deliveries: 3 },
    });
  });

  test('of a termination keeps the words of the worker', () => {
    const subject = '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.REQUESTS.worker';
    const type = 'io.nats.jetstream.advisory.v1.terminated';
    expect(read({ type, reason: 'no such kind' }, subject)).toMatchObject({
      record: { reason: 'terminated', detail: 'no such kind' },
    });
  });

  test('that a mirror stored under a longer subject is read by what its text says', () => {
    expect(read({}, `mirror.${SUBJECT}`)).toMatchObject({ id: 'REQUESTS/worker/7' });
  });

  test('with a time after it was stored is taken to be as old as it was stored', () => {
    expect(read({ timestamp: '2999-01-01T00:00:00Z' })).toMatchObject({ record: { time: at(2) } });
    expect(read({ timestamp: 'yesterday' })).toMatchObject({ record: { time: at(2) } });
  });

  test.each([
    { name: 'another stream than its subject', fields: { stream: 'OTHER' } },
    { name: 'another consumer than its subject', fields: { consumer: 'other' } },
    { name: 'no stream', fields: { stream: undefined } },
    { name: 'a consumer with a slash', fields: { consumer: 'a/b' } },
    { name: 'a stream with a dot', fields: { stream: 'A.B' } },
    { name: 'a negative sequence', fields: { stream_seq: -1 } },
    { name: 'sequence 0', fields: { stream_seq: 0 } },
    { name: 'half a sequence', fields: { stream_seq: 1.5 } },
    { name: 'a sequence beyond what can be held', fields: { stream_seq: 2 ** 53 } },
    { name: 'a sequence as text', fields: { stream_seq: '7' } },
  ])('with $name is told apart', ({ fields }) => {
    expect(isDeath(read(fields))).toBe(false);
  });

  /** On a subject that names nobody: only the text counts. */
  test.each([
    { name: 'stream', fields: { stream: undefined } },
    { name: 'consumer', fields: { consumer: 'a/b' } },
    { name: 'sequence', fields: { stream_seq: 0 } },
    { name: 'kind', fields: { type: undefined } },
    { name: 'kind that we know', fields: { type: 'io.nats.jetstream.advisory.v1.nak' } },
    { name: 'kind but what every object has', fields: { type: 'constructor' } },
    { name: 'kind but a list of one', fields: { type: [GOOD.type] } },
  ])('that names no $name, its subject neither, is told apart', ({ fields }) => {
    expect(read(fields, 'copied')).toMatchObject({ stream: 'dlq', seq: 5, why: expect.any(String) });
  });

  test.each([
    { name: 'by its text alone', subject: 'copied', type: GOOD.type, want: 'max_deliveries' },
    {
      name: 'by its text alone, terminated',
      subject: 'copied',
      type: 'io.nats.jetstream.advisory.v1.terminated',
      want: 'terminated',
    },
    { name: 'by its subject alone', subject: SUBJECT, type: undefined, want: 'max_deliveries' },
    {
      name: 'by its subject alone, terminated',
      subject: 'CONSUMER.MSG_TERMINATED.REQUESTS.worker',
      type: 'x',
      want: 'terminated',
    },
    {
      name: 'by its text before its subject',
      subject: SUBJECT.replace('MAX_DELIVERIES', 'MSG_TERMINATED'),
      want: 'max_deliveries',
    },
    { name: 'of a subject that says nothing of a consumer', subject: 'MAX_DELIVERIES.A.B', want: 'max_deliveries' },
    {
      name: 'of a subject whose consumer is another word',
      subject: 'CONSUMER.A.MAX_DELIVERIES.B',
      want: 'max_deliveries',
    },
  ])('is known $name', ({ subject, want, ...fields }) => {
    expect(read(fields, subject)).toMatchObject({ id: 'REQUESTS/worker/7', record: { reason: want, subject } });
  });

  test.each([
    { subject: 'CONSUMER.MAX_DELIVERIES.OTHER.worker' },
    { subject: 'a.CONSUMER.MAX_DELIVERIES.REQUESTS.other' },
    { subject: 'a.CONSUMER.MAX_DELIVERIES.REQUESTS' },
    { subject: 'CONSUMER.MAX_DELIVERIES' },
  ])('on $subject, which names another, is told apart', ({ subject }) => {
    expect(isDeath(read({}, subject))).toBe(false);
  });

  test.each([
    { name: 'at most', size: 64 * 1024, want: true },
    { name: 'more than', size: 64 * 1024 + 1, want: false },
  ])('of $name 64 KiB: a death is $want', ({ size, want }) => {
    const text = JSON.stringify(GOOD).padEnd(size);
    expect(isDeath(readDeath(stored({ subject: SUBJECT, time: at(2), payload: text })))).toBe(want);
  });

  test.each([
    { payload: '{', why: /not JSON$/ },
    { payload: '[1]', why: /not a JSON object/ },
    { payload: '', why: /not JSON$/ },
  ])('of text $payload: $why', ({ payload, why }) => {
    expect(readDeath(stored({ subject: SUBJECT, payload }))).toMatchObject({ why: expect.stringMatching(why) });
  });

  test.each([
    { name: 'no words', reason: undefined, want: undefined },
    { name: 'empty words', reason: '', want: undefined },
    { name: 'words that are none', reason: 5, want: undefined },
    { name: 'words up to 2,000 characters', reason: 'x'.repeat(2000), want: 'x'.repeat(2000) },
    { name: 'the first 2,000 of more', reason: 'x'.repeat(2001), want: 'x'.repeat(2000) },
  ])('has $name', ({ reason, want }) => {
    expect((read({ reason }) as Death).record.detail).toBe(want);
  });

  test.each([
    { sent: 62, want: 62 },
    { sent: 61.999, want: 61.999 },
    { sent: 62.001, want: 2 },
  ])('sent $sent s and stored 2 s after the hour is of $want s', ({ sent, want }) => {
    expect(read({ timestamp: at(sent) })).toMatchObject({ record: { time: at(want), stored: at(2) } });
  });

  test.each([
    { deliveries: 0, want: 0 },
    { deliveries: 1, want: 1 },
    { deliveries: -1, want: null },
    { deliveries: 1.5, want: null },
    { deliveries: 2 ** 53, want: null },
    { deliveries: '3', want: null },
    { deliveries: undefined, want: null },
  ])('of $deliveries deliveries tells $want', ({ deliveries, want }) => {
    expect(read({ deliveries })).toMatchObject({ record: { deliveries: want } });
    expect(isCount(deliveries)).toBe(want !== null);
  });

  test('is never a crash, and never a name or a sequence that cannot be, whatever is stored', () => {
    const name = fc.oneof(fc.constant('REQUESTS'), fc.string(), fc.constant('../x'), fc.integer());
    const body = fc.record(
      {
        type: fc.constantFrom(GOOD.type, 'x'),
        stream: name,
        consumer: name,
        stream_seq: fc.oneof(fc.double(), fc.string()),
      },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      body.map((value) => Buffer.from(JSON.stringify(value))),
    );
    const headers = fc.array(
      fc.record({
        name: fc.constantFrom(
          'Osapi-Reject-Stream',
          'Osapi-Reject-Seq',
          'X-DLQ-Original-Stream',
          'x-original-stream',
          'A',
        ),
        value: fc.string().map((text) => text.replace(/[\r\n]/g, '')),
      }),
    );
    const subject = fc.constantFrom(SUBJECT, 'osapi-ops.rejected.REQUESTS.worker', 'a.b', 'CONSUMER.MSG_TERMINATED');
    fc.assert(
      fc.property(subject, headers, payload, (onSubject, lines, bytes) => {
        const reading = readDeath(stored({ subject: onSubject, headers: lines, payload: bytes }));
        if (!isDeath(reading)) return reading.why.length > 0;
        return (
          Number.isSafeInteger(reading.seq) &&
          reading.seq >= 1 &&
          !/[\s.*>]/.test(reading.queue) &&
          !/[\s.*>/]/.test(reading.consumer)
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('a record', () => {
  const removal = { reason: 'terminated', detail: 'Message deleted by stream limits' } as const;
  test.each<{ name: string; of: Partial<DlqRecord>; want: boolean }>([
    { name: 'that the server let it go', of: removal, want: true },
    { name: 'that somebody deleted it', of: { ...removal, detail: 'Unacknowledged message was deleted' }, want: true },
    { name: 'in words of a worker', of: { ...removal, detail: 'Message deleted' }, want: false },
    { name: 'without words', of: { reason: 'terminated' }, want: false },
    { name: 'of a message given up', of: { ...removal, reason: 'max_deliveries' }, want: false },
    { name: 'of a worker that says the same', of: { ...removal, kind: 'rejected' }, want: false },
  ])('$name: only that it went is $want', ({ of, want }) => {
    expect(tellsRemoval(record(of))).toBe(want);
  });
});

describe('a reject', () => {
  const line = (name: string, value: string) => ({ name, value });
  const rejected = (subject: string, stream = 'REQUESTS') =>
    readDeath(
      stored({
        stream: 'dlq',
        seq: 3,
        subject,
        time: at(5),
        headers: [
          line('Trace', 'a'),
          line('Trace', 'b'),
          line('Osapi-Reject-Stream', stream),
          line('Osapi-Reject-Consumer', 'worker'),
          line('Osapi-Reject-Seq', '7'),
          line('Osapi-Reject-Subject', 'requests.dns'),
          line('Osapi-Reject-Time', at(4)),
          line('Osapi-Reject-Reason', 'not JSON'),
        ],
        payload: Uint8Array.of(0xff, 0, 1),
      }),
    );

  test('carries its request byte for byte, without the headers that tell of the reject', () => {
    const reading = rejected('osapi-ops.rejected.REQUESTS.worker') as Death;
    expect(reading).toMatchObject({
      id: 'REQUESTS/worker/7',
      record: { kind: 'rejected', reason: 'rejected', time: at(4) },
    });
    expect(Buffer.from(reading.carried!.headers).toString()).toBe('NATS/1.0\r\nTrace: a\r\nTrace: b\r\n\r\n');
    expect([...reading.carried!.payload]).toEqual([0xff, 0, 1]);
  });

  test('whose subject names another stream than its headers is told apart', () => {
    expect(isDeath(rejected('osapi-ops.rejected.OTHER.worker'))).toBe(false);
  });
});
