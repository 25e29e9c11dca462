import { describe, expect, test } from '@jest/globals';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { Once, skippedAgain } from '../../../src/lib/replay/once.ts';
import { at, entry, stored } from '../dlq/builders.ts';

const original = (seq: number, queue = 'Q'): Entry => {
  const message = stored({ seq, stream: queue });
  return entry({ queue, inner: { ...entry().inner, message, original: message } });
};
const carried = (fields: Parameters<typeof stored>[0] = {}, queue = 'Q'): Entry => {
  const { original: _, ...inner } = entry().inner;
  return entry({ queue, inner: { ...inner, message: stored({ seq: 1, time: at(0), ...fields }) } });
};
const nothing = (): Entry => {
  const { original: _, message: __, ...inner } = entry().inner;
  return entry({ inner });
};

describe('an entry is of a message that came before', () => {
  test.each<{ name: string; of: readonly Entry[]; want: readonly boolean[]; shared?: boolean }>([
    {
      name: 'by the sequence of its original',
      of: [original(1), original(2), original(1)],
      want: [false, false, true],
    },
    { name: 'in its own queue only', of: [original(1), original(1, 'R')], want: [false, false] },
    { name: 'on a work queue too', of: [original(1), original(1)], want: [false, true], shared: false },
    { name: 'by what its record carries', of: [carried(), carried(), carried()], want: [false, true, true] },
    { name: 'not on a work queue', of: [carried(), carried()], want: [false, false], shared: false },
    { name: 'not of another queue', of: [carried(), carried({}, 'R')], want: [false, false] },
    { name: 'not of another sequence', of: [carried(), carried({ seq: 2 })], want: [false, false] },
    { name: 'not of another time', of: [carried(), carried({ time: at(1) })], want: [false, false] },
    { name: 'not of another payload', of: [carried(), carried({ payload: 'other' })], want: [false, false] },
    { name: 'not where it tells no time', of: [carried({ time: '' }), carried({ time: '' })], want: [false, false] },
    { name: 'not by an original', of: [carried(), original(1), carried()], want: [false, false, true] },
    { name: 'not where nothing is left of either', of: [nothing(), nothing()], want: [false, false] },
  ])('$name', ({ of, want, shared = true }) => {
    const once = new Once(() => shared);
    expect(of.map((one) => once.isAgain(one))).toEqual(want);
  });
});

test('it is told as one that goes with another', () => {
  const one = original(1);
  expect(skippedAgain(one)).toMatchObject({ entry: one, why: 'together' });
});
