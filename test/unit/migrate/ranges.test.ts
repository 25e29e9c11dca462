import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { count, each, minus, type Ranges, storedRanges, upTo, without } from '../../../src/lib/migrate/ranges.ts';

describe('what is stored', () => {
  const table: [number, number, number[], Ranges][] = [
    [1, 3, [], [[1, 3]]],
    [
      1,
      3,
      [2],
      [
        [1, 1],
        [3, 3],
      ],
    ],
    [1, 3, [1, 3], [[2, 2]]],
    [2, 2, [], [[2, 2]]],
    [2, 2, [2], []],
    [3, 2, [], []],
    [0, 0, [], []],
  ];
  test.each(table)('from %d to %d without %j', (first, last, deleted, want) => {
    expect(storedRanges(first, last, deleted)).toEqual(want);
  });
});

const SPAN = 40;
const seqs = fc.uniqueArray(fc.integer({ min: 1, max: SPAN }));
const rangesOf = (wanted: readonly number[]): Ranges =>
  storedRanges(
    1,
    SPAN,
    Array.from({ length: SPAN }, (_, at) => at + 1).filter((seq) => !wanted.includes(seq)),
  );
const sorted = (all: readonly number[]) => [...all].sort((a, b) => a - b);

test('spans say what sets of sequences say', () => {
  fc.assert(
    fc.property(seqs, seqs, fc.integer({ min: 0, max: SPAN + 1 }), (all, others, last) => {
      const ranges = rangesOf(all);
      expect([...each(ranges)]).toEqual(sorted(all));
      expect(count(ranges)).toBe(all.length);
      const left = sorted(all.filter((seq) => !others.includes(seq)));
      expect([...each(without(ranges, others))]).toEqual(left);
      expect([...each(minus(ranges, rangesOf(others)))]).toEqual(left);
      expect([...each(upTo(ranges, last))]).toEqual(sorted(all.filter((seq) => seq <= last)));
    }),
  );
});
