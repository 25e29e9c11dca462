import { describe, expect, test } from '@jest/globals';
import { type ArchiveLine, parseArchiveLine, printArchiveLine } from '../../../src/lib/dlq/archive.ts';
import { readCarried } from '../../../src/lib/dlq/carried.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { type HeaderLine, parseHeaders } from '../../../src/lib/nats/raw-headers.ts';
import {
  carryOriginal,
  contentOf,
  type ImportMessage,
  importMessages,
  importSubjects,
  restoreRecord,
  twinKey,
} from '../../../src/lib/replay/imported.ts';
import { REBUILT, rebuildAdvisory } from '../../../src/lib/replay/rebuilt.ts';
import { at, entry, record, stored } from '../dlq/builders.ts';

const header = (name: string, value: string): HeaderLine => ({ name, value });
const lines = (message: ImportMessage, id = message.id): string[] =>
  parseHeaders(message.headers(id)).map(({ name, value }) => `${name}: ${value}`);
const archived = (fields: Partial<Entry>): ArchiveLine => parseArchiveLine(printArchiveLine(entry(fields)), 'a:1');
const withHeaders = (headers: HeaderLine[], fields: Partial<Entry> = {}): ArchiveLine => {
  const message = stored({ headers, payload: 'body' });
  return archived({ ...fields, inner: { ...entry().inner, message, original: message } });
};

describe('a record of an archive', () => {
  const restore = (headers: HeaderLine[], index = 0) => {
    const raw = stored({ stream: 'dlq', subject: 'dead', payload: 'body', headers });
    const line = archived({ inner: { ...entry().inner, records: [record({ raw })] } });
    return { line, message: restoreRecord(line, line.records[0]!, index) };
  };
  const ours = (line: ArchiveLine, part: string) => `osapi-ops.import.${line.digest.slice(0, 32)}.${part}`;

  test('without an id gets one of its content and place, behind its headers', () => {
    const { line, message } = restore([header('A', '1')], 3);
    expect(message).toMatchObject({ subject: 'dead', id: ours(line, '3'), payload: Buffer.from('body') });
    expect(lines(message)).toEqual(['A: 1', `Nats-Msg-Id: ${ours(line, '3')}`]);
  });

  test('with an id keeps it where it stands, byte for byte', () => {
    const { message } = restore([header('Nats-Msg-Id', ' mine'), header('A', '1')]);
    expect(message.id).toBe('mine');
    expect(lines(message)).toEqual(['Nats-Msg-Id:  mine', 'A: 1']);
  });

  test('published under another id has that one in its place', () => {
    const { message } = restore([header('A', '1'), header('Nats-Msg-Id', 'mine'), header('B', '2')]);
    expect(lines(message, 'other')).toEqual(['A: 1', 'Nats-Msg-Id: other', 'B: 2']);
    expect(lines(restore([header('Nats-Msg-Id', 'mine'), header('B', '2')]).message, 'other')).toEqual([
      'Nats-Msg-Id: other',
      'B: 2',
    ]);
  });

  test('loses what a server would obey', () => {
    const { line, message } = restore([header('Nats-Rollup', 'all'), header('Nats-TTL', '1m'), header('A', '1')]);
    expect(lines(message)).toEqual(['Nats-TTL: 1m', 'A: 1', `Nats-Msg-Id: ${ours(line, '0')}`]);
  });
});

describe('the dead message of an archive', () => {
  test.each([
    'one line',
    'query\n\tat line 7',
    'a\r\nb\0',
    ' outer blanks\t',
    'kein Gerät\n',
    '"quoted"',
    '"quoted"\n',
  ])('died of the same words: %j', (detail) => {
    const message = carryOriginal(withHeaders([], { detail }))!;
    const headers = parseHeaders(message.headers(message.id));
    const death = readCarried(stored({ stream: 'dlq', subject: message.subject, payload: 'body', headers }));
    expect(death!.record.detail).toBe(detail);
    expect(death!.carried!.headers).toHaveLength(0);
  });

  test('is a dead letter that carries it: what was known of the death is known again', () => {
    const line = withHeaders([header('Nats-Msg-Id', 'mine'), header('Trace', 'a')], { detail: 'its words' });
    const message = carryOriginal(line)!;
    expect(message).toMatchObject({
      subject: 'osapi-ops.rejected.REQUESTS.worker',
      otherwise: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.worker',
      id: `osapi-ops.import.${line.digest.slice(0, 32)}.message`,
      payload: Buffer.from('body'),
    });
    const death = readCarried(
      stored({
        stream: 'dlq',
        subject: message.subject,
        time: at(99),
        payload: 'body',
        headers: parseHeaders(message.headers(message.id)),
      }),
    );
    expect(death).toMatchObject({
      id: 'REQUESTS/worker/7',
      record: { reason: 'max_deliveries', time: at(60), deliveries: 3, detail: 'its words' },
      carried: { subject: 'requests.dns', time: at(0) },
    });
    expect(parseHeaders(death!.carried!.headers)).toEqual([header('Nats-Msg-Id', 'mine'), header('Trace', 'a')]);
  });

  test.each([
    { name: 'Nats-Rollup', want: 'Osapi-Reject-Kept-Nats-Rollup' },
    { name: 'nats-rollup', want: 'Osapi-Reject-Kept-nats-rollup' },
    { name: 'Osapi-Reject-Seq', want: 'Osapi-Reject-Kept-Osapi-Reject-Seq' },
    { name: 'Osapi-Import-Reason', want: 'Osapi-Reject-Kept-Osapi-Import-Reason' },
    { name: 'X-Nats-Rollup', want: 'X-Nats-Rollup' },
  ])('has its header $name as $want', ({ name, want }) => {
    expect(lines(carryOriginal(withHeaders([header(name, '1')]))!)[0]).toBe(`${want}: 1`);
  });

  test('whose death nobody timed or counted is of when it was published', () => {
    const told = lines(carryOriginal(withHeaders([], { died_at: null, deliveries: null }))!);
    expect(told).toContain(`Osapi-Reject-Time: ${at(0)}`);
    expect(told).toContain('Osapi-Reject-Deliveries: 0');
  });

  const raw = stored({ stream: 'dlq' });
  const { message: _message, original: _original, ...nothing } = entry().inner;
  test.each([
    { name: 'there is none', inner: nothing, want: false },
    { name: 'an advisory speaks of it', inner: { ...entry().inner, records: [record({ raw })] }, want: true },
    {
      name: 'a record carries it',
      inner: { ...entry().inner, records: [record({ raw, kind: 'rejected' as const })] },
      want: false,
    },
    {
      name: 'one of two records carries it',
      inner: { ...entry().inner, records: [record({ raw }), record({ raw, kind: 'rejected' as const })] },
      want: false,
    },
    { name: 'nothing speaks of it', inner: { ...entry().inner, records: [] }, want: true },
  ])('is carried where $name: $want', ({ inner, want }) => {
    expect(carryOriginal(archived({ inner })) !== undefined).toBe(want);
  });
});

test.each([
  { deliveries: 3, want: 3 },
  { deliveries: null, want: 0 },
])('the advisory that an orphan lacks has the server’s form, and says who wrote it', ({ deliveries, want }) => {
  const found = rebuildAdvisory(entry({ deliveries }), new Date(at(99)));
  const id = `osapi-ops-rebuilt.REQUESTS.7.20260102030000000`;
  expect(REBUILT).toBe('osapi-ops-rebuilt');
  expect(found).toMatchObject({ subject: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.worker', msgId: id });
  expect(JSON.parse(found.payload.toString())).toEqual({
    type: 'io.nats.jetstream.advisory.v1.max_deliver',
    id,
    timestamp: at(99),
    stream: 'REQUESTS',
    consumer: 'worker',
    stream_seq: 7,
    deliveries: want,
  });
});

describe('a line of an archive', () => {
  const advisory = record({ raw: stored({ stream: 'dlq', subject: 'advisory' }) });
  const reject = record({ kind: 'rejected', raw: stored({ stream: 'dlq', subject: 'reject' }) });
  const rejected = 'osapi-ops.rejected.REQUESTS.worker';
  const otherwise = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.worker';
  test.each([
    [
      'its records, and its message where none carries it',
      [advisory],
      true,
      [{ subject: 'advisory' }, { subject: rejected, otherwise }],
    ],
    [
      'its records alone, where one carries it',
      [advisory, reject],
      true,
      [{ subject: 'advisory' }, { subject: 'reject' }],
    ],
    ['its records alone, where nothing is left of it', [advisory], false, [{ subject: 'advisory' }]],
    ['its message alone', [], true, [{ subject: rejected, otherwise }]],
  ])('is published as %s', (_, records, hasMessage, want) => {
    const { original, message, ...inner } = entry().inner;
    const line = archived({ inner: { ...inner, ...(hasMessage && { original, message }), records } });
    const published = importMessages(line);
    expect(published.map(({ subject, otherwise: other }) => ({ subject, ...(other && { otherwise: other }) }))).toEqual(
      want,
    );
    const there = records.map(({ raw, kind }) => ({ subject: raw!.subject, kind }));
    expect(importSubjects({ queue: 'REQUESTS', consumer: 'worker' }, there, hasMessage)).toEqual(want);
    const parts = [
      ...records.map((_one, index) => String(index)),
      ...(want.length > records.length ? ['message'] : []),
    ];
    expect(published.map(({ id }) => id.split('.').at(-1))).toEqual(parts);
  });
});

describe('the name of a record by what it is', () => {
  const one = stored({ headers: [header('A', '1')], payload: 'body' });
  test.each([
    ['the same', one, true],
    ['another sequence, stream and time', { ...one, seq: 9, stream: 'S', time: at(9) }, true],
    [
      'an id under which it was stored',
      stored({ headers: [header('A', '1'), header('Nats-Msg-Id', 'x')], payload: 'body' }),
      true,
    ],
    [
      'a header that a server obeys',
      stored({ headers: [header('Nats-Expected-Stream', 'S'), header('A', '1')], payload: 'body' }),
      true,
    ],
    ['another subject', { ...one, subject: 'other' }, false],
    ['another payload', { ...one, payload: Buffer.from('bodies') }, false],
    ['another header', stored({ headers: [header('B', '1')], payload: 'body' }), false],
    ['another value', stored({ headers: [header('A', '2')], payload: 'body' }), false],
  ])('%s: equal is %p', (_, other, want) => {
    expect(contentOf(one) === contentOf(other)).toBe(want);
  });

  test('is with its sequence and time that of a copy of it, where the time is told', () => {
    expect(twinKey(one)).toBe(`7 ${at(0)} ${contentOf(one)}`);
    expect(twinKey({ ...one, time: '' })).toBeUndefined();
  });
});
