import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { ApiError } from '../../../src/lib/nats/api-error.ts';
import { GroupTable } from '../../../src/lib/replay/groups.ts';
import { timeLeft } from '../../../src/lib/replay/pace.ts';
import type { Move } from '../../../src/lib/replay/protocol.ts';
import { elsewhere, fullQueue, isFull, isPassing, refusal } from '../../../src/lib/replay/refusal.ts';
import { skipNotes, whySkipped } from '../../../src/lib/replay/select.ts';
import { Tally } from '../../../src/lib/replay/tally.ts';
import { at, entry, stored } from '../dlq/builders.ts';

const api = (err_code: number, description: string) => new ApiError('requests.dns', { err_code, description });
const ops = (code: 'CONN_TIMEOUT' | 'DLQ_NOT_TAKEN' | 'SERVER_REFUSED' | 'DENIED_SUBJECT') =>
  new OpsError(code, 'what', {});

describe('what is said against a message', () => {
  test.each([
    { name: 'a full stream', error: api(10077, 'maximum messages exceeded'), full: true, said: 'the queue is full' },
    {
      name: 'a stream full of bytes',
      error: api(10077, 'maximum bytes exceeded'),
      full: true,
      said: 'the queue is full',
    },
    { name: 'a broken disk', error: api(10077, 'no space: maximum bytes'), said: 'no space: maximum bytes (10077)' },
    {
      name: 'those words with another number',
      error: api(10052, 'maximum messages'),
      said: 'maximum messages (10052)',
    },
    { name: 'a refusal of the server', error: api(10071, 'wrong last sequence'), said: 'wrong last sequence (10071)' },
    { name: 'a lost connection', error: ops('CONN_TIMEOUT'), passing: true, said: undefined },
    {
      name: 'a stream that does not take it',
      error: ops('DLQ_NOT_TAKEN'),
      said: 'what; --to SUBJECT sends it elsewhere',
    },
    { name: 'a server that refuses', error: ops('SERVER_REFUSED'), said: 'what' },
    { name: 'a missing permission', error: ops('DENIED_SUBJECT'), said: undefined },
    { name: 'a fault of ours', error: new TypeError('x'), said: undefined },
    { name: 'what only looks like a lost connection', error: { code: 'CONN_TIMEOUT' }, said: undefined },
  ])('$name', ({ error, full = false, passing = false, said }) => {
    expect([isFull(error), isPassing(error), refusal(error)]).toEqual([full, passing, said]);
  });

  test('of one that would cost the queue another', () => {
    expect(fullQueue({ code: 'NO_ROOM', text: 'it holds 5' })).toMatch(/make room first \(it holds 5\)$/);
    expect(fullQueue({ code: 'DLQ_NOT_TAKEN', text: 'it is sealed' })).toBe(elsewhere('it is sealed'));
  });
});

describe('what is left where it is', () => {
  const selection = { maxReplays: 3, lastSeq: 10, filter: {} };
  const { message: _message, original: _original, ...nothing } = entry().inner;
  const { original: _copied, ...carried } = entry().inner;
  const seq = (n: number) => ({ ...entry().inner, original: stored({ seq: n }) });
  test.each([
    { name: 'an entry', of: entry(), want: undefined },
    { name: 'the last of the queue as the run began', of: entry({ inner: seq(10) }), want: undefined },
    { name: 'one that came after', of: entry({ inner: seq(11) }), want: ['new', 'it came after this run began'] },
    { name: 'one that its record carries, of whatever sequence', of: entry({ inner: carried }), want: undefined },
    {
      name: 'one that its consumer does not take',
      of: entry({ inner: { ...entry().inner, untaken: true } }),
      want: ['untaken', 'its consumer does not take its subject: nothing tells whether it died'],
    },
    {
      name: 'one whose consumer is gone',
      of: entry({ inner: { ...entry().inner, untaken: true, ownerless: true } }),
      want: ['untaken', 'its consumer is gone: nothing tells whether it died'],
    },
    {
      name: 'one that may be a copy of what waits',
      of: entry({ inner: { ...entry().inner, inDoubt: true } }),
      want: ['uncertain', expect.stringMatching(/^what it carries is stored in the queue as well/)],
    },
    {
      name: 'one in the journal of a queue that was made anew',
      of: entry({ inner: { ...nothing, journalled: true, stale: true } }),
      want: ['stale', expect.stringContaining('made anew')],
    },
    {
      name: 'one in the journal, whatever else',
      of: entry({ replays: 9, inner: { ...nothing, journalled: true } }),
      want: ['journalled', expect.stringContaining('journal')],
    },
    {
      name: 'one that is answered, whatever is stored of it',
      of: entry({ inner: { ...entry().inner, cause: 'answered' } }),
      want: ['answered', 'it has its response'],
    },
    {
      name: 'one of which nothing is left',
      of: entry({ inner: { ...nothing, cause: 'expired' } }),
      want: ['gone', 'nothing is left of its message: it grew older than the queue keeps messages'],
    },
    {
      name: 'one of which nobody knows why',
      of: entry({ inner: nothing }),
      want: ['gone', 'nothing is left of its message'],
    },
    { name: 'one replay below the limit', of: entry({ replays: 2 }), want: undefined },
    { name: 'at it', of: entry({ replays: 3 }), want: ['parked', expect.stringMatching(/3 times .*--max-replays 4 /)] },
    { name: 'above', of: entry({ replays: 4 }), want: ['parked', expect.stringMatching(/4 times .*--max-replays 5 /)] },
  ])('$name', ({ of, want }) => {
    const skipped = whySkipped(of, selection);
    expect(skipped && [skipped.why, skipped.text]).toEqual(want);
    if (skipped) expect(skipped.entry).toBe(of);
  });

  test.each([
    ['what may be in flight', true, 'it may be in flight still'],
    ['what is not', false, undefined],
  ])('whatever its records say: %s', (_what, isDoubtful, text) => {
    expect(whySkipped(entry(), { ...selection, isDoubtful: () => isDoubtful })?.text).toBe(text);
  });

  test.each([
    ['what had died when it was judged whom a copy reaches', true, undefined],
    ['what died after that', false, 'it died after this run began'],
  ])('where others read too: %s', (_what, isJudged, text) => {
    const skipped = whySkipped(entry(), { ...selection, isJudged: () => isJudged });
    expect([skipped?.why, skipped?.text]).toEqual([text && 'new', text]);
  });

  test('after one replay only, in the singular', () => {
    expect(whySkipped(entry({ replays: 1 }), { ...selection, maxReplays: 1 })?.text).toMatch(/replayed 1 time and/);
  });

  test('is told with how many, a sentence for each reason', () => {
    expect(skipNotes({ gone: 2, other: 1 })).toEqual([expect.stringMatching(/^2 skipped, gone: /), '1 skipped, other']);
    expect(skipNotes({})).toEqual([]);
  });
});

test.each([
  { done: 1, total: 2, elapsed: 999, want: '' },
  { done: 1, total: 2, elapsed: 1000, want: '1s left' },
  { done: 1, total: 120, elapsed: 1000, want: '119s left' },
  { done: 1, total: 121, elapsed: 1000, want: '2m left' },
  { done: 1, total: 7200, elapsed: 1000, want: '120m left' },
  { done: 1, total: 7201, elapsed: 1000, want: '2h left' },
  { done: 2, total: 1, elapsed: 1000, want: '' },
])('after $done of $total in $elapsed ms: "$want"', ({ done, total, elapsed, want }) => {
  expect(timeLeft(done, total, elapsed)).toBe(want);
});

describe('groups of entries', () => {
  const groups = (...entries: Partial<ReturnType<typeof entry>>[]) => {
    const table = new GroupTable();
    for (const one of entries) table.add(entry(one));
    return table.groups();
  };
  test.each([
    { name: 'no death known', died: [null, null], want: [null, null] },
    { name: 'the second known', died: [null, at(1)], want: [at(1), at(1)] },
    { name: 'the first known', died: [at(1), null], want: [at(1), at(1)] },
    { name: 'the later first', died: [at(2), at(1)], want: [at(1), at(2)] },
    { name: 'the later last', died: [at(1), at(2)], want: [at(1), at(2)] },
    {
      name: 'one moment in two spellings',
      died: ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
      want: ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    },
  ])('have their first and last death: $name', ({ died, want }) => {
    const [first, last] = want;
    expect(groups(...died.map((died_at) => ({ died_at })))).toEqual([
      {
        queue: 'REQUESTS',
        consumer: 'worker',
        subject: 'requests.dns',
        reason: 'max_deliveries',
        detail: null,
        count: 2,
        first_died_at: first,
        last_died_at: last,
      },
    ]);
  });

  test('are apart by queue, consumer, subject and reason; the largest comes first', () => {
    const found = groups(
      { queue: 'A' },
      { consumer: 'b' },
      { subject: null },
      { subject: null },
      { reason: 'rejected' },
      {},
      {},
      {},
    );
    expect(found.map(({ count }) => count)).toEqual([3, 2, 1, 1, 1]);
    expect(found[1]!.subject).toBe('');
  });
});

describe('the tally of a replay', () => {
  const move = { id: 'Q/w/1', died: 'timeout' } as Move;
  const none = { replayed: 0, skipped: 0, failed: 0, remaining: 0, entries: [] };
  const lost = { id: 'Q/w/1', outcome: 'remaining', error: 'lost' };
  const FATES = { answered: 0, acked: 0, died: 0, unknown: 0 };
  test('of a run that came to its end nothing waits, though another moved some of what it chose', () => {
    const tally = new Tally(false);
    tally.chosen = 3;
    tally.fail('a', 'no');
    expect(tally.figures()).toMatchObject({ chosen: 3, failed: 1, waiting: 2 });
    tally.left('b', 'later');
    tally.settle();
    expect(tally.figures()).toMatchObject({ chosen: 2, failed: 1, waiting: 1 });
  });

  test.each<{ name: string; does(tally: Tally): void; result: object; counts?: object }>([
    { name: 'nothing', does: () => {}, result: none },
    {
      name: 'one moved',
      does: (t) => t.moved({ move, outcome: 'moved', newSeq: 9 }),
      result: { ...none, replayed: 1, entries: [{ id: 'Q/w/1', outcome: 'replayed', new_seq: 9 }] },
      counts: { before: 0, errors: {} },
    },
    {
      name: 'one whose copy was there',
      does: (t) => t.moved({ move, outcome: 'moved', before: 'before' }),
      result: { ...none, replayed: 1, entries: [{ id: 'Q/w/1', outcome: 'replayed' }] },
      counts: { before: 0 },
    },
    {
      name: 'one whose copy had left again',
      does: (t) => t.moved({ move, outcome: 'moved', before: 'left' }),
      result: { ...none, replayed: 1, entries: [{ id: 'Q/w/1', outcome: 'replayed' }] },
      counts: { before: 1 },
    },
    {
      name: 'one that was acked late',
      does: (t) => t.moved({ move, outcome: 'moved', late: true }),
      result: { ...none, replayed: 1, late: 1, entries: [{ id: 'Q/w/1', outcome: 'replayed' }] },
    },
    {
      name: 'one refused',
      does: (t) => t.moved({ move, outcome: 'failed', error: 'no' }),
      result: { ...none, failed: 1, entries: [{ id: 'Q/w/1', outcome: 'failed', error: 'no' }] },
      counts: { errors: { no: 1 } },
    },
    {
      name: 'two that wait',
      does: (t) => {
        t.moved({ move, outcome: 'waiting', error: 'full' });
        t.moved({ move: { ...move, id: 'Q/w/2' }, outcome: 'waiting', error: 'full' });
      },
      result: {
        ...none,
        remaining: 2,
        entries: ['Q/w/1', 'Q/w/2'].map((id) => ({ id, outcome: 'remaining', error: 'full' })),
      },
      counts: { errors: { full: 2 } },
    },
    {
      name: 'one that waits, nobody knows why',
      does: (t) => t.moved({ move, outcome: 'waiting' }),
      result: { ...none, remaining: 1, entries: [{ id: 'Q/w/1', outcome: 'remaining', error: 'unknown' }] },
    },
    {
      name: 'one that waited and is in after all: its error is no more told of it',
      does: (t) => {
        t.moved({ move, outcome: 'waiting', error: 'full' });
        t.arrived('Q/w/1', 9);
      },
      result: { ...none, replayed: 1, entries: [{ id: 'Q/w/1', outcome: 'replayed', new_seq: 9 }] },
    },
    {
      name: 'two skipped for one reason',
      does: (t) => {
        for (const id of ['Q/w/1', 'Q/w/2']) t.skip({ entry: entry({ id }), why: 'gone', text: 'gone' });
      },
      result: {
        ...none,
        skipped: 2,
        entries: ['Q/w/1', 'Q/w/2'].map((id) => ({ id, outcome: 'skipped', error: 'gone' })),
      },
      counts: { skips: { gone: 2 } },
    },
    {
      name: 'one left',
      does: (t) => t.left('Q/w/1', 'lost'),
      result: { ...none, remaining: 1, entries: [lost] },
      counts: { errors: { lost: 1 } },
    },
    {
      name: 'one that would go',
      does: (t) => t.wouldReplay('Q/w/1'),
      result: { ...none, remaining: 1, entries: [{ id: 'Q/w/1', outcome: 'would_replay' }] },
    },
    {
      name: 'copies that died, of the old reason and of another',
      does: (t) => {
        for (const reason of ['timeout', 'timeout', 'other']) {
          t.moved({ move, outcome: 'moved' });
          t.followed({ copy: move, fate: 'died', reason });
        }
      },
      result: {
        ...none,
        replayed: 3,
        fates: { ...FATES, died: 3 },
        deaths: { timeout: 2, other: 1 },
        same_reason: 2,
        entries: [{ id: 'Q/w/1', outcome: 'replayed', fate: 'died' }],
      },
    },
    {
      name: 'a copy whose first death nobody knows the words of',
      does: (t) => {
        t.moved({ move: { ...move, died: undefined }, outcome: 'moved' });
        t.followed({ copy: { ...move, died: undefined }, fate: 'died', reason: 'timeout' });
      },
      result: {
        ...none,
        replayed: 1,
        fates: { ...FATES, died: 1 },
        deaths: { timeout: 1 },
        same_reason: 0,
        entries: [{ id: 'Q/w/1', outcome: 'replayed', fate: 'died' }],
      },
    },
    {
      name: 'a copy that was answered',
      does: (t) => {
        t.moved({ move, outcome: 'moved' });
        t.followed({ copy: move, fate: 'answered' });
      },
      result: {
        ...none,
        replayed: 1,
        fates: { ...FATES, answered: 1 },
        entries: [{ id: 'Q/w/1', outcome: 'replayed', fate: 'answered' }],
      },
      counts: { sameReason: 0, deaths: {} },
    },
  ])('of $name', ({ does, result, counts = {} }) => {
    const [kept, counted] = [new Tally(true), new Tally(false)];
    for (const tally of [kept, counted]) does(tally);
    expect(kept.result()).toEqual(result);
    expect(counted.result()).toEqual({ ...result, entries: [] });
    expect(kept).toMatchObject(counts);
  });

  test('tells its figures while it goes on, with the first hundred that failed or died again', () => {
    const tally = new Tally(false);
    const none = { chosen: 0, replayed: 0, answered: 0, acked: 0, died: 0, skipped: 0, failed: 0, waiting: 0 };
    expect(tally.figures()).toEqual({ ...none, failures: [] });
    tally.chosen = 200;
    tally.moved({ move, outcome: 'moved', newSeq: 9 });
    tally.moved({ move, outcome: 'moved' });
    tally.moved({ move, outcome: 'moved' });
    tally.followed({ copy: { ...move, newSeq: 9 }, fate: 'died', reason: 'timeout' });
    tally.followed({ copy: move, fate: 'acked' });
    tally.followed({ copy: move, fate: 'answered' });
    tally.skip({ entry: entry(), why: 'gone', text: 'gone' });
    const again = { id: 'Q/w/1', error: 'died again: timeout', new_seq: 9 };
    const counts = { ...none, chosen: 200, replayed: 3, answered: 1, acked: 1, died: 1, skipped: 1 };
    expect(tally.figures()).toEqual({ ...counts, waiting: 197, failures: [again] });
    for (let index = 0; index < 98; index += 1) tally.fail(`f${index}`, 'no');
    expect(tally.figures().failures).toHaveLength(99);
    tally.fail('the hundredth', 'no');
    tally.fail('one more', 'no');
    expect(tally.figures()).toMatchObject({ failed: 100, waiting: 97 });
    expect(tally.figures().failures.slice(98)).toStrictEqual([
      { id: 'f97', error: 'no' },
      { id: 'the hundredth', error: 'no' },
    ]);
    const run = { id: 'a', finished: 1 } as unknown as Tally['finished'][number];
    tally.finished.push(run);
    expect(tally.figures().finished_for).toEqual([run]);
  });

  test.each([
    ['what it never came to remains as well', 3, 2],
    ['what waits is more than what was chosen', 1, 1],
    ['nobody knows how many were chosen', undefined, 1],
  ])('of a run that was cut: %s', (_, chosen, remaining) => {
    const tally = new Tally(false);
    if (chosen !== undefined) tally.chosen = chosen;
    tally.fail('a', 'no');
    tally.left('b', 'later');
    expect(tally.cut()).toEqual({ ...none, failed: 1, remaining });
  });

  test('says of fates, deaths and late acks only where there were any', () => {
    expect(Object.keys(new Tally(true).result())).toEqual(['replayed', 'skipped', 'failed', 'remaining', 'entries']);
  });
});
