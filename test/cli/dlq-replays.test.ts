import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startCli } from '../support/cli.ts';
import { makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { needing } from '../support/needing.ts';
import { startInTerminal } from '../support/pty.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats } = lab);
});
beforeEach(async () => {
  await wipe(nats);
  await makeQueue(nats);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-replays-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const dlq = (...args: string[]) => runCli(['dlq', ...args], { server, cwd });
const replays = async () => JSON.parse((await dlq('replays', 'ls', '--json')).stdout) as Record<string, unknown>[];
const slowly = () =>
  startCli(['dlq', 'replay', '--where', 'subject=requests.*', '--rate', '1/s', '--json'], { server, cwd });

/** The one that runs, once it has moved something. */
async function running(): Promise<string> {
  let id = '';
  await until(async () => {
    const [run] = await replays();
    if (run?.state !== 'running' || run.replayed === 0) return false;
    id = run.id as string;
    return true;
  }, 'a replay runs and has moved something');
  return id;
}

test('a replay is seen from elsewhere while it runs, is stopped from there, and ends as by Ctrl-C', async () => {
  await makeDead(nats, 100);
  const going = slowly();
  const id = await running();
  const [run] = await replays();
  expect(run).toMatchObject({
    chosen: 100,
    queues: ['REQUESTS'],
    pid: going.pid,
    line: expect.stringContaining('--rate 1/s'),
  });
  expect(run!.seconds_left).toBeGreaterThan(0);
  const stopped = await dlq('replays', 'stop', id, '--json');
  expect(stopped.code).toBe(0);
  const { code, stdout } = await going.done;
  expect(code).toBe(130);
  const { error, replayed, remaining } = JSON.parse(stdout);
  expect(error.message).toMatch(/^stopped by .+ on .+: \d+ replayed, \d+ remain$/);
  expect(replayed + remaining).toBe(100);
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    state: 'interrupted',
    replayed,
    waiting: remaining,
    stopped_by: expect.stringContaining(' on '),
  });
  // What ended is left as it is.
  expect(await dlq('replays', 'stop', id)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('go on'),
    stderr: expect.stringContaining('nothing was stopped: it is interrupted'),
  });
  const shown = (await dlq('replays', 'show', id)).stdout;
  expect(shown).toContain("osapi-ops dlq replay --where 'subject=requests.*' --rate 1/s");
  expect(await dlq('replay')).toMatchObject({ code: 0 });
  expect(await replays()).toMatchObject([{ state: 'done', chosen: remaining }, { state: 'interrupted' }]);
});

test('a replay of all queues names those of which it chose some', async () => {
  await makeQueue(nats, { stream: 'MAIL', consumer: 'mailer', subjects: ['mail.*'] });
  await makeDead(nats, 2);
  expect(await dlq('replay', '--where', 'subject=requests.*')).toMatchObject({ code: 0 });
  expect(await replays()).toMatchObject([{ queues: ['REQUESTS'], chosen: 2 }]);
});

test('one that was killed is unfinished, with the line that goes on', async () => {
  await makeDead(nats, 100);
  const going = slowly();
  const id = await running();
  going.child.kill('SIGKILL');
  await going.done;
  await until(async () => (await replays())[0]!.state === 'unfinished', 'it was not heard of');
  const { stdout } = await dlq('replays', 'show', id);
  expect(stdout).toMatch(/state +unfinished/);
  expect(stdout).toMatch(/go on +osapi-ops dlq replay --where/);
});

test('what failed and what died again is listed with its reason', async () => {
  await makeDead(nats, 2);
  await nats.api('STREAM.UPDATE.REQUESTS', {
    ...((await nats.api('STREAM.INFO.REQUESTS')).config as object),
    subjects: ['other.*'],
  });
  expect((await dlq('replay')).code).toBe(1);
  const [run] = await replays();
  expect(run).toMatchObject({ state: 'failed', failed: 2 });
  expect((await dlq('replays', 'ls', '--state', 'failed', '--queue', 'REQUESTS')).stdout).toContain(run!.id);
  for (const args of [
    ['--state', 'done'],
    ['--queue', 'OTHER'],
  ])
    expect(await dlq('replays', 'ls', ...args)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('no replay is like that'),
    });
  expect((await dlq('replays', 'show', run!.id as string)).stdout).toMatch(/What failed or died again\n {2}REQUESTS\//);
});

test('an id that is not there is an error; where nothing was replayed nothing is listed; a forged record is none', async () => {
  expect(await dlq('replays', 'ls')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('no replay'),
  });
  for (const verb of ['show', 'stop']) {
    expect(await dlq('replays', verb, '20260102T030000000Z-abcdef')).toMatchObject({ code: 1 });
    expect(await dlq('replays', verb, '>')).toMatchObject({ code: 1 });
  }
  // A line to type in what an error says leads to the server that was named.
  const far = await runCli(['dlq', 'replays', 'show', '20260102T030000000Z-abcdef', '-s', server.url], { cwd });
  expect(far.stderr).toContain(`Try: \`osapi-ops dlq replays ls --server ${server.url}\` prints the ids\n`);
  expect((await dlq('replay')).code).toBe(0);
  expect(await replays()).toEqual([]);
  await makeDead(nats, 1);
  expect((await dlq('replay')).code).toBe(0);
  await put(nats, '$KV.osapi_ops.replay.20260102T030000000Z-abcdef', '{"id":"x\\u001b[2J"}');
  expect(await replays()).toHaveLength(1);
});

needing('a pseudo-terminal').test.each([60, 80, 120])(
  'on a terminal of %i columns no row is broken',
  async (columns) => {
    await makeDead(nats, 3);
    expect((await dlq('replay')).code).toBe(0);
    const terminal = startInTerminal(['dlq', 'replays', 'ls', '--no-pager'], { server, cwd, columns });
    expect(await terminal.done).toBe(0);
    const rows = terminal.text().split('\n').filter(Boolean);
    expect(rows[0]).toMatch(/^ID +STATE .*HOW FAR$/);
    expect(rows[1]).toMatch(/3 of 3/);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
  },
);
