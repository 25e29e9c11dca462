import { execFileSync, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BIN, type CliResult, cleanEnv, ROOT, runCli, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

let server: TestServer;
let dir: string;
const spec = join(ROOT, 'config', 'dev.yaml');
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-files-'));
  server = await startServer();
  expect((await runCli(['apply', spec], { server })).code).toBe(0);
  mkdirSync(join(dir, 'folder.json'));
  writeFileSync(join(dir, 'binary'), Buffer.from([0x80, 0, 0xff, 0xfe, 10, 0, 7]));
  writeFileSync(join(dir, 'empty'), '');
  // Files with holes: they take no room on the disk.
  writeFileSync(join(dir, 'huge'), '');
  truncateSync(join(dir, 'huge'), 700 * 1024 * 1024);
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Every place where a file can be named, with the code that a file which is none has there. */
const places: readonly { line: string; code: number }[] = [
  { line: 'validate FILE', code: 65 },
  { line: 'plan FILE', code: 65 },
  { line: 'apply FILE', code: 65 },
  { line: 'status -f FILE', code: 65 },
  { line: 'permissions FILE viewer', code: 65 },
  { line: 'worker run FILE --builtin echo --idle-exit 1s', code: 65 },
  { line: 'convert FILE', code: 64 },
  { line: 'dlq import FILE', code: 64 },
  { line: 'request send dns --input FILE', code: 64 },
  { line: 'request send dns --ndjson --input FILE', code: 64 },
  { line: 'worker run --handler FILE --idle-exit 1s', code: 64 },
  { line: 'status --creds FILE', code: 64 },
  { line: 'status --nkey FILE', code: 64 },
  { line: 'status --tlscert FILE', code: 64 },
  { line: 'status --tlskey FILE', code: 64 },
  { line: 'status --tlsca FILE', code: 64 },
];
const cannotBeRead = [
  { name: 'is missing', file: 'gone', says: /no such file|there is no file|it names no file that is here/i },
  { name: 'is a folder', file: 'folder.json', says: /is a directory|no regular file/ },
  { name: 'never ends', file: '/dev/zero', says: /has more than|no regular file|longer than/ },
  {
    name: 'stands below a file',
    file: 'empty/below',
    says: /not a directory|there is no file/,
    only: /validate|import/,
  },
  { name: 'gives an error', file: '/proc/self/mem', says: /i\/o error/, only: /validate|import|creds/ },
];

const warm = warmCli(['--max-old-space-size=900']);

describe.each(places)('`$line` says it truly where the file', ({ line, code }) => {
  test.each(cannotBeRead.filter(({ only }) => only?.test(line) ?? true))('$name', async ({ file, says }) => {
    const args = line.split(' ').map((word) => (word === 'FILE' ? file : word));
    const began = performance.now();
    const done = await warm(args, { server, cwd: dir });
    const said = done.stdout + done.stderr;
    expect({ code: done.code, said }).toEqual({ code, said: expect.stringMatching(says) });
    expect(said).not.toContain('fault of osapi-ops');
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe('what is in a file is no file of that kind', () => {
  test.each([
    { line: 'validate huge', code: 65, says: 'huge is too long for a spec: it has more than 4MiB' },
    { line: 'validate binary', code: 65, says: 'binary is no text in UTF-8' },
    { line: 'convert huge', code: 64, says: 'cannot read huge: it has more than 64MiB' },
    { line: 'dlq import huge', code: 64, says: 'it has a line longer than any dead letter that a server could hold' },
    { line: 'dlq import binary', code: 64, says: 'It is not JSON.' },
    { line: 'request send dns --input huge', code: 64, says: 'cannot read huge: it has more than 64MiB' },
    { line: 'request send dns --input binary', code: 64, says: 'It is not even UTF-8 text.' },
    { line: 'request send dns --ndjson --input huge', code: 64, says: 'line 1 has no end' },
    { line: 'status --creds huge', code: 64, says: 'it has more than 1MiB' },
    { line: 'status --creds binary', code: 64, says: 'this is no credentials file' },
    {
      line: 'status --context folder.json',
      code: 64,
      says: 'context folder.json: it cannot be read: it is a directory',
    },
    { line: 'plan - < /dev/zero', code: 65, says: '<stdin> is too long for a spec: it has more than 4MiB' },
    { line: 'convert - < /dev/zero', code: 64, says: 'cannot read -: it has more than 64MiB' },
    { line: 'dlq import - < /dev/zero', code: 64, says: 'standard input:1' },
    { line: 'request send dns - < /dev/zero', code: 64, says: 'cannot read stdin: it has more than 64MiB' },
    { line: 'request send dns --ndjson --input - < /dev/zero', code: 64, says: 'line 1 has no end' },
  ])('$line', async ({ line, code, says }) => {
    const [args = '', input] = line.split(' < ');
    const env = { NODE_OPTIONS: '--max-old-space-size=900' };
    const command = ['bash', '-c', `'${process.execPath}' '${BIN}' ${line}`];
    const done = await (input
      ? runCli([], { server, cwd: dir, env, command })
      : warm(args.split(' '), { server, cwd: dir }));
    expect({ code: done.code, said: done.stdout + done.stderr }).toEqual({
      code,
      said: expect.stringContaining(says),
    });
  });

  test.each(['/dev/zero', '/proc/self/mem', '.', 'huge'])('a spec that extends %s', async (target) => {
    writeFileSync(join(dir, 'extends.yaml'), `extends: ${target}\nversion: 1\nname: x\n`);
    const { code, stdout } = await warm(['validate', 'extends.yaml'], { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 65, stdout: expect.stringContaining('Code: SPEC_EXTENDS') });
  });
});

describe('a FIFO is read as a file is', () => {
  test.each([
    { line: 'validate', input: spec, says: /valid/ },
    { line: 'plan', input: spec, says: /Nothing to do/ },
    { line: 'request send dns --input', input: 'package.json', says: /^[\w-]+\n/ },
  ])('$line', ({ line, input, says }) => {
    const script = `'${process.execPath}' '${BIN}' ${line} <(sed s#./base.yaml#${join(ROOT, 'config/base.yaml')}# '${input}')`;
    const done = spawnSync('bash', ['-c', script], { cwd: ROOT, env: cleanEnv({ server }), encoding: 'utf8' });
    expect({ code: done.status, stdout: done.stdout }).toEqual({ code: 0, stdout: expect.stringMatching(says) });
  });

  test('and one that nobody writes into is left at Ctrl-C', async () => {
    execFileSync('mkfifo', [join(dir, 'nobody')]);
    let done: CliResult | undefined;
    let patience = 700;
    const isHeard = async () => {
      const cli = startCli(['validate', 'nobody'], { cwd: dir });
      // Nothing tells from outside that it stands before the FIFO; while it starts, Ctrl-C just ends it.
      await sleep(patience);
      patience *= 2;
      cli.child.kill('SIGINT');
      // A second one that comes soon is the same key press.
      const presses = setInterval(() => cli.child.kill('SIGINT'), 700);
      done = await cli.done;
      clearInterval(presses);
      return done.signal === null;
    };
    await until(isHeard, 'it hears Ctrl-C');
    expect(done).toMatchObject({ code: 130 });
  });
});

describe('--out', () => {
  let own: string;
  beforeEach(() => {
    own = mkdtempSync(join(dir, 'out-'));
  });
  const lines = [`plan '${spec}' --out`, 'dlq export --out'];
  const bash = (script: string) =>
    spawnSync('bash', ['-c', `osapi() { '${process.execPath}' '${BIN}' "$@"; }; ${script}`], {
      cwd: own,
      env: cleanEnv({ server }),
      encoding: 'utf8',
    });

  test.each(lines)('%s follows a symlink, and keeps it', (line) => {
    mkdirSync(join(own, 'data'));
    symlinkSync('data/real', join(own, 'link'));
    for (const _ of [1, 2]) expect(bash(`osapi ${line} link`)).toMatchObject({ status: 0 });
    expect(lstatSync(join(own, 'link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(own, 'data'))).toEqual(['real']);
    expect(statSync(join(own, 'data', 'real')).mode & 0o777).toBe(0o600);
  });

  test.each(lines)('%s writes into a device and a FIFO, which stay there', (line) => {
    const { status, stdout } = bash(
      `mkfifo fifo && (wc -c < fifo > count &) && osapi ${line} fifo && test -p fifo && sleep 0.2 && cat count`,
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/\d+\n$/) });
    expect(bash(`osapi ${line} /dev/null && test -c /dev/null`)).toMatchObject({ status: 0 });
    expect(bash(`osapi ${line} >(cat > through) && sleep 0.2 && test -f through`)).toMatchObject({ status: 0 });
  });

  test('plan goes whole to standard output where it is -, and nothing else does', () => {
    expect(
      bash(
        `osapi plan '${spec}' --out - > saved && osapi plan '${spec}' --out - --json > too && osapi apply saved && osapi apply too`,
      ),
    ).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(join(own, 'saved'), 'utf8'))).toMatchObject({ kind: 'osapi-ops.plan' });
    expect(readdirSync(own).sort()).toEqual(['saved', 'too']);
    expect(bash('osapi dlq export --out -')).toMatchObject({ status: 0, stdout: '' });
  });

  test.each(lines)('%s leaves what was there where it cannot be written', (line) => {
    writeFileSync(join(own, 'before'), 'before');
    expect(bash(`osapi ${line} /dev/full`).stderr).toMatch(line.startsWith('plan') ? /no space left on device/ : /^/);
    const { status, stderr } = bash(`osapi ${line} .`);
    expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining('it is a directory') });
    expect(bash(`osapi ${line} before/below`)).toMatchObject({ status: 64 });
    expect(readdirSync(own)).toEqual(['before']);
  });

  test('--fix mends the file behind a symlink', () => {
    writeFileSync(
      join(own, 'real.yaml'),
      'version: 1\nname: x\nqueues:\n  Q:\n    subjects: [q]\n    retention: workq\n',
    );
    symlinkSync('real.yaml', join(own, 'link.yaml'));
    expect(bash('osapi validate --fix link.yaml').stderr).not.toContain('BUG');
    expect(lstatSync(join(own, 'link.yaml')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(own, 'real.yaml'), 'utf8')).toContain('workqueue');
  });
});

test('a large export says nothing of how Node writes', async () => {
  const own = await startServer();
  const nats = await connectTo(own);
  const { stream, consumer } = await makeQueue(nats);
  const payload = 'x'.repeat(2000);
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 300 }, () => nats.request('requests.x', payload, { timeoutMs: 30_000 })));
  }
  await letDie(nats, stream, consumer);
  await nats.close();
  const run = (line: string) => runCli(line.split(' '), { server: own, cwd: dir });
  expect((await run('dlq export --out many.ndjson')).stderr).toMatch(
    /^( {2}(?:dead letters|Reading)\b[^\n]*: \d+( of \d+)?\n)*3000 dead letters written to many\.ndjson\n$/,
  );
  for (const line of ['dlq purge --yes --quiet', 'dlq import many.ndjson --quiet', 'dlq ls --quiet']) {
    const { code, stderr } = await run(line);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  await own.stop();
});
