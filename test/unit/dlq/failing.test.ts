import { describe, expect, test } from '@jest/globals';
import { noted } from '../../../src/lib/dlq/failing.ts';
import type { ConsumerStanding } from '../../../src/lib/dlq/standing.ts';
import type { FailureRecord } from '../../../src/lib/ledger/failure.ts';
import { byDeath, type Failing, triesLeft } from '../../../src/lib/model/failing.ts';
import { at, consumer } from './builders.ts';

const NOW = Date.parse(at(100));

const record = (fields: Partial<FailureRecord> = {}): FailureRecord => ({
  stream: 'REQUESTS',
  consumer: 'worker',
  seq: 7,
  published_at: at(0),
  request_id: 'r7',
  delivery: 2,
  kind: 'failed',
  reason: 'db is down',
  at: at(95),
  next_delivery_at: at(105),
  worker: 'here/1',
  ...fields,
});
const busy = (fields: Partial<ConsumerStanding> = {}) =>
  consumer({ delivered: 10, ackFloor: 5, ackPending: 3, maxDeliver: 4, waits: [5e9, 10e9], ...fields });

describe('what a worker wrote down of a failed delivery', () => {
  test('tells the tries, the next one and why', () => {
    expect(noted(busy(), record(), NOW)).toEqual({
      failing: {
        queue: 'REQUESTS',
        consumer: 'worker',
        seq: 7,
        request_id: 'r7',
        deliveries: 2,
        max_deliver: 4,
        next_delivery_at: at(105),
        state: 'retry',
        detail: 'db is down',
      },
      published_at: at(0),
      isOverdue: false,
    });
  });

  const after = (next: number, waiting: number) =>
    noted(busy({ waiting }), record({ next_delivery_at: at(next) }), NOW);
  test.each([
    { next: 101, waiting: 1, state: 'retry', isOverdue: false },
    { next: 100, waiting: 1, state: 'in_flight', isOverdue: true },
    { next: 100, waiting: 0, state: 'retry', isOverdue: true },
    // Two tries of ten seconds each are left: by then it is dead, while somebody pulls.
    { next: 81, waiting: 1, state: 'in_flight', isOverdue: true },
    { next: 80, waiting: 1, state: 'in_flight', isOverdue: true },
    { next: 0, waiting: 0, state: 'retry', isOverdue: true },
  ])('is $state where the next try was due at $next, with $waiting pulls at 100', ({ next, waiting, ...want }) => {
    const found = after(next, waiting)!;
    expect({ state: found.failing.state, isOverdue: found.isOverdue }).toEqual(want);
  });

  test.each([
    ['must have come to its end', busy({ waiting: 1 }), { next_delivery_at: at(79) }],
    ['had its last delivery', busy(), { next_delivery_at: undefined }],
    ['has no time that one can read', busy(), { next_delivery_at: 'soon' }],
    ['is settled', busy(), { seq: 5 }],
    ['was not delivered', busy(), { seq: 11 }],
  ])('is nothing of what %s', (_, standing, fields) => {
    expect(noted(standing, record(fields), NOW)).toBeUndefined();
  });

  test.each([6, 10])('is of sequence %i', (seq) => {
    expect(noted(busy(), record({ seq }), NOW)).toBeDefined();
  });

  test('without an end of tries', () => {
    const { failing } = noted(busy({ maxDeliver: -1, waiting: 1 }), record({ next_delivery_at: at(-9999) }), NOW)!;
    expect(failing.max_deliver).toBeNull();
    expect(triesLeft(failing)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('the nearest to its death comes first', () => {
  const one = (deliveries: number, next: number, most: number | null = 4): Failing => ({
    queue: 'Q',
    consumer: 'w',
    seq: next,
    request_id: null,
    deliveries,
    max_deliver: most,
    next_delivery_at: at(next),
    state: 'retry',
    detail: '',
  });
  const sorted = [one(9, 1, null), one(1, 2), one(3, 9), one(3, 8), one(5, 7)].sort(byDeath);
  expect(sorted.map(({ seq }) => seq)).toEqual([7, 8, 9, 2, 1]);
  expect(triesLeft(one(5, 1))).toBe(0);
});
