import { expect, test } from '@jest/globals';
import { renderReplayed } from '../../../src/lib/ui/render/replay.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const NONE = { answered: 0, acked: 0, died: 0, unknown: 0 };

test.each([
  { fates: { ...NONE, answered: 3 }, want: '3 answered, 2 not followed.' },
  { fates: { ...NONE, answered: 3, unknown: 1 }, want: '3 answered, 1 not settled yet, 1 not followed.' },
  { fates: { ...NONE, answered: 4, acked: 1 }, want: '4 answered, 1 acked without a response.' },
])('of five replayed, those that were not followed are told: $want', ({ fates, want }) => {
  const result = { replayed: 5, skipped: 0, failed: 0, remaining: 0, fates, entries: [] };
  expect(renderReplayed(result, { theme: createTheme({ colour: false }) })).toBe(`Replayed 5 dead letters.\n${want}\n`);
});
