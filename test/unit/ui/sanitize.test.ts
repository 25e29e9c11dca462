import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clean, cleanLine } from '../../../src/lib/ui/sanitize.ts';
import { flow } from '../../../src/lib/ui/text.ts';
import { anyText } from '../../support/any-text.ts';

const COMMANDS =
  'add-mask add-matcher add-path debug echo endgroup error group notice remove-matcher save-state set-env set-output stop-commands warning'.split(
    ' ',
  );

/** Whether the runner of GitHub Actions obeys a line of a log: both forms of its workflow commands, as it parses them. */
function isObeyed(line: string): boolean {
  const named = (info: string) => COMMANDS.includes(info.split(' ')[0]!.toLowerCase());
  const text = line.trimStart();
  const end = text.indexOf('::', 2);
  if (text.startsWith('::') && end > 0 && named(text.slice(2, end))) return true;
  const old = line.indexOf('##[');
  return old >= 0 && line.indexOf(']', old) > 0 && named(line.slice(old + 3, line.indexOf(']', old)));
}

describe('clean', () => {
  test.each([
    { name: 'a colour', text: '\u001b[31mred', want: '\\x1b[31mred' },
    { name: 'a window title', text: '\u001b]0;owned\u0007', want: '\\x1b]0;owned\\x07' },
    { name: 'an eight-bit control sequence', text: '\u009b2J', want: '\\x9b2J' },
    { name: 'a carriage return that overwrites the line', text: 'delete?\rkeep', want: 'delete?\\x0dkeep' },
    { name: 'a bidi override', text: 'a\u202egpj.exe', want: 'a\\u202egpj.exe' },
    { name: 'a zero-width space', text: 'RE\u200bQUESTS', want: 'RE\\u200bQUESTS' },
    { name: 'a hangul filler', text: '\u3164', want: '\\u3164' },
    { name: 'a tag character', text: '\u{e0041}', want: '\\u{e0041}' },
    { name: 'a lone surrogate', text: '\ud800', want: '\\ud800' },
    { name: 'a line separator', text: 'a\u2028b', want: 'a\\u2028b' },
    { name: 'a line feed', text: 'a\nb', want: 'a\\x0ab' },
    { name: 'a tab', text: 'a\tb', want: 'a b' },
  ])('shows $name instead of obeying it', ({ text, want }) => {
    expect(clean(text)).toBe(want);
  });

  test('leaves readable text of any script alone', () => {
    const text = 'requests.* → größer, 注文, заказ, €5 — ok';
    expect(clean(text)).toBe(text);
  });

  test('lets line feeds through where they are asked for, and nothing else', () => {
    expect(clean('a\nb\u001b', { newlines: true })).toBe('a\nb\\x1b');
  });

  test('gives words of several lines in one, and what a terminal obeys as escapes', () => {
    expect(cleanLine(' line one \r\n\n\tline\u001b two\n')).toBe('line one line\\x1b two');
    expect(cleanLine(' a ')).toBe(' a ');
  });

  test('leaves nothing behind that it would change again', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(clean(clean(text))).toBe(clean(text));
      }),
    );
  });

  test.each([
    { text: '::set-output name=health::ok', want: '\\x3a:set-output name=health::ok' },
    { text: 'because ::add-mask::a', want: 'because \\x3a:add-mask::a' },
    { text: 'because ##[error]a', want: 'because \\x23#[error]a' },
    { text: 'std::error::Error at ::1, ##', want: 'std::error::Error at ::1, ##' },
  ])('does not let the log of a GitHub job obey $text', ({ text, want }) => {
    expect(clean(text)).toBe(want);
  });

  test('lets nothing through that such a log obeys, wherever a line is broken', () => {
    const part = fc.oneof(
      fc.constantFrom('::', ':', '##[', '#', ']', ' ', '\n', '\t', ' name=a', 'x'),
      fc.constantFrom(...COMMANDS),
      fc.constantFrom(...COMMANDS).map((name) => `::${name.toUpperCase()}::`),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.boolean(), (parts, newlines) => {
        const lines = flow(clean(parts.join(''), { newlines }), { width: 24, first: '  ' }).split('\n');
        expect(lines.filter(isObeyed)).toEqual([]);
      }),
    );
  });
});
