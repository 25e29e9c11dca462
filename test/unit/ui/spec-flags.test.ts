import { describe, expect, test } from '@jest/globals';
import { durationMs } from '../../../src/lib/ui/spec-flags.ts';

describe('a length of time in a flag', () => {
  test.each([
    ['500ms', 0, 500],
    ['1.5s', 0, 1500],
    ['0', 0, 0],
    ['0s', 0, 0],
    ['1ms', 1, 1],
  ])('%s, at least %i, is %i ms', (text, least, want) => {
    expect(durationMs('--wait', text, least)).toBe(want);
  });

  test.each([
    ['30', 0],
    ['5000000000', 0],
    ['-1s', 0],
    ['soon', 0],
    ['', 0],
    ['0', 1],
    ['999us', 1],
  ])('%j, at least %i, is refused', (text, least) => {
    expect(() => durationMs('--wait', text, least)).toThrow(`--wait: "${text}" is not a length of time`);
  });
});
