import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { XMLParser } from 'fast-xml-parser';
import { ROOT } from '../support/cli.ts';
import { openStage, type Stage } from '../support/example-stage.ts';
import { readYaml } from '../support/github-runner.ts';
import { type GitlabOptions, runPipeline, toPipeline } from '../support/gitlab-runner.ts';
import { lintBySchema } from '../support/linters.ts';
import { warmProgram } from '../support/warm-program.ts';

const FILE = 'examples/gitlab/.gitlab-ci.yml';
const pipeline = toPipeline(readYaml(FILE));

const program = warmProgram();
let stage: Stage;
let repository: string;
beforeEach(async () => {
  stage = await openStage(program);
  repository = join(stage.dir, 'repository');
  mkdirSync(repository);
  for (const part of ['config', 'schemas']) cpSync(join(ROOT, part), join(repository, part), { recursive: true });
});
afterEach(() => stage.end());

/** The checkout that was built stands for the package that `before_script` installs. */
const run = (source: string, { env, ...over }: Partial<GitlabOptions> = {}) =>
  runPipeline(pipeline, {
    dir: mkdtempSync(join(stage.dir, 'run-')),
    repository,
    env: {
      PATH: [join(stage.dir, '.home', 'bin'), process.env.PATH].join(':'),
      NATS_URL: stage.server.url,
      CI_PIPELINE_SOURCE: source,
      CI_DEFAULT_BRANCH: 'main',
      ...(source === 'push' && { CI_COMMIT_BRANCH: 'main' }),
      ...env,
    },
    ...over,
  });

describe('a merge request', () => {
  test('is validated and planned, and nothing is carried out', async () => {
    const runs = await run('merge_request_event');
    expect(Object.keys(runs)).toEqual(['validate', 'plan']);
    expect(runs.plan).toMatchObject({ status: 'success', log: expect.stringContaining('Plan: 4 to create') });
    expect(readFileSync(join(runs.plan!.dir, 'plan.md'), 'utf8')).toMatch(/^### Plan for <code>osapi<\/code>\n/);
    expect(JSON.parse(readFileSync(join(runs.validate!.dir, 'code-quality.json'), 'utf8'))).toEqual([]);
  });

  test('with a fault in its spec is told where, in the log and in the code quality report', async () => {
    const base = join(repository, 'config/base.yaml');
    writeFileSync(base, readFileSync(base, 'utf8').replace('max_deliver: 10', 'max_deliver: 2'));
    const { validate, plan } = await run('merge_request_event');
    expect(validate).toMatchObject({
      status: 'failed',
      code: 65,
      log: expect.stringContaining('at config/base.yaml:'),
    });
    expect(plan!.status).toBe('skipped');
    const [issue] = JSON.parse(readFileSync(join(validate!.dir, 'code-quality.json'), 'utf8'));
    expect(issue.location.path).toBe('config/base.yaml');
  });
});

describe('on the default branch', () => {
  test('the plan waits for a click, which carries out just that plan', async () => {
    const before = await run('push');
    expect(before).toMatchObject({ plan: { status: 'success' }, apply: { status: 'manual' } });
    const { apply, status } = await run('push', { click: ['apply'] });
    expect(apply).toMatchObject({ status: 'success', log: expect.stringContaining('Applied: 4 created') });
    expect(status).toMatchObject({ status: 'success', log: expect.stringContaining('osapi is healthy') });
  });

  test('what is not healthy is a failed test in the report, and in the log', async () => {
    await stage.must('osapi-ops apply config/prod.yaml');
    await stage.kill(2);
    const { status } = await run('push');
    expect(status).toMatchObject({ status: 'failed', code: 2, log: expect.stringContaining('2 messages are dead') });
    const xml = readFileSync(join(status!.dir, pipeline.jobs.status!.artifacts!.reports!.junit!), 'utf8');
    expect(new XMLParser({ ignoreAttributes: false }).parse(xml).testsuites.testsuite['@_failures']).toBe('1');
  });

  test('a server that is away has the job tried again', async () => {
    const { plan } = await run('push', { env: { NATS_URL: 'nats://127.0.0.1:1' } });
    expect(pipeline.default.retry.exit_codes).toContain(plan!.code);
  });
});

describe('a schedule', () => {
  test('moves dead letters back and reports; another run that is at it is no failure', async () => {
    await stage.must('osapi-ops apply config/prod.yaml');
    await stage.kill(3);
    const held = await stage.whileReplaying(() => run('schedule', { env: { OSAPI_OPS_LOCK_WAIT: '200ms' } }));
    expect(held).toMatchObject({ replay: { status: 'warning', code: 75 }, status: { status: 'failed', code: 2 } });
    const worker = stage.start('osapi-ops worker run --builtin echo');
    await worker.until('stderr', /works on REQUESTS/);
    const runs = await run('schedule');
    worker.child.kill('SIGTERM');
    await worker.done;
    expect(Object.keys(runs)).toEqual(['replay', 'status']);
    expect(runs.replay).toMatchObject({ status: 'success', log: expect.stringContaining('Replayed 3 dead letters.') });
    expect(runs.status!.status).toBe('success');
  });
});

lintBySchema('gitlab-ci', [FILE]);
