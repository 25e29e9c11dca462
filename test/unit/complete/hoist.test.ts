import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hoistCommand } from '../../../src/lib/complete/hoist.ts';
import { readTable } from '../../../src/lib/complete/table.ts';

const common = {
  server: { type: 'option', char: 's' },
  json: { type: 'boolean', char: 'j' },
  quiet: { type: 'boolean', char: 'q' },
};
const table = readTable(
  {
    commands: {
      apply: { args: { spec: {} }, flags: { ...common, prune: { type: 'boolean' } } },
      status: { args: { spec: {} }, flags: { ...common, wait: { type: 'option' } } },
      'request:send': { args: { kind: {} }, flags: { ...common, wait: { type: 'boolean', char: 'w' } } },
      'dlq:ls': { args: { id: {} }, flags: { ...common, limit: { type: 'option' } } },
      dev: { args: {}, flags: { port: { type: 'option' }, json: common.json } },
      'dev:stop': { args: {}, flags: { json: common.json } },
    },
  },
  {},
);

describe('the command of a line is found where flags stand before it', () => {
  test.each<[string, string]>([
    ['status', 'status | | '],
    ['-s URL status', 'status | -s URL | '],
    ['-s=URL status', 'status | -s=URL | '],
    ['-sURL status', 'status | -sURL | '],
    ['--server URL status x', 'status | --server URL | x'],
    ['--server=URL status x', 'status | --server=URL | x'],
    ['-s URL dlq ls', 'dlq ls | -s URL | '],
    ['dlq -s URL ls', 'dlq ls | -s URL | '],
    ['-j dlq -s URL ls --limit 3 x', 'dlq ls | -j -s URL | --limit 3 x'],
    ['-jq status', 'status | -jq | '],
    ['-jqs URL status', 'status | -jqs URL | '],
    ['-jqsURL status', 'status | -jqsURL | '],
    // Their meaning is the command's: here a value, there none.
    ['--wait 5m status', 'status | --wait 5m | '],
    ['--wait request send dns', 'request send | --wait | dns'],
    // A value that is the name of a command.
    ['-s status apply', 'apply | -s status | '],
    ['--wait request status', 'status | --wait request | '],
    ['--json dev stop', 'dev stop | --json | '],
    ['dev --json stop', 'dev stop | --json | '],
    ['dev --port 1', 'dev | | --port 1'],
    ['--port 1 dev', 'dev | --port 1 | '],
    ['--help dlq', 'dlq | --help | '],
    ['-h status', 'status | -h | '],
    ['-s URL dlq', 'dlq | -s URL | '],
    ['status -- -s', 'status | | -- -s'],
    // What is no command stays what it is.
    ['-s URL stauts x', 'stauts | -s URL | x'],
    ['dlq --json lst', 'dlq lst | --json | '],
    ['-s URL', ' | -s URL | '],
    ['-s', ' | -s | '],
    ['', ' | | '],
    ['-- status', ' | | -- status'],
    ['-s URL -- status', ' | -s URL | -- status'],
    ['-', '- | | '],
  ])('%s', (line, want) => {
    const { path, flags, rest } = hoistCommand(table, line.split(' ').filter(Boolean));
    expect([path, flags, rest].map((part) => part.join(' ')).join(' | ')).toBe(want.replace(/\| \|/g, '|  |'));
  });

  test.each([
    ['--frob status', 'status', '--frob'],
    ['--frob=secret status', 'status', '--frob'],
    ['--pasword hunter2 status', 'hunter2', '--pasword'],
    ['-x status', 'status', '-x'],
    ['-jx status', 'status', '-x'],
    ['-phunter2 status', 'status', '-p'],
    ['--password:hunter2 status', 'status', '--password'],
    ['--prune status', 'status', '--prune'],
    ['--prune apply', 'apply', undefined],
  ])('%s names a flag that the command does not have', (line, path, unknown) => {
    expect(hoistCommand(table, line.split(' '))).toMatchObject({ path: path.split(' '), ...(unknown && { unknown }) });
    expect(hoistCommand(table, line.split(' ')).unknown).toBe(unknown);
  });

  test('no word is lost, doubled or made up, and the rest keeps its order', () => {
    const word = fc.constantFrom(
      'status',
      'apply',
      'dlq',
      'ls',
      'dev',
      'stop',
      '-s',
      '--wait',
      '-jq',
      '--json',
      '--',
      '-',
      'x',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
        const { path, flags, rest } = hoistCommand(table, argv);
        expect([...path, ...flags, ...rest].sort()).toEqual([...argv].sort());
        expect(argv.slice(argv.length - rest.length)).toEqual(rest);
      }),
    );
  });
});
