import { describe, expect, test } from '@jest/globals';
import type { QueueStanding } from '../../../src/lib/dlq/standing.ts';
import { isShared, redeliveredTo, redeliveryWords } from '../../../src/lib/replay/redelivery.ts';

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
