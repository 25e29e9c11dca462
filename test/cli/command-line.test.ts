import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

describe('a command line that is wrong', () => {
  const table = [
    { args: ['aply'], message: 'there is no command `aply`', hint: 'did you mean `osapi-ops apply`?' },
    { args: ['dlq', 'repaly'], message: 'there is no command `dlq repaly`', hint: '`osapi-ops dlq replay`?' },
    { args: ['replay'], message: 'there is no command `replay`', hint: 'did you mean `osapi-ops dlq replay`?' },
    {
      args: ['ls'],
      message: 'no command `ls`',
      hint: '`osapi-ops dlq ls` or `osapi-ops dlq replays ls` or `osapi-ops request ls`?',
    },
    {
      args: ['dlq', 'replays', 'kill', 'x'],
      message: 'there is no command `dlq replays kill`',
      hint: '`osapi-ops dlq replays stop`?',
    },
    {
      args: ['dlq', 'replays', 'cancel'],
      message: 'there is no command `dlq replays cancel`',
      hint: '`osapi-ops dlq replays stop`?',
    },
    { args: ['dlq', 'get', '1'], message: 'there is no command `dlq get`', hint: '`osapi-ops dlq show`?' },
    { args: ['dlq', 'count'], message: 'there is no command `dlq count`', hint: '`osapi-ops dlq stats`?' },
    { args: ['dlq', 'ls', '--filter', 'a'], message: 'there is no flag --filter', hint: 'did you mean --where?' },
    { args: ['plan', '--hlep'], message: 'there is no flag --hlep', hint: 'did you mean --help?' },
    {
      args: ['-s', 'dlq', 'ls'],
      message: '-s has no value: the next word, dlq, was taken for it',
      hint: 'give -s its value',
    },
    { args: ['xyzzy'], message: 'there is no command `xyzzy`', hint: 'see `osapi-ops --help`' },
    { args: ['apply', '--alow-replace'], message: 'there is no flag --alow-replace', hint: 'mean --allow-replace?' },
    {
      args: ['dlq', 'ls', '--pasword=geheim'],
      message: 'there is no flag --pasword\n',
      hint: 'did you mean --password?',
    },
    { args: ['apply', '-x'], message: 'there is no flag -x', hint: 'see `osapi-ops apply --help`' },
    {
      args: ['--pasword', 'geheim', 'status'],
      message: 'there is no flag --pasword\n',
      hint: 'did you mean --password?',
    },
    { args: ['-s', 'a', 'stauts'], message: 'there is no command `stauts`', hint: 'did you mean `osapi-ops status`?' },
    { args: ['-s', 'a'], message: 'the line names no command', hint: 'see `osapi-ops --help`' },
    { args: ['--', 'schema'], message: 'the line names no command', hint: 'see `osapi-ops --help`' },
    { args: ['--prune', 'status'], message: 'there is no flag --prune', hint: 'see `osapi-ops status --help`' },
    { args: ['dlq', 'requeue'], message: 'there is no command `dlq requeue`', hint: '`osapi-ops dlq replay`?' },
    { args: ['context', 'ls'], message: 'there is no command `context`', hint: '`nats context ls` lists them' },
    { args: ['plan', 'config/dev.yaml', '-out=x'], message: '-out has one dash', hint: 'write --out' },
    { args: ['init', '--yes=1'], message: '--yes takes no value', hint: 'write --yes alone' },
    { args: ['dlq', 'ls', '--limit', 'x'], message: '--limit: "x" is no whole number', hint: 'write it as --limit 10' },
    { args: ['dlq', 'show'], message: 'which dead letter is not said', hint: '--where KEY=VALUE' },
    { args: ['request', 'show'], message: 'missing: ID (', hint: 'see `osapi-ops request show --help`' },
  ] as const;
  test.each(table)('$args is told, with what may be meant', async ({ args, message, hint }) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test.each(['version', '-v', '--version'])('%s is the version', async (word) => {
    expect((await startCli([word]).done).stdout).toMatch(/^osapi-ops\/\d/);
  });

  test.each([['aply'], ['apply', '--alow-replace'], ['dlq', 'show']])(
    'is JSON on stdout where the variable asks for it: %s %s',
    async (...args) => {
      const { code, stdout } = await runCli(args, { env: { OSAPI_OPS_JSON: '1' } });
      expect({ code, error: JSON.parse(stdout).error }).toMatchObject({ code: 64, error: { code: 'USAGE' } });
    },
  );

  test('has no JSON where the variable says no, or the word is none of its flags', async () => {
    expect((await runCli(['aply'], { env: { OSAPI_OPS_JSON: '0' } })).stdout).toBe('');
    expect((await runCli(['apply', '--alow', '--', '--json'])).stdout).toBe('');
  });
});

describe('flags may stand before the command', () => {
  test.each([
    { args: ['-j', 'schema'], want: /"\$schema"/ },
    {
      args: ['--no-context', '-s', 'nats://127.0.0.1:1', 'permissions', 'config/prod.yaml', 'viewer'],
      want: /publish/,
    },
    { args: ['dlq', '--no-pager', 'ls', '--help'], want: /list .*dead|USAGE/i },
    { args: ['--no-color', 'dlq', '--help'], want: /dlq replay/ },
    { args: ['--no-color', '--help'], want: /PROVISION/ },
  ])('$args', async ({ args, want }) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(want);
  });

  test('their failure is told as that of the command', async () => {
    const { code, stderr } = await runCli(['-s', 'nats://127.0.0.1:1', 'status', '--wait', 'soon']);
    expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining('--wait: "soon"') });
  });
});

test('a flag that every command has is understood where a command has none of its own', async () => {
  const { code, stdout } = await runCli(['schema', '--quiet', '--json']);
  expect({ code, type: JSON.parse(stdout).type }).toEqual({ code: 0, type: 'object' });
});

describe('a variable', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test('sets a flag that may be repeated to one value', async () => {
    const { code, stderr } = await runCli(['dlq', 'ls'], { server, env: { OSAPI_OPS_QUEUE: 'NOWHERE' } });
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no queue NOWHERE') });
  });

  test('is heeded less than the flag', async () => {
    const env = { OSAPI_OPS_OUTPUT: 'nagios' };
    expect((await runCli(['status'], { server, env })).stdout).toMatch(/^the server [A-Z]+:/);
    expect((await runCli(['status', '--output', 'markdown'], { server, env })).stdout).toMatch(/^#/);
  });
});
