import { describe, expect, test } from '@jest/globals';
import { affordable, costOf, fits, sumOf } from '../../../src/lib/health/cost.ts';
import { consumerOf, deadOf, queueOf, streamOf } from './builders.ts';

const queue = (of: {
  dead: number;
  stored: number;
  bytes: number;
  records: number;
  recordBytes?: number;
  delivered?: number;
  first?: number;
  workers?: number;
  retention?: string;
}) =>
  queueOf({
    stream: streamOf(
      { messages: of.stored, bytes: of.bytes, first_seq: of.first ?? 1 },
      { retention: of.retention ?? 'workqueue' },
    ),
    dlq: { name: 'd', ...streamOf({ messages: of.records, bytes: of.recordBytes ?? of.records * 300 }) },
    consumers: Array.from({ length: of.workers ?? 1 }, (_, at) =>
      consumerOf({ name: `w${at}`, delivered: of.delivered ?? of.stored }),
    ),
    deadState: deadOf({ dead: of.dead }),
  });

describe('what a look at the dead costs', () => {
  test.each([
    {
      name: 'dead side by side are one range',
      of: { dead: 10, stored: 10, bytes: 1000, records: 10 },
      batch: true,
      want: { messages: 20, bytes: 3000 + 1000 + 4000, requests: 2 },
    },
    {
      name: 'without batches each takes a request',
      of: { dead: 10, stored: 10, bytes: 1000, records: 10 },
      batch: false,
      want: { messages: 20, bytes: 8000, requests: 20 },
    },
    {
      name: 'four times as many between them are read along',
      of: { dead: 10, stored: 40, bytes: 4000, records: 10 },
      batch: true,
      want: { messages: 50, bytes: 3000 + 4000 + 10_000, requests: 2 },
    },
    {
      name: 'more are not',
      of: { dead: 10, stored: 41, bytes: 4100, records: 10 },
      batch: true,
      want: { messages: 20, bytes: 3000 + 1000 + 4000, requests: 11 },
    },
    {
      name: 'what keeps what was acked: each record may point at one',
      of: { dead: 0, stored: 5, bytes: 500, records: 3, retention: 'limits' },
      batch: true,
      want: { messages: 8, bytes: 900 + 500 + 1600, requests: 2 },
    },
    {
      name: 'fewer dead than records: only the dead are read',
      of: { dead: 2, stored: 10, bytes: 1000, records: 10, delivered: 2 },
      batch: true,
      want: { messages: 12, bytes: 3000 + 200 + 2400, requests: 2 },
    },
    {
      name: 'no more lie between them than are stored',
      of: { dead: 10, stored: 40, bytes: 4000, records: 10, delivered: 100 },
      batch: true,
      want: { messages: 50, bytes: 3000 + 4000 + 10_000, requests: 2 },
    },
    {
      name: 'they begin where the stream begins',
      of: { dead: 10, stored: 40, bytes: 4000, records: 10, first: 91, delivered: 100 },
      batch: true,
      want: { messages: 20, bytes: 3000 + 1000 + 4000, requests: 2 },
    },
    {
      name: 'a batch that is full',
      of: { dead: 1024, stored: 1024, bytes: 0, records: 1024 },
      batch: true,
      want: { messages: 2048, bytes: 307_200 + 409_600, requests: 2 },
    },
    {
      name: 'one more than a batch',
      of: { dead: 1025, stored: 1025, bytes: 0, records: 1025 },
      batch: true,
      want: { messages: 2050, bytes: 307_500 + 410_000, requests: 4 },
    },
    {
      name: 'what keeps what was acked, with two workers: each record may point at two',
      of: { dead: 0, stored: 9, bytes: 900, records: 3, retention: 'limits', workers: 2, delivered: 1 },
      batch: true,
      want: { messages: 9, bytes: 900 + 600 + 1800, requests: 2 },
    },
    {
      name: 'what keeps what was acked, with no worker left',
      of: { dead: 0, stored: 9, bytes: 900, records: 3, retention: 'limits', workers: 0 },
      batch: true,
      want: { messages: 6, bytes: 900 + 300 + 1200, requests: 2 },
    },
    {
      name: 'an empty queue with records',
      of: { dead: 0, stored: 0, bytes: 0, records: 3 },
      batch: true,
      want: { messages: 3, bytes: 900 + 600, requests: 1 },
    },
  ])('$name', ({ of, batch, want }) => {
    expect(costOf(queue(of), batch)).toEqual(want);
  });

  test('nothing is there to look at', () => {
    const nothing = queueOf({ stream: undefined, dlq: undefined, deadState: undefined });
    expect(costOf(nothing, true)).toEqual({ messages: 0, bytes: 0, requests: 0 });
    const unread = queueOf({ stream: streamOf({ messages: 3, bytes: 30 }), deadState: undefined });
    expect(costOf(unread, true)).toEqual({ messages: 0, bytes: 0, requests: 0 });
  });

  test.each([
    [{ messages: 2000, bytes: 600_000, requests: 10 }, true],
    [{ messages: 2001, bytes: 0, requests: 0 }, false],
    [{ messages: 0, bytes: 600_001, requests: 0 }, false],
    [{ messages: 0, bytes: 0, requests: 11 }, false],
  ])('%j fits: %s', (cost, want) => {
    expect(fits(cost)).toBe(want);
  });

  test('of several queues is the sum', () => {
    const one = { messages: 1, bytes: 2, requests: 3 };
    expect(sumOf(one, one)).toEqual({ messages: 2, bytes: 4, requests: 6 });
  });
});

describe('of several queues', () => {
  const cost = (requests: number, bytes = 100) => ({ messages: 1, bytes, requests });
  test.each([
    { name: 'all within the bound are read', costs: [5, 5], within: [0, 1], tooMuch: [] },
    { name: 'one more than the bound of all is left', costs: [2, 2, 2, 2, 2, 2], within: [0, 1, 2, 3, 4], tooMuch: [] },
    { name: 'those that take least come first', costs: [9, 2, 3, 4], within: [1, 2, 3], tooMuch: [] },
    { name: 'one that takes too much by itself leaves the others', costs: [11, 10], within: [1], tooMuch: [0] },
    { name: 'none is none', costs: [], within: [], tooMuch: [] },
  ])('$name', ({ costs, within, tooMuch }) => {
    const found = affordable(new Map(costs.map((requests, at) => [at, cost(requests)])));
    expect([...found.within].sort()).toEqual(within);
    expect(costs.flatMap((_, at) => (found.isTooMuch(at) ? [at] : []))).toEqual(tooMuch);
  });

  test('of the same number of requests the smaller ones come first', () => {
    const found = affordable(
      new Map([
        ['large', cost(1, 400_000)],
        ['small', cost(1, 300_000)],
      ]),
    );
    expect([...found.within]).toEqual(['small']);
  });
});
