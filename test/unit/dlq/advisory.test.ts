import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDeath, readDeath, type Unreadable } from '../../../src/lib/dlq/advisory.ts';
import type { Death } from '../../../src/lib/dlq/death.ts';
import { at, stored } from './builders.ts';

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
