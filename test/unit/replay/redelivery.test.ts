import { describe, expect, test } from '@jest/globals';
import type { QueueStanding } from '../../../src/lib/dlq/standing.ts';
import { isShared, neededBy, redeliveredTo, redeliveryWords } from '../../../src/lib/replay/redelivery.ts';

const standing = (consumers: Record<string, string[]>, retention = 'limits'): QueueStanding =>
  ({
    queue: 'Q',
    retention,
    consumers: Object.entries(consumers).map(([name, filters]) => ({ name, filters })),
  }) as unknown as QueueStanding;

describe('who gets a replayed message besides the one that gave it up', () => {
  const given = (seq: number, consumer: string, subject = 'q.a') => ({ seq, consumer, subject });
  test.each([
    { name: 'nobody where there is one', consumers: { a: [] }, all: [given(1, 'a')], want: {} },
    {
      name: 'each other that takes its subject',
      consumers: { a: [], b: ['q.*'], c: ['q.b'] },
      all: [given(1, 'a'), given(2, 'a')],
      want: { b: 2 },
    },
    {
      name: 'not who gave it up too',
      consumers: { a: [], b: [] },
      all: [given(1, 'a'), given(1, 'b'), given(2, 'b')],
      want: { a: 1 },
    },
    { name: 'all where the one is gone', consumers: { a: [], b: [] }, all: [given(1, 'old')], want: { a: 1, b: 1 } },
    { name: 'nobody of nothing', consumers: { a: [], b: [] }, all: [], want: {} },
  ])('$name', ({ consumers, all, want }) => {
    expect(Object.fromEntries(redeliveredTo(standing(consumers as unknown as Record<string, string[]>), all))).toEqual(
      want,
    );
  });

  test.each([
    { retention: 'workqueue', consumers: { a: ['q.a'], b: ['q.b'] }, want: false },
    { retention: 'limits', consumers: { a: [] }, want: false },
    { retention: 'limits', consumers: { a: [], b: [] }, want: true },
    { retention: 'interest', consumers: { a: [], b: [] }, want: true },
  ])('can be asked of $retention', ({ retention, consumers, want }) => {
    expect(isShared(standing(consumers as unknown as Record<string, string[]>, retention))).toBe(want);
  });

  test('is said by name, with how many', () => {
    const words = redeliveryWords(
      'Q',
      new Map([
        ['audit', 3],
        ['billing', 1],
      ]),
    );
    expect(words).toBe('Q: other consumers would get the messages again: audit (3), billing (1)');
  });
});

describe('who still needs a message that one consumer gave up', () => {
  const other = { name: 'b', filters: ['q.*'], delivered: 9, ackFloor: 5, ackPending: 1 };
  const needing = (seq: number, over: object, gaveUp = false, consumer = 'a') =>
    neededBy(
      { consumers: [{ ...other, ...over }] } as unknown as QueueStanding,
      { seq, consumer, subject: 'q.a' },
      () => gaveUp,
    );
  test.each([
    { name: 'has not come to it', seq: 10, over: {}, want: ['b'] },
    { name: 'has not come to it, whatever a record says', seq: 10, over: {}, gaveUp: true, want: ['b'] },
    { name: 'may have it in flight', seq: 9, over: {}, want: ['b'] },
    { name: 'has nothing in flight', seq: 9, over: { ackPending: 0 }, want: [] },
    { name: 'gave it up too', seq: 9, over: {}, gaveUp: true, want: [] },
    { name: 'may have the first above its floor', seq: 6, over: {}, want: ['b'] },
    { name: 'is done up to its floor', seq: 5, over: {}, want: [] },
    { name: 'does not take its subject', seq: 10, over: { filters: ['q.b'] }, want: [] },
    { name: 'is the same one', seq: 10, over: { name: 'a' }, want: [] },
  ])('a consumer that $name', ({ seq, over, gaveUp, want }) => {
    expect(needing(seq, over, gaveUp)).toEqual(want);
  });
});
