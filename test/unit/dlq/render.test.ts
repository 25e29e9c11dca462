import { expect, test } from '@jest/globals';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { byOrder, type EntryOrder } from '../../../src/lib/model/entry-order.ts';
import {
  ageOf,
  columnsFrom,
  createEntryTable,
  renderDeath,
  type TableOptions,
} from '../../../src/lib/ui/render/dlq.ts';
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

const dead = (fields: Partial<Entry> = {}) =>
  entry({ subject: 'requests.some.very.long.subject', request_id: 'f'.repeat(36), ...fields });
const titlesOf = (entries: readonly Entry[], options: Partial<TableOptions>) =>
  createEntryTable(entries, { theme, width: 80, now, ...options }).header.split(/ +/);

test.each([
  { width: 200, want: 'ID STATE REASON DIED TRIES SUBJECT REQUEST WHY' },
  { width: 120, want: 'ID STATE REASON DIED TRIES SUBJECT WHY' },
  { width: 80, want: 'ID STATE DIED SUBJECT WHY' },
  { width: 60, want: 'ID STATE DIED WHY' },
  { width: 40, want: 'ID DIED WHY' },
  { width: 20, want: 'ID WHY' },
])('why it died is never the column that goes: $width columns have $want', ({ width, want }) => {
  const entries = [dead({ detail: 'ETIMEDOUT: db is down' }), dead({ detail: null })];
  const table = createEntryTable(entries, { theme, width, now });
  expect(table.header.split(/ +/).join(' ')).toBe(want);
  expect(table.row(entries[0]!)).toContain('ETIME');
  // Without words the reason stands for them.
  expect(table.row(entries[1]!)).toMatch(/max_d/);
  expect(Math.max(...entries.map((one) => widthOf(table.row(one))))).toBeLessThanOrEqual(Math.max(width, 40));
});

test('a state that all have goes before why is cut short, and one of another state says so', () => {
  const words = 'ETIMEDOUT: the database does not answer';
  const entries = [1, 2].map((seq) => dead({ id: `REQUESTS/worker/${seq}`, detail: words }));
  const other = dead({ id: 'REQUESTS/worker/3', state: 'parked', detail: words });
  const table = createEntryTable(entries, { theme, width: 60, now });
  expect(table.header).toMatch(/^ID +DIED +WHY$/);
  expect(table.row(entries[0]!)).toMatch(/ETIMEDOUT: the database does/);
  expect(table.row(other)).toMatch(/ parked: ETIMEDOUT/);
  expect(titlesOf([...entries, other], { width: 60 })).toEqual(['ID', 'STATE', 'DIED', 'WHY']);
  expect(titlesOf(entries, { width: 60, columns: ['id', 'state', 'why'] })).toEqual(['ID', 'STATE', 'WHY']);
  expect(titlesOf(entries, { width: 100 })).toContain('STATE');
});

test('where nobody said anything the reason stays', () => {
  expect(titlesOf([dead()], { width: 60 })).toEqual(['ID', 'STATE', 'REASON', 'DIED']);
});

test('columns are those that are asked for, in that order; wide are all of them, whole', () => {
  const long = dead({ detail: 'x'.repeat(200) });
  expect(titlesOf([long], { columns: columnsFrom('why, ID,size') })).toEqual(['WHY', 'ID', 'SIZE']);
  expect(columnsFrom('detail,id')).toEqual(['why', 'id']);
  const wide = createEntryTable([long], { theme, width: 60, now, wide: true });
  expect(wide.header).toMatch(/PUBLISHED +TRIES +REPLAYS +SIZE +QUEUE/);
  expect(wide.row(long)).toContain('x'.repeat(200));
  for (const wrong of ['colour', '', 'id,']) {
    expect(() => columnsFrom(wrong)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  }
});

test.each<{ order: EntryOrder; want: string }>([
  { order: 'id', want: '2 9 10' },
  { order: 'tries', want: '9 2 10' },
  { order: 'died', want: '2 9 10' },
  { order: 'why', want: '2 10 9' },
  { order: 'state', want: '2 9 10' },
])('entries are sorted by $order, what has none last, what is alike by its sequence', ({ order, want }) => {
  const entries = [
    entry({ id: 'Q/w/10', seq: 10, deliveries: 7, died_at: null, detail: 'b' }),
    entry({ id: 'Q/w/9', seq: 9, deliveries: 2, died_at: at(9), detail: null }),
    entry({ id: 'Q/w/2', seq: 2, deliveries: 3, died_at: at(2), detail: 'a' }),
  ];
  expect(
    [...entries]
      .sort(byOrder(order))
      .map(({ seq }) => seq)
      .join(' '),
  ).toBe(want);
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
