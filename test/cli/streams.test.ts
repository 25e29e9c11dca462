import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BIN, cleanEnv, ROOT, runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const osapi = `'${process.execPath}' '${BIN}'`;
const manifest = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as { commands: object };
/** Those that end by themselves. */
const commands = Object.keys(manifest.commands)
  .filter((id) => id !== 'demo' && id !== 'dev')
  .map((id) => id.replaceAll(':', ' '));

let dir: string;
let server: TestServer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-streams-'));
  server = await startServer();
  expect((await runCli(['apply', 'config/dev.yaml'], { server })).code).toBe(0);
  const queued = many();
  expect((await runCli(['request', 'send', 'dns', '--ndjson', '-i', queued.file], { server })).code).toBe(0);
});
afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A file of 3,000 requests that nobody has sent. */
function many(): { file: string; first: string; last: string } {
  const ids = Array.from({ length: 3000 }, () => randomUUID());
  const file = join(dir, `${ids[0]}.ndjson`);
  writeFileSync(file, ids.map((id) => `{"id":"${id}","query":"${'x'.repeat(100)}"}\n`).join(''));
  return { file, first: ids[0]!, last: ids.at(-1)! };
}

/** Runs a script in bash, which gets it as an argument; both streams as they come out. */
const inBash = (script: string, { url = server.url }: { url?: string } = {}) =>
  spawnSync('bash', ['-c', script], { cwd: dir, env: cleanEnv({ env: { NATS_URL: url } }), encoding: 'utf8' });

describe('standard input', () => {
  test.each(commands)('is left to the script that runs `%s` without arguments', async (command) => {
    // bash reads its script from the same pipe, line by line: what a command takes of it is never run.
    const flags = command === 'init' ? '--yes --force' : '';
    const bash = spawn('bash', [], { cwd: dir, env: cleanEnv({ env: { NATS_URL: 'nats://127.0.0.1:1' } }) });
    let text = '';
    bash.stdout.on('data', (part) => {
      text += part;
    });
    const script = `timeout -k 1 20 ${osapi} ${command} ${flags} > out.txt 2> err.txt\necho "ended with $?"\necho still here\n`;
    bash.stdin.end(script);
    await new Promise((resolve) => bash.on('close', resolve));
    expect(text).toMatch(/still here\n$/);
    expect(text).not.toContain('ended with 70');
  });

  test.each([
    { args: ['request', 'send', 'dns'], missing: 'there is no payload' },
    { args: ['request', 'get'], missing: 'missing: ID' },
    { args: ['dlq', 'import'], missing: 'missing: ARCHIVE' },
    { args: ['permissions', 'config/dev.yaml'], missing: 'missing: ROLE' },
  ])('gives $args no argument that is missing', async ({ args, missing }) => {
    const { code, stderr } = await runCli(args, { server, stdin: '{"query":"a"}\n' });
    expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(missing) });
  });

  test.each([
    { args: ['validate', '-'], stdin: readFileSync(join(ROOT, 'config/base.yaml'), 'utf8') },
    { args: ['request', 'send', 'dns', '-'], stdin: '{"query":"a"}' },
    { args: ['request', 'send', 'dns', '--input', '-'], stdin: '{"query":"a"}' },
    { args: ['dlq', 'import', '-'], stdin: '' },
  ])('is read where the line says so: $args', async ({ args, stdin }) => {
    const { code, stderr } = await runCli(args, { server, stdin });
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });
});

const full = expect.stringContaining('cannot write to standard output: no space left on device (ENOSPC)');

describe('a standard output that is full', () => {
  test.each(['--version', '--help', 'schema', 'status --json', 'plan', 'validate', 'dlq --help', 'history --json'])(
    'is a failure of `%s`',
    (line) => {
      const spec = /^(plan|validate)/.test(line) ? ` '${join(ROOT, 'config/dev.yaml')}'` : '';
      const { status, stderr } = inBash(`${osapi} ${line}${spec} > /dev/full`);
      expect({
        status,
        stderr: stderr
          .replace(': write', '')
          .replace('ENOSPC: no space left on device', 'no space left on device (ENOSPC)'),
      }).toEqual({ status: 1, stderr: full });
      expect(stderr).toContain('Code: OUTPUT_FAILED');
      expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    },
  );

  test('does not keep what was begun from being done', async () => {
    const { file, last } = many();
    const { status, stderr } = inBash(`${osapi} request send dns --ndjson --input '${file}' > /dev/full`);
    expect({ status, stderr }).toEqual({ status: 1, stderr: full });
    expect(stderr).toContain('3000 sent, 0 there already');
    expect((await runCli(['request', 'get', last], { server })).stderr).toContain('queued');
  });

  test('is no failure where nothing is to be printed, and two full streams end quietly', () => {
    expect(
      inBash(`${osapi} validate '${join(ROOT, 'config/dev.yaml')}' --quiet --output gitlab > /dev/null`).status,
    ).toBe(0);
    expect(inBash(`${osapi} status > /dev/full 2> /dev/full`).status).toBe(1);
  });
});

describe('a reader that goes', () => {
  test.each(['request ls --ndjson', 'request ls', 'schema', 'status --watch --interval 50ms', '--help'])(
    'ends `%s` quietly',
    (line) => {
      const { status, stdout, stderr } = inBash(`set -o pipefail; ${osapi} ${line} | head -c 1`);
      expect({ status, length: stdout.length, stderr }).toEqual({ status: 0, length: 1, stderr: '' });
    },
  );

  test('does not keep what was begun from being done', () => {
    const { file, first } = many();
    const script = `set -o pipefail; ${osapi} request send dns --quiet --ndjson --input '${file}' | head -n 1`;
    expect(inBash(script)).toMatchObject({ status: 0, stdout: `${first}\n`, stderr: '' });
    const { stderr } = inBash(`${osapi} request send dns --ndjson --input '${file}' > /dev/null`);
    expect(stderr).toContain('0 sent, 3000 there already');
  });
});
