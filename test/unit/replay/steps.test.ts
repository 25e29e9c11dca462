import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import type { Intended, JournalEntry, Mark } from '../../../src/lib/ledger/journal.ts';
import type { Seen } from '../../../src/lib/model/message.ts';
import { ApiError } from '../../../src/lib/nats/api-error.ts';
import { parseStreamInfo } from '../../../src/lib/nats/info.ts';
import { canaryAfter, canaryFault } from '../../../src/lib/replay/canary.ts';
import { type Copy, Fates, type Followed } from '../../../src/lib/replay/fates.ts';
import { afterFault, lanesFor, movedBy } from '../../../src/lib/replay/outcome.ts';
import { createPacer, inFlightFor, pageSize, roomFor } from '../../../src/lib/replay/pace.ts';
import type { Move, Step } from '../../../src/lib/replay/protocol.ts';
import {
  allowsTtl,
  cannotRemove,
  removedFrom,
  requireRemoving,
  toQueueFacts,
} from '../../../src/lib/replay/queue-facts.ts';
import { doubtfulAmong, firstCopy, isSame, journalOf, marksOf, settle } from '../../../src/lib/replay/settling.ts';
import { at, death, record } from '../dlq/builders.ts';

const api = (err_code: number, description: string) => new ApiError('requests.dns', { err_code, description });
const FULL = api(10077, 'maximum messages exceeded');
const REFUSED = api(10071, 'wrong last sequence');
const NO_ROOM = api(10023, 'insufficient resources');
const LOST = new OpsError('CONN_TIMEOUT', 'lost');
const SAFE = '; the message is safe in the journal';

describe('after an error in one of its steps, a message', () => {
  test.each<{ name: string; error: unknown; taken?: Step[]; original?: boolean; isFullWay?: boolean; want: object }>([
    { name: 'is in doubt where the connection is lost', error: LOST, want: { goes: 'in-doubt' } },
    { name: 'is in doubt where the fault is nobody’s', error: new TypeError('x'), want: { goes: 'in-doubt' } },
    { name: 'is in doubt with its copy in', error: REFUSED, taken: ['publish'], want: { goes: 'in-doubt' } },
    {
      name: 'is in doubt with its copy in, out of the journal too',
      error: FULL,
      taken: ['journal', 'remove-original', 'publish'],
      isFullWay: true,
      want: { goes: 'in-doubt' },
    },
    {
      name: 'waits in the journal where it is refused',
      error: REFUSED,
      taken: ['journal'],
      isFullWay: true,
      want: { goes: 'told', outcome: 'waiting', error: `wrong last sequence (10071)${SAFE}` },
    },
    {
      name: 'waits in the journal where the queue is full',
      error: FULL,
      taken: ['journal', 'remove-original'],
      isFullWay: true,
      want: { goes: 'told', outcome: 'waiting', error: `the queue is full${SAFE}` },
    },
    {
      name: 'waits in the journal where there is no room',
      error: NO_ROOM,
      taken: ['journal'],
      isFullWay: true,
      want: { goes: 'told', outcome: 'waiting', error: expect.stringContaining(SAFE) },
    },
    { name: 'goes by the journal where the queue is full', error: FULL, want: { goes: 'full-way' } },
    {
      name: 'waits where the queue is full and nothing of it goes',
      error: FULL,
      original: false,
      want: { goes: 'told', outcome: 'waiting', error: 'the queue is full, and removing this makes no room in it' },
    },
    { name: 'asks for room where the server has none', error: NO_ROOM, want: { goes: 'no-room' } },
    { name: 'asks for room where the journal is full', error: FULL, isFullWay: true, want: { goes: 'no-room' } },
    {
      name: 'fails where it is refused',
      error: REFUSED,
      want: { goes: 'told', outcome: 'failed', error: 'wrong last sequence (10071)' },
    },
    {
      name: 'fails where the journal refuses it',
      error: REFUSED,
      isFullWay: true,
      want: { goes: 'told', outcome: 'failed', error: 'it cannot be journalled: wrong last sequence (10071)' },
    },
  ])('$name', ({ error, taken = [], original = true, isFullWay = false, want }) => {
    expect(afterFault(error, { original, taken: new Set(taken), isFullWay })).toEqual(want);
  });
});

describe('a message that came through its steps', () => {
  const move = { id: 'x' } as Move;
  test.each([
    { name: 'with its copy', copy: { seq: 9, how: 'stored' as const }, late: false, want: { newSeq: 9 } },
    {
      name: 'with a copy of before',
      copy: { seq: 9, how: 'before' as const },
      late: false,
      want: { newSeq: 9, before: 'before' },
    },
    {
      name: 'with one that has left again',
      copy: { seq: 9, how: 'left' as const },
      late: false,
      want: { newSeq: 9, before: 'left' },
    },
    { name: 'acked late', copy: { seq: 9, how: 'stored' as const }, late: true, want: { newSeq: 9, late: true } },
    {
      name: 'gone since the run before published',
      copy: { seq: 9, how: 'before' as const },
      late: true,
      want: { newSeq: 9, before: 'before' },
    },
    { name: 'without a publish', copy: undefined, late: true, want: {} },
  ])('$name', ({ copy, late, want }) => {
    expect(movedBy(move, copy, late)).toEqual({ move, outcome: 'moved', ...want });
  });
});

describe('how many go at once', () => {
  const MiB = 1024 * 1024;
  const of = (count: number, payload: number, headers = 0) =>
    Array.from(
      { length: count },
      () => ({ payload: { byteLength: payload }, headers: { byteLength: headers } }) as Move,
    );
  test.each([
    { name: 'as many as are wished for', inFlight: 64, moves: of(1000, 100), want: 64 },
    { name: 'no more than there are', inFlight: 64, moves: of(10, 100), want: 10 },
    { name: 'one of none', inFlight: 64, moves: [], want: 1 },
    { name: 'one where one is wished for', inFlight: 1, moves: of(10, 0), want: 1 },
    { name: 'as many as 32 MiB hold', inFlight: 64, moves: of(64, MiB - 1), want: 32 },
    { name: 'one less of a byte more', inFlight: 64, moves: of(64, MiB), want: 31 },
    { name: 'with their headers', inFlight: 64, moves: of(64, MiB / 2, MiB / 2 - 1), want: 32 },
    { name: 'four of the largest', inFlight: 64, moves: of(64, 64 * MiB), want: 4 },
  ])('$name', ({ inFlight, moves, want }) => {
    expect(lanesFor(inFlight, moves)).toBe(want);
  });

  test.each([
    { left: 0, rate: undefined, want: 1024 },
    { left: 5, rate: undefined, want: 5 },
    { left: 0, rate: 10.9, want: 10 },
    { left: 0, rate: 0.5, want: 1 },
    { left: 5, rate: 10, want: 5 },
    { left: 5, rate: 4, want: 4 },
    { left: 0, rate: 5000, want: 1024 },
  ])('of a canary with $left left, at $rate a second: $want', ({ left, rate, want }) => {
    expect(pageSize(1024, left, rate)).toBe(want);
  });

  test.each([
    { pending: 0, want: 10 },
    { pending: 90, want: 10 },
    { pending: 91, want: 9 },
    { pending: 99, want: 1 },
    { pending: 100, want: 0 },
    { pending: 101, want: 0 },
  ])('of 10, where 100 may be pending and $pending are: $want', ({ pending, want }) => {
    expect(roomFor(10, 100, pending)).toBe(want);
  });

  test('a pace of less than one a second', () => {
    const wait = createPacer(0.5, () => 0);
    expect([wait(), wait()]).toEqual([0, 2000]);
  });
});

describe('a canary', () => {
  test.each([
    { left: 5, sent: 3, want: 2 },
    { left: 5, sent: 5, want: 0 },
    { left: 5, sent: 6, want: 0 },
  ])('of which $left were left has $want after $sent', ({ left, sent, want }) => {
    expect(canaryAfter(left, sent)).toBe(want);
  });

  test.each<{ died: number; unknown: number; deaths: Record<string, number>; want: object | undefined }>([
    { died: 0, unknown: 0, deaths: {}, want: undefined },
    {
      died: 2,
      unknown: 1,
      deaths: { timeout: 1, other: 1 },
      want: { message: expect.stringMatching(/^2 of 5 died again/), why: '1 × timeout; 1 × other.' },
    },
    { died: 1, unknown: 1, deaths: { timeout: 1 }, want: { why: '1 × timeout.' } },
    {
      died: 0,
      unknown: 1,
      deaths: {},
      want: { message: expect.stringMatching(/^1 of 5 were not settled/), why: expect.stringMatching(/No worker/) },
    },
  ])('of which $died died and of $unknown nothing is known', ({ died, unknown, deaths, want }) => {
    const fault = canaryFault('Q', 5, { died, unknown }, deaths);
    if (want)
      expect(fault).toMatchObject({ code: 'DLQ_DIED_AGAIN', where: 'queue Q', hints: [expect.any(String)], ...want });
    else expect(fault).toBeUndefined();
  });
});

describe('what a run before meant to move', () => {
  const CREATED = at(-100);
  const seen = (stream: string, seq: number, created = CREATED): Seen => ({ stream, created, seq, time: at(0) });
  const records = [seen('dlq', 3)];
  const one: Intended = { msgId: 'm', original: seen('Q', 7), records };
  const carried: Intended = { msgId: 'm', records };
  const nothing = {
    there: new Set<string>(),
    created: CREATED,
    copies: new Map<string, number>(),
    answered: new Set<string>(),
  };
  const there = new Set(['m']);
  const copies = new Map([['m', 9]]);
  const answered = new Set(['m']);
  const old: Intended = { ...one, original: seen('Q', 7, at(-200)) };
  const unwritten: Intended = { ...one, original: seen('Q', 7, '') };

  test.each([
    {
      name: 'there, its copy too: the original goes',
      of: one,
      found: { there, copies },
      doubt: true,
      done: [['m', 9]],
      removes: ['Q 7', 'dlq 3'],
    },
    {
      name: 'there, and answered',
      of: one,
      found: { there, answered },
      doubt: true,
      done: [['m', undefined]],
      removes: ['Q 7', 'dlq 3'],
    },
    {
      name: 'there, nothing else: a dead letter as before',
      of: one,
      found: { there },
      doubt: true,
      done: [],
      removes: [],
    },
    {
      name: 'gone: only its records are left',
      of: one,
      found: {},
      doubt: false,
      done: [['m', undefined]],
      removes: ['dlq 3'],
    },
    {
      name: 'gone with a stream that was made anew: nothing is touched',
      of: old,
      found: {},
      doubt: true,
      done: [],
      removes: [],
    },
    {
      name: 'gone with such a stream, its copy there',
      of: old,
      found: { copies },
      doubt: true,
      done: [['m', 9]],
      removes: ['dlq 3'],
    },
    {
      name: 'gone, and nobody wrote down when its stream was made',
      of: unwritten,
      found: {},
      doubt: false,
      done: [['m', undefined]],
      removes: ['dlq 3'],
    },
    { name: 'without an original, not published', of: carried, found: {}, doubt: true, done: [], removes: [] },
    {
      name: 'without an original, published',
      of: carried,
      found: { copies },
      doubt: true,
      done: [['m', 9]],
      removes: ['dlq 3'],
    },
    {
      name: 'without an original, answered',
      of: carried,
      found: { answered },
      doubt: true,
      done: [['m', undefined]],
      removes: ['dlq 3'],
    },
  ])('$name', ({ of, found, doubt, done, removes }) => {
    expect(doubtfulAmong([of], { ...nothing, ...found })).toEqual(doubt ? [of] : []);
    const settled = settle([of, { msgId: 'other', records: [seen('dlq', 8)] }], { ...nothing, ...found });
    expect([...settled.done]).toEqual(done);
    expect([...settled.originals, ...settled.records].map(({ stream, seq }) => `${stream} ${seq}`)).toEqual(removes);
  });

  const mark = (stream: string, created: string, after: number): Mark => ({ stream, created, after });
  test.each([
    { name: 'behind the mark', created: CREATED, now: CREATED, want: 6 },
    { name: 'behind the mark, where nobody wrote down when', created: '', now: CREATED, want: 6 },
    { name: 'anywhere in a stream that was made anew', created: at(-200), now: CREATED, want: 1 },
  ])('has its copy $name', ({ created, now, want }) => {
    expect(firstCopy(mark('Q', created, 5), now)).toBe(want);
    expect(isSame(created, now)).toBe(want === 6);
  });

  test('is looked for behind the lowest mark of each stream as it was made', () => {
    const marks = [mark('A', 'x', 5), mark('A', 'x', 3), mark('A', 'x', 4), mark('A', 'y', 1), mark('B', 'x', 9)];
    expect(marksOf(marks.map((target) => ({ target })))).toEqual([marks[1], marks[3], marks[4]]);
  });

  test.each([
    { name: 'its own', target: mark('Q', CREATED, 0), want: true },
    { name: 'of a queue that was made anew', target: mark('Q', at(-200), 0), want: false },
    { name: 'of before anybody wrote it down', target: mark('Q', '', 0), want: true },
    { name: 'on its way elsewhere', target: mark('OTHER', at(-200), 0), want: true },
  ])('is finished out of the journal where it is $name: $want', ({ target, want }) => {
    const entry = { target } as JournalEntry;
    expect(journalOf([entry], 'Q', CREATED)).toEqual(want ? [entry] : []);
  });
});

describe('what becomes of a copy', () => {
  const copy = (newSeq?: number, requestId?: string): Copy => ({ id: `Q/w/${newSeq}`, requestId, newSeq });
  const follow = (...all: Copy[]) => {
    const settled: Followed[] = [];
    const fates = new Fates('REQUESTS', (followed) => settled.push(followed));
    fates.add(all);
    return { fates, settled, told: () => settled.map(({ fate, reason }) => reason ?? fate) };
  };
  /** Heard of, and told with the words of its record. */
  const die = (fates: Fates, one: ReturnType<typeof death>) => {
    fates.heard(one);
    for (const heard of fates.dead) fates.died(heard, heard.record.detail ?? null);
  };
  const died = (fields: Parameters<typeof death>[0] = {}) => death({ seq: 9, ...fields });

  test.each<{ name: string; does(fates: Fates, one: Copy): void; want: string; open?: number }>([
    { name: 'nothing is told', does: () => {}, want: 'unknown', open: 1 },
    { name: 'its request is answered', does: (f) => f.answered('r'), want: 'answered' },
    { name: 'another is answered', does: (f) => f.answered('s'), want: 'unknown', open: 1 },
    { name: 'it died', does: (f) => die(f, died()), want: 'max_deliveries' },
    {
      name: 'it died with words',
      does: (f) => die(f, died({ record: record({ reason: 'rejected', detail: 'no' }) })),
      want: 'rejected: no',
    },
    { name: 'another died', does: (f) => die(f, died({ seq: 8 })), want: 'unknown', open: 1 },
    { name: 'one of another queue died', does: (f) => die(f, died({ queue: 'OTHER' })), want: 'unknown', open: 1 },
    {
      name: 'one died that is not named',
      does: (f) => die(f, died({ pointsAtOriginal: false })),
      want: 'unknown',
      open: 1,
    },
    {
      name: 'it only went',
      does: (f) =>
        die(f, died({ record: record({ reason: 'terminated', detail: 'Message deleted by stream limits' }) })),
      want: 'unknown',
      open: 1,
    },
    {
      name: 'it was answered before it died: the first is told',
      does: (f) => {
        f.answered('r');
        die(f, died());
      },
      want: 'answered',
    },
    {
      name: 'it is gone for a second',
      does: (f, one) => {
        f.seen(one, false, 1000);
        f.seen(one, false, 1500);
        f.settleGone(2000);
      },
      want: 'acked',
    },
    {
      name: 'it is gone for less',
      does: (f, one) => {
        f.seen(one, false, 1000);
        f.settleGone(1999);
      },
      want: 'unknown',
      open: 1,
    },
    {
      name: 'it was missed once, and is there',
      does: (f, one) => {
        f.seen(one, false, 1000);
        f.seen(one, true, 1500);
        f.settleGone(9000);
      },
      want: 'unknown',
      open: 1,
    },
    {
      name: 'it died a moment after it went',
      does: (f, one) => {
        f.seen(one, false, 1000);
        die(f, died());
        f.settleGone(9000);
      },
      want: 'max_deliveries',
    },
  ])('where $name', ({ does, want, open = 0 }) => {
    const one = copy(9, 'r');
    const { fates, told } = follow(one);
    does(fates, one);
    expect([fates.open.size, fates.dead.size]).toEqual([open, 0]);
    fates.end();
    expect(told()).toEqual([want]);
  });

  test('two of one request are both answered, each is told once', () => {
    const { fates, settled } = follow(copy(1), copy(2, 'r'), copy(3, 'r'), copy());
    fates.answered('r');
    fates.answered('r');
    die(fates, died({ seq: 1 }));
    fates.end();
    fates.end();
    expect(settled).toStrictEqual([
      { copy: copy(2, 'r'), fate: 'answered' },
      { copy: copy(3, 'r'), fate: 'answered' },
      { copy: copy(1), fate: 'died', reason: 'max_deliveries' },
      { copy: copy(), fate: 'unknown' },
    ]);
  });

  test.each<{ name: string; before(fates: Fates): void; want: string[] }>([
    { name: 'before it was on its way', before: () => {}, want: ['unknown', 'unknown'] },
    { name: 'while it was on its way', before: (f) => f.expect(), want: ['answered', 'max_deliveries'] },
    {
      name: 'while those before it were',
      before(f) {
        f.expect();
        f.answered('r');
        die(f, died());
        f.add([]);
      },
      want: ['unknown', 'unknown'],
    },
  ])('is $want, where it was heard of $name', ({ before, want }) => {
    const { fates, told } = follow();
    before(fates);
    fates.answered('r');
    die(fates, died());
    fates.add([copy(8, 'r'), copy(9)]);
    for (const one of fates.dead) fates.died(one, null);
    fates.end();
    expect(told()).toEqual(want);
  });

  test('is not heard of once more, where it was told', () => {
    const { fates } = follow(copy(9, 'r'));
    fates.answered('r');
    fates.heard(died());
    expect(fates.dead.size).toBe(0);
  });

  test('is looked up for the others first, where it was found in its stream', () => {
    const all = [copy(1), copy(2), copy(3)] as const;
    const { fates } = follow(...all);
    fates.seen(all[0], true, 0);
    fates.seen(all[1], false, 0);
    expect([...fates.open]).toEqual([all[1], all[2], all[0]]);
  });
});

describe('a stream that is replayed from', () => {
  const info = (config: object, state: object = {}) =>
    parseStreamInfo('', { created: at(0), config: { name: 'Q', ...config }, state });
  test('is what the server tells of it', () => {
    const found = toQueueFacts(
      info(
        { retention: 'workqueue', allow_msg_ttl: true, num_replicas: 3, discard: 'old', max_msgs: 5 },
        { last_seq: 9 },
      ),
    );
    const want = {
      created: at(0),
      lastSeq: 9,
      removesOriginal: true,
      movesSame: true,
      orphansAreFound: true,
      replicas: 3,
      drops: true,
    };
    expect(found).toEqual(want);
    expect(toQueueFacts(info({}))).toEqual({
      created: at(0),
      lastSeq: 0,
      removesOriginal: false,
      movesSame: true,
      orphansAreFound: false,
      replicas: 1,
      drops: false,
    });
  });

  test('takes a time to live for a message where it says so', () => {
    expect([allowsTtl(info({ allow_msg_ttl: true })), allowsTtl(info({ allow_msg_ttl: false }))]).toEqual([
      true,
      false,
    ]);
  });

  test.each([
    { consumers: 0, want: false },
    { consumers: 1, want: true },
    { consumers: 2, want: false },
  ])('with retention interest and $consumers consumers gives its original away: $want', ({ consumers, want }) => {
    const facts = toQueueFacts(info({ retention: 'interest' }, { consumer_count: consumers }));
    expect([facts.removesOriginal, facts.orphansAreFound]).toEqual([want, false]);
  });

  test.each([
    { movesSame: true, want: ['Q', 'a', 'b'] },
    { movesSame: false, want: ['a', 'b'] },
  ])('has messages removed, and its DLQs: $movesSame', ({ movesSame, want }) => {
    expect(removedFrom({ movesSame }, { queue: 'Q', dlqs: ['a', 'b'] })).toEqual(want);
  });

  test.each([
    { config: {}, want: undefined },
    { config: { sealed: false, no_ack: false }, want: undefined },
    {
      config: { sealed: true },
      want: { why: expect.stringMatching(/sealed/), hints: [expect.stringMatching(/deny_delete/)] },
    },
    {
      config: { no_ack: true },
      want: { why: expect.stringMatching(/no_ack/), hints: [expect.stringMatching(/no_ack/)] },
    },
  ])('of $config is refused: $want', ({ config, want }) => {
    const check = () => requireRemoving(info(config));
    if (want) expect(check).toThrow(expect.objectContaining({ code: 'DLQ_CANNOT_REMOVE', where: 'stream Q', ...want }));
    else expect(check).not.toThrow();
    expect(cannotRemove('Q', 'So.').message).toMatch(/^stream Q /);
    expect(cannotRemove('Q', 'So.').why).toMatch(/^So\. /);
  });
});

test.each([
  { rttMs: 0, want: 256 },
  { rttMs: 4.9, want: 256 },
  { rttMs: 5, want: 1024 },
  { rttMs: 200, want: 1024 },
])('where the server is $rttMs ms away $want are under way at once', ({ rttMs, want }) => {
  expect(inFlightFor(rttMs)).toBe(want);
});
