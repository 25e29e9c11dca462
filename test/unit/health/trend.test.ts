import { describe, expect, test } from '@jest/globals';
import type { ConsumerState, Flow } from '../../../src/lib/health/snapshot.ts';
import { flowBetween, type Sample, sampleOf, trendOf } from '../../../src/lib/health/trend.ts';
import { judgeHealth } from '../../../src/lib/health/verdict.ts';
import type { Config } from '../../../src/lib/model/json.ts';
import type { Trend } from '../../../src/lib/model/verdict.ts';
import { ago, consumerOf, NOW, queueOf, snapshotOf, streamOf } from './builders.ts';

const flowOf = (flow: Partial<Flow> = {}): Flow => ({
  seconds: 1,
  messages: 0,
  bytes: 0,
  waiting: 0,
  delivered: 0,
  ...flow,
});
const MIN = 60_000;

describe('where a queue is going', () => {
  test.each<{
    name: string;
    flow?: Flow;
    consumers?: Partial<ConsumerState>[];
    stored?: number;
    bytes?: number;
    config?: Config;
    want: Trend | undefined;
  }>([
    { name: 'one look at a queue that works', consumers: [{ pending: 5, lastMoved: ago(0) }], want: undefined },
    { name: 'an empty queue', flow: flowOf({ waiting: -50, delivered: 50 }), want: undefined },
    {
      name: 'workers take more than comes',
      consumers: [{ pending: 21_000, lastMoved: ago(0) }],
      flow: flowOf({ waiting: -10, delivered: 30 }),
      want: { state: 'clears', per_second: -10, seconds: 2100, summary: 'clears in about 35m' },
    },
    {
      name: 'fewer than ten messages are chance',
      consumers: [{ pending: 21_000, lastMoved: ago(0) }],
      flow: flowOf({ waiting: -9.9, delivered: 30 }),
      want: undefined,
    },
    {
      name: 'ten in a longer time are not',
      consumers: [{ pending: 36, lastMoved: ago(0) }],
      flow: flowOf({ seconds: 10, waiting: -1, delivered: 1 }),
      want: { state: 'clears', per_second: -1, seconds: 36, summary: 'clears in about 36s' },
    },
    {
      name: 'what falls without deliveries was purged or expired',
      consumers: [{ pending: 100, lastMoved: ago(0) }],
      flow: flowOf({ waiting: -100 }),
      want: undefined,
    },
    {
      name: 'what clears in thirty days',
      consumers: [{ pending: 25_920_000, lastMoved: ago(0) }],
      flow: flowOf({ waiting: -10, delivered: 10 }),
      want: { state: 'clears', per_second: -10, seconds: 2_592_000, summary: 'clears in about 30d' },
    },
    {
      name: 'and later than that nobody knows',
      consumers: [{ pending: 25_920_011, lastMoved: ago(0) }],
      flow: flowOf({ waiting: -10, delivered: 10 }),
      want: undefined,
    },
    {
      name: 'more comes than goes, without a limit',
      consumers: [{ pending: 100, lastMoved: ago(0) }],
      flow: flowOf({ messages: 12.4, waiting: 12.4, delivered: 3 }),
      want: { state: 'grows', per_second: 12.4, summary: 'grows 12/s' },
    },
    {
      name: 'more comes than goes, towards max_msgs',
      stored: 6_400,
      config: { max_msgs: 100_000 },
      flow: flowOf({ messages: 12, bytes: 1200 }),
      want: {
        state: 'grows',
        per_second: 12,
        seconds: 7800,
        summary: 'grows 12/s: full in 2h10m, then publishers are refused',
      },
    },
    {
      name: 'the nearer limit counts, and with discard old the oldest go',
      stored: 100,
      bytes: 4000,
      config: { max_msgs: 100_000, max_bytes: 10_000, discard: 'old' },
      flow: flowOf({ seconds: 60, messages: 1.25, bytes: 100 }),
      want: {
        state: 'grows',
        per_second: 1.25,
        seconds: 60,
        summary: 'grows 1.3/s: full in 1m, then the oldest are dropped, unprocessed',
      },
    },
    {
      name: 'full in thirty days, at ten a second',
      config: { max_msgs: 25_920_000 },
      flow: flowOf({ messages: 10 }),
      want: {
        state: 'grows',
        per_second: 10,
        seconds: 2_592_000,
        summary: 'grows 10/s: full in 30d, then publishers are refused',
      },
    },
    {
      name: 'full later than that is not told',
      config: { max_msgs: 25_920_010 },
      flow: flowOf({ messages: 10 }),
      want: { state: 'grows', per_second: 10, summary: 'grows 10/s' },
    },
    {
      name: 'a limit of 0 is none, and bytes that do not grow fill nothing',
      bytes: 100,
      config: { max_msgs: 0, max_bytes: 50 },
      flow: flowOf({ messages: 9.96, seconds: 2, bytes: 0 }),
      want: { state: 'grows', per_second: 9.96, summary: 'grows 10/s' },
    },
    {
      name: 'over its limit it is full now',
      stored: 120,
      config: { max_msgs: 100 },
      flow: flowOf({ messages: 10 }),
      want: {
        state: 'grows',
        per_second: 10,
        seconds: 0,
        summary: 'grows 10/s: full in 0s, then publishers are refused',
      },
    },
    {
      name: 'what grows counts before what clears: the dead fill it',
      stored: 50,
      config: { max_msgs: 100 },
      consumers: [{ pending: 40, lastMoved: ago(0) }],
      flow: flowOf({ messages: 10, waiting: -20, delivered: 20 }),
      want: {
        state: 'grows',
        per_second: 10,
        seconds: 5,
        summary: 'grows 10/s: full in 5s, then publishers are refused',
      },
    },
    { name: 'growth by fewer than ten', flow: flowOf({ messages: 9.9 }), want: undefined },
    {
      name: 'nothing moved for a while',
      consumers: [{ pending: 5, lastMoved: ago(4 * MIN), oldestWaitingMs: 10 * MIN }],
      want: { state: 'stalled', seconds: 240, summary: 'stalled: nothing moved for 4m' },
    },
    {
      name: 'what never moved, since the oldest came',
      consumers: [{ pending: 5, oldestWaitingMs: 30_000 }],
      want: { state: 'stalled', seconds: 30, summary: 'stalled: nothing moved for 30s' },
    },
    { name: 'a shorter pause', consumers: [{ pending: 5, oldestWaitingMs: 29_999 }], want: undefined },
    {
      name: 'what came a moment ago',
      consumers: [{ pending: 1, lastMoved: ago(60 * MIN), oldestWaitingMs: 5 }],
      want: undefined,
    },
    { name: 'nothing known of when', consumers: [{ pending: 5 }], want: undefined },
    { name: 'one that is paused', consumers: [{ pending: 5, paused: true, lastMoved: ago(4 * MIN) }], want: undefined },
    {
      name: 'a worker that may be busy',
      consumers: [{ pending: 5, ackPending: 1, waits: [300e9], lastMoved: ago(4 * MIN) }],
      want: undefined,
    },
    {
      name: 'a worker that is busy for longer than it is waited for',
      consumers: [{ pending: 5, ackPending: 1, waits: [240e9], lastMoved: ago(4 * MIN) }],
      want: { state: 'stalled', seconds: 240, summary: 'stalled: nothing moved for 4m' },
    },
    {
      name: 'nothing in hand, though it may take long',
      consumers: [{ pending: 5, ackPending: 0, waits: [300e9], lastMoved: ago(4 * MIN) }],
      want: { state: 'stalled', seconds: 240, summary: 'stalled: nothing moved for 4m' },
    },
    {
      name: 'nothing waits',
      consumers: [{ pending: 0, lastMoved: ago(4 * MIN), oldestWaitingMs: 4 * MIN }],
      want: undefined,
    },
    {
      name: 'one of two that moves',
      consumers: [
        { pending: 5, lastMoved: ago(4 * MIN) },
        { pending: 5, lastMoved: ago(0) },
      ],
      want: undefined,
    },
    {
      name: 'a second look that saw a delivery',
      consumers: [{ pending: 50, lastMoved: ago(4 * MIN) }],
      flow: flowOf({ waiting: -10, delivered: 10 }),
      want: { state: 'clears', per_second: -10, seconds: 5, summary: 'clears in about 5s' },
    },
  ])('$name', ({ flow, consumers = [{}], stored = 0, bytes = 0, config = {}, want }) => {
    const queue = queueOf({
      stream: streamOf({ messages: stored, bytes }, config),
      consumers: consumers.map(consumerOf),
      ...(flow && { flow }),
    });
    expect(trendOf(queue, NOW)).toEqual(want);
  });
});

describe('between two looks', () => {
  const before: Sample = { at: 1000, lastSeq: 10, messages: 10, bytes: 100, waiting: 8, delivered: 2 };
  test.each<{ name: string; after: Partial<Sample>; want: Flow | undefined }>([
    {
      name: 'figures go by the second',
      after: { at: 3000, lastSeq: 14, messages: 12, bytes: 140, waiting: 2, delivered: 12 },
      want: { seconds: 2, messages: 1, bytes: 20, waiting: -3, delivered: 5 },
    },
    { name: 'half a second apart', after: { at: 1500 }, want: flowOf({ seconds: 0.5 }) },
    { name: 'closer than that nothing is told', after: { at: 1499 }, want: undefined },
    { name: 'of a stream that was made anew nothing is told', after: { at: 3000, lastSeq: 9 }, want: undefined },
    { name: 'of a consumer that was made anew nothing is told', after: { at: 3000, delivered: 1 }, want: undefined },
  ])('$name', ({ after, want }) => {
    expect(flowBetween(before, { ...before, ...after })).toEqual(want);
  });

  test('a look at a queue is what its stream and all its consumers say; none where it is not there', () => {
    const queue = queueOf({
      stream: streamOf({ messages: 10, bytes: 100, last_seq: 12 }),
      consumers: [consumerOf({ pending: 3, delivered: 5 }), consumerOf({ pending: 4, delivered: 7 })],
    });
    expect(sampleOf(queue, 7)).toEqual({ at: 7, lastSeq: 12, messages: 10, bytes: 100, waiting: 7, delivered: 12 });
    expect(sampleOf(queueOf({ stream: undefined }), 7)).toBeUndefined();
  });
});

test('the figures of a queue say where it is going, and nothing where nobody knows', () => {
  const waits = [consumerOf({ pending: 5, oldestWaitingMs: 4 * MIN, lastMoved: ago(4 * MIN) })];
  const figures = (fields: Parameters<typeof queueOf>[0]) =>
    judgeHealth(snapshotOf({ queues: [queueOf(fields)] })).queues[0]!;
  expect(figures({ consumers: waits }).trend).toMatchObject({ state: 'stalled' });
  expect(figures({ consumers: [consumerOf()] })).not.toHaveProperty('trend');
});
