import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
// @ts-expect-error: jest loads it as JavaScript
import { LONG } from '../support/longest-first.mjs';

test('what is known to take long is there, and is named longest first', () => {
  expect(Object.keys(LONG).filter((name) => !existsSync(`test/${name}.test.ts`))).toEqual([]);
  const seconds = Object.values<number>(LONG);
  expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
});
