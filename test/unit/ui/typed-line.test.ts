import { describe, expect, test } from '@jest/globals';
import { Args, Flags, Parser } from '@oclif/core';
import { commandHints, likelyFlag } from '../../../src/lib/ui/learned.ts';
import { isParserError, refuseMisread, usageError } from '../../../src/lib/ui/parser-error.ts';

const flags = {
  limit: Flags.integer({ min: 1, max: 9 }),
  'fail-on': Flags.string({ options: ['warning', 'critical'] }),
  out: Flags.string({ char: 'o' }),
  rejects: Flags.string({ dependsOn: ['ndjson'] }),
  ndjson: Flags.boolean({ exclusive: ['yes'] }),
  yes: Flags.boolean({ char: 'y' }),
  wait: Flags.boolean(),
  'wait-timeout': Flags.string(),
};
const args = { role: Args.string({ description: 'who it is for', options: ['viewer', 'client'] }) };

describe('what the parser refuses is told in our words', () => {
  const told = async (...argv: string[]) => {
    try {
      refuseMisread(argv, flags, 'osapi-ops x');
      await Parser.parse(argv, { flags, args });
    } catch (error) {
      const said = isParserError(error) ? usageError(error, 'x', Object.keys(flags)) : (error as never);
      const { code, message, where, hints } = said as ReturnType<typeof usageError>;
      return { code, message, where, hint: hints.slice(0, -1), last: hints.at(-1) };
    }
    return undefined;
  };
  const line = 'osapi-ops x';
  test.each([
    [['--limit', 'abc'], '--limit: "abc" is no whole number', '--limit', ['write it as --limit 10']],
    [['--limit', '0'], '--limit: 0 is too small', '--limit', ['give 1 or more, or leave the flag out']],
    [['--limit', '10'], '--limit: 10 is too large', '--limit', ['give 9 or less']],
    [['--limit'], '--limit has no value', '--limit', []],
    [['--limit', '1', '--limit', '2'], '--limit is given twice', '--limit', []],
    [['--fail-on', 'x'], '--fail-on: there is no "x"', '--fail-on', ['give warning or critical']],
    [['--fail-on'], '--fail-on has no value', '--fail-on', ['give warning or critical']],
    [['boss'], 'there is no "boss"', line, ['give viewer or client']],
    [['viewer', 'more'], 'an argument too many', line, ['put a value that has blanks in quotes']],
    [['--wait', '30s'], '--wait takes no value', line, ['write --wait --wait-timeout 30s']],
    [['--ndjson', '--yes'], '--yes and --ndjson do not go together', line, ['give one of the two']],
    [['--rejects', 'f'], '--rejects needs --ndjson', line, ['give --ndjson as well, or leave --rejects out']],
    [['-out=x'], '-out has one dash', line, ['write --out']],
    [
      ['-o', 'json'],
      '-o is --out: it would write a file called json',
      line,
      ['did you mean --json?', 'write -o ./json for a file of that name'],
    ],
    [['-oyaml'], '-o is --out: it would write a file called yaml', line, ['write -o ./yaml for a file of that name']],
    [['--yes=1'], '--yes takes no value', line, ['write --yes alone, or leave it out']],
    [['--auto-approve'], 'there is no flag --auto-approve', line, ['did you mean --yes?']],
    [['--auto-approve=geheim'], 'there is no flag --auto-approve', line, ['did you mean --yes?']],
    [['-x'], 'there is no flag -x', line, []],
    [['--hlep'], 'there is no flag --hlep', line, ['did you mean --help?']],
  ] as const)('%j', async (argv, message, where, hint) => {
    expect(await told(...argv)).toEqual({ code: 'USAGE', message, where, hint, last: 'see `osapi-ops x --help`' });
  });

  test.each([
    [['-ox', '-y']],
    [['-o', './json']],
    [['-ojson.txt']],
    [['--out', 'json']],
    [['--limit', '1']],
    [['--limit', '9']],
    [['viewer', '--out=a=b']],
    [['--', '-out=x']],
  ])('%j is read as it stands', async (argv) => {
    const said = await told(...argv);
    // Behind `--` stands an argument, which is none of the choices.
    expect(said?.message).toBe(argv[0] === '--' ? 'there is no "-out=x"' : undefined);
  });
});

describe('words that other tools taught', () => {
  const known = [
    'apply',
    'plan',
    'destroy',
    'status',
    'dlq ls',
    'dlq purge',
    'dlq replay',
    'request ls',
    'request cancel',
  ];
  test.each([
    ['delete', 'did you mean `osapi-ops destroy` or `osapi-ops dlq purge` or `osapi-ops request cancel`?'],
    ['dlq delete', 'did you mean `osapi-ops dlq purge`?'],
    ['request delete', 'did you mean `osapi-ops request cancel`?'],
    ['dead', 'did you mean `osapi-ops dlq ls` or `osapi-ops status`?'],
    ['requeue', 'did you mean `osapi-ops dlq replay`?'],
    ['diff', 'did you mean `osapi-ops plan`?'],
    ['list', 'did you mean `osapi-ops dlq ls` or `osapi-ops request ls`?'],
    ['top', 'did you mean `osapi-ops status --watch` or `osapi-ops dlq watch`?'],
    ['up', 'did you mean `osapi-ops apply` or `osapi-ops dev`?'],
    ['down', 'did you mean `osapi-ops destroy` or `osapi-ops dev stop`?'],
    ['ls', 'did you mean `osapi-ops dlq ls` or `osapi-ops request ls`?'],
    ['aply', 'did you mean `osapi-ops apply`?'],
    ['queue purge', 'did you mean `osapi-ops dlq purge`?'],
    ['request replay', 'did you mean `osapi-ops dlq replay`?'],
    ['queue ls', 'did you mean `osapi-ops status`?'],
    ['replays', 'did you mean `osapi-ops dlq replays ls`?'],
    ['dlq help', 'see `osapi-ops dlq --help`'],
    ['dlq purg', 'did you mean `osapi-ops dlq purge`?'],
    ['dlq count', 'did you mean `osapi-ops dlq stats`?'],
    ['ps', 'did you mean `osapi-ops status`?'],
    ['dlq replays kill', 'did you mean `osapi-ops dlq replays stop`?'],
    ['no', 'see `osapi-ops --help`'],
    ['constructor', 'see `osapi-ops --help`'],
  ])('%s', (typed, hint) => {
    expect(commandHints(typed, known)).toEqual([hint]);
  });

  test('a context is chosen by the nats CLI', () => {
    expect(commandHints('context ls', known)[0]).toContain('`nats context ls`');
    expect(commandHints('contxt', known)[0]).toContain('`nats context ls`');
    expect(commandHints('stream ls', known)[0]).toContain('streams of queues');
    expect(commandHints('consumer', known)[0]).toContain('consumers of queues');
  });

  test.each([
    ['format', ['output', 'json'], 'output'],
    ['format', ['json'], 'json'],
    ['auto-approve', ['json'], undefined],
    ['dry', ['dry-run'], 'dry-run'],
    ['alow', ['allow'], 'allow'],
    ['ab', ['abc'], undefined],
    ['o', ['json'], 'json'],
    ['group-by', ['by'], 'by'],
    ['filter', ['subject', 'where'], 'where'],
    ['toString', ['json'], undefined],
  ])('--%s among %j is --%s', (typed, flagNames, meant) => {
    expect(likelyFlag(typed, flagNames)).toBe(meant);
  });
});
