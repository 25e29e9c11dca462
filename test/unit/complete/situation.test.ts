import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readSurface } from '../../../scripts/generate/surface.ts';
import { chooseWords } from '../../../src/lib/complete/choices.ts';
import { kindOfArg, kindOfFlag, NAMED } from '../../../src/lib/complete/kinds.ts';
import { readSituation } from '../../../src/lib/complete/situation.ts';
import { readTable } from '../../../src/lib/complete/table.ts';
import { GOALS } from '../../../src/lib/health/goals.ts';

const flag = (type: string, more = {}) => ({ type, summary: 'so', ...more });
const table = readTable(
  {
    commands: {
      dev: {
        summary: 'run',
        args: {},
        flags: { port: flag('option'), context: flag('option', { char: 'c', options: ['prod'] }) },
      },
      'dev:stop': { summary: 'stop', args: {}, flags: {} },
      'dlq:ls': {
        summary: 'list',
        args: { id: { multiple: true } },
        flags: {
          state: flag('option', { char: 's', multiple: true, options: ['gone', 'orphan'] }),
          json: flag('boolean', { char: 'j' }),
          context: flag('option', { char: 'c', options: ['prod'] }),
        },
      },
      __secret: { hidden: true, args: {}, flags: {} },
    },
  },
  { topics: { dlq: { description: 'dead letters' } } },
);
const choices = (words: string[], current = '') => {
  const { stem, choices: found, asked } = chooseWords(table, readSituation(table, words, current));
  return [...(asked ? [`<${asked}>`] : []), ...found.map(({ value }) => stem + value)];
};

test.each<[string[], string, string[]]>([
  [[], '', ['dev', 'dlq']],
  [['dlq'], '', ['ls']],
  [['dev'], '', ['stop']],
  [['dev'], '-', ['--context', '--help', '--port']],
  [['dev', 'stop'], '', []],
  [['nonsense'], '', []],
  [['dlq', 'ls'], '', ['<entries>']],
  [['dlq', 'ls', 'a'], '', ['<entries>']],
  [['dlq', 'ls', '--json'], '--', ['--context', '--help', '--state']],
  [['dlq', 'ls', '-j'], '--', ['--context', '--help', '--state']],
  [['dlq', 'ls', '--state', 'gone'], '--', ['--context', '--help', '--json', '--state']],
  [['dlq', 'ls', '--state'], '', ['gone', 'orphan']],
  [['dlq', 'ls', '-s'], '', ['gone', 'orphan']],
  [['dlq', 'ls'], '--state=', ['--state=gone', '--state=orphan']],
  [['dlq', 'ls'], '--nonsense=', []],
  [['dlq', 'ls', '--state', '--json'], '', ['<entries>']],
  [['dlq', 'ls', '--'], '--', ['<entries>']],
  // Flags may stand before the command.
  [[], '-', ['--context', '--help']],
  [['--context'], '', ['prod']],
  [['-c'], '', ['prod']],
  [[], '--context=', ['--context=prod']],
  [['--context', 'prod'], '', ['dev', 'dlq']],
  [['--context', 'prod'], '-', ['--help']],
  [['dlq', '--context'], '', ['prod']],
  [['--state'], '', []],
  [[], '--state=', []],
  [['-s', 'gone'], '', ['dev', 'dlq']],
  [['-s'], '', []],
  [['-j', 'dlq'], '', ['ls']],
  [['-j', 'dlq'], '-', ['--help']],
  [['dlq', '-j', 'ls'], '--', ['--context', '--help', '--state']],
  [['--state', 'gone', 'dlq', 'ls'], '--', ['--context', '--help', '--json', '--state']],
])('%j and %j can go on', (words, current, want) => {
  expect(choices(words, current)).toEqual(want);
});

test('a flag that was given counts with its value, in every spelling', () => {
  const read = (words: string[]) => readSituation(table, ['dlq', 'ls', ...words], '').given.get('state');
  expect([read(['-sgone']), read(['-s=gone']), read(['--state=gone']), read(['-s', 'gone'])]).toEqual(
    Array(4).fill(['gone']),
  );
});

test('every name that a kind is given for is a flag or an argument of the commands as they are', async () => {
  const surface = await readSurface();
  const flags = surface.flatMap(({ id, flags: own }) =>
    Object.keys(own).flatMap((name) => [`--${name}`, `${id} --${name}`]),
  );
  const args = surface.flatMap(({ id, args: own }) => Object.keys(own).flatMap((name) => [name, `${id} ${name}`]));
  expect(NAMED.filter((name) => !flags.includes(name) && !args.includes(name))).toEqual([]);
});

test('what a flag chooses among is what its command knows', async () => {
  const none = { char: '', summary: '', takesValue: true, multiple: false, options: [] };
  expect(kindOfFlag('status', { ...none, name: 'for' })).toEqual({ type: 'words', words: GOALS, many: true });
  expect(kindOfArg('permissions', { name: 'role', multiple: false, options: ['viewer'] })).toEqual({
    type: 'words',
    words: ['viewer'],
  });
  const verbs = kindOfFlag('history', { ...none, name: 'verb' });
  const written = readFileSync('src/lib/operations/queue/pause.ts', 'utf8').match(/verb: '(\w+)'/g) ?? [];
  expect(verbs).toMatchObject({ words: expect.arrayContaining(written.map((text) => text.slice(7, -1))) });
});
