import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Hand, type Reach } from '../../../src/lib/worker/hand.ts';

const NO_END = Number.POSITIVE_INFINITY;
/** A hand that took 1, 2, 3, … and began as many of them as told. */
function holding(reach: Partial<Reach>, taken: number, begun: number): Hand<number> {
  const hand = new Hand<number>({ concurrency: 4, prefetch: 4, max: NO_END, ...reach });
  for (let one = 1; one <= taken; one++) expect(hand.take(one)).toBe(true);
  for (let one = 1; one <= begun; one++) expect(hand.begin()).toBe(one);
  return hand;
}

describe('a hand asks for', () => {
  test.each([
    { name: 'all it can hold, when empty', taken: 0, begun: 0, outstanding: 0, want: 8 },
    { name: 'nothing while enough is under way', taken: 0, begun: 0, outstanding: 8, want: 0 },
    { name: 'nothing for one free place, with others under way', taken: 0, begun: 0, outstanding: 7, want: 0 },
    { name: 'nothing for one less than half', taken: 4, begun: 4, outstanding: 1, want: 0 },
    { name: 'half at once', taken: 3, begun: 3, outstanding: 1, want: 4 },
    { name: 'one, where nothing is under way', taken: 7, begun: 4, outstanding: 0, want: 1 },
    { name: 'nothing when full', taken: 8, begun: 4, outstanding: 0, want: 0 },
  ])('$name', ({ taken, begun, outstanding, want }) => {
    expect(holding({}, taken, begun).wanted(outstanding)).toBe(want);
  });

  test.each([
    { max: 1, outstanding: 0, want: 0 },
    { max: 2, outstanding: 0, want: 1 },
    { max: 2, outstanding: 1, want: 0 },
    { max: 6, outstanding: 1, want: 4 },
  ])('no more than is left of $max, one taken and $outstanding asked for', ({ max, outstanding, want }) => {
    expect(holding({ max }, 1, 1).wanted(outstanding)).toBe(want);
  });
});

describe('left to itself, a hand of four', () => {
  test.each([
    { name: 'that knows nothing yet', worked: [], want: 4 },
    { name: 'with quick work', worked: [99], want: 8 },
    { name: 'with work that is not quick', worked: [100], want: 4 },
    { name: 'with one among quick ones', worked: [1, 100, 1], want: 8 },
    { name: 'with a long one among quick ones', worked: [1, 200, 1, 1], want: 4 },
  ])('$name keeps room for $want', ({ worked, want }) => {
    const hand = new Hand<number>({ concurrency: 4, max: NO_END });
    for (const ms of worked) {
      hand.take(1);
      hand.begin();
      hand.settle(ms);
      hand.done();
    }
    expect(hand.wanted(0)).toBe(want);
  });
});

describe('what is being settled', () => {
  test.each([
    { settling: 1, want: 8 },
    { settling: 4, want: 8 },
    { settling: 5, want: 7 },
    { settling: 12, want: 0 },
  ])('leaves room for $want more, with $settling of it', ({ settling, want }) => {
    const hand = new Hand<number>({ concurrency: 4, prefetch: 4, max: NO_END });
    for (let one = 1; one <= settling; one++) {
      hand.take(one);
      hand.begin();
      hand.settle(0);
    }
    expect(hand.wanted(0)).toBe(want);
  });
});

describe('a hand', () => {
  test('begins in the order they came, no more at once than it may', () => {
    const hand = holding({ concurrency: 2 }, 3, 2);
    expect(hand.begin()).toBeUndefined();
    hand.settle(0);
    expect([hand.begin(), hand.begin(), hand.size]).toEqual([3, undefined, 3]);
    hand.done();
    expect(hand.size).toBe(2);
  });

  test('is through when the last that it may take is done, and takes nothing more', () => {
    const hand = holding({ max: 2 }, 2, 1);
    expect(hand.take(3)).toBe(false);
    hand.settle(0);
    expect(hand.isThrough).toBe(false);
    hand.done();
    expect(hand.isThrough).toBe(false);
    expect(hand.begin()).toBe(2);
    expect(hand.isThrough).toBe(false);
    hand.settle(0);
    expect(hand.isThrough).toBe(false);
    hand.done();
    expect(hand.isThrough).toBe(true);
  });

  test('is not through while it may take more', () => {
    const hand = holding({ max: 2 }, 1, 1);
    hand.settle(0);
    hand.done();
    expect([hand.size, hand.isThrough]).toEqual([0, false]);
  });

  test('gives back what was not begun when it closes, and takes nothing more', () => {
    const hand = holding({ concurrency: 1 }, 3, 1);
    expect([hand.close(), hand.size, hand.begin(), hand.take(4)]).toEqual([[2, 3], 1, undefined, false]);
    hand.settle(0);
    hand.done();
    expect([hand.size, hand.close()]).toEqual([0, []]);
  });

  test('never holds more than it reaches, whatever happens in whatever order', () => {
    const reach = fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      prefetch: fc.integer({ min: 0, max: 4 }),
      max: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(NO_END)),
    });
    fc.assert(
      fc.property(
        reach,
        fc.array(fc.constantFrom('pull', 'arrive', 'begin', 'settle', 'done'), { maxLength: 60 }),
        (of, acts) => {
          const hand = new Hand<number>(of);
          let [asked, active, settling, taken] = [0, 0, 0, 0];
          for (const act of acts) {
            if (act === 'pull') asked += Math.max(0, hand.wanted(asked));
            else if (act === 'arrive' && asked > 0) {
              asked--;
              expect(hand.take(++taken)).toBe(true);
            } else if (act === 'begin' && hand.begin() !== undefined) active++;
            else if (act === 'settle' && active > 0) {
              active--;
              settling++;
              hand.settle(0);
            } else if (act === 'done' && settling > 0) {
              settling--;
              hand.done();
            }
            expect(active).toBeLessThanOrEqual(of.concurrency);
            expect(hand.size - settling + asked).toBeLessThanOrEqual(of.concurrency + of.prefetch);
            expect(hand.size).toBeLessThanOrEqual(3 * of.concurrency + 2 * of.prefetch);
            expect(taken + asked).toBeLessThanOrEqual(of.max);
          }
        },
      ),
    );
  });
});
