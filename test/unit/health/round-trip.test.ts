import { describe, expect, test } from '@jest/globals';
import { quickest } from '../../../src/lib/health/round-trip.ts';

describe('the quickest of a few round trips', () => {
  test.each([
    ['is the first where that is quick', [499, 1], 499, 1],
    ['is sought once more where it is slow', [500, 40], 40, 2],
    ['and once more', [1700, 501, 12], 12, 3],
    ['is the least where all are slow, and no more are made', [900, 700, 800, 1], 700, 3],
  ])('%s', async (_, times, want, asked) => {
    const left = [...times];
    expect(await quickest(async () => left.shift()!)).toBe(want);
    expect(times.length - left.length).toBe(asked);
  });
});
