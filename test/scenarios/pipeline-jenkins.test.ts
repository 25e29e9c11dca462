import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { XMLValidator } from 'fast-xml-parser';
import { type CliResult, ROOT, runCli } from '../support/cli.ts';
import { openStage, type Stage } from '../support/example-stage.ts';
import { warmProgram } from '../support/warm-program.ts';

const text = readFileSync('examples/jenkins/Jenkinsfile', 'utf8');

/** The `sh` steps by the name of their stage; those after all stages under `post`. */
function readScripts(): Record<string, string> {
  const [body = '', post = ''] = text.split(/^ {2}post \{$/m);
  const named = [...body.matchAll(/stage\('(\w+)'\) \{(.*?)(?=\n {4}stage\(|$)/gs)].map(([, name, rest]) => [
    name,
    rest,
  ]);
  const script = (part: string) => /sh '''\n(.*?)'''/s.exec(part)?.[1] ?? /sh '(.*)'/.exec(part)?.[1];
  return Object.fromEntries(
    [...named, ['post', post]].map(([name, part]) => [name, script(part!)]).filter(([, x]) => x),
  );
}

const scripts = readScripts();
const program = warmProgram();
let stage: Stage;
let cwd: string;
beforeEach(async () => {
  stage = await openStage(program);
  cwd = join(stage.dir, 'workspace');
  mkdirSync(cwd);
  for (const part of ['config', 'schemas']) cpSync(join(ROOT, part), join(cwd, part), { recursive: true });
});
afterEach(() => stage.end());

/** As Jenkins runs a step: the script in a file of its own, by `sh -xe`. */
const run = (name: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli([], {
    command: ['sh', '-xe', '-c', scripts[name]!],
    cwd,
    server: stage.server,
    env: {
      PATH: [join(stage.dir, '.home', 'bin'), process.env.PATH].join(':'),
      OPS: 'osapi-ops',
      OSAPI_OPS_SPEC: 'config/prod.yaml',
      BUILD_URL: 'https://jenkins.example/job/osapi/7/',
      ...env,
    },
  });
const pending = (): string => readFileSync(join(cwd, 'pending.txt'), 'utf8').trim();

test('there is a script for each stage that does something', () => {
  expect(Object.keys(scripts)).toEqual(['Install', 'Validate', 'Plan', 'Apply', 'Replay', 'post']);
  // What Groovy would put in is read as code by the shell; a double-quoted script is Groovy's.
  expect(text).not.toMatch(/\bsh "|\bsh """/);
  const count = (sign: string) => text.split(sign).length;
  for (const [open, close] of ['{}', '()', '[]']) expect(count(open!)).toBe(count(close!));
});

test('the package is installed where the other scripts look for it', async () => {
  const home = { HOME: process.env.HOME!, npm_config_cache: join(stage.dir, 'cache') };
  const pack = await runCli(['--silent', '--pack-destination', stage.dir], { command: ['npm', 'pack'], env: home });
  const tarball = join(stage.dir, pack.stdout.trim().split('\n').at(-1)!);
  const installed = await run('Install', { ...home, VERSION: `file:${tarball}` });
  expect(installed).toMatchObject({ code: 0 });
  const place = /OPS = "\$\{WORKSPACE\}(.*)"/.exec(text)![1]!;
  expect(await run('Validate', { OPS: join(cwd, place) })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('valid'),
  });
});

test('from the spec to a server that is as it says; then there is nothing to approve', async () => {
  expect((await run('Validate')).code).toBe(0);
  expect(await run('Plan')).toMatchObject({ code: 0, stdout: expect.stringContaining('Plan: 4 to create') });
  expect(pending()).toBe('2');
  expect(await run('Apply')).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied: 4 created') });
  expect((await run('Plan')).code).toBe(0);
  expect(pending()).toBe('0');
  expect((await stage.must('osapi-ops history')).stdout).toContain('https://jenkins.example/job/osapi/7/');
});

test('planning fails the build with the code of what is wrong', async () => {
  expect((await run('Plan', { NATS_URL: 'nats://127.0.0.1:1' })).code).toBe(69);
  expect((await run('Plan', { OSAPI_OPS_SPEC: 'nothing.yaml' })).code).toBe(65);
});

test('what is not healthy leaves a report that makes the build unstable, and does not fail it', async () => {
  await stage.must('osapi-ops apply config/prod.yaml');
  await stage.kill(1);
  const { code, stderr } = await run('post');
  expect(code).toBe(0);
  expect(stderr).toContain('1 message is dead');
  const report = readFileSync(join(cwd, 'status.xml'), 'utf8');
  expect(XMLValidator.validate(report)).toBe(true);
  expect(report).toContain('failures="1"');
  expect((await run('post', { NATS_URL: 'nats://127.0.0.1:1' })).code).toBe(69);
});

test('the replay of the timer passes also where another run is at it', async () => {
  await stage.must('osapi-ops apply config/prod.yaml');
  await stage.kill(1);
  const held = await stage.whileReplaying(() => run('Replay', { OSAPI_OPS_LOCK_WAIT: '200ms' }));
  expect(held).toMatchObject({ code: 0, stderr: expect.stringContaining('Code: LOCK_HELD') });
  const worker = stage.start('osapi-ops worker run --builtin echo');
  await worker.until('stderr', /works on REQUESTS/);
  expect(await run('Replay')).toMatchObject({ code: 0, stdout: expect.stringContaining('Replayed 1 dead letter.') });
  worker.child.kill('SIGTERM');
  await worker.done;
});
