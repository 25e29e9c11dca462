import { describe, expect, test } from '@jest/globals';
import { isDoubtful, isFoundWithout, isUntold } from '../../../src/lib/dlq/doubt.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { at, consumer, entry, record, standing, stored } from './builders.ts';

describe('an advisory is not believed alone', () => {
  const now = Date.parse(at(100));
  const of = (seq: number, told: readonly number[], inner: Partial<Entry['inner']> = {}) =>
    entry({
      inner: {
        ...entry().inner,
        original: stored({ seq }),
        records: told.map((time) => record({ stored: at(time) })),
        ...inner,
      },
    });
  const { original: _, ...without } = of(10, [99]).inner;
  const one = { delivered: 20, ackFloor: 9, ackPending: 1, maxDeliver: 3, waits: [5e9, 10e9] };

  test.each<{ name: string; of: Entry; consumer?: object; stream?: object; want: boolean }>([
    { name: 'that is fresh, of what may be in hand', of: of(10, [99]), want: true },
    { name: 'of what is settled', of: of(9, [99]), want: false },
    { name: 'where nothing is in flight', of: of(10, [99]), consumer: { ackPending: 0 }, want: false },
    { name: 'that is just younger than all deliveries take', of: of(10, [70.001]), want: true },
    { name: 'that is as old as all deliveries take', of: of(10, [70]), want: false },
    { name: 'of which another is as old', of: of(10, [99, 70]), want: false },
    { name: 'of any age where deliveries have no end', of: of(10, [1]), consumer: { maxDeliver: -1 }, want: true },
    { name: 'of a stream that keeps what was acked', of: of(10, [99]), stream: { retention: 'limits' }, want: false },
    { name: 'whose consumer is not there', of: of(10, [99]), stream: { consumers: [] }, want: false },
    { name: 'whose original is not there', of: entry({ inner: without }), want: false },
    { name: 'that is none', of: of(10, []), want: false },
  ])('$name', ({ of: which, consumer: changed = {}, stream = {}, want }) => {
    const queue = standing({ consumers: [consumer({ ...one, ...changed })], ...stream });
    expect(isDoubtful(which, queue, now)).toBe(want);
  });
});

describe('a message that its consumer does not take', () => {
  const { original: _, ...without } = entry().inner;
  const untaken = entry({ inner: { ...entry().inner, original: stored({}), untaken: true } });
  const taken = entry({ inner: { ...entry().inner, original: stored({}) } });

  test('is called dead by nothing but a record, and acted on only where it is named', () => {
    const ids = [{ text: untaken.id, seq: 1 }];
    expect([{}, { ids: [] }, { ids }].map((filter) => isUntold(untaken, filter))).toEqual([true, true, false]);
    expect(isUntold(taken, {})).toBe(false);
  });

  test('would not be found dead without its records, which are the only proof', () => {
    expect([untaken.inner, taken.inner, without].map(isFoundWithout)).toEqual([false, true, false]);
  });
});
