import { expect, test } from '@jest/globals';
import { noneWords } from '../../../src/lib/operations/dlq/none.ts';

test.each([
  [300, true, '0 of 300 dead letters match'],
  [16_001, false, 'none of the dead letters match; there are more than 16000'],
  [16_000, false, 'none of the dead letters match; there are more than 15000'],
  [10_000, false, 'none of the dead letters match; there are more than 9000'],
  [100, false, 'none of the dead letters match; there are more than 90'],
  [7, false, 'none of the dead letters match; there are more than 6'],
])('of %d, all counted: %s, none match: %s', (count, isWhole, want) => {
  expect(noneWords(count, isWhole, 'dead letters')).toBe(want);
});
