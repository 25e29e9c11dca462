import { describe, expect, test } from '@jest/globals';
import { holdingOf } from '../../../src/console/holds.ts';
import type { Queue } from '../../../src/console/wire.ts';

const queue = (more: Partial<Queue>, messages = 0) =>
  ({ ready: 0, in_flight: 0, retrying: 0, dead: 0, capacity: { messages }, ...more }) as Queue;

describe('what a queue holds', () => {
  test.each<[string, Queue, readonly (string | number)[], string]>([
    ['nothing', queue({}), [], 'empty'],
    ['all kinds', queue({ ready: 3, in_flight: 3, retrying: 1, dead: 2 }, 8), [3, 2, 1, 2], ''],
    ['dead, nobody knows how many', queue({ dead: null }, 1058), [], '1,058 stored, how many are dead is not known'],
    [
      'dead, so many for certain',
      queue({ dead: null, dead_least: 54 }, 58),
      [54],
      '58 stored, how many are dead is not known',
    ],
    ['and is not there', queue({ ready: null, in_flight: null, dead: null }), [], 'the queue is not there'],
  ])('%s', (_, one, ns, note) => {
    const found = holdingOf(one);
    expect(found.parts.map(({ n }) => n)).toEqual(ns);
    expect(found.note).toBe(note);
  });
});
