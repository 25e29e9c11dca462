import { expect, test } from '@jest/globals';
import { isFresh } from '../../../src/lib/nats/removal.ts';

test.each([
  { name: 'near', took: 1, age: 249, want: true },
  { name: 'near', took: 1, age: 250, want: true },
  { name: 'near', took: 1, age: 251, want: false },
  { name: 'far, half of that', took: 125, age: 250, want: true },
  { name: 'far, half of that', took: 125, age: 251, want: false },
  { name: 'farther', took: 200, age: 399, want: true },
  { name: 'farther', took: 200, age: 400, want: true },
  { name: 'farther', took: 200, age: 401, want: false },
  { name: 'as far as is believed', took: 500, age: 1000, want: true },
  { name: 'as far as is believed', took: 500, age: 1001, want: false },
  { name: 'stopped meanwhile', took: 3000, age: 999, want: true },
  { name: 'stopped meanwhile', took: 3000, age: 1000, want: true },
  { name: 'stopped meanwhile', took: 3000, age: 1001, want: false },
])('a look that took $took ms ($name) is fresh after $age ms: $want', ({ took, age, want }) => {
  expect(isFresh({ at: 10_000, took }, 10_000 + age)).toBe(want);
});
