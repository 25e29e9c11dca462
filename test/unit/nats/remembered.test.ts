import { expect, test } from '@jest/globals';
import { isRemembered } from '../../../src/lib/nats/remembered.ts';

const first = { monotonic: 1000, wall: 5000 };

test.each([
  { name: 'within the window', now: { monotonic: 1099, wall: 5099 }, want: true },
  { name: 'when it is over', now: { monotonic: 1100, wall: 5100 }, want: false },
  { name: 'when the system slept meanwhile', now: { monotonic: 1001, wall: 5100 }, want: false },
  { name: 'when the clock was set back', now: { monotonic: 1100, wall: 4000 }, want: false },
])('whether an id is known still $name: $want', ({ now, want }) => {
  expect(isRemembered(first, 100, now)).toBe(want);
});
