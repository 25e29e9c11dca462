import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openStage, type Stage } from '../support/example-stage.ts';
import { lintShell } from '../support/linters.ts';
import { warmProgram } from '../support/warm-program.ts';

const FOLDER = 'examples/cron';
/** User, then the command: what comes after the five fields of time. */
const LINE = /^(?:[\d*/,-]+ +){5}(\S+) +(.+)$/;
const crontab = readFileSync(`${FOLDER}/crontab`, 'utf8').split('\n');
const jobs = crontab.flatMap((line) => LINE.exec(line)?.[2] ?? []);

const program = warmProgram();
let stage: Stage;
beforeEach(async () => {
  stage = await openStage(program);
  cpSync(`${FOLDER}/osapi-ops-cron`, join(stage.dir, '.home/bin/osapi-ops-cron'));
});
afterEach(() => stage.end());

const cron = (command: string) => stage.shell(`OSAPI_OPS_CRON_STATE=$PWD/state ${command}`);
const stateFile = (): string => join(stage.dir, globSync('state/*.state', { cwd: stage.dir })[0]!);

test('every line of the crontab is a variable or a job, and each job is silent on a healthy system', async () => {
  const others = crontab.filter((line) => line !== '' && !line.startsWith('#') && !/^[A-Z_]+=\S/.test(line));
  expect(jobs).toHaveLength(others.length);
  expect(jobs.length).toBeGreaterThan(1);
  await stage.must('osapi-ops apply config/prod.yaml');
  for (const job of jobs) expect({ job, ...(await cron(job)) }).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('the same command never runs twice at once, and that is told only when it goes on', async () => {
  await stage.must('osapi-ops apply config/prod.yaml');
  const first = stage.start('OSAPI_OPS_CRON_STATE=$PWD/state exec osapi-ops-cron status --watch');
  const isHeld = 'for _ in $(seq 100); do flock --nonblock state/*.lock true || exit 0; sleep 0.05; done; exit 1';
  expect((await stage.shell(`sleep 0.2; ${isHeld}`)).code).toBe(0);
  const runs = [];
  for (let n = 0; n < 4; n++) runs.push(await cron('osapi-ops-cron status --watch'));
  expect(runs.map(({ code }) => code)).toEqual([75, 75, 75, 75]);
  const told = 'osapi-ops status --watch: exit code 75\n\nthe last run of this is still at work\n';
  expect(runs.map(({ stdout }) => stdout)).toEqual(['', '', told, '']);
  // Another command is not held up.
  expect(await cron('osapi-ops-cron status')).toMatchObject({ code: 0, stdout: '' });
  // What was killed holds nothing.
  await stage.shell(`pkill --signal KILL --parent ${first.pid}`);
  first.child.kill('SIGKILL');
  await first.done;
  // A process that is killed takes a moment to go.
  const isFree = 'for lock in state/*.lock; do flock --wait 10 "$lock" true || exit 1; done';
  expect((await stage.shell(isFree)).code).toBe(0);
});

test('a trouble that stays is told again after six hours', async () => {
  await stage.must('osapi-ops apply config/prod.yaml');
  await stage.kill(1);
  const runs = [await cron('osapi-ops-cron status'), await cron('osapi-ops-cron status')];
  const hours = (count: number) => Math.floor(Date.now() / 1000) - count * 3600;
  for (const ago of [5, 7]) {
    const [told, , tries] = readFileSync(stateFile(), 'utf8').trim().split(' ');
    writeFileSync(stateFile(), `${told} ${hours(ago)} ${tries}\n`);
    runs.push(await cron('osapi-ops-cron status'));
  }
  expect(runs.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  expect(runs.map(({ stdout }) => stdout.includes('exit code 2\n'))).toEqual([true, false, false, true]);
});

lintShell([`${FOLDER}/osapi-ops-cron`, ...globSync(['examples/*/*.sh', 'scripts/hooks/*', '.ci/run'])]);
