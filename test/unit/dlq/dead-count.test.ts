import { describe, expect, test } from '@jest/globals';
import {
  countsDead,
  coversAll,
  deadCount,
  figuresOf,
  lastOrphan,
  orphanIn,
  orphanReport,
  unaccounted,
  uncoveredAmong,
  whyUntold,
} from '../../../src/lib/dlq/dead-count.ts';
import type { SeenStream } from '../../../src/lib/dlq/standing.ts';
import { at, consumer, standing, stored } from './builders.ts';

const NO_FIGURES = {
  messages: 0,
  bytes: 0,
  first_seq: 1,
  last_seq: 0,
  first_ts: at(0),
  last_ts: at(0),
  consumer_count: 0,
  num_subjects: 0,
};

const NOW = Date.parse(at(100));
type Consumer = Parameters<typeof consumer>[0];
const queue = (fields: Parameters<typeof standing>[0], ...consumers: Consumer[]) =>
  standing({ ...fields, consumers: consumers.map((one) => consumer(one)) });

test.each([
  { name: 'a work queue with a consumer', of: queue({}, {}), want: true },
  { name: 'one without a consumer: nothing was ever tried', of: queue({}), want: false },
  { name: 'a stream of limits: it keeps what was acked', of: queue({ retention: 'limits' }, {}), want: false },
])('dead are counted in $name: $want', ({ of, want }) => {
  expect(countsDead(of)).toBe(want);
});

describe('the count of the dead', () => {
  const none = { queue: 'REQUESTS', dead: 0, ready: 0, inFlight: 0, dying: 0, uncovered: 0, held: 0, steady: true };
  test.each([
    { name: 'all are dead', of: queue({ messages: 10 }, {}), want: { dead: 10 } },
    {
      name: 'none by arithmetic where what was acked is kept',
      of: queue({ retention: 'interest', messages: 10 }, { pending: 1, ackPending: 2 }),
      want: { ready: 1, inFlight: 2 },
    },
    {
      name: 'none by arithmetic where nothing was ever tried',
      of: queue({ messages: 10 }),
      uncovered: 10,
      want: { uncovered: 10 },
    },
    {
      name: 'what waits and what is in flight, of all consumers',
      of: queue({ messages: 10 }, { pending: 1, ackPending: 2 }, { pending: 3, ackPending: 1 }),
      want: { dead: 3, ready: 4, inFlight: 3 },
    },
    {
      name: 'what waits for nobody',
      of: queue({ messages: 10 }, { pending: 4 }),
      uncovered: 5,
      want: { dead: 1, ready: 4, uncovered: 5 },
    },
    {
      name: 'never less than none',
      of: queue({ messages: 3 }, { pending: 2, ackPending: 2 }),
      want: { ready: 2, inFlight: 2 },
    },
    {
      name: 'what a copy has not taken may be acked',
      of: { ...queue({ messages: 10 }, {}), copies: [consumer({ pending: 2, ackPending: 1 })] },
      want: { dead: 10, held: 3 },
    },
    {
      name: 'no more than there are',
      of: { ...queue({ messages: 10 }, { pending: 8 }), copies: [consumer({ pending: 9 })] },
      want: { dead: 2, ready: 8, held: 2 },
    },
    {
      name: 'those past their last wait',
      of: queue({ messages: 10 }, { ackPending: 3, redelivered: 9, lastActive: at(0) }),
      want: { dead: 7, inFlight: 3, dying: 2 },
    },
    { name: 'figures that moved', of: queue({ messages: 0 }, {}), steady: false, want: { steady: false } },
  ])('$name', ({ of, uncovered = 0, steady = true, want }) => {
    expect(deadCount(of, uncovered, steady, NOW)).toEqual({ ...none, ...want });
  });
});

describe('those in flight that die at the next pull', () => {
  const late = { ackPending: 5, redelivered: 5, lastActive: at(70), waits: [10e9, 30e9], maxDeliver: 2 };
  test.each([
    { name: 'at the end of the longest wait', of: [late], want: 5 },
    { name: 'a millisecond before it', of: [{ ...late, lastActive: at(70.001) }], want: 0 },
    { name: 'after it', of: [{ ...late, lastActive: at(69) }], want: 5 },
    { name: 'with one delivery: that death is not lazy', of: [{ ...late, maxDeliver: 1 }], want: 0 },
    { name: 'without end', of: [{ ...late, maxDeliver: -1 }], want: 0 },
    { name: 'never delivered', of: [{ ...late, lastActive: undefined }], want: 0 },
    { name: 'none in flight', of: [{ ...late, ackPending: 0 }], want: 0 },
    { name: 'fewer redelivered', of: [{ ...late, redelivered: 4 }], want: 4 },
    { name: 'the dead are among the redelivered', of: [late], dead: 2, want: 3 },
    { name: 'more dead than redelivered', of: [late], dead: 6, want: 0 },
    { name: 'of two consumers', of: [late, { ...late, ackPending: 1 }], want: 6 },
    { name: 'of none', of: [], want: 0 },
  ])('$name: $want', ({ of, dead = 0, want }) => {
    const consumers = of.map((one) => consumer(one));
    const messages = consumers.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, dead);
    expect(deadCount(standing({ messages, consumers }), 0, true, NOW)).toMatchObject({ dead, dying: want });
  });
});

describe('figures', () => {
  const base = { name: 'w', delivered: 1, ackFloor: 2, pending: 3, ackPending: 4 };
  const of = (fields: Parameters<typeof standing>[0], ...consumers: Consumer[]) =>
    figuresOf(queue(fields, ...consumers));
  test('are equal as long as nothing moves', () => {
    expect(of({ bytes: 1, readAt: 1 }, { ...base, waiting: 1 })).toBe(
      of({ bytes: 2, readAt: 2 }, { ...base, waiting: 2 }),
    );
  });
  test.each([
    { name: 'a message more', to: of({ messages: 11 }, base) },
    { name: 'another last sequence', to: of({ lastSeq: 11 }, base) },
    { name: 'a delivery', to: of({}, { ...base, delivered: 2 }) },
    { name: 'an ack', to: of({}, { ...base, ackFloor: 3 }) },
    { name: 'one more waiting', to: of({}, { ...base, pending: 4 }) },
    { name: 'one more in flight', to: of({}, { ...base, ackPending: 5 }) },
    { name: 'another consumer', to: of({}, { ...base, name: 'v' }) },
    { name: 'a consumer more', to: of({}, base, base) },
  ])('differ by $name', ({ to }) => {
    expect(to).not.toBe(of({}, base));
  });
});

describe('what waits for nobody', () => {
  const subjects = new Map([
    ['a.1', 2],
    ['b.1', 3],
  ]);
  test.each([
    { name: 'a consumer for all', consumers: [{}], all: true, count: 0 },
    { name: 'a filter for one', consumers: [{ filters: ['a.*'] }], all: false, count: 3 },
    { name: 'two filters', consumers: [{ filters: ['a.*', 'b.>'] }], all: true, count: 0 },
    { name: 'two consumers', consumers: [{ filters: ['a.*'] }, { filters: ['b.*'] }], all: true, count: 0 },
    { name: 'a filter for a part of one', consumers: [{ filters: ['a.1', 'b.*'] }], all: false, count: 0 },
    { name: 'none for either', consumers: [{ filters: ['c'] }], all: false, count: 5 },
  ])('$name', ({ consumers, all, count }) => {
    const of = queue({ subjects: ['a.*', 'b.*'] }, ...consumers);
    expect([coversAll(of), uncoveredAmong(subjects, of)]).toEqual([all, count]);
  });
});

describe('a stored message without a record', () => {
  const message = stored({ seq: 7 });
  const behind = (ackFloor: number) => [consumer({ name: 'JS_MIRROR_x', pending: 1, ackFloor })];
  test.each([
    { name: 'delivered, nothing in flight', of: queue({}, { delivered: 7 }), want: true },
    { name: 'not delivered', of: queue({}, { delivered: 6 }), want: false },
    { name: 'delivered, others in flight', of: queue({}, { ackPending: 1 }), want: false },
    { name: 'at the ack floor', of: queue({}, { ackPending: 1, ackFloor: 7 }), want: true },
    { name: 'above the ack floor', of: queue({}, { ackPending: 1, ackFloor: 6 }), want: false },
    { name: 'that a copy has taken', of: { ...queue({}, {}), copies: behind(7) }, want: true },
    { name: 'that a copy may wait for', of: { ...queue({}, {}), copies: behind(6) }, want: false },
    { name: 'that no consumer is for', of: queue({}, { filters: ['mail'] }), want: false },
    {
      name: 'of another consumer than the one in flight',
      of: queue({}, { filters: ['mail'], ackPending: 1 }, { name: 'v' }),
      want: true,
    },
    { name: 'of a stream of limits', of: queue({ retention: 'limits' }, { name: '' }), want: false },
  ])('$name: dead for certain is $want', ({ of, want }) => {
    expect(orphanIn(of, message) !== undefined).toBe(want);
  });

  test('is an entry of the consumer that is for it', () => {
    expect(orphanIn(queue({}, { name: 'v', filters: ['mail'] }, { name: 'w', maxDeliver: 4 }), message)).toMatchObject({
      id: 'REQUESTS/w/7',
      state: 'orphan',
      deliveries: 4,
      inner: { streamCreated: at(-100) },
    });
  });

  test.each([
    { name: 'up to the farthest consumer', of: queue({}, { delivered: 3 }, { delivered: 9 }), want: 9 },
    { name: 'up to what a copy has taken', of: { ...queue({}, { delivered: 9 }), copies: behind(4) }, want: 4 },
    { name: 'nowhere without a consumer', of: queue({}), want: 0 },
  ])('is looked for $name', ({ of, want }) => {
    expect(lastOrphan(of)).toBe(want);
  });
});

describe('the report', () => {
  const count = deadCount(queue({ messages: 10 }, {}), 0, true, NOW);
  test.each([
    { accounted: 10, removed: 0, want: 0 },
    { accounted: 8, removed: 0, want: 2 },
    { accounted: 10, removed: 3, want: 3 },
    { accounted: 11, removed: 0, want: -1 },
  ])('of 10 dead, $accounted with a record, $removed of them gone: $want without', ({ accounted, removed, want }) => {
    expect(unaccounted(count, accounted, removed)).toBe(want);
  });

  test.each([
    { name: 'all found', missing: 0, late: 0, held: 0, want: 0 },
    { name: 'one not found', missing: 1, late: 0, held: 0, want: 1 },
    { name: 'one whose record came', missing: 2, late: 1, held: 0, want: 1 },
    { name: 'one that a copy may hold', missing: 2, late: 0, held: 1, want: 1 },
    { name: 'more records than missed', missing: 1, late: 2, held: 0, want: 0 },
  ])('$name: uncertain are $want', ({ missing, late, held, want }) => {
    expect(orphanReport({ ...count, held }, { accounted: 5, orphans: 4, missing, late })).toEqual({
      ...count,
      held,
      accounted: 5,
      orphans: 4,
      uncertain: want,
    });
  });
});

describe('how many are dead is not known', () => {
  const kept = { retention: 'limits', messages: 3, firstSeq: 5, firstTime: at(10), told: at(100) };
  const dlq = (created: number, config: object = {}, figures: object = {}): SeenStream => ({
    name: 'D',
    created: at(created),
    config: { ...config },
    figures: { ...NO_FIGURES, messages: 2, bytes: 200, ...figures },
  });
  const older = [dlq(9)];
  const younger = [dlq(11)];
  test.each([
    { name: 'a work queue counts its own', of: queue({ messages: 3 }, {}), dlqs: [], why: undefined },
    { name: 'no consumer, nobody who died', of: queue(kept), dlqs: [], why: undefined },
    { name: 'no DLQ', of: queue(kept, {}), dlqs: [], why: /there is no DLQ/ },
    { name: 'an older DLQ', of: queue(kept, {}), dlqs: older, why: undefined },
    { name: 'one as old', of: queue(kept, {}), dlqs: [dlq(10)], why: undefined },
    { name: 'a younger one', of: queue(kept, {}), dlqs: younger, why: /its DLQ is younger/ },
    { name: 'one of both', of: queue(kept, {}), dlqs: [...younger, ...older], why: undefined },
    { name: 'one that remembers as long', of: queue(kept, {}), dlqs: [dlq(9, { max_age: 90e9 })], why: undefined },
    {
      name: 'one that forgets a millisecond sooner',
      of: queue(kept, {}),
      dlqs: [dlq(9, { max_age: 89.999e9 })],
      why: /forgets/,
    },
    {
      name: 'none that tells the time',
      of: queue({ ...kept, told: undefined }, {}),
      dlqs: [dlq(9, { max_age: 1e9 })],
      why: undefined,
    },
    { name: 'one with room for one', of: queue(kept, {}), dlqs: [dlq(9, { max_msgs: 3 })], why: undefined },
    { name: 'one that is full', of: queue(kept, {}), dlqs: [dlq(9, { max_msgs: 2 })], why: /its DLQ D is full/ },
    {
      name: 'one full of one subject',
      of: queue(kept, {}),
      dlqs: [dlq(9, { max_msgs_per_subject: 2 })],
      why: /D is full/,
    },
    { name: 'one with bytes for one', of: queue(kept, {}), dlqs: [dlq(9, { max_bytes: 300 })], why: undefined },
    { name: 'one that lacks a byte', of: queue(kept, {}), dlqs: [dlq(9, { max_bytes: 299 })], why: /D is full/ },
    {
      name: 'an empty one',
      of: queue(kept, {}),
      dlqs: [dlq(9, { max_bytes: 1 }, { messages: 0, bytes: 0 })],
      why: undefined,
    },
    { name: 'nothing stored', of: queue({ ...kept, messages: 0 }, {}), dlqs: younger, why: undefined },
    { name: 'nothing stored delivered', of: queue(kept, { delivered: 4 }), dlqs: younger, why: undefined },
    { name: 'one stored delivered', of: queue(kept, { delivered: 5 }), dlqs: younger, why: /younger/ },
    { name: 'nobody ever gives up', of: queue(kept, { maxDeliver: -1 }), dlqs: younger, why: undefined },
    {
      name: 'a DLQ that cannot be read',
      of: queue({}, {}),
      dlqs: older,
      unread: ['X', 'Y'],
      why: /may lie in X, Y too/,
    },
    {
      name: 'the same where its consumers may not be listed',
      of: undefined,
      dlqs: [],
      unread: ['X'],
      why: /lie in X too/,
    },
    { name: 'nothing that could not be read', of: undefined, dlqs: [], unread: [], why: undefined },
  ])('by $name: $why', ({ of, dlqs, unread, why }) => {
    const told = whyUntold(of, dlqs, unread);
    if (why) expect(told).toMatch(why);
    else expect(told).toBeUndefined();
  });
});
