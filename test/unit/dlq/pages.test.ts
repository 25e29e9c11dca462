import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PAGE, pagesOf } from '../../../src/lib/dlq/pages.ts';
import { SeqSet, SeqSets } from '../../../src/lib/dlq/seq-set.ts';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { stored } from './builders.ts';

/** A stream in memory that counts how much is asked of it. */
function streamOf(seqs: readonly number[]) {
  let asked = 0;
  const message = stored();
  async function* read(from: number, until: number): AsyncGenerator<StoredMessage> {
    asked += 1;
    for (const seq of seqs) if (seq >= from && seq <= until) yield { ...message, seq };
  }
  return { read, asked: () => asked };
}

const flat = async (pages: AsyncIterable<StoredMessage[]>): Promise<number[]> => {
  const found: number[] = [];
  for await (const page of pages) found.push(...page.map(({ seq }) => seq));
  return found;
};

test('pages hold every message once, oldest or newest first, whatever gaps there are', async () => {
  const gaps = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 50_000 })), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 1, max: 5000 }), async (steps, dense) => {
      const seqs: number[] = [];
      for (const step of [...steps, ...Array(dense).fill(1), ...steps]) seqs.push((seqs.at(-1) ?? 0) + step);
      const [first, last] = [seqs[0]!, seqs.at(-1)!];
      for (const messages of [seqs.length, undefined]) {
        const extent = { first, last, messages };
        expect(await flat(pagesOf(streamOf(seqs).read, extent, 'oldest'))).toEqual(seqs);
        expect(await flat(pagesOf(streamOf(seqs).read, extent, 'newest'))).toEqual([...seqs].reverse());
      }
    }),
    { numRuns: 20 },
  );
});

test('a stream of few messages among millions of sequences is read with few requests', async () => {
  const stream = streamOf([1, 5_000_000, 10_000_000]);
  const extent = { first: 1, last: 10_000_000 };
  expect(await flat(pagesOf(stream.read, extent, 'newest'))).toEqual([10_000_000, 5_000_000, 1]);
  expect(stream.asked()).toBeLessThan(20);
});

test('a page stays small where a sparse stretch is followed by a dense one', async () => {
  const seqs = Array.from({ length: 100_000 }, (_, index) => index + 1).concat([10_000_000]);
  let largest = 0;
  const extent = { first: 1, last: 10_000_000, messages: seqs.length };
  for await (const page of pagesOf(streamOf(seqs).read, extent, 'newest')) largest = Math.max(largest, page.length);
  expect(largest).toBeLessThanOrEqual(4 * PAGE);
});

test('a set of sequences is a set', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.maxSafeNat())), (seqs) => {
      const ours = new SeqSet();
      const theirs = new Set<number>();
      for (const seq of seqs) {
        expect(ours.add(seq)).toBe(!theirs.has(seq));
        theirs.add(seq);
      }
      expect(ours.size).toBe(theirs.size);
      for (const seq of [...seqs, 50]) expect(ours.has(seq)).toBe(theirs.has(seq));
    }),
  );
});

test('each name has a set of its own', () => {
  const sets = new SeqSets();
  expect([sets.of('a').add(1), sets.of('b').add(1), sets.of('a').add(1)]).toEqual([true, true, false]);
  expect(sets.of('c').size).toBe(0);
});
