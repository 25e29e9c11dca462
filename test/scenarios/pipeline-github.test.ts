import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { nkeys } from '@nats-io/transport-node';
import { ROOT, runCli } from '../support/cli.ts';
import { openStage, type Stage } from '../support/example-stage.ts';
import { type GithubApi, startGithubApi } from '../support/github-api.ts';
import {
  type Action,
  type JobRun,
  leftIn,
  type RunnerOptions,
  readYaml,
  runWorkflow,
  type Workflow,
  type WorkflowStep,
} from '../support/github-runner.ts';
import { lintBySchema, lintShell, lintWorkflows } from '../support/linters.ts';
import { warmProgram } from '../support/warm-program.ts';

const TOKEN = 'ghs_of-this-job-alone';
const FOLDER = 'examples/github-actions';
const workflows = globSync(`${FOLDER}/*.yml`).sort();

const program = warmProgram();
let stage: Stage;
let github: GithubApi;
let repository: string;
beforeEach(async () => {
  stage = await openStage(program);
  github = await startGithubApi(TOKEN);
  prepareRepository();
});
afterEach(async () => {
  await github.stop();
  await stage.end();
});

function prepareRepository(): void {
  repository = join(stage.dir, 'repository');
  mkdirSync(repository);
  for (const part of ['config', 'schemas']) cpSync(join(ROOT, part), join(repository, part), { recursive: true });
}
const isInstall = ({ name }: WorkflowStep): boolean => name === 'Install osapi-ops';
const pullRequest = (repo = 'o/r') => ({
  pull_request: { number: 7, head: { sha: 'abc1234', repo: { full_name: repo } } },
});

/** The checkout that was built stands for the installed package. */
const optionsFor = (over: Partial<RunnerOptions> = {}): RunnerOptions => ({
  dir: mkdtempSync(join(stage.dir, 'run-')),
  repository,
  actionOf: (uses) => (uses.startsWith('OWNER/osapi-ops@') ? ROOT : undefined),
  skip: isInstall,
  env: { PATH: [join(stage.dir, '.home', 'bin'), process.env.PATH].join(':') },
  vars: { NATS_URL: stage.server.url },
  github: { token: TOKEN, repository: 'o/r', api_url: github.url, event: {} },
  ...over,
});
const onPullRequest = (event: object = pullRequest(), over: Partial<RunnerOptions> = {}) =>
  runWorkflow(
    `${FOLDER}/pull-request.yml`,
    optionsFor({ github: { token: TOKEN, repository: 'o/r', api_url: github.url, event }, ...over }),
  );
const onMain = (over?: Partial<RunnerOptions>) => runWorkflow(`${FOLDER}/main.yml`, optionsFor(over));
const onSchedule = (over?: Partial<RunnerOptions>) => runWorkflow(`${FOLDER}/replay.yml`, optionsFor(over));

/** A workflow of one step that uses the action; the text is what one would write under `with`. */
async function useAction(inputs: Readonly<Record<string, string>>, over: Partial<RunnerOptions> = {}): Promise<JobRun> {
  const file = join(mkdtempSync(join(stage.dir, 'workflow-')), 'one.yml');
  const steps = [
    { uses: 'actions/checkout@x' },
    { id: 'it', uses: 'OWNER/osapi-ops@x', with: { server: stage.server.url, ...inputs } },
  ];
  const outputs = { 'exit-code': `\${{ steps.it.outputs.exit-code }}` };
  writeFileSync(file, JSON.stringify({ on: {}, jobs: { one: { outputs, steps } } }));
  return (await runWorkflow(file, optionsFor(over))).one!;
}
const edit = (file: string, from: string | RegExp, to: string): void =>
  writeFileSync(join(repository, file), readFileSync(join(repository, file), 'utf8').replace(from, to));

describe('a pull request', () => {
  test('gets one comment with the plan, which later pushes bring up to date in its place', async () => {
    const first = await onPullRequest();
    expect(first).toMatchObject({ validate: { result: 'success' }, plan: { result: 'success' } });
    expect(github.comments).toHaveLength(1);
    const { id, body } = github.comments[0]!;
    expect(body).toMatch(/^<!-- osapi-ops plan: config\/prod\.yaml -->\n### Plan for <code>osapi<\/code>\n/);
    expect(body).toContain('**4 to create, 0 to update, 0 to delete, 0 unchanged**');
    expect(body).toContain('Of commit abc1234, by [this run](https://github.example/o/r/actions/runs/77)');
    expect(first.plan!.summary).toContain('### Plan for <code>osapi</code>');
    expect(first.plan!.log).toContain('Plan: 4 to create, 0 to update, 0 to delete, 0 unchanged.');

    await stage.must('osapi-ops apply config/prod.yaml');
    expect((await onPullRequest()).plan!.result).toBe('success');
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]).toMatchObject({ id, body: expect.stringContaining('**Nothing to do:**') });
    expect(github.calls.filter((call) => !call.startsWith('GET'))).toEqual([
      'POST /repos/o/r/issues/7/comments',
      `PATCH /repos/o/r/issues/comments/${id}`,
    ]);
  });

  test('keeps the comments of others as they are, also one that pretends to be the plan, and finds its own on a late page', async () => {
    const fake = {
      id: 1,
      user: { login: 'mallory', type: 'User' },
      body: '<!-- osapi-ops plan: config/prod.yaml -->\nall fine',
    } as const;
    github.comments.push({ ...fake });
    for (let id = 2; id < 150; id++) github.comments.push({ id, user: { login: 'ada', type: 'User' }, body: 'hm' });
    await onPullRequest();
    await onPullRequest();
    expect(github.comments).toHaveLength(150);
    expect(github.comments[0]).toEqual(fake);
    expect(github.comments.at(-1)!.body).toContain('### Plan for');
  });

  test('learns from the same comment that its spec is wrong now, and has the fault marked at its line', async () => {
    await onPullRequest();
    edit('config/base.yaml', 'max_deliver: 10', 'max_deliver: 2');
    const { validate, plan } = await onPullRequest();
    expect(plan!.result).toBe('skipped');
    expect(validate).toMatchObject({ result: 'failure' });
    expect(validate!.log).toMatch(/^::error file=config\/base\.yaml,line=\d+,col=\d+,title=SPEC_BACKOFF_TOO_LONG::/m);
  });

  test('has no stale plan left when planning fails', async () => {
    await onPullRequest();
    const { plan } = await onPullRequest(pullRequest(), { vars: { NATS_URL: 'nats://127.0.0.1:1' } });
    expect(plan!.result).toBe('failure');
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]!.body).toMatch(
      /### osapi-ops plan ended with exit code 69\n\n<pre>\nError: cannot reach/,
    );
    expect(github.comments[0]!.body).not.toContain('::error');
    expect(plan!.log).toMatch(/^::error title=CONN_UNREACHABLE::/m);
  });

  test('from a fork is validated, and nothing more', async () => {
    const runs = await onPullRequest(pullRequest('mallory/r'));
    expect(runs).toMatchObject({ validate: { result: 'success' }, plan: { result: 'skipped' } });
    expect(github.calls).toEqual([]);
  });

  test('without the permission to comment still gets its plan, in the summary, and is told why', async () => {
    github.refuse(403);
    const { plan } = await onPullRequest();
    expect(plan!.result).toBe('success');
    expect(plan!.log).toContain(
      '::warning title=osapi-ops::no comment was written: the job needs `permissions: pull-requests: write`',
    );
    expect(plan!.summary).toContain('### Plan for');
    expect(github.comments).toEqual([]);
  });

  test('gets its comment also where GitHub stumbles once', async () => {
    github.refuse(502, 1);
    await onPullRequest();
    expect(github.comments).toHaveLength(1);
  });
});

describe('on main', () => {
  test('just the plan that was shown is carried out, status tells the end, and a second run has nothing to approve', async () => {
    const first = await onMain();
    expect(first).toMatchObject({
      plan: { result: 'success', outputs: { pending: 'true' } },
      apply: { result: 'success' },
      status: { result: 'success' },
    });
    expect(first.apply!.log).toContain('Applied: 4 created, 0 updated, 0 deleted, 0 unchanged.');
    expect(first.apply!.summary).toMatch(/^### osapi-ops apply\n\n<pre>\nosapi on nats:/);
    expect(first.status!.summary).toContain('### ✅ osapi is healthy');
    const second = await onMain();
    expect(second).toMatchObject({
      plan: { result: 'success', outputs: { pending: 'false' } },
      apply: { result: 'skipped' },
      status: { result: 'success' },
    });
  });

  test('a plan that no longer fits is refused with 75, and nothing is touched', async () => {
    const plan = await useAction({ command: 'plan', spec: 'config/prod.yaml', 'plan-file': join(stage.dir, 'a.plan') });
    expect(plan.result).toBe('success');
    await stage.must('osapi-ops apply config/prod.yaml');
    const apply = await useAction({ command: 'apply', 'plan-file': join(stage.dir, 'a.plan') });
    expect(apply).toMatchObject({ result: 'failure', outputs: { 'exit-code': '75' } });
    expect(apply.log).toMatch(/^::error title=PLAN_STALE::/m);
    expect(apply.summary).toContain('### osapi-ops apply ended with exit code 75');
  });
});

describe('on a schedule', () => {
  test('what died goes back and is answered, and status follows', async () => {
    await stage.must('osapi-ops apply config/prod.yaml');
    await stage.kill(8);
    const worker = stage.start('osapi-ops worker run --builtin echo');
    await worker.until('stderr', /works on REQUESTS/);
    const { replay } = await onSchedule();
    worker.child.kill('SIGTERM');
    await worker.done;
    expect(replay!.log).toContain('Replayed 8 dead letters.');
    expect(replay!.summary).toContain('### osapi-ops dlq replay\n\n<pre>\n');
    expect(replay!.summary).toContain('osapi is healthy');
    expect(replay!.result).toBe('success');
  });

  test('another run that holds the lock is no failure', async () => {
    await stage.must('osapi-ops apply config/prod.yaml');
    await stage.kill(1);
    const held = await stage.whileReplaying(() => useAction({ command: 'replay', args: '--lock-wait=200ms' }));
    expect(held).toMatchObject({ result: 'success', outputs: { 'exit-code': '75' } });
    expect(held.log).toContain('::notice title=osapi-ops::another run holds the lock');
  });
});

test('each job does its work with the permissions of its role, and no others', async () => {
  const roles = ['viewer', 'applier', 'operator'] as const;
  const secrets: Record<string, string> = {};
  const users = [];
  for (const role of roles) {
    const user = nkeys.createUser();
    const { stdout } = await stage.must(`osapi-ops permissions config/prod.yaml ${role}`);
    const [, permissions] = /(permissions: \{.*?\n {6}\})/s.exec(stdout)!;
    users.push(`{ nkey: ${user.getPublicKey()}, ${permissions} }`);
    // A secret of GitHub has lost the line break at its end.
    secrets[`NATS_${role.toUpperCase()}_CREDS`] = `eyJ0eXAi.eyJzdWIi.c2ln\n${new TextDecoder().decode(user.getSeed())}`;
  }
  await stage.end();
  stage = await openStage(
    program,
    `authorization { users = [\n{ user: admin, password: pw }\n${users.join('\n')} ] }\nno_auth_user: admin\n`,
  );
  prepareRepository();
  expect(await onPullRequest(pullRequest(), { secrets })).toMatchObject({ plan: { result: 'success' } });
  expect(github.comments[0]!.body).toContain('4 to create');
  const main = await onMain({ secrets });
  expect(main).toMatchObject({ apply: { result: 'success' }, status: { result: 'success' } });
  expect(main.apply!.log).toContain('Applied: 4 created');
  await stage.kill(6);
  const worker = stage.start('osapi-ops worker run --builtin echo');
  await worker.until('stderr', /works on REQUESTS/);
  const { replay } = await onSchedule({ secrets });
  worker.child.kill('SIGTERM');
  await worker.done;
  expect(replay).toMatchObject({ result: 'success', log: expect.stringContaining('Replayed 6 dead letters.') });

  // What the viewer's credentials cannot do shows that they were used.
  const { NATS_VIEWER_CREDS: creds } = secrets;
  await stage.must("sed -i 's/max_msgs: .*/max_msgs: 7000/' repository/config/base.yaml");
  const denied = await useAction({ command: 'apply', spec: 'config/prod.yaml', creds: creds! });
  expect(denied).toMatchObject({ result: 'failure', outputs: { 'exit-code': '77' } });
  for (const { log } of [...Object.values(main), replay!, denied]) expect(log).not.toContain(creds!.slice(-40));
});

describe('the action', () => {
  test('fails with the exit code of status, and has its troubles as annotations', async () => {
    await stage.must('osapi-ops apply config/prod.yaml');
    await stage.kill(2);
    const status = await useAction({ command: 'status' });
    expect(status).toMatchObject({ result: 'failure', outputs: { 'exit-code': '2' } });
    expect(status.log).toMatch(/^::warning title=osapi REQUESTS\.dead::2 messages are dead/m);
    expect(status.summary).toContain('osapi is degraded');
    expect((await useAction({ command: 'status', args: '--fail-on=critical' })).result).toBe('success');
  });

  test('keeps credentials out of the log, and in no file once it is done', async () => {
    const creds = 'hunter2\nSUAEXAMPLE-of-a-seed';
    const { result, log, temp } = await useAction({ command: 'plan', spec: 'config/prod.yaml', creds });
    expect(result).toBe('failure');
    expect(log).toContain('Error: creds: this is no credentials file');
    for (const secret of [...creds.split('\n'), TOKEN]) expect(log).not.toContain(secret);
    expect(leftIn(temp)).toEqual([]);
  });

  test.each(['INPUT_CREDS', 'INPUT_GITHUB_TOKEN'])('lets no spec take %s into what it shows', async (name) => {
    edit('config/base.yaml', /description: .*/, `description: \${${name}:-nothing}`);
    const over = { github: { token: TOKEN, repository: 'o/r', api_url: github.url, event: pullRequest() } };
    const creds = `eyJ0eXAi.eyJzdWIi.c2ln\n${new TextDecoder().decode(nkeys.createUser().getSeed())}`;
    const { result, summary } = await useAction({ command: 'plan', spec: 'config/prod.yaml', creds }, over);
    expect({ result, summary }).toMatchObject({ result: 'success', summary: expect.stringContaining('nothing') });
    expect(github.comments[0]!.body).toContain('<code>nothing</code>');
  });

  test('reads none of its inputs as code', async () => {
    const spec = '$(touch pwned) `touch pwned`; touch pwned.yaml';
    cpSync(join(repository, 'config/base.yaml'), join(repository, spec));
    const { result, log } = await useAction({
      command: 'plan',
      spec,
      args: '--prune\r\n\n',
      'plan-file': join(stage.dir, '$(touch pwned).plan'),
    });
    expect({ result, log }).toMatchObject({ result: 'success' });
    expect(existsSync(join(stage.dir, '$(touch pwned).plan'))).toBe(true);
    expect(globSync('**/pwned', { cwd: stage.dir })).toEqual([]);
    const odd = await useAction({ command: 'status; touch pwned' });
    expect(odd).toMatchObject({ result: 'failure', outputs: { 'exit-code': '64' } });
  });

  test('comments on nothing where there is no pull request', async () => {
    await useAction({ command: 'plan', spec: 'config/prod.yaml' });
    expect(github.calls).toEqual([]);
  });

  test('cannot be left by a key that ends the marker', async () => {
    const event = pullRequest();
    const spec = 'a --><b>.yaml';
    cpSync(join(repository, 'config/base.yaml'), join(repository, spec));
    const over = { github: { token: TOKEN, repository: 'o/r', api_url: github.url, event } };
    await useAction({ command: 'plan', spec }, over);
    await useAction({ command: 'plan', spec }, over);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]!.body).toMatch(/^<!-- osapi-ops plan: a%20-%2D%3E%3Cb%3E\.yaml -->\n/);
  });
});

describe('the installation', () => {
  let tarball: string;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'osapi-ops-packed-'));
    const pack = await runCli(['--silent', '--pack-destination', dir], {
      command: ['npm', 'pack'],
      env: { HOME: process.env.HOME },
    });
    tarball = join(dir, pack.stdout.trim().split('\n').at(-1)!);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('brings the package that the version names, for all steps that follow', async () => {
    const env = { PATH: process.env.PATH!, npm_config_cache: join(dir, 'cache') };
    const bare = { skip: () => false, env };
    const { result, log } = await useAction(
      { command: 'validate', spec: 'config/prod.yaml', version: `file:${tarball}` },
      bare,
    );
    expect({ result, log }).toMatchObject({ result: 'success' });
    expect(log).toMatch(/^osapi-ops\/\d/m);
    expect(log).toContain('config/prod.yaml: valid, no warnings.');
  });

  test('takes what is on PATH where it is told so', async () => {
    const { result, log } = await useAction(
      { command: 'validate', spec: 'config/prod.yaml', version: 'path' },
      { skip: () => false },
    );
    expect({ result, log }).toMatchObject({ result: 'success', log: expect.stringMatching(/^osapi-ops\/\d/) });
  });
});

describe('the rules for what runs with secrets', () => {
  const steps = workflows.flatMap((file) => Object.values(readYaml<Workflow>(file).jobs).flatMap((job) => job.steps));
  const action = readYaml<Action>('action.yml');

  test('no script has an expression in it: it would be read as code', () => {
    const scripts = [...steps, ...action.runs.steps].flatMap(({ run }) => (run === undefined ? [] : [run]));
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
    expect(scripts.length).toBeGreaterThan(0);
  });

  test('what others wrote is pinned by its commit, and the action itself uses nothing', () => {
    const uses = steps.flatMap((step) => (step.uses === undefined ? [] : [step.uses]));
    expect(uses.filter((each) => !/@[0-9a-f]{40}$/.test(each))).toEqual([]);
    expect(action.runs.steps.filter((step) => step.uses !== undefined)).toEqual([]);
  });

  test('a job may read the code at most, but for the one that comments; none is started by pull_request_target', () => {
    for (const file of workflows) {
      const { on, permissions, jobs } = readYaml<Workflow>(file);
      expect(on).not.toHaveProperty('pull_request_target');
      expect([{}, { contents: 'read' }]).toContainEqual(permissions);
      const more = Object.values(jobs).flatMap((job) => (job.permissions ? [job.permissions] : []));
      for (const each of more) expect(each).toEqual({ contents: 'read', 'pull-requests': 'write' });
    }
  });

  lintShell(globSync('action/*.sh'));
  lintWorkflows(workflows);
  lintBySchema('github-workflows', workflows);
  lintBySchema('github-actions', ['action.yml']);
});
