import { expect, test } from '@jest/globals';
import { isOneMoment } from '../../../src/lib/dlq/dead-count.ts';
import type { QueueStanding } from '../../../src/lib/dlq/standing.ts';
import { consumer, standing } from './builders.ts';

const at = (nanoseconds: number | undefined) =>
  nanoseconds === undefined ? undefined : `2026-11-28T16:54:04.00000000${nanoseconds}Z`;

/** A look that was at the stream and at its consumers at these moments, in nanoseconds. */
const look = (stream: number | undefined, consumers: readonly (number | undefined)[], pending = 0): QueueStanding => ({
  ...standing({ messages: 5 }),
  told: at(stream),
  consumers: consumers.map((one, index) => ({ ...consumer({ name: `w${index}`, pending }), told: at(one) })),
});

test.each([
  { name: 'the stream between the two looks at its consumer', a: look(2, [1]), b: look(5, [3]), want: true },
  { name: 'the second look at the stream between them', a: look(0, [1]), b: look(2, [3]), want: true },
  { name: 'the consumer between the two looks at the stream', a: look(1, [2]), b: look(5, [6]), want: true },
  { name: 'in the other order', a: look(5, [6]), b: look(1, [2]), want: true },
  { name: 'all within one nanosecond', a: look(1, [1]), b: look(1, [1]), want: true },
  { name: 'both at the consumer before both at the stream', a: look(3, [1]), b: look(4, [2]), want: false },
  { name: 'both at the stream before both at the consumer', a: look(1, [3]), b: look(2, [4]), want: false },
  { name: 'one consumer between, the other one not', a: look(2, [1, 3]), b: look(2, [3, 4]), want: false },
  { name: 'each consumer between, but at another look', a: look(1, [2, 0]), b: look(4, [5, 3]), want: true },
  { name: 'something moved', a: look(2, [1], 0), b: look(2, [3], 1), want: false },
  { name: 'a server that does not tell its time', a: look(undefined, [1]), b: look(undefined, [3]), want: false },
  { name: 'a consumer that does not', a: look(2, [undefined]), b: look(2, [3]), want: false },
])('two looks at once are of one moment: $name', ({ a, b, want }) => {
  expect(isOneMoment(a, b)).toBe(want);
});
