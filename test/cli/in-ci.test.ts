import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CliOptions } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const repository = mkdtempSync(join(tmpdir(), 'osapi-ops-in-ci-'));
const cwd = join(repository, 'deploy');
let server: TestServer;
beforeAll(async () => {
  mkdirSync(cwd);
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  rmSync(repository, { recursive: true, force: true });
});

const GITHUB = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: repository, CI: 'true' };
const run = (args: readonly string[], options: CliOptions = {}) => runCli(args, { server, cwd, ...options });
const inGithub = (...args: string[]) => run(args, { env: GITHUB });
const annotations = (stderr: string): string[] => stderr.split('\n').filter((line) => line.startsWith('::'));

function spec(name: string, { storage = 'file', maxDeliver = 5 } = {}): string {
  const file = `${name}.yaml`;
  writeFileSync(
    join(cwd, file),
    `version: 1
name: ${name}
queues:
  ${name}:
    subjects: ["${name}.*"]
    storage: ${storage}
    consumers:
      worker: { max_deliver: ${maxDeliver}, backoff: [1s, 2s, 3s] }
`,
  );
  return file;
}

describe('in a job of GitHub Actions', () => {
  test('a fault of a spec is marked at its line in the repository, by every command that reads it', async () => {
    const file = spec('faulty', { maxDeliver: 2 });
    const mark = expect.stringMatching(
      /^::error file=deploy\/faulty\.yaml,line=8,col=\d+,title=SPEC_BACKOFF_TOO_LONG::consumer faulty\/worker: backoff has 3 steps/,
    );
    for (const command of ['validate', 'plan', 'apply']) {
      const { code, stderr } = await inGithub(command, file);
      expect({ command, code }).toEqual({ command, code: 65 });
      expect(annotations(stderr)).toContainEqual(mark);
    }
    const outside = await run(['validate', file]);
    expect(outside.stderr).toBe('');
    expect(annotations((await run(['validate', file, '--output', 'github'])).stderr)).toContainEqual(
      expect.stringContaining('::error file=faulty.yaml,line=8,'),
    );
  });

  test('what apply will refuse warns in the plan, and fails in apply, at the field in the spec', async () => {
    expect((await inGithub('apply', spec('moved'))).code).toBe(0);
    const file = spec('moved', { storage: 'memory' });
    const planned = await inGithub('plan', file, '--out', 'moved.plan');
    expect(planned.code).toBe(0);
    const [first] = annotations(planned.stderr);
    expect(first).toMatch(
      /^::warning file=deploy\/moved\.yaml,line=6,col=5,title=RISK_MIGRATE::stream moved is moved without loss/,
    );
    expect(first).toContain('%0ARefused without --migrate.');
    const applied = await inGithub('apply', file);
    expect(applied.code).toBe(1);
    expect(annotations(applied.stderr)[0]).toMatch(/^::error file=deploy\/moved\.yaml,line=6,/);
    const saved = await inGithub('apply', 'moved.plan');
    expect(annotations(saved.stderr)).toEqual([expect.stringMatching(/^::error title=RISK_REFUSED::stream moved /)]);
  });

  test('a failure that has no place is marked all the same', async () => {
    const away = { ...GITHUB, NATS_URL: 'nats://127.0.0.1:1' };
    const { code, stderr } = await run(['plan', spec('away')], { env: away });
    expect(code).toBe(69);
    expect(annotations(stderr)).toEqual([expect.stringMatching(/^::error title=CONN_UNREACHABLE::cannot reach /)]);
  });
});

describe('a saved plan', () => {
  test('is shown from its file alone, in every form, as it was when it was made', async () => {
    const made = await run(['plan', spec('saved'), '--out', 'saved.plan']);
    const markdown = await run(['plan', 'saved.yaml', '--markdown']);
    const nowhere = { env: { NATS_URL: 'nats://127.0.0.1:1' } };
    const text = await run(['plan', 'saved.plan'], nowhere);
    expect(text).toMatchObject({ code: 0, stdout: made.stdout });
    expect(text.stderr).toMatch(/^Saved \S+Z from saved\.yaml; no server was asked\n$/);
    expect((await run(['plan', 'saved.plan', '--markdown'], nowhere)).stdout).toBe(markdown.stdout);
    const json = await run(['plan', 'saved.plan', '--json', '--detailed-exitcode'], nowhere);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout).summary).toMatchObject({ create: 2 });
  });

  test('is not made anew by looking at it', async () => {
    await run(['plan', spec('kept'), '--out', 'kept.plan']);
    for (const flags of [['--out', 'other.plan'], ['--prune']]) {
      const { code, stderr } = await run(['plan', 'kept.plan', ...flags]);
      expect({ flags, code }).toEqual({ flags, code: 64 });
      expect(stderr).toContain(`it takes no ${flags[0]}`);
      expect(stderr).toContain('Try: plan kept.yaml again');
    }
  });
});

test('the plans of several specs are together no longer than a comment may be', async () => {
  const many = (name: string) => {
    const queues = Array.from({ length: 200 }, (_, n) => `  ${name}_${n}: { subjects: ["${name}.${n}"] }`);
    writeFileSync(join(cwd, `${name}.yaml`), `version: 1\nname: ${name}\nqueues:\n${queues.join('\n')}\n`);
    return `${name}.yaml`;
  };
  const { code, stdout } = await run(['plan', many('one'), many('two'), '--markdown']);
  expect(code).toBe(0);
  expect(stdout.length).toBeLessThanOrEqual(65_536);
  expect(stdout.match(/Plan for <code>\w+<\/code>|\d+ more parts/g)).toEqual([
    'Plan for <code>one</code>',
    expect.stringMatching(/more parts/),
    'Plan for <code>two</code>',
    expect.stringMatching(/more parts/),
  ]);
});

describe('where a report goes to a file', () => {
  test('the log of validate has the problems, and GitLab its report with paths from the root of the project', async () => {
    const file = spec('quality', { maxDeliver: 2 });
    const { code, stdout, stderr } = await run(['validate', file, '--output', 'gitlab'], {
      env: { CI_PROJECT_DIR: repository },
    });
    expect(code).toBe(65);
    expect(stderr).toContain('Code: SPEC_BACKOFF_TOO_LONG');
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({
        check_name: 'SPEC_BACKOFF_TOO_LONG',
        location: { path: 'deploy/quality.yaml', lines: { begin: 8 } },
      }),
    );
    const fine = await run(['validate', spec('fine'), '--output', 'gitlab']);
    expect(fine.code).toBe(0);
    expect(JSON.parse(fine.stdout)).toEqual([]);
    expect(JSON.parse((await run(['validate', file, '--output', 'json'])).stdout).error.code).toBe('SPEC_INVALID');
  });

  test('the log of status has the verdict', async () => {
    await run(['apply', spec('judged')]);
    const { stdout, stderr } = await run(['status', 'judged.yaml', '--output', 'junit']);
    expect(stdout).toMatch(/^<\?xml/);
    expect(stderr).toMatch(/^judged is /);
    expect((await run(['status', 'judged.yaml', '--output', 'junit', '--quiet'])).stderr).toBe('');
  });
});
