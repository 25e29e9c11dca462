import { expect, test } from '@jest/globals';
import { tellReasons } from '../../../src/lib/replay/refusal.ts';

const reasons = (count: number): [string, number][] =>
  Array.from({ length: count }, (_, index) => [`why ${index + 1}`, index + 1]);

test.each([
  [1, '1 × why 1.'],
  [5, '5 × why 5; 4 × why 4; 3 × why 3; 2 × why 2; 1 × why 1.'],
  [6, '6 × why 6; 5 × why 5; 4 × why 4; 3 × why 3; 2 × why 2; and 1 more for 1 other reason.'],
  [7, '7 × why 7; 6 × why 6; 5 × why 5; 4 × why 4; 3 × why 3; and 3 more for 2 other reasons.'],
])('of %d reasons the commonest are told, and how many more there are', (count, want) => {
  expect(tellReasons(reasons(count))).toBe(want);
});
