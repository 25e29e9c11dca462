import { describe, expect, test } from '@jest/globals';
import {
  changedQueues,
  countBelow,
  countBetween,
  countBeyond,
  countByBytes,
  countDropped,
  countGained,
} from '../../../src/lib/observed/counts.ts';
import { live, server, spec, want } from '../plan/builders.ts';

describe('how many messages are stored below a sequence', () => {
  const at = (first_seq: number, last_seq: number, messages: number) => ({ first_seq, last_seq, messages });
  test.each([
    { name: 'the first', figures: at(1, 10, 10), seq: 1, want: { count: 0, exact: true } },
    { name: 'the second', figures: at(1, 10, 10), seq: 2, want: { count: 1, exact: true } },
    { name: 'the last', figures: at(1, 10, 10), seq: 10, want: { count: 9, exact: true } },
    { name: 'one beyond the last', figures: at(1, 10, 10), seq: 11, want: { count: 10, exact: true } },
    { name: 'one of a stream that begins later', figures: at(5, 10, 6), seq: 7, want: { count: 2, exact: true } },
    { name: 'one beyond the last, with gaps', figures: at(1, 10, 4), seq: 11, want: { count: 4, exact: true } },
    { name: 'one among gaps', figures: at(1, 10, 9), seq: 10, want: undefined },
    { name: 'one among the most gaps that are listed', figures: at(1, 500_010, 10), seq: 5, want: undefined },
    {
      name: 'one among one gap more',
      figures: at(1, 1_000_002, 500_001),
      seq: 500_002,
      want: { count: 250_001, exact: false },
    },
  ])('$name', ({ figures, seq, want: wanted }) => {
    expect(countBelow(figures, seq)).toEqual(wanted);
  });

  test.each([
    { name: 'none deleted', deleted: [], count: 5 },
    { name: 'the first', deleted: [5], count: 4 },
    { name: 'the last below', deleted: [9], count: 4 },
    { name: 'itself', deleted: [10], count: 5 },
    { name: 'what was before the stream', deleted: [3, 4], count: 5 },
    { name: 'several', deleted: [4, 5, 7, 9, 11], count: 2 },
  ])('by what is deleted: $name', ({ deleted, count }) => {
    expect(countBetween({ first_seq: 5, last_seq: 12, messages: 1 }, 10, deleted)).toEqual({ count, exact: true });
  });
});

test.each([
  { messages: 0, bytes: 1000, to: 999, want: { count: 0, exact: true } },
  { messages: 10, bytes: 1000, to: 1001, want: { count: 0, exact: true } },
  { messages: 10, bytes: 1000, to: 1000, want: { count: 0, exact: true } },
  { messages: 10, bytes: 1000, to: 999, want: { count: 1, exact: false } },
  { messages: 10, bytes: 1000, to: 900, want: { count: 1, exact: false } },
  { messages: 10, bytes: 1000, to: 899, want: { count: 2, exact: false } },
  { messages: 10, bytes: 1000, to: 0, want: { count: 10, exact: false } },
  { messages: 0, bytes: 0, to: 0, want: { count: 0, exact: true } },
])('of $messages messages in $bytes bytes $to bytes leave out $want.count', ({ to, want: wanted, ...figures }) => {
  expect(countByBytes(figures, to)).toEqual(wanted);
});

test.each([
  { counts: [], limit: 5, beyond: 0 },
  { counts: [4, 5], limit: 5, beyond: 0 },
  { counts: [6, 1, 9], limit: 5, beyond: 5 },
])('$counts have $beyond beyond $limit each', ({ counts, limit, beyond }) => {
  expect(countBeyond(counts, limit)).toBe(beyond);
});

describe('what a change of filters leaves', () => {
  const counts = new Map([
    ['q.1', 1],
    ['q.2', 20],
    ['q.3', 300],
  ]);
  test.each([
    { before: ['q.1'], filter: 'q.2', gained: 20 },
    { before: ['q.1'], filter: 'q.*', gained: 320 },
    { before: ['q.*'], filter: 'q.2', gained: 0 },
    { before: [], filter: '>', gained: 321 },
    { before: ['q.1'], filter: 'q.4', gained: 0 },
  ])('$filter after $before gains $gained', ({ before, filter, gained }) => {
    expect(countGained(counts, { before }, filter)).toBe(gained);
  });

  test.each([
    { before: ['q.1', 'q.2'], after: [['q.1']], dropped: 20 },
    { before: ['q.1', 'q.2'], after: [['q.1'], ['q.2']], dropped: 0 },
    { before: ['q.*'], after: [['q.1'], ['q.3']], dropped: 20 },
    { before: ['q.1'], after: [['q.1']], dropped: 0 },
    { before: ['q.>'], after: [], dropped: 321 },
  ])('$before, and then $after, drops $dropped', ({ before, after, dropped }) => {
    expect(
      countDropped(
        counts,
        { before },
        after.map((each) => ({ after: each })),
      ),
    ).toBe(dropped);
  });

  const stream = (more = {}, messages = 5) =>
    live('stream S', { subjects: ['q.>'], retention: 'workqueue', ...more }, { figures: { messages } });
  const consumer = (name: string, ...filters: string[]) => live(`consumer S/${name}`, { filter_subjects: filters });
  const wanted = (name: string, ...filters: string[]) => want(`consumer S/${name}`, { filter_subjects: filters });
  const told = (observed: Parameters<typeof server>[0], ...desired: Parameters<typeof spec>) =>
    [...changedQueues({ desired: spec(...desired), observed: server(observed) })].map(([name, workers]) => [
      name,
      workers.map(
        ({ key, live: now, before, after }) => `${key}${now ? '' : ' (new)'}: ${before.join(' ')} → ${after.join(' ')}`,
      ),
    ]);
  test.each([
    { name: 'nothing changes', says: told([stream(), consumer('a', 'q.1')], wanted('a', 'q.1')), want: [] },
    {
      name: 'the order changes',
      says: told([stream(), consumer('a', 'q.1', 'q.2')], wanted('a', 'q.2', 'q.1')),
      want: [],
    },
    {
      name: 'one is new',
      says: told([stream(), consumer('a', 'q.1')], wanted('a', 'q.1'), wanted('b', 'q.2')),
      want: [],
    },
    {
      name: 'one changes, beside a new one and a stranger',
      says: told([stream(), consumer('a', 'q.1'), consumer('x', 'q.9')], wanted('a', 'q.2'), wanted('b', 'q.1')),
      want: [['S', ['consumer S/a: q.1 → q.2', 'consumer S/b (new):  → q.1', 'consumer S/x: q.9 → q.9']]],
    },
    { name: 'the stream is empty', says: told([stream({}, 0), consumer('a', 'q.1')], wanted('a', 'q.2')), want: [] },
    {
      name: 'the stream is no workqueue',
      says: told([stream({ retention: 'limits' }), consumer('a', 'q.1')], wanted('a', 'q.2')),
      want: [],
    },
    { name: 'the stream is not there', says: told([consumer('a', 'q.1')], wanted('a', 'q.2')), want: [] },
    {
      name: 'other things change',
      says: told([stream(), consumer('a', 'q.1')], want('stream S'), want('bucket b')),
      want: [],
    },
  ])('is looked at where somebody takes other messages: $name', ({ says, want: queues }) => {
    expect(says).toEqual(queues);
  });
});
