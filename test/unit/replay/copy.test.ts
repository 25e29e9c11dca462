import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { replayCount } from '../../../src/lib/dlq/entry.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { type HeaderLine, headerValue, parseHeaders, printHeaders } from '../../../src/lib/nats/raw-headers.ts';
import { copyHeaders, isObeyed, makeMove, reasonText, replayMsgId } from '../../../src/lib/replay/copy.ts';

const line = (name: string, value: string): HeaderLine => ({ name, value });
const ours = { of: 'REQUESTS/w/7', msgId: 'osapi-ops.replay.REQUESTS.7.1.1', count: 1, allowTtl: false };
const added = [line('Nats-Msg-Id', ours.msgId), line('Osapi-Replay-Of', ours.of), line('Osapi-Replay-Count', '1')];

const stored = (change: Partial<StoredMessage> = {}): StoredMessage => ({
  stream: 'REQUESTS',
  seq: 7,
  subject: 'requests.dns',
  time: '2026-11-24T08:00:00.123456789Z',
  headers: new Uint8Array(0),
  payload: Buffer.from('{"id":"r7"}'),
  ...change,
});

const entry = (inner: Partial<Entry['inner']>): Entry => ({
  id: 'REQUESTS/w/7',
  queue: 'REQUESTS',
  consumer: 'w',
  seq: 7,
  subject: 'requests.dns',
  request_id: 'r7',
  state: 'replayable',
  reason: 'max_deliveries',
  detail: null,
  deliveries: 3,
  died_at: '2026-11-24T08:01:00Z',
  published_at: '2026-11-24T08:00:00Z',
  size: 11,
  replays: 0,
  inner: { records: [], streamCreated: '2026-11-01T00:00:00Z', ...inner },
});

describe('the headers of a copy', () => {
  test.each([
    { name: 'an own header stays as it is', before: [line('X', 'ä\u00ff ')], want: [line('X', 'ä\u00ff ')] },
    {
      name: 'repeated headers stay in their order',
      before: [line('A', '1'), line('B', '2'), line('A', '3')],
      want: [line('A', '1'), line('B', '2'), line('A', '3')],
    },
    {
      name: 'the message id moves',
      before: [line('Nats-Msg-Id', 'abc')],
      want: [line('Osapi-Original-Msg-Id', 'abc')],
    },
    {
      name: 'of a second replay the first id stays the original one',
      before: [
        line('Osapi-Original-Msg-Id', 'abc'),
        line('Nats-Msg-Id', 'osapi-ops.replay.REQUESTS.3.1.1'),
        line('Osapi-Replay-Of', 'REQUESTS/w/3'),
        line('Osapi-Replay-Count', '1'),
      ],
      want: [line('Osapi-Original-Msg-Id', 'abc')],
    },
    {
      name: 'expectations go',
      before: [line('Nats-Expected-Last-Subject-Sequence', '0'), line('Nats-Expected-Stream', 'X')],
      want: [],
    },
    {
      name: 'what removes, schedules, counts, batches or traces goes',
      before: [
        'Nats-Rollup',
        'Nats-Schedule',
        'Nats-Schedule-Next',
        'Nats-Scheduler',
        'Nats-Incr',
        'Nats-Batch-Id',
        'Nats-Trace-Only',
      ].map((name) => line(name, 'x')),
      want: [],
    },
    { name: 'a time to live goes where the stream takes none', before: [line('Nats-TTL', '5m')], want: [] },
    {
      name: 'a name in other letters is nothing to the server, and stays',
      before: [line('NATS-Msg-Id', 'abc'), line('nats-rollup', 'sub')],
      want: [line('NATS-Msg-Id', 'abc'), line('nats-rollup', 'sub')],
    },
  ])('$name', ({ before, want }) => {
    expect(copyHeaders(before, ours)).toEqual([...want, ...added]);
  });

  test('a time to live stays where the stream takes one', () => {
    expect(copyHeaders([line('Nats-TTL', '5m')], { ...ours, allowTtl: true })).toEqual([
      line('Nats-TTL', '5m'),
      ...added,
    ]);
  });

  test('whatever the headers, a copy of a copy has one id of ours, the first id, and nothing that a server obeys', () => {
    const text = fc.stringMatching(/^[\x21-\x39\x3b-\x7e\u0080-\u00ff]{1,12}$/);
    const names = fc.oneof(
      text,
      fc.constantFrom(
        'Nats-Msg-Id',
        'Nats-Rollup',
        'Nats-Expected-Stream',
        'Osapi-Replay-Count',
        'Osapi-Original-Msg-Id',
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ name: names, value: text })), (before) => {
        const once = copyHeaders(before, ours);
        const twice = copyHeaders(parseHeaders(printHeaders(once)), { ...ours, msgId: 'second', count: 2 });
        expect(twice.filter(({ name }) => name === 'Nats-Msg-Id')).toEqual([line('Nats-Msg-Id', 'second')]);
        expect(twice.filter(({ name }) => isObeyed(name))).toEqual([]);
        expect(replayCount(twice)).toBe(2);
        const first = headerValue(before, 'Osapi-Original-Msg-Id') ?? headerValue(before, 'Nats-Msg-Id');
        if (first !== undefined) expect(headerValue(twice, 'Osapi-Original-Msg-Id')).toBe(first);
        const isOwn = ({ name }: HeaderLine) => !/^(Nats|Osapi)-/.test(name);
        expect(twice.filter(isOwn)).toEqual(before.filter(isOwn));
      }),
    );
  });
});

test.each([
  ['Nats-Expected-Stream', true],
  ['Nats-Expected-', true],
  ['Nats-Rollup', true],
  ['Nats-Rollups', false],
  ['X-Nats-Rollup', false],
  ['Nats-Schedule-Target', true],
  ['Nats-Scheduler', true],
  ['Nats-Incr', true],
  ['Nats-Counter-Sources', true],
  ['Nats-Batch-Sequence', true],
  ['Nats-Trace-Dest', true],
  ['Nats-Stream-Source', true],
  ['Nats-Stream-Identity', true],
  ['Nats-Marker-Reason', true],
  ['Nats-Required-Api-Level', true],
  ['Nats-TTL', false],
  ['Nats-Msg-Id', false],
  ['nats-rollup', false],
])('a server acts on %s: %s', (name, want) => {
  expect(isObeyed(name)).toBe(want);
});

describe('the message id of a replay', () => {
  test('is the same for the same message, and another for another message under the same sequence', () => {
    expect(replayMsgId(stored(), 1)).toBe(replayMsgId(stored({ payload: Buffer.from('x') }), 1));
    expect(replayMsgId(stored(), 1)).not.toBe(replayMsgId(stored({ time: '2026-11-25T08:00:00Z' }), 1));
    expect(replayMsgId(stored(), 1)).not.toBe(replayMsgId(stored(), 2));
  });
});

describe('a move', () => {
  const facts = { removesOriginal: true, movesSame: true, dlqsCreated: new Map([['dlq', '2026-11-01T00:00:00Z']]) };

  test.each([
    { name: 'of a queue’s message', inner: { original: stored(), message: stored() }, frees: 39 },
    { name: 'of one that only its record carries', inner: { message: stored() }, frees: undefined },
  ])('$name says what it leaves in the queue, no more than a server counts: $frees', ({ inner, frees }) => {
    const move = makeMove(entry(inner), facts, { allowTtl: false });
    expect(move.frees?.bytes).toBe(frees);
    expect(move.died).toBe('max_deliveries');
  });

  test('has the request’s id where there is one, and why it died', () => {
    const of = (fields: Partial<Entry>) =>
      makeMove({ ...entry({ message: stored() }), ...fields }, facts, { allowTtl: false });
    expect(of({}).requestId).toBe('r7');
    expect(of({ request_id: null })).not.toHaveProperty('requestId');
    expect(of({ detail: 'no such kind' }).died).toBe('max_deliveries: no such kind');
    expect(reasonText('rejected', '')).toBe('rejected: ');
    // Of the same reason before and after its worker was upgraded.
    const older = reasonText('max_deliveries', 'the command exited 1: no route');
    expect(older).toBe(reasonText('max_deliveries', 'no route (the command exited 1)'));
  });

  test('names a DLQ whose making nobody knows without it', () => {
    const record = { stream: 'other', seq: 1, stored: '2026-11-24T09:00:01Z' } as Entry['inner']['records'][number];
    const { records } = makeMove(entry({ message: stored(), records: [record] }), facts, { allowTtl: false });
    expect(records).toEqual([{ stream: 'other', created: '', seq: 1, time: '2026-11-24T09:00:01Z' }]);
  });

  test('takes the original with it where the queue keeps messages for their workers', () => {
    const original = stored();
    const move = makeMove(entry({ original, message: original }), facts, { allowTtl: false });
    expect(move).toMatchObject({
      id: 'REQUESTS/w/7',
      subject: 'requests.dns',
      payload: original.payload,
      kind: 'stored',
      original: { stream: 'REQUESTS', created: expect.any(String), seq: 7, time: original.time },
      requestId: 'r7',
    });
    const kept = { ...facts, removesOriginal: false, movesSame: false };
    expect(makeMove(entry({ original, message: original }), kept, { allowTtl: false }).original).toBeUndefined();
  });

  test.each([
    { name: 'the same copy takes the place of its original', options: {}, goes: true },
    { name: 'one on another subject leaves it to the others', options: { to: 'elsewhere' }, goes: false },
    {
      name: 'one that was edited leaves it to the others',
      options: { edited: { subject: 'requests.dns', headers: [], payload: Buffer.from('x') } },
      goes: false,
    },
  ])('of a message that others read too: $name', ({ options, goes }) => {
    const original = stored();
    const shared = { ...facts, removesOriginal: false };
    const move = makeMove(entry({ original, message: original }), shared, { allowTtl: false, ...options });
    expect(move.original !== undefined).toBe(goes);
  });

  test('of a message that only its record carries is named by the record', () => {
    const record = {
      stream: 'dlq',
      seq: 9,
      subject: 's',
      kind: 'rejected',
      reason: 'rejected',
      time: '2026-11-24T09:00:00Z',
      stored: '2026-11-24T09:00:01Z',
      deliveries: 1,
    } as const;
    const move = makeMove(entry({ message: stored({ time: '' }), records: [record] }), facts, { allowTtl: false });
    expect(move.msgId).toBe('osapi-ops.replay.dlq.9.20261124090001.1');
    expect(move.original).toBeUndefined();
    expect(move.records).toEqual([
      { stream: 'dlq', created: '2026-11-01T00:00:00Z', seq: 9, time: '2026-11-24T09:00:01Z' },
    ]);
  });

  test('goes where somebody wants it, as somebody edited it', () => {
    const original = stored();
    const edited = { subject: 'requests.new', headers: [line('X', '1')], payload: Buffer.from('new') };
    const move = makeMove(entry({ original, message: original }), facts, { allowTtl: false, edited });
    expect(move).toMatchObject({ subject: 'requests.new', kind: 'named', payload: edited.payload });
    expect(headerValue(parseHeaders(move.headers), 'X')).toBe('1');
    expect(
      makeMove(entry({ original, message: original }), facts, { allowTtl: false, edited, to: 'other' }).subject,
    ).toBe('other');
  });
});
