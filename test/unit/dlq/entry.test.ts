import { describe, expect, test } from '@jest/globals';
import {
  answeredEntry,
  isJournalPlace,
  journalledEntry,
  orphanEntry,
  requestIdOf,
  toEntry,
  withJournal,
} from '../../../src/lib/dlq/entry.ts';
import type { JournalEntry } from '../../../src/lib/ledger/journal.ts';
import { at, consumer, death, entry, record, standing, stored } from './builders.ts';

const message = stored({ payload: '{"id":"r7"}' });
const described = { subject: 'requests.dns', request_id: 'r7', published_at: at(0), size: 11, replays: 0 };
const nothing = { subject: null, request_id: null, published_at: null, size: null, replays: 0 };
const dead = {
  id: 'REQUESTS/worker/7',
  queue: 'REQUESTS',
  consumer: 'worker',
  seq: 7,
  reason: 'max_deliveries',
  detail: null,
  deliveries: 3,
  died_at: at(60),
};
const inner = { records: [record()], streamCreated: at(-100) };

describe('an entry', () => {
  test('of a stored message has it as original and as what is replayed', () => {
    expect(toEntry(death(), [record()], { fate: 'replayable', message, original: message }, standing())).toEqual({
      ...dead,
      ...described,
      state: 'replayable',
      inner: { ...inner, original: message, message },
    });
  });

  test.each([
    { name: 'that is there', named: 'worker', consumers: [consumer()], ownerless: undefined },
    { name: 'that is gone', named: 'worker', consumers: [], ownerless: true },
    { name: 'in whose place another is', named: 'worker', consumers: [consumer({ name: 'geo' })], ownerless: true },
    { name: 'that nobody named', named: '-', consumers: [], ownerless: undefined },
  ])('of a consumer $name, which does not take it, tells that apart', ({ named, consumers, ownerless }) => {
    const fate = { fate: 'replayable', message, original: message, untaken: true } as const;
    const { inner: made } = toEntry(death({ consumer: named }), [record()], fate, standing({ consumers }));
    expect([made.untaken, made.ownerless]).toEqual([true, ownerless]);
  });

  test('of what only its record carries has no original', () => {
    const made = toEntry(death(), [record()], { fate: 'replayable', message }, standing());
    expect(made).toEqual({ ...dead, ...described, state: 'replayable', inner: { ...inner, message } });
    expect(made.inner).not.toHaveProperty('original');
    expect(made.inner).not.toHaveProperty('cause');
  });

  test.each([
    { count: '2', state: 'replayable' },
    { count: '3', state: 'parked' },
    { count: '4', state: 'parked' },
  ])('that died again after $count replays is $state', ({ count, state }) => {
    const again = stored({ headers: [{ name: 'Osapi-Replay-Count', value: count }] });
    expect(toEntry(death(), [record()], { fate: 'replayable', message: again }, standing()).state).toBe(state);
    expect(toEntry(death(), [record()], { fate: 'gone', cause: 'expired' }, standing()).state).toBe('gone');
  });

  test('of which nothing is left says why', () => {
    const made = toEntry(death(), [record()], { fate: 'gone', cause: 'expired' }, standing());
    expect(made).toEqual({ ...dead, ...nothing, state: 'gone', inner: { ...inner, cause: 'expired' } });
    expect(made.inner).not.toHaveProperty('original');
  });

  const advisory = record({ seq: 1, deliveries: 3 });
  const reject = record({ seq: 2, kind: 'rejected', reason: 'rejected', deliveries: null, detail: 'bad' });
  const later = record({ seq: 3, reason: 'terminated', deliveries: 5, detail: undefined });
  test.each([
    { name: 'alone', newest: advisory, records: [advisory], want: ['max_deliveries', 3, null] },
    {
      name: 'the newest of two advisories',
      newest: later,
      records: [advisory, later],
      want: ['terminated', 5, null],
    },
    {
      name: 'a reject before what is newer',
      newest: later,
      records: [advisory, reject, later],
      want: ['rejected', 5, 'bad'],
    },
    {
      name: 'the newest of two rejects',
      newest: later,
      records: [{ ...reject, detail: 'first' }, reject, later],
      want: ['rejected', 5, 'bad'],
    },
    {
      name: 'words of an older record, where the newest has none',
      newest: later,
      records: [{ ...advisory, detail: 'first' }, { ...advisory, detail: 'second' }, later],
      want: ['terminated', 5, 'second'],
    },
    {
      name: 'its own deliveries where it tells them',
      newest: later,
      records: [{ ...reject, deliveries: 2 }, later],
      want: ['rejected', 2, 'bad'],
    },
  ])('is told by $name', ({ newest, records, want }) => {
    const made = toEntry(death({ record: newest }), records, { fate: 'gone', cause: 'expired' }, standing());
    expect([made.reason, made.deliveries, made.detail]).toEqual(want);
    expect(made.inner.records).toBe(records);
  });

  const header = (name: string, value: string) => ({ name, value });
  test.each([
    { name: 'in its payload', payload: '{"id":"p"}', headers: [header('Nats-Msg-Id', 'm')], want: 'p' },
    {
      name: 'as its first message id',
      headers: [header('Nats-Msg-Id', 'm'), header('Osapi-Original-Msg-Id', 'o')],
      want: 'o',
    },
    { name: 'as its message id', headers: [header('Nats-Msg-Id', 'm')], want: 'm' },
    {
      name: 'where a header is empty',
      headers: [header('Osapi-Original-Msg-Id', ''), header('Nats-Msg-Id', 'm')],
      want: 'm',
    },
    { name: 'in UTF-8', headers: [header('Nats-Msg-Id', 'Ã¤')], want: 'ä' },
    { name: 'cut at 512 characters', headers: [header('Nats-Msg-Id', 'm'.repeat(513))], want: 'm'.repeat(512) },
    { name: 'nowhere, beside other headers', headers: [header('A', '1')], want: null },
    { name: 'nowhere', headers: [], want: null },
  ])('has its request’s id $name', ({ payload = 'x', headers, want }) => {
    const of = stored({ payload, headers });
    expect(orphanEntry(of, 'worker', 3, '').request_id).toBe(want);
  });

  test.each([
    { count: '2', want: 2 },
    { count: '12', want: 12 },
    { count: '1000000', want: 1_000_000 },
    { count: '1000001', want: 1_000_000 },
    { count: '10000000', want: 0 },
    { count: 'x2', want: 0 },
    { count: '2x', want: 0 },
    { count: '', want: 0 },
  ])('replayed "$count" times before: $want', ({ count, want }) => {
    expect(orphanEntry(stored({ headers: [header('Osapi-Replay-Count', count)] }), 'w', 3, '').replays).toBe(want);
  });

  test('of a message whose time nobody knew has none', () => {
    expect(orphanEntry(stored({ time: '' }), 'worker', 3, '').published_at).toBeNull();
  });

  test('that is answered is gone, and keeps what is stored of it', () => {
    const before = entry();
    expect(answeredEntry(before)).toEqual({ ...before, state: 'gone', inner: { ...before.inner, cause: 'answered' } });
  });
});

describe('an orphan', () => {
  test.each([
    { maxDeliver: 3, want: 3 },
    { maxDeliver: 1, want: 1 },
    { maxDeliver: 0, want: null },
    { maxDeliver: -1, want: null },
  ])('of a consumer with max_deliver $maxDeliver', ({ maxDeliver, want }) => {
    expect(orphanEntry(message, 'worker', maxDeliver, at(-100))).toEqual({
      ...dead,
      ...described,
      state: 'orphan',
      deliveries: want,
      died_at: null,
      inner: { ...inner, records: [], original: message, message },
    });
  });
});

describe('an entry that a replay holds in its journal', () => {
  const journalled = (count: string, id = 'REQUESTS/worker/7'): JournalEntry => {
    const { subject, headers, payload } = stored({
      subject: 'requests.copy',
      payload: '{"id":"r7"}',
      headers: [{ name: 'Osapi-Replay-Count', value: count }],
    });
    const original = { stream: 'REQUESTS', created: at(-100), seq: 7, time: at(0) };
    return {
      id,
      msgId: 'm',
      subject,
      headers,
      payload,
      kind: 'stored',
      original,
      records: [],
      target: { stream: 'REQUESTS', created: '', after: 0 },
      stored: [],
      written: at(70),
    };
  };
  const held = (one: JournalEntry) => ({
    ...one.original,
    subject: one.subject,
    headers: one.headers,
    payload: one.payload,
  });

  test.each([
    { count: '1', replays: 0 },
    { count: '2', replays: 1 },
    { count: '0', replays: 0 },
    { count: '3', replays: 2 },
  ])('is replayable by its copy, which counts the replay under way: $count', ({ count, replays }) => {
    const gone = toEntry(death(), [record()], { fate: 'gone', cause: 'acked_or_removed' }, standing());
    const one = journalled(count);
    expect(journalledEntry(gone, one)).toEqual({
      ...dead,
      ...described,
      subject: 'requests.copy',
      replays,
      state: 'replayable',
      inner: { ...inner, message: held(one), journalled: true },
    });
    expect(journalledEntry(gone, one).inner).not.toHaveProperty('cause');
  });

  const OLD = at(-200);
  test.each([
    { name: 'of the queue as it is', target: at(-100), want: undefined },
    { name: 'of a queue that was made anew', target: OLD, want: true },
    { name: 'of before anybody wrote down when', target: '', want: undefined },
    { name: 'on its way elsewhere', target: OLD, stream: 'OTHER', want: undefined },
    { name: 'where nobody knows when the queue was made', target: OLD, created: '', want: undefined },
  ])('is stale $name: $want', ({ target: created, stream = 'REQUESTS', want, created: now = at(-100) }) => {
    const one = { ...journalled('1'), target: { stream, created, after: 0 } };
    const gone = toEntry(death(), [record()], { fate: 'gone', cause: 'acked_or_removed' }, standing({ created: now }));
    expect(journalledEntry(gone, one).inner.stale).toBe(want);
    expect(journalledEntry(undefined, one, now).inner.stale).toBe(want);
  });

  test.each([
    { name: 'gone and held', id: 'REQUESTS/worker/7', state: 'gone' as const, want: true },
    { name: 'still in its queue', id: 'REQUESTS/worker/7', state: 'replayable' as const, want: false },
    { name: 'gone, another held', id: 'REQUESTS/worker/8', state: 'gone' as const, want: false },
  ])('is known by its id: $name', ({ id, state, want }) => {
    const one = journalled('1', id);
    const of = entry({ state });
    const after = withJournal(of, one);
    expect(withJournal(of, undefined)).toBe(of);
    expect(after).toEqual(want ? journalledEntry(of, one) : of);
  });

  test.each([
    { name: 'of the queue as it is', created: at(-200), now: at(-200), want: 'REQUESTS/worker/7' },
    { name: 'of one before it', created: at(-200), now: at(-100), want: 'KV_osapi_ops/-/12' },
    { name: 'of before anybody wrote down when', created: '', now: at(-100), want: 'REQUESTS/worker/7' },
    { name: 'where nobody knows when the queue was made', created: at(-200), now: '', want: 'REQUESTS/worker/7' },
  ])('goes by its place where its number may be that of another: $name', ({ created, now, want }) => {
    const before = journalled('1');
    const place = { stream: 'KV_osapi_ops', created: '', time: '' };
    const one = {
      ...before,
      original: { ...before.original, created },
      stored: [11, 12].map((seq) => ({ ...place, seq })),
    };
    const made = journalledEntry(undefined, one, now);
    expect(made).toMatchObject({ id: want, consumer: 'worker', seq: 7 });
    expect(isJournalPlace(made.id)).toBe(want !== 'REQUESTS/worker/7');
    const gone = toEntry(death(), [record()], { fate: 'gone', cause: 'acked_or_removed' }, standing({ created: now }));
    expect(journalledEntry(gone, one).id).toBe(want);
  });

  test.each([
    { id: 'REQUESTS/worker/7', consumer: 'worker' },
    { id: 'OLD/NAME/worker/7', consumer: 'worker' },
  ])('and that no record speaks of is an orphan: $id', ({ id, consumer }) => {
    const one = journalled('3', id);
    expect(journalledEntry(undefined, one, at(-100))).toEqual({
      ...dead,
      ...described,
      id,
      consumer,
      subject: 'requests.copy',
      replays: 2,
      state: 'orphan',
      deliveries: null,
      died_at: null,
      inner: { records: [], streamCreated: at(-100), message: held(one), journalled: true },
    });
    expect(journalledEntry(undefined, one).inner.streamCreated).toBe('');
  });
});

describe('the id of a request', () => {
  const of = (size: number) => `{"id":"r7","pad":"${'x'.repeat(size - 20)}"}`;
  test.each([
    { name: 'a text', payload: '{"id":"r7"}', want: 'r7' },
    { name: 'of one letter', payload: '{"id":1}', want: '1' },
    { name: 'a number', payload: '{"id":17}', want: '17' },
    {
      name: 'a number that JavaScript would round',
      payload: '{"id":12345678901234567890}',
      want: '12345678901234567890',
    },
    { name: 'cut at 512 characters', payload: `{"id":"${'x'.repeat(513)}"}`, want: 'x'.repeat(512) },
    { name: 'empty', payload: '{"id":""}', want: undefined },
    { name: 'no text', payload: '{"id":["r7"]}', want: undefined },
    { name: 'further down', payload: '{"a":{"id":"r7"}}', want: undefined },
    { name: 'within a list', payload: '[{"id":"r7"}]', want: undefined },
    { name: 'in broken JSON', payload: '{"id":"r7"', want: undefined },
    { name: 'in JSON that is a text', payload: '"id":"r7"', want: undefined },
    { name: 'in UTF-8', payload: '{"id":"ä"}', want: 'ä' },
    {
      name: 'in a payload that is not looked into: it spells the name otherwise',
      payload: '{"\\u0069d":"r7"}',
      want: undefined,
    },
    { name: 'in 256 KiB', payload: of(256 * 1024), want: 'r7' },
    { name: 'in a byte more', payload: of(256 * 1024 + 1), want: undefined },
    { name: 'in nothing', payload: '', want: undefined },
  ])('is $name', ({ payload, want }) => {
    expect(requestIdOf(Buffer.from(payload))).toBe(want);
  });
});
