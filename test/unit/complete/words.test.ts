import { expect, test } from '@jest/globals';
import { splitLine } from '../../../src/lib/complete/words.ts';
import { quoteForBash, renderReply, usable } from '../../../src/lib/ui/completion.ts';

const BREAKS = ' \t\n"\'@><=;|&(:';

test.each<[string, string[], string, string, number]>([
  ['o ', ['o'], '', '', 0],
  ['o dlq sh', ['o', 'dlq'], 'sh', '', 0],
  ['o  a\tb ', ['o', 'a', 'b'], '', '', 0],
  ['o --state=re', ['o'], '--state=re', '', '--state='.length],
  ['o nats://x:4', ['o'], 'nats://x:4', '', 'nats://x:'.length],
  ["o 'a b' 'c d", ['o', 'a b'], 'c d', "'", 0],
  ['o --out="my fi', ['o'], '--out=my fi', '"', '--out='.length],
  ['o "a\\"b\\c', ['o'], 'a"b\\c', '"', 0],
  ['o a\\ b', ['o'], 'a b', '', 0],
  ["o ''", ['o'], '', '', 0],
  ["o 'a'b", ['o'], 'ab', '', 1],
  ['o a\\', ['o'], 'a', '', 0],
])('%j is split as a shell does', (text, words, value, quote, kept) => {
  expect(splitLine(text, BREAKS)).toEqual({ words, current: { value, quote, kept } });
});

test.each<[string, '' | "'" | '"', number, string | undefined]>([
  ['REQUESTS/w/17', '', 0, 'REQUESTS/w/17'],
  ['--state=gone', '', 8, 'gone'],
  ['a b;$(id)`x`', '', 0, 'a\\ b\\;\\$\\(id\\)\\`x\\`'],
  ["it's", '', 0, "it\\'s"],
  ["it's", "'", 0, undefined],
  ['$x"y`z\\', '"', 0, '\\$x\\"y\\`z\\\\'],
  ['wow!', '"', 0, undefined],
  ['größe', '', 0, 'größe'],
  ['~root', '', 0, '\\~root'],
])('%j is inserted into %j quotes so that bash gives it back', (word, quote, kept, want) => {
  expect(quoteForBash(word, { value: '', quote, kept })).toBe(want);
});

test('what would move the cursor, or is no continuation, is never offered, and nothing twice', () => {
  const values = ['ok', 'ok', 'o\u001b[2J', 'o\u202ek', 'o\nrm', 'x', ''];
  expect(
    usable(
      values.map((value) => ({ value })),
      'o',
    ),
  ).toEqual([{ value: 'ok' }]);
});

test('a remark is cleaned, cut, and says since when', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  const choices = [
    { value: 'a', about: 're\u001bq\t', since: '2026-01-01T22:00:00Z' },
    { value: 'b', about: 'x'.repeat(200) },
  ];
  const reply = renderReply({ choices, stem: '' }, { shell: 'fish', current: { value: '', quote: '', kept: 0 }, now });
  expect(reply).toBe(`:values\na\tre\\x1bq , 2h\nb\t${'x'.repeat(69)}…\n`);
});
