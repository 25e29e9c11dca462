import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { parseArchiveLine } from '../../src/lib/dlq/archive.ts';
import { advisorySubject, failureKey } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { BIN, cleanEnv, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { advisory, letDie, makeDead, makeQueue, pull, put, putReject, wipe } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: TestServer;
let nats: Nats;
let cwd: string;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-where-'));
});
afterAll(async () => {
  await nats?.close();
  await server?.stop();
  rmSync(cwd, { recursive: true, force: true });
});

const HOSTILE = ['it\'s $(touch pwned) `id` "x"', 'two\nlines \u001b[2J', '*', '; exit 7 #', 'a\\x41'];

/** Dead letters that differ in a value that somebody else chose. */
beforeEach(async () => {
  await wipe(nats);
  await makeQueue(nats);
  for (const value of HOSTILE) {
    const about = headers();
    about.set('Team', 'red');
    await put(nats, 'requests.dns', JSON.stringify({ error: value }), about);
  }
  await put(nats, 'requests.raw', '{"error":"other"}');
  await letDie(nats);
});

const dlq = (...args: string[]) => runCli(['dlq', ...args], { server, cwd });
const stored = async (stream: string): Promise<number> => {
  const info = (await nats.api(`STREAM.INFO.${stream}`)) as unknown as { state: { messages: number } };
  return info.state.messages;
};

/** A line as a person pastes it into a shell that has the CLI on its path. */
function paste(line: string): string {
  const bin = join(cwd, 'osapi-ops');
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(bin, 0o755);
  const env = cleanEnv({ server });
  return execFileSync('bash', ['-c', line], { cwd, env: { ...env, PATH: `${cwd}:${env.PATH}` }, encoding: 'utf8' });
}

test('words of workers that differ in numbers alone are one cause, which every verb chooses as it is shown', async () => {
  await wipe(nats);
  await makeQueue(nats);
  const words = [
    'timeout after 3021ms',
    'timeout after 2980ms',
    'timeout after a break of 5ms',
    "$(touch pwned) 'x' 1 s",
  ];
  for (const [index, reason] of [...words, "$(touch pwned) 'x' 2 s"].entries())
    await putReject(nats, index + 1, `r${index}`, { reason });
  const { stdout } = await dlq('stats', '--by', 'detail');
  expect(stdout).toMatch(/^ +2 {2}timeout after #ms .* osapi-ops dlq replay --where 'detail=timeout after #ms'$/m);
  expect(stdout).toMatch(/^ +1 {2}timeout after a break of 5ms /m);
  expect(
    (await dlq('ls', '--where', 'detail=timeout after #ms', '--columns', 'request,why', '--sort', 'id')).stdout,
  ).toBe('REQUEST  WHY\nr0       timeout after 3021ms\nr1       timeout after 2980ms\n');
  const { groups } = JSON.parse((await dlq('stats', '--by', 'detail', '--json')).stdout) as {
    groups: { by: Record<string, string>; count: number; replay: string; where: string[] }[];
  };
  const hostile = groups.find(({ by }) => by.detail!.includes('pwned'))!;
  expect(hostile).toMatchObject({ by: { detail: "$(touch pwned) 'x' # s" }, where: ["detail=$(touch pwned) 'x' # s"] });
  for (const { replay, count } of groups) {
    expect(paste(`${replay} --dry-run --json`)).toContain(`"remaining": ${count}`);
    paste(replay);
  }
  expect(await stored('REQUESTS')).toBe(5);
  expect(existsSync(join(cwd, 'pwned'))).toBe(false);
});

test('each line of the stats replays just its group, whatever somebody wrote into it', async () => {
  const { groups } = JSON.parse((await dlq('stats', '--by', 'json:.error', '--json')).stdout) as {
    groups: { by: Record<string, string>; replay: string }[];
  };
  expect(groups.map(({ by }) => by['json:.error']).sort()).toEqual([...HOSTILE, 'other'].sort());
  for (const [index, { replay }] of groups.entries()) {
    expect(paste(replay)).toBe('Replayed 1 dead letter.\n');
    expect(await stored('REQUESTS_dlq')).toBe(HOSTILE.length - index);
  }
  expect(() => readFileSync(join(cwd, 'pwned'))).toThrow();
});

test('a condition chooses the same in every verb', async () => {
  const red = ['--where', 'header:Team=red', '--where', 'json:.error=*lines*'];
  const exported = (await dlq('export', ...red)).stdout.trim().split('\n');
  expect(exported.map((line) => parseArchiveLine(line, '').entry.seq)).toEqual([2]);
  expect((await dlq('stats', ...red)).stdout).toMatch(/^COUNT.*\n +1 /);
  expect(JSON.parse((await dlq('show', ...red, '--json')).stdout)).toMatchObject({ seq: 2 });
  expect(JSON.parse((await dlq('replay', ...red, '--dry-run', '--json')).stdout)).toMatchObject({ remaining: 1 });
  expect(JSON.parse((await dlq('purge', ...red, '--dry-run', '--json')).stdout)).toMatchObject({ purged: 1 });
  expect((await dlq('purge', ...red, '--yes', '--archive', 'gone.ndjson')).code).toBe(0);
  expect(await stored('REQUESTS')).toBe(HOSTILE.length);
  const none = ['import', 'gone.ndjson', '--where', 'header:Team=blue', '--json'];
  expect(JSON.parse((await dlq(...none)).stdout)).toMatchObject({ imported: 0 });
  expect(JSON.parse((await dlq('import', 'gone.ndjson', ...red, '--json')).stdout)).toMatchObject({ imported: 1 });
  await nats.api('STREAM.PURGE.REQUESTS_dlq');
  expect(JSON.parse((await dlq('rebuild', '--where', 'subject=*.raw', '--json')).stdout)).toMatchObject({ rebuilt: 1 });
});

test('what a worker wrote down of the last delivery is chosen, counted and listed alike', async () => {
  expect((await dlq('replay', '--limit', '1')).code).toBe(0);
  await letDie(nats);
  const { time, seq } = await nats
    .api('STREAM.MSG.GET.REQUESTS', { last_by_subj: 'requests.dns' })
    .then(({ message }) => message as { time: string; seq: number });
  const failure = {
    stream: 'REQUESTS',
    consumer: 'request-worker',
    seq,
    published_at: new Date(Math.floor(Date.parse(time))).toISOString(),
    delivery: 1,
    kind: 'failed',
    reason: 'ETIMEDOUT: db is down',
    at: new Date().toISOString(),
    worker: 'w',
  };
  await put(nats, `$KV.osapi_ops.${failureKey('REQUESTS', seq)}`, JSON.stringify(failure));
  const down = ['--where', 'detail=*db is down'];
  expect(JSON.parse((await dlq('ls', ...down, '--json')).stdout)).toMatchObject([
    { seq, detail: 'ETIMEDOUT: db is down' },
  ]);
  expect((await dlq('ls')).stdout).toContain('ETIMEDOUT: db is down');
  expect((await dlq('stats', '--by', 'detail')).stdout).toContain("--where 'detail=ETIMEDOUT: db is down'");
  expect(JSON.parse((await dlq('replay', ...down, '--json')).stdout)).toMatchObject({ replayed: 1 });
});

test('new deaths are watched for by a condition, and waiting requests are listed by one', async () => {
  const watch = startCli(['dlq', 'watch', '--ndjson', '--where', 'json:.n=2'], { server, cwd });
  await watch.until('stderr', /watching REQUESTS/);
  for (const n of [1, 2, 3]) await put(nats, 'requests.new', `{"n":${n}}`);
  const waiting = await runCli(['request', 'ls', '--json', '--where', 'json:.n!=2', '--limit', '2'], { server, cwd });
  expect(JSON.parse(waiting.stdout)).toHaveLength(2);
  expect(await runCli(['request', 'ls', '--where', 'detail=x'], { server, cwd })).toMatchObject({ code: 64 });
  await letDie(nats);
  const [line] = await watch.until('stdout', /.+\n/);
  expect(JSON.parse(line)).toMatchObject({ seq: HOSTILE.length + 3 });
  watch.child.kill('SIGINT');
  expect((await watch.done).stdout.trim().split('\n')).toHaveLength(1);
});

needing('a pseudo-terminal').test.each([60, 80, 120])(
  'on a terminal of %i columns the rows of the stats fit, and their lines are whole',
  async (columns) => {
    const long = 'connection refused by a server with a long name '.repeat(4).trim();
    await put(nats, 'requests.dns', JSON.stringify({ error: long }));
    await letDie(nats);
    const terminal = startInTerminal(['dlq', 'stats', '--by', 'json:.error', '--no-pager'], { server, cwd, columns });
    expect(await terminal.done).toBe(0);
    const shown = terminal.text().split('\n');
    expect(shown.some((line) => line.includes(`json:.error=${long}'`))).toBe(true);
    for (const line of shown) if (/^ *\d/.test(line)) expect(line.length).toBeLessThanOrEqual(columns);
    expect((await dlq('stats', '--by', 'json:.error')).stdout.split(long)).toHaveLength(3);
  },
);

needing('a pseudo-terminal').test('Ctrl-C behind a progress line leaves the error a line of its own', async () => {
  const terminal = startInTerminal(['dlq', 'replay', '--rate', '1/s', '--yes'], { server, cwd });
  await terminal.expect(/Replaying REQUESTS.*: \d+ of 6/);
  terminal.send(KEY.ctrlC);
  expect(await terminal.done).not.toBe(0);
  // What stands before it in its line was wiped out.
  expect(terminal.raw()).toMatch(/(?:\n|\r\u001b\[K)(?:\u001b\[[\d;]*m)*Error:/);
});

test('a queue that lies parked is counted so, and the line that its group has tries it again', async () => {
  await wipe(nats);
  await makeQueue(nats);
  await makeDead(nats, 2);
  for (let round = 0; round < 3; round++) {
    expect((await dlq('replay')).code).toBe(0);
    await letDie(nats);
  }
  expect(await dlq('replay')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing was replayed/) });
  expect(JSON.parse((await dlq('ls', '--state', 'parked', '--json')).stdout)).toHaveLength(2);
  expect((await dlq('ls', '--state', 'replayable')).stderr).not.toContain('replayable\n');
  const { groups } = JSON.parse((await dlq('stats', '--by', 'state', '--json')).stdout);
  expect(groups).toMatchObject([{ by: { state: 'parked' }, count: 2 }]);
  expect(paste(groups[0].replay)).toBe('Replayed 2 dead letters.\n');
  await letDie(nats);
  await makeDead(nats, 3);
  await put(nats, advisorySubject('max_deliveries', 'REQUESTS', 'request-worker'), advisory({ stream_seq: 999 }));
  const stats = async (...args: string[]) => JSON.parse((await dlq('stats', '--json', ...args)).stdout);
  expect(await stats('--state', 'gone')).toMatchObject({ total: 1, groups: [{ count: 1, replay: null }] });
  const limited = await stats('--limit', '2');
  expect(limited).toMatchObject({ total: 2, groups: [{ count: 2 }] });
  expect(paste(limited.groups[0].replay)).toBe('Replayed 2 dead letters.\n');
  await letDie(nats);
  const both = await stats();
  expect(both).toMatchObject({ total: 5, groups: [{ count: 5 }] });
  expect(paste(both.groups[0].replay)).toBe('Replayed 5 dead letters.\n');
});

test('a list says how many there are in all, is sorted, and has the columns that are asked for', async () => {
  const limited = await dlq('ls', '--limit', '2');
  expect(limited.stdout.trim().split('\n')).toHaveLength(3);
  expect(limited.stderr).toBe(`2 of ${HOSTILE.length + 1}: 2 replayable\n`);
  expect((await dlq('ls', '--limit', '6')).stderr).toBe('6 replayable\n');
  const seqs = async (...args: string[]) =>
    (JSON.parse((await dlq('ls', '--json', ...args)).stdout) as { seq: number }[]).map(({ seq }) => seq);
  expect(await seqs('--sort', 'id', '--limit', '2')).toEqual([1, 2]);
  expect(await seqs('--sort', 'subject', '--reverse', '--limit', '1')).toEqual([HOSTILE.length + 1]);
  expect(await seqs('--sort', 'detail')).toEqual(await seqs('--sort', 'why'));
  expect((await dlq('ls', '--columns', 'request,id')).stdout).toMatch(/^REQUEST +ID\n/);
  expect((await dlq('ls', '--wide')).stdout).toMatch(/ SIZE /);
  for (const wrong of [['--columns', 'colour'], ['--sort', 'colour'], ['--reverse'], ['--since', '25:00']]) {
    expect(await dlq('ls', ...wrong)).toMatchObject({ code: 64 });
  }
  expect(await seqs('--since', 'yesterday')).toHaveLength(HOSTILE.length + 1);
  expect(await seqs('--until', '23:59:59')).toHaveLength(HOSTILE.length + 1);
  expect((await dlq('ls', '--since', '23:59:59')).stderr).toContain(
    "--since 23:59:59 is still to come today: it is yesterday's\n",
  );
});

test('ids come from a file or a pipe; one that is not there, or none at all, is an error before anything moves', async () => {
  const piped = (stdin: string, ...args: string[]) => runCli(['dlq', ...args, '--ids', '-'], { server, cwd, stdin });
  const chosen = await dlq('ls', '--ndjson', '--where', 'subject=*.raw');
  expect(JSON.parse((await piped(chosen.stdout, 'replay', '--json')).stdout)).toMatchObject({ replayed: 1 });
  writeFileSync(join(cwd, 'ids.txt'), 'REQUESTS/request-worker/1\nrequest-worker/2\n\n');
  expect(JSON.parse((await dlq('ls', '--ids', 'ids.txt', '--json')).stdout)).toHaveLength(2);
  expect(await piped('1\n99\n', 'replay')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no dead letter 99'),
  });
  writeFileSync(join(cwd, 'table.txt'), (await dlq('ls')).stdout);
  const table = await dlq('replay', '--ids', 'table.txt');
  expect(table).toMatchObject({ code: 64, stderr: expect.stringContaining('\n  at table.txt:1\n') });
  expect(table.stderr).toContain('a table holds more than ids');
  expect(await piped('', 'purge', '--yes')).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('names no dead letter'),
  });
  expect(await dlq('replay', '--ids', 'none.txt')).toMatchObject({ code: 64 });
  expect(await stored('REQUESTS_dlq')).toBe(HOSTILE.length);
  await makeQueue(nats, { stream: 'OTHER', subjects: ['other.*'], consumer: 'w' });
  await put(nats, 'other.x', '{}');
  await letDie(nats, 'OTHER', 'w');
  for (const verb of [['show'], ['replay']]) {
    expect(await dlq(...verb, '1')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('could be 2 dead letters'),
    });
  }
});

needing('a pseudo-terminal').test.each([60, 80, 120])(
  'on a terminal of %i columns a list says why, and no row is broken',
  async (columns) => {
    await nats.api('STREAM.PURGE.REQUESTS');
    await nats.api('STREAM.PURGE.REQUESTS_dlq');
    await put(nats, 'requests.dns', '{"id":"0c2f5a3e-7d7e-4b0e-9a3f-0d2f6c1b2a3d"}');
    const [message] = await pull(nats, 'REQUESTS', 'request-worker');
    message!.respond('+TERM ETIMEDOUT: the database db-7 does not answer');
    await until(async () => (await stored('REQUESTS_dlq')) === 1, 'it is recorded');
    const terminal = startInTerminal(['dlq', 'ls', '--no-pager'], { server, cwd, columns });
    expect(await terminal.done).toBe(0);
    const rows = terminal
      .text()
      .split('\n')
      .filter((line) => /^(ID|REQUESTS)/.test(line));
    expect(rows[0]).toMatch(/ WHY$/);
    expect(rows[1]).toContain('ETIMEDOUT');
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
  },
);

test('a queue that is not there is told, as it is named by --queue or by --where', async () => {
  for (const [flag, name] of [
    ['--queue', 'requests'],
    ['--where', 'queue=requests'],
  ] as const) {
    const { code, stderr } = await dlq('ls', flag, name);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/there is no queue requests/) });
  }
  expect((await dlq('ls', '--where', 'queue=REQUESTS')).code).toBe(0);
  expect((await dlq('ls', '--where', 'queue!=requests')).code).toBe(0);
  expect((await dlq('ls', '--queue', 'REQUESTS,OTHER')).stderr).toContain('--queue REQUESTS --queue OTHER');
});
