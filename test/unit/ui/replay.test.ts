import { expect, test } from '@jest/globals';
import { renderImported, renderPurged, renderReplayed } from '../../../src/lib/ui/render/replay.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const theme = createTheme({ colour: false });

const NONE = { answered: 0, acked: 0, died: 0, unknown: 0 };

test.each([
  { fates: { ...NONE, answered: 3 }, want: '3 answered, 2 not followed.' },
  { fates: { ...NONE, answered: 3, unknown: 1 }, want: '3 answered, 1 not settled yet, 1 not followed.' },
  { fates: { ...NONE, answered: 4, acked: 1 }, want: '4 answered, 1 acked without a response.' },
])('of five replayed, those that were not followed are told: $want', ({ fates, want }) => {
  const result = { replayed: 5, skipped: 0, failed: 0, remaining: 0, fates, entries: [] };
  expect(renderReplayed(result, { theme })).toBe(`Replayed 5 dead letters.\n${want}\n`);
});

test.each([
  { originals: 0, want: 'Purged 2 dead letters. Archived in my dead.ndjson' },
  { originals: 1, want: 'Purged 2 dead letters and 1 message. Archived in my dead.ndjson' },
])('a purge says how it is undone, and no zero: $want', ({ originals, want }) => {
  const result = { purged: 2, originals, archive: 'my dead.ndjson' };
  const undo = "`osapi-ops dlq import 'my dead.ndjson'` brings them back";
  expect(renderPurged(result, { theme, width: 80, now: new Date() })).toBe(`${want}\n${undo}\n`);
});

test('an import says of what it skipped why, each reason once', () => {
  const skipped = (id: string, error: string) => ({ id, outcome: 'skipped', error }) as const;
  const entries = [
    { id: 'Q/w/1', outcome: 'imported' } as const,
    skipped('Q/w/2', 'there already'),
    skipped('Q/w/3', 'nothing of it is in the archive'),
    skipped('Q/w/4', 'there already'),
  ];
  expect(renderImported({ imported: 1, entries }, { theme })).toBe(
    'Imported 1 dead letter. 2 skipped: there already. 1 skipped: nothing of it is in the archive.\n',
  );
  expect(renderImported({ imported: 1, entries: entries.slice(0, 1) }, { theme })).toBe('Imported 1 dead letter.\n');
});
