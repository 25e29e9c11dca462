import { describe, expect, test } from '@jest/globals';
import { readCarried } from '../../../src/lib/dlq/carried.ts';
import type { Death } from '../../../src/lib/dlq/death.ts';
import { type HeaderLine, parseHeaders } from '../../../src/lib/nats/raw-headers.ts';
import { at, stored } from './builders.ts';

type Headers = Readonly<Record<string, string | undefined>>;

/** A message of a DLQ stream with these headers; `undefined` takes one away. */
const read = (headers: Headers, more: Parameters<typeof stored>[0] = {}): Death | undefined =>
  readCarried(
    stored({
      stream: 'dlq',
      seq: 3,
      subject: 'dead',
      time: at(100),
      payload: 'body',
      headers: Object.entries(headers).flatMap(([name, value]): HeaderLine[] =>
        value === undefined ? [] : [{ name, value }],
      ),
      ...more,
    }),
  );

/** The headers of what is carried, as a replay would publish them. */
const kept = (death: Death | undefined): string[] =>
  parseHeaders(death!.carried!.headers).map(({ name, value }) => `${name}: ${value}`);

const REJECT = {
  Trace: 'a',
  'Osapi-Reject-Stream': 'REQUESTS',
  'Osapi-Reject-Consumer': 'worker',
  'Osapi-Reject-Seq': '17',
  'Osapi-Reject-Subject': 'requests.dns',
  'Osapi-Reject-Time': at(90),
  'Osapi-Reject-Reason': 'no such kind',
  'Osapi-Reject-Deliveries': '4',
};
const SERVICE = {
  'X-DLQ-Trace': 'a',
  Other: 'gone',
  'X-DLQ-Original-Stream': 'REQUESTS',
  'X-DLQ-Original-Subject': 'requests.dns',
  'X-DLQ-Original-Time': at(10),
  'X-DLQ-Original-Seq': '17',
  'X-DLQ-Consumer': 'worker',
  'X-DLQ-Deliveries': '4',
  'X-DLQ-Termination-Reason': 'no such kind',
};
/** The other set of headers of the same service. */
const SERVICE_OLD = {
  'X-DLQ-Trace': 'a',
  'X-DLQ-Original-Stream': 'REQUESTS',
  'X-DLQ-Original-Subject': 'requests.dns',
  'X-DLQ-Original-Consumer': 'worker',
  'X-DLQ-Delivery-Attempts': '4',
  'X-DLQ-Failure-Reason': 'timeout',
  'X-DLQ-Failure-Timestamp': at(90),
};
const NESTJS = {
  Trace: 'a',
  'x-original-stream': 'REQUESTS',
  'x-original-subject': 'requests.dns',
  'x-failed-at': at(90),
  'x-delivery-count': '4',
  'x-dead-letter-reason': 'timeout',
};
const record = { stream: 'dlq', seq: 3, subject: 'dead', stored: at(100), deliveries: 4 };
const carried = { stream: 'REQUESTS', subject: 'requests.dns', time: '', payload: Buffer.from('body') };

describe('a dead letter that carries its original', () => {
  test.each([
    {
      name: 'a worker’s reject',
      headers: REJECT,
      want: {
        id: 'REQUESTS/worker/17',
        consumer: 'worker',
        seq: 17,
        pointsAtOriginal: true,
        record: { ...record, kind: 'rejected', reason: 'rejected', time: at(90), detail: 'no such kind' },
        carried: { ...carried, seq: 17 },
      },
    },
    {
      name: 'one of nats-dlq-service',
      headers: SERVICE,
      want: {
        id: 'REQUESTS/worker/17',
        consumer: 'worker',
        seq: 17,
        pointsAtOriginal: true,
        record: { ...record, kind: 'dlq-service', reason: 'terminated', time: at(100), detail: 'no such kind' },
        carried: { ...carried, seq: 17, time: at(10) },
      },
    },
    {
      name: 'one of an older nats-dlq-service',
      headers: SERVICE_OLD,
      want: {
        id: 'dlq/-/3',
        consumer: 'worker',
        seq: 3,
        pointsAtOriginal: false,
        record: { ...record, kind: 'dlq-service', reason: 'max_deliveries', time: at(90), detail: 'timeout' },
        carried: { ...carried, seq: 3 },
      },
    },
    {
      name: 'one of nestjs-jetstream',
      headers: NESTJS,
      want: {
        id: 'dlq/-/3',
        consumer: '-',
        seq: 3,
        pointsAtOriginal: false,
        record: { ...record, kind: 'nestjs-jetstream', reason: 'max_deliveries', time: at(90), detail: 'timeout' },
        carried: { ...carried, seq: 3 },
      },
    },
  ])('is read: $name', ({ headers, want }) => {
    const death = read(headers);
    const { headers: _headers, ...rest } = death!.carried!;
    expect({ ...death, carried: rest }).toEqual({ queue: 'REQUESTS', ...want });
    expect(kept(death)).toEqual(['Trace: a']);
  });

  test('is none where no convention is kept', () => {
    expect(read({ Trace: 'a' })).toBeUndefined();
    expect(read({})).toBeUndefined();
  });

  test.each([
    { name: 'in its own place', subject: 'osapi-ops.rejected.REQUESTS.worker', want: true },
    { name: 'where a server moved it to', subject: 'dead.letters', want: true },
    { name: 'where the words only begin alike', subject: 'osapi-ops.rejectedly', want: true },
    { name: 'in the place of another stream', subject: 'osapi-ops.rejected.OTHER.worker', want: false },
    { name: 'in the place of another consumer', subject: 'osapi-ops.rejected.REQUESTS.other', want: false },
  ])('that is a reject $name is believed: $want', ({ subject, want }) => {
    expect(read(REJECT, { subject }) !== undefined).toBe(want);
  });

  test('of a service is believed on any subject', () => {
    expect(read(SERVICE, { subject: 'osapi-ops.rejected.OTHER.worker' })?.queue).toBe('REQUESTS');
  });

  test.each([
    { name: 'a blank around', change: { 'Osapi-Reject-Seq': ' 17 ' }, want: 'REQUESTS/worker/17' },
    {
      name: 'other letters',
      change: { 'Osapi-Reject-Seq': undefined, 'OSAPI-REJECT-SEQ': '17' },
      want: 'REQUESTS/worker/17',
    },
    { name: 'the first of two', change: { 'osapi-reject-seq': '18' }, want: 'REQUESTS/worker/17' },
    { name: 'no number', change: { 'Osapi-Reject-Seq': '17a' }, want: 'dlq/-/3' },
    { name: 'a sign', change: { 'Osapi-Reject-Seq': '+17' }, want: 'dlq/-/3' },
    { name: 'zero', change: { 'Osapi-Reject-Seq': '0' }, want: 'dlq/-/3' },
    { name: 'nothing', change: { 'Osapi-Reject-Seq': '' }, want: 'dlq/-/3' },
    { name: 'no header', change: { 'Osapi-Reject-Seq': undefined }, want: 'dlq/-/3' },
    {
      name: 'the largest that can be held',
      change: { 'Osapi-Reject-Seq': '9007199254740991' },
      want: 'REQUESTS/worker/9007199254740991',
    },
    { name: 'one more', change: { 'Osapi-Reject-Seq': '9007199254740992' }, want: 'dlq/-/3' },
    { name: 'seventeen digits', change: { 'Osapi-Reject-Seq': '00000000000000017' }, want: 'dlq/-/3' },
    { name: 'a consumer that can be none', change: { 'Osapi-Reject-Consumer': 'a b' }, want: 'REQUESTS/-/17' },
  ])('whose sequence has $name is $want', ({ change, want }) => {
    expect(read({ ...REJECT, ...change })?.id).toBe(want);
  });

  test.each([
    { name: 'a stream that can be none', headers: { ...REJECT, 'Osapi-Reject-Stream': 'A.B' } },
    { name: 'an empty stream', headers: { ...REJECT, 'Osapi-Reject-Stream': '' } },
  ])('with $name is none', ({ headers }) => {
    expect(read(headers)).toBeUndefined();
  });

  test.each([
    { name: 'in the future by a minute', time: at(160), want: at(160) },
    { name: 'in the future by more', time: '2026-01-02T03:02:40.001Z', want: at(100) },
    { name: 'that is none', time: 'noon', want: at(100) },
    { name: 'that is not there', time: undefined, want: at(100) },
  ])('with a time $name', ({ time, want }) => {
    expect(read({ ...REJECT, 'Osapi-Reject-Time': time })?.record.time).toBe(want);
  });

  test.each([
    { deliveries: '0', want: 0 },
    { deliveries: '4x', want: null },
    { deliveries: 'x4', want: null },
    { deliveries: undefined, want: null },
  ])('with deliveries $deliveries tells $want', ({ deliveries, want }) => {
    expect(read({ ...REJECT, 'Osapi-Reject-Deliveries': deliveries })?.record.deliveries).toBe(want);
  });

  test.each([2000, 2001])('keeps at most 2,000 of %i characters of why', (length) => {
    expect(read({ ...REJECT, 'Osapi-Reject-Reason': 'x'.repeat(length) })?.record.detail).toHaveLength(2000);
  });

  test('reads UTF-8 in its headers', () => {
    const latin1 = Buffer.from('kein Gerät', 'utf8').toString('latin1');
    expect(read({ ...REJECT, 'Osapi-Reject-Reason': latin1 })?.record.detail).toBe('kein Gerät');
  });

  test.each(['"not closed', '7', '["x"]', ''])(
    'has the words of its header where those beside it are no text: %j',
    (json) => {
      const both = { 'Osapi-Reject-Reason': 'words', 'Osapi-Import-Detail': json };
      expect(read({ ...REJECT, ...both })?.record.detail).toBe('words');
    },
  );

  test.each([
    { name: 'archived as given up', reason: 'max_deliveries', want: 'max_deliveries' },
    { name: 'archived as terminated', reason: 'terminated', want: 'terminated' },
    { name: 'archived as rejected', reason: 'rejected', want: 'rejected' },
    { name: 'archived with a word that is no reason', reason: 'bored', want: 'rejected' },
  ])('that was imported has its old reason: $name', ({ reason, want }) => {
    const imported = { 'Osapi-Import-Reason': reason, 'Osapi-Import-Published': at(5) };
    const death = read({ ...REJECT, ...imported });
    expect([death?.record.reason, death?.carried?.time]).toEqual([want, at(5)]);
    expect(kept(death)).toEqual(['Trace: a']);
  });

  test.each([
    {
      name: 'what waits behind the prefix has its name again, the record’s own id goes',
      more: {
        'Osapi-Reject-Kept-Nats-Msg-Id': 'mine',
        'Nats-Msg-Id': 'osapi-ops.import.abc.0',
        'Osapi-Reject-Kept-Osapi-Reject-Seq': '5',
      },
      want: ['Nats-Msg-Id: mine', 'Osapi-Reject-Seq: 5'],
    },
    {
      name: 'an id that no import gave',
      more: { 'Nats-Msg-Id': 'x.osapi-ops.import.' },
      want: ['Nats-Msg-Id: x.osapi-ops.import.'],
    },
    {
      name: 'another header with such a value',
      more: { Note: 'osapi-ops.import.abc' },
      want: ['Note: osapi-ops.import.abc'],
    },
    { name: 'a name with the prefix in it', more: { 'X-Osapi-Reject-Kept-': '1' }, want: ['X-Osapi-Reject-Kept-: 1'] },
  ])('gives the headers of its request back: $name', ({ more, want }) => {
    expect(kept(read({ ...REJECT, ...more }))).toEqual(['Trace: a', ...want]);
  });

  test.each([
    { name: 'told by its own header', change: { 'X-DLQ-Termination-Reason': 'x' }, want: 'terminated' },
    {
      name: 'told by its words',
      change: { 'X-DLQ-Termination-Reason': undefined, 'X-DLQ-Failure-Reason': 'was Terminated' },
      want: 'terminated',
    },
    {
      name: 'with other words',
      change: { 'X-DLQ-Termination-Reason': undefined, 'X-DLQ-Failure-Reason': 'timeout' },
      want: 'max_deliveries',
    },
    { name: 'without words', change: { 'X-DLQ-Termination-Reason': undefined }, want: 'max_deliveries' },
    { name: 'told by an empty header', change: { 'X-DLQ-Termination-Reason': '' }, want: 'terminated' },
  ])('of a service is terminated or given up: $name', ({ change, want }) => {
    expect(read({ ...SERVICE, ...change })?.record.reason).toBe(want);
  });

  test.each([
    { name: 'an empty one of the old service, which had no payload', headers: SERVICE_OLD, payload: '', want: false },
    { name: 'one of the old service', headers: SERVICE_OLD, payload: 'x', want: true },
    { name: 'an empty one of the new service', headers: SERVICE, payload: '', want: true },
    {
      name: 'an empty reject with a header of that name',
      headers: { ...REJECT, 'X-DLQ-Failure-Timestamp': '1' },
      payload: '',
      want: true,
    },
    {
      name: 'one without a subject',
      headers: { ...REJECT, 'Osapi-Reject-Subject': undefined },
      payload: 'x',
      want: false,
    },
    {
      name: 'one whose subject no message can have, which goes elsewhere',
      headers: { ...REJECT, 'Osapi-Reject-Subject': 'requests.*' },
      payload: 'x',
      want: true,
    },
  ])('has something to be replayed: $name', ({ headers, payload, want }) => {
    expect(read(headers, { payload })?.carried !== undefined).toBe(want);
  });

  test('has no time of publishing where what it says is none', () => {
    expect(read({ ...SERVICE, 'X-DLQ-Original-Time': 'noon' })?.carried?.time).toBe('');
  });
});
