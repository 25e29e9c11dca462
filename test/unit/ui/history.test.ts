import { describe, expect, test } from '@jest/globals';
import { renderHistory } from '../../../src/lib/ui/render/history.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const theme = createTheme({ colour: false });
const told = { who: 'jo', host: 'laptop', system: 'osapi', at: '2026-01-02T03:04:05.678Z' };
const records = [
  { ...told, verb: 'purge', summary: 'REQUESTS: 12 purged, archive /srv/archives/2026-01-02T03-04-05Z.ndjson' },
  { ...told, verb: 'apply', summary: '4 created', ci: 'github' },
];
const linesAt = (width: number): string[] => renderHistory(records, { theme, width }).split('\n').slice(0, -1);

describe('the history', () => {
  test('has all its columns where they fit', () => {
    expect(linesAt(122)).toEqual([
      'WHEN                  WHO  FROM    SYSTEM  VERB   WHAT',
      '2026-01-02 03:04:05Z  jo   laptop  osapi   purge  REQUESTS: 12 purged, archive /srv/archives/2026-01-02T03-04-05Z.ndjson',
      '2026-01-02 03:04:05Z  jo   github  osapi   apply  4 created',
    ]);
  });

  test.each([
    { width: 120, title: 'WHEN                  WHO  FROM    SYSTEM  VERB   WHAT' },
    { width: 119, title: 'WHEN                  WHO  SYSTEM  VERB   WHAT' },
    { width: 112, title: 'WHEN                  WHO  SYSTEM  VERB   WHAT' },
    { width: 111, title: 'WHEN                  WHO  VERB   WHAT' },
  ])('$width columns wide it has $title', ({ width, title }) => {
    expect(linesAt(width)[0]).toBe(title);
  });

  test('cuts nothing of what was done: a path stays whole, to be copied', () => {
    expect(linesAt(80)).toEqual([
      'WHEN                  WHO  VERB   WHAT',
      '2026-01-02 03:04:05Z  jo   purge  REQUESTS: 12 purged, archive',
      '                                  /srv/archives/2026-01-02T03-04-05Z.ndjson',
      '2026-01-02 03:04:05Z  jo   apply  4 created',
    ]);
    expect(linesAt(30)).toEqual([
      'WHEN                  WHO  VERB   WHAT',
      '2026-01-02 03:04:05Z  jo   purge  REQUESTS: 12 purged,',
      '                                  archive',
      '                                  /srv/archives/2026-01-02T03-04-05Z.ndjson',
      '2026-01-02 03:04:05Z  jo   apply  4 created',
    ]);
  });
});
