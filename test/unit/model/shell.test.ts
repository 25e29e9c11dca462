import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { shellLine, shellWord, toType } from '../../../src/lib/model/shell.ts';
import { clean } from '../../../src/lib/ui/sanitize.ts';

const NAMES: readonly string[] = [
  'REQUESTS',
  '',
  'a b',
  '$(id)`id`;x',
  'a&b|c',
  '<img"src=x\'onerror=1',
  "it's",
  'back\\slash',
  '~',
  '=ls',
  '!!',
  '#x',
  '--json',
  '-x',
  'bidi\u202egnp',
  'bidi\\u202egnp',
  '\x07\x1b[31mX\n12',
  'tab\t::error::x',
  '::error::x',
  'x ::error::x',
  '##[error]x',
  '\u{e0001}7',
  'ñ\u200bé',
];

const argvOf = (line: string): string[] =>
  execFileSync('bash', ['--norc', '-c', `set -f; osapi-ops() { printf '%s\\0' "$@"; }; ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

test.each(NAMES)('a shell hands on %j as it is, and nothing of it moves a terminal', (name) => {
  const line = `osapi-ops ${shellWord(name)} ${shellWord(`${name}7`)}`;
  expect(clean(line)).toBe(line);
  expect(argvOf(line)).toEqual([name, `${name}7`]);
});

test('a line of words is read back as those words', () => {
  expect(argvOf(shellLine(['osapi-ops', ...NAMES]))).toEqual(NAMES);
});

describe('a line to type', () => {
  test.each(NAMES)('has %j as the value of a flag, and as an argument', (name) => {
    const isDashed = name.startsWith('-');
    const flag = isDashed ? [`--queue=${name}`] : ['--queue', name];
    expect(argvOf(toType`osapi-ops dlq ls --queue ${name} --state gone`)).toEqual([
      'dlq',
      'ls',
      ...flag,
      '--state',
      'gone',
    ]);
    expect(argvOf(toType`osapi-ops show ${name} ${name}`)).toEqual(['show', ...(isDashed ? ['--'] : []), name, name]);
  });

  test('stays short where nothing needs quotes', () => {
    expect(toType`osapi-ops dlq ls --queue ${'REQUESTS'} --limit ${5}`).toBe(
      'osapi-ops dlq ls --queue REQUESTS --limit 5',
    );
  });
});

/** Text where no name comes from outside: titles, and a line whose name is one of ours. */
const NO_LINES = /status-junit|status-html|dlq-stats-html/;

test('no line to type has a name in it that was not made ready for a shell', () => {
  const files = globSync('src/**/*.{ts,tsx}').filter((file) => !NO_LINES.test(file));
  expect(files.length).toBeGreaterThan(300);
  const raw = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line))
      .filter((line) =>
        /(?<!toType)`(?:[^`]|\\`)*?\b(osapi-ops|nats) (apply|convert|destroy|dlq|export|history|init|plan|queue|request|status|validate|worker|stream|consumer|kv) (?:[^`$]|\$(?!\{))*\$\{(?!toType|shell|lead)/.test(
          line,
        ),
      )
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(raw).toEqual([]);
});
