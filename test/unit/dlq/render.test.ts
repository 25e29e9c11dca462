import { expect, test } from '@jest/globals';
import { ageOf, createEntryTable, renderDeath } from '../../../src/lib/ui/render/dlq.ts';
import { renderDeadLetter } from '../../../src/lib/ui/render/dlq-show.ts';
import { widthOf } from '../../../src/lib/ui/text.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';
import { at, entry } from './builders.ts';

const theme = createTheme({ colour: false });
const now = new Date(Date.parse(at(60)) + 3 * 3600_000);
const EVIL = 'a\u001b[2J\u202eb\r\nc';

test.each([200, 100, 80, 60, 40])('a table of %i columns fits, and its ids are whole', (width) => {
  const entries = [
    entry(),
    entry({
      id: 'REQUESTS/request-worker/1234567',
      subject: 'requests.some.very.long.subject',
      request_id: 'f'.repeat(36),
    }),
  ];
  const table = createEntryTable(entries, { theme, width, now });
  const lines = [table.header, ...entries.map(table.row)];
  expect(lines[2]).toContain('REQUESTS/request-worker/1234567');
  // Id, state, reason and age are what it needs at least.
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(Math.max(width, 80));
});

test('what others wrote moves no cursor', () => {
  const evil = entry({
    subject: EVIL,
    request_id: EVIL,
    detail: EVIL,
  });
  const letter = {
    ...evil,
    headers: { [EVIL]: [EVIL] },
    payload: EVIL,
    timeline: [{ at: null, event: 'died' as const, detail: EVIL }],
    records: [],
  };
  const table = createEntryTable([evil], { theme, width: 200, now });
  const texts = [
    table.row(evil),
    renderDeath(evil, theme),
    renderDeadLetter(letter, Buffer.from(EVIL), { theme, width: 80 }),
  ];
  for (const text of texts) expect(text).not.toMatch(/[\u001b\r\u202e]/);
});

test('a payload is drawn as JSON with lines, as text, or as a dump', () => {
  const draw = (bytes: Uint8Array, payload?: string) =>
    renderDeadLetter(
      { ...entry(), headers: {}, ...(payload !== undefined && { payload }), timeline: [], records: [] },
      bytes,
      { theme, width: 80 },
    ).split('Payload\n')[1];
  expect(draw(Buffer.from('{"a":[1]}'), '{"a":[1]}')).toBe('  {\n    "a": [\n      1\n    ]\n  }');
  expect(draw(Buffer.from('{"n":12345678901234567890}'), '{"n":12345678901234567890}')).toBe(
    '  {"n":12345678901234567890}',
  );
  expect(draw(Buffer.from('plain'), 'plain')).toBe('  plain');
  expect(draw(new Uint8Array(), '')).toBe('  (empty)');
  expect(draw(Uint8Array.of(0, 0xff, 0x41))).toContain('00000000  00 ff 41');
});

test.each([
  { ms: 5_000, want: '5s' },
  { ms: 90_000, want: '1m' },
  { ms: 7_200_000, want: '2h' },
  { ms: 9 * 86_400_000, want: '9d' },
  { ms: -5_000, want: '0s' },
])('$ms ms ago is $want', ({ ms, want }) => {
  expect(ageOf(new Date(now.getTime() - ms).toISOString(), now)).toBe(want);
});
