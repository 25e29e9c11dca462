import { describe, expect, test } from '@jest/globals';
import type { Death } from '../../../src/lib/dlq/death.ts';
import {
  type Advised,
  bareOf,
  copiesAgain,
  isBare,
  lastAlike,
  nearBare,
  type Orphan,
  type Placing,
  placeBare,
  placedAgain,
  placedAs,
  placeOf,
  placeOrphans,
  printOf,
  tellersOf,
} from '../../../src/lib/dlq/placing.ts';
import type { ConsumerStanding, QueueStanding } from '../../../src/lib/dlq/standing.ts';
import { at, consumer, death, record, standing, stored } from './builders.ts';

/** A record that carries a message and does not tell its sequence, the `seq`th of the DLQ. */
const bare = (
  seq: number,
  time: number,
  { payload = 'a', deliveries = 3 as number | null, consumer = '-' } = {},
): Death =>
  death({
    seq,
    consumer,
    id: `dlq/-/${seq}`,
    pointsAtOriginal: false,
    record: record({ seq, kind: 'nestjs-jetstream', time: at(time), deliveries }),
    carried: stored({ payload, seq, time: '' }),
  });

const advised = (
  seq: number,
  time: number,
  { payload = 'a' as string | null, consumer = 'worker', queue = 'REQUESTS', deliveries = 3 as number | null } = {},
): Advised => ({
  seq,
  consumer,
  queue,
  record: record({ seq: 100 + seq, time: at(time), deliveries }),
  ...(payload !== null && { print: printOf(stored({ payload })) }),
});

const placed = (of: readonly Death[], by: readonly Advised[]): Record<string, string> =>
  idsOf(placeBare(of.map(bareOf), by));
const idsOf = (placings: ReadonlyMap<string, Placing>): Record<string, string> =>
  Object.fromEntries([...placings].map(([place, placing]) => [place, placedAs(bare(1, 60), placing).id]));

describe('a record without a sequence', () => {
  test.each([
    { name: 'is of the stored message that is alike', by: [advised(7, 60)], want: 'REQUESTS/worker/7' },
    {
      name: 'whatever the payload of others',
      by: [advised(6, 60, { payload: 'b' }), advised(7, 60)],
      want: 'REQUESTS/worker/7',
    },
    {
      name: 'of two alike, of the nearest',
      by: [advised(6, 63), advised(7, 59), advised(8, 64)],
      want: 'REQUESTS/worker/7',
    },
    { name: 'told a minute before', by: [advised(7, 0)], want: 'REQUESTS/worker/7' },
    { name: 'not more than a minute before', by: [advised(7, -0.001)], want: undefined },
    { name: 'told a minute after', by: [advised(7, 120)], want: 'REQUESTS/worker/7' },
    { name: 'not more than a minute after', by: [advised(7, 120.001)], want: undefined },
    { name: 'not of another queue', by: [advised(7, 60, { queue: 'OTHER' })], want: undefined },
    { name: 'not of another number of deliveries', by: [advised(7, 60, { deliveries: 4 })], want: undefined },
    {
      name: 'of one whose deliveries nobody told',
      by: [advised(7, 60, { deliveries: null })],
      want: 'REQUESTS/worker/7',
    },
    { name: 'not of another payload', by: [advised(7, 60, { payload: 'b' })], want: undefined },
    { name: 'of the only one that is gone', by: [advised(7, 60, { payload: null })], want: 'REQUESTS/worker/7' },
    { name: 'which was told five seconds before', by: [advised(7, 55, { payload: null })], want: 'REQUESTS/worker/7' },
    { name: 'and not more', by: [advised(7, 54.999, { payload: null })], want: undefined },
    {
      name: 'of none where two that are gone would do',
      by: [advised(7, 60, { payload: null }), advised(8, 61, { payload: null })],
      want: undefined,
    },
    {
      name: 'of the one that fits by its deliveries',
      by: [advised(7, 60, { payload: null, deliveries: 4 }), advised(8, 61, { payload: null })],
      want: 'REQUESTS/worker/8',
    },
    {
      name: 'rather of what is stored',
      by: [advised(7, 60, { payload: null }), advised(8, 70)],
      want: 'REQUESTS/worker/8',
    },
  ])('$name', ({ by, want }) => {
    expect(placed([bare(1, 60)], by)['dlq/1']).toBe(want);
  });

  test('that tells its consumer is of no other consumer’s death', () => {
    expect(placed([bare(1, 60, { consumer: 'other' })], [advised(7, 60)])).toEqual({});
    expect(placed([bare(1, 60, { consumer: 'worker' })], [advised(7, 60)])).toEqual({ 'dlq/1': 'REQUESTS/worker/7' });
  });

  test('that does not tell its deliveries is of any number of them', () => {
    expect(placed([bare(1, 60, { deliveries: null })], [advised(7, 60)])).toEqual({ 'dlq/1': 'REQUESTS/worker/7' });
  });

  test('takes an advisory that no other took', () => {
    const by = [advised(7, 60), advised(8, 60)];
    expect(placed([bare(1, 60), bare(2, 60), bare(3, 60)], by)).toEqual({
      'dlq/1': 'REQUESTS/worker/7',
      'dlq/2': 'REQUESTS/worker/8',
    });
  });

  test('leaves what is gone alone where another would fit it as well', () => {
    const by = [advised(7, 60, { payload: null })];
    expect(placed([bare(1, 60), bare(2, 65)], by)).toEqual({});
    expect(placed([bare(1, 60), bare(2, 65.001)], by)).toEqual({ 'dlq/1': 'REQUESTS/worker/7' });
  });

  test.each([
    { name: 'alike and stored', of: { payload: 'a' } },
    { name: 'of which none is stored', of: { payload: null } },
  ])('finds its own among twenty thousand, $name', ({ of }) => {
    const each = Array.from({ length: 20_000 }, (_, index) => index + 1);
    const apart = of.payload === null ? 11 : 0.001;
    const all = each.map((seq) => bare(seq, seq * apart));
    const by = each.map((seq) => advised(seq, seq * apart + 0.0004, of));
    expect(Object.entries(placed(all, by)).filter(([place, id]) => id !== `REQUESTS/worker/${place.slice(4)}`)).toEqual(
      [],
    );
  });

  test('carries its message under the sequence that it has now', () => {
    const [one] = [...placeBare([bareOf(bare(1, 60))], [advised(7, 60)]).values()].map((is) =>
      placedAs(bare(1, 60), is),
    );
    expect(one).toMatchObject({
      seq: 7,
      consumer: 'worker',
      pointsAtOriginal: true,
      isPlaced: true,
      carried: { seq: 7 },
    });
    expect(one!.record).toEqual(bare(1, 60).record);
  });

  test('is one that carries a message', () => {
    expect(isBare(bare(1, 60))).toBe(true);
    expect(isBare(death())).toBe(false);
    expect(isBare(death({ pointsAtOriginal: false }))).toBe(false);
  });

  test.each([
    { time: 0, near: true },
    { time: -0.001, near: false },
    { time: 60, near: true },
    { time: 120, near: true },
    { time: 120.001, near: false },
  ])('is near an advisory of second $time: $near', ({ time, near }) => {
    expect(nearBare([bareOf(bare(1, 60))])(advised(7, time))).toBe(near);
  });
});

describe('a record without a sequence that no other record tells of', () => {
  const orphan = (
    seq: number,
    time: number,
    { payload = 'a', queue = 'REQUESTS', consumer = 'worker', subject = 'requests.dns', created = -100 } = {},
  ): Orphan => ({
    queue,
    consumer,
    message: { seq, time: at(time) },
    print: printOf(stored({ payload, subject })),
    created: at(created),
  });
  const put = (of: readonly Death[], by: readonly Orphan[]) => idsOf(placeOrphans(of.map(bareOf), by));

  test.each([
    { name: 'is of the orphan that is alike', by: [orphan(7, 0)], want: 'REQUESTS/worker/7' },
    { name: 'stored when it was written', by: [orphan(7, 60)], want: 'REQUESTS/worker/7' },
    { name: 'not stored after it', by: [orphan(7, 60.001)], want: undefined },
    { name: 'not in a stream that was made after it', by: [orphan(7, 0, { created: 60.001 })], want: undefined },
    { name: 'not of another payload', by: [orphan(7, 0, { payload: 'b' })], want: undefined },
    { name: 'not of another subject', by: [orphan(7, 0, { subject: 'requests.tls' })], want: undefined },
    { name: 'not of another queue', by: [orphan(7, 0, { queue: 'OTHER' })], want: undefined },
    { name: 'of the older of two', by: [orphan(7, 0), orphan(8, 1)], want: 'REQUESTS/worker/7' },
  ])('$name', ({ by, want }) => {
    expect(put([bare(1, 60)], by)['dlq/1']).toBe(want);
  });

  test('is of no other consumer’s where it names one', () => {
    expect(put([bare(1, 60, { consumer: 'other' })], [orphan(7, 0)])).toEqual({});
    expect(put([bare(1, 60, { consumer: 'worker' })], [orphan(7, 0)])).toEqual({ 'dlq/1': 'REQUESTS/worker/7' });
  });

  test('may be of what nobody takes, whichever consumer it names', () => {
    expect(put([bare(1, 60, { consumer: 'other' })], [orphan(7, 0, { consumer: '-' })])).toEqual({
      'dlq/1': 'REQUESTS/-/7',
    });
  });

  test('shares its orphan with no other, and as many as can have one', () => {
    const both = [bare(1, 60), bare(2, 20)];
    expect(put(both, [orphan(7, 10), orphan(8, 50)])).toEqual({
      'dlq/1': 'REQUESTS/worker/8',
      'dlq/2': 'REQUESTS/worker/7',
    });
    expect(put(both, [orphan(7, 10)])).toEqual({ 'dlq/2': 'REQUESTS/worker/7' });
  });

  test('of two written at one moment the first has it, in whatever order they were read', () => {
    for (const both of [
      [bare(1, 20), bare(2, 20)],
      [bare(2, 20), bare(1, 20)],
    ]) {
      expect(put(both, [orphan(7, 10)])).toEqual({ 'dlq/1': 'REQUESTS/worker/7' });
    }
  });

  test('carries its message under the sequence of the orphan', () => {
    expect(placeOrphans([bareOf(bare(1, 60))], [orphan(7, 0)]).get('dlq/1')).toEqual({
      is: 'of',
      consumer: 'worker',
      seq: 7,
    });
  });
});

describe('a second copy', () => {
  const copy = (
    seq: number,
    { id = 'm1', time = '', payload = 'a', consumer = '-', stream = 'dlq', more = '' } = {},
  ) => {
    const headers = [
      ...(id === '' ? [] : [{ name: 'Nats-Msg-Id', value: id }]),
      ...(more === '' ? [] : [{ name: 'X-More', value: more }]),
    ];
    const one = bare(seq, 60 + seq, { payload, consumer });
    return { ...one, record: { ...one.record, stream }, carried: stored({ payload, seq, time, headers }) };
  };
  test.each([
    { name: 'is one of the same id', of: [copy(1), copy(2)], want: [['dlq/2', 'dlq/1']] },
    {
      name: 'each is of the first',
      of: [copy(3), copy(1), copy(2)],
      want: [
        ['dlq/2', 'dlq/1'],
        ['dlq/3', 'dlq/1'],
      ],
    },
    { name: 'also in another stream', of: [copy(1), copy(2, { stream: 'x' })], want: [['x/2', 'dlq/1']] },
    { name: 'is none of another id', of: [copy(1), copy(2, { id: 'm2' })], want: [] },
    { name: 'nor without one', of: [copy(1, { id: '' }), copy(2, { id: '' })], want: [] },
    { name: 'nor with another payload', of: [copy(1), copy(2, { payload: 'b' })], want: [] },
    { name: 'nor with other headers', of: [copy(1), copy(2, { more: 'x' })], want: [] },
    { name: 'nor of another consumer', of: [copy(1), copy(2, { consumer: 'w' })], want: [] },
    { name: 'nor published at another time', of: [copy(1, { time: at(1) }), copy(2, { time: at(2) })], want: [] },
    {
      name: 'without an id it is one that was published at the same time',
      of: [copy(1, { id: '', time: at(1) }), copy(2, { id: '', time: at(1) })],
      want: [['dlq/2', 'dlq/1']],
    },
    {
      name: 'of two messages it is of its own',
      of: [copy(1, { time: at(1) }), copy(2, { time: at(2) }), copy(3, { time: at(2) })],
      want: [['dlq/3', 'dlq/2']],
    },
  ])('$name', ({ of, want }) => {
    expect([...copiesAgain(of.map(bareOf))].map(([place, first]) => [place, placeOf(first)])).toEqual(want);
  });
});

test('a death is told by its advisories, else by the copy that names its sequence', () => {
  const copied = (seq: number): Advised => ({
    ...advised(seq, 60),
    record: record({ kind: 'dlq-service', seq: 200 + seq }),
  });
  const by = [advised(7, 60), advised(7, 61), copied(7), copied(8)];
  expect(tellersOf(by)).toEqual([by[0], by[1], by[3]]);
});

describe('up to where a queue may store what a record without a sequence carries', () => {
  const queue = (fields: Partial<QueueStanding> = {}, of: Partial<ConsumerStanding> = {}) =>
    standing({ messages: 5, consumers: [consumer({ created: at(0), delivered: 4, pending: 3, ...of })], ...fields });
  const ALL = Number.MAX_SAFE_INTEGER;
  test.each([
    { name: 'what was delivered, where some is dead or in flight', by: queue(), want: 4 },
    { name: 'nothing where all waits', by: queue({}, { pending: 5 }), want: 0 },
    { name: 'nothing of a stream that keeps what was acked', by: queue({ retention: 'limits' }), want: 0 },
    { name: 'all where the consumer is younger than the record', by: queue({}, { created: at(60.001) }), want: ALL },
    { name: 'and not where it is as old', by: queue({}, { created: at(60) }), want: 4 },
    { name: 'all where there is no consumer', by: queue({ consumers: [] }), want: ALL },
    { name: 'all where the record was stored after the look', by: queue({ told: at(99.999) }), want: ALL },
    { name: 'and not where it was by then', by: queue({ told: at(100) }), want: 4 },
  ])('$name', ({ by, want }) => {
    const one = bareOf(bare(1, 60));
    expect(lastAlike(by, [{ ...one, record: { ...one.record, stored: at(100) } }])).toBe(want);
  });
});

describe('another copy of a message', () => {
  const of = { is: 'of', consumer: 'worker', seq: 7 } as const;
  const first = { is: 'again', id: 'dlq/-/1', consumer: '-', seq: 1 } as const;
  test.each<[string, Placing | undefined, Placing]>([
    ['is of what the first is of', of, of],
    ['goes by the id of the first, where nobody knows of what that is', undefined, first],
    ['may be of something, as the first', { is: 'doubtful' }, { ...first, inDoubt: true }],
    ['is once more where the first is', first, first],
  ])('%s', (_, placing, want) => expect(placedAgain(bareOf(bare(1, 60)), placing)).toEqual(want));

  test('is then as the first', () => {
    const one = bare(2, 61);
    const { isPlaced, inDoubt, ...again } = placedAs(one, first);
    expect([again, isPlaced, inDoubt]).toEqual([{ ...one, id: 'dlq/-/1', seq: 1 }, undefined, undefined]);
    expect(placedAs(one, { ...first, inDoubt: true }).inDoubt).toBe(true);
    expect(placedAs(one, { is: 'doubtful' })).toEqual({ ...one, inDoubt: true });
  });
});

test.each([
  [-0.001, false],
  [0, true],
  [60, true],
  [200, false],
  [240, true],
  [360, true],
  [360.001, false],
])('of several, in whatever order they were read, one may be near second %d: %p', (time, near) => {
  const all = [bare(1, 300), bare(2, 60), bare(3, 65)].map(bareOf);
  expect(nearBare(all)(advised(7, time))).toBe(near);
  expect(nearBare([...all].reverse())(advised(7, time))).toBe(near);
});

test.each([
  [
    [advised(6, 70), advised(7, 50), advised(8, 61), advised(9, 58)],
    ['8', '9', '7', '6'],
  ],
  [
    [advised(9, 58), advised(8, 61), advised(7, 50), advised(6, 70)],
    ['8', '9', '7', '6'],
  ],
  [
    [advised(7, 59), advised(8, 61)],
    ['7', '8', undefined, undefined],
  ],
])('of many alike the nearest is taken, and each once: %#', (by, want) => {
  const all = [1, 2, 3, 4].map((seq) => bare(seq, 60));
  const found = placed(all, by);
  expect(all.map((one) => found[placeOf(one)]?.split('/').at(-1))).toEqual(want);
});
