import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tellReading } from '../../../src/lib/operations/dlq/reading.ts';

let now = 0;
const { now: real } = performance;
beforeAll(() => {
  performance.now = () => now;
});
afterAll(() => {
  performance.now = real;
});

test('the time left counts from the first page: what was waited for before it is no reading', () => {
  const told: string[] = [];
  const io = { tell: (event: { title?: string }) => told.push(event.title!) } as never;
  const tell = tellReading({ io }, 'Reading');
  now += 60_000;
  tell(1_000, 34_000);
  now += 2_000;
  tell(12_000, 34_000);
  expect(told).toEqual(['Reading', 'Reading (4s left)']);
});
