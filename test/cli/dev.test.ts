import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processIdentity } from '../../src/lib/devserver/identity.ts';
import type { DevReport } from '../../src/lib/model/dev.ts';
import { type CliProcess, ROOT, runCli, startCli } from '../support/cli.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { until } from '../support/until.ts';

let project: string;
let env: Record<string, string>;
const started: CliProcess[] = [];

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'osapi-ops-dev-'));
  env = { XDG_CONFIG_HOME: join(project, 'config-home') };
});

afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  await runCli(['dev', 'stop'], { cwd: project, env });
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
});

const start = (...args: string[]): CliProcess => {
  const cli = startCli(['dev', '--json', ...args], { cwd: project, env });
  started.push(cli);
  return cli;
};

/** The command lines on Linux that name this folder. */
const running = (folder: string): string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });

const whenReady = async (cli: CliProcess): Promise<DevReport> =>
  JSON.parse((await cli.until('stdout', /^\{[\s\S]*^\}/m, 60_000))[0]);

const answers = (report: DevReport): Promise<boolean> =>
  fetch(`${report.monitor[0]}/healthz`).then(
    (response) => response.ok,
    () => false,
  );

/** Waits until none of the processes runs any more, and fails where one stays. */
async function expectGone(pids: readonly number[]): Promise<void> {
  await until(() => pids.every((pid) => processIdentity(pid) === undefined), 'all of them are gone');
}

const contextFile = (): string => join(project, 'config-home', 'nats', 'context', 'osapi-dev.json');

describe('dev', () => {
  test('prints the URL alone on stdout when JetStream answers there, on loopback only', async () => {
    const cli = startCli(['dev'], { cwd: project, env });
    started.push(cli);
    const [url] = await cli.until('stdout', /^nats:\/\/127\.0\.0\.1:\d+\n/);
    const status = await runCli(['dev', 'status', '--json'], { cwd: project, env });
    const report = JSON.parse(status.stdout) as DevReport;
    expect(report.url).toBe(url.trim());
    const jsz = (await (await fetch(`${report.monitor[0]}/jsz`)).json()) as { config: { store_dir: string } };
    expect(jsz.config.store_dir).toContain(join(project, '.osapi-dev'));
    expect(readFileSync(join(report.data, 'n1.conf'), 'utf8').match(/127\.0\.0\.1|0\.0\.0\.0/g)).toEqual(
      expect.not.arrayContaining(['0.0.0.0']),
    );
    expect(cli.stderr()).toContain('end it: Ctrl-C');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it with 0 and leaves no process, no context and no state`, async () => {
      const cli = start('--context');
      const report = await whenReady(cli);
      expect(JSON.parse(readFileSync(contextFile(), 'utf8')).url).toBe(report.url);
      cli.child.kill(signal);
      expect((await cli.done).code).toBe(0);
      await expectGone(report.pids);
      expect(existsSync(contextFile())).toBe(false);
      expect((await runCli(['dev', 'status'], { cwd: project, env })).code).toBe(1);
    });
  }

  needing('a pseudo-terminal').test('Ctrl-C on a terminal ends it with 0, and the terminal shows the URL', async () => {
    const terminal = startInTerminal(['dev'], { cwd: project, env });
    await terminal.expect(/nats:\/\/127\.0\.0\.1:\d+\n/);
    terminal.send(KEY.ctrlC);
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).toContain('stopped; the data is kept');
  });

  test('a kill -9 leaves no server behind, and the next one starts at once on the same data', async () => {
    const cli = start('--context');
    const report = await whenReady(cli);
    cli.child.kill('SIGKILL');
    await cli.done;
    const again = start();
    const next = await whenReady(again);
    await expectGone(report.pids);
    expect(next.data).toBe(report.data);
    expect(await answers(next)).toBe(true);
    expect(existsSync(contextFile())).toBe(false);
  });

  test('a kill -9 while it is still starting leaves no server behind', async () => {
    const cli = start('--cluster', '3');
    const stateFile = join(project, '.osapi-dev', 'state.json');
    let pids: number[] = [];
    for (let round = 0; round < 2000 && pids.length === 0; round++) {
      await sleep(2);
      if (existsSync(stateFile))
        pids = Object.keys(JSON.parse(readFileSync(stateFile, 'utf8')).servers ?? {}).map(Number);
    }
    cli.child.kill('SIGKILL');
    expect(pids.length).toBeGreaterThan(0);
    await expectGone(pids);
    // Nor one that it had begun to start, and has not told of.
    if (process.platform === 'linux') await until(() => running(project).length === 0, 'nothing of the project runs');
  });

  test('data is kept from one run to the next, and --fresh drops it', async () => {
    const keep = async (flags: string[], act: (report: DevReport) => Promise<void>): Promise<void> => {
      const cli = start(...flags);
      await act(await whenReady(cli));
      cli.child.kill('SIGTERM');
      await cli.done;
    };
    const streams = async (report: DevReport): Promise<number> =>
      ((await (await fetch(`${report.monitor[0]}/jsz`)).json()) as { streams: number }).streams;
    await keep([], async (report) =>
      request(report, '$JS.API.STREAM.CREATE.KEPT', { name: 'KEPT', subjects: ['kept'] }),
    );
    await keep([], async (report) => expect(await streams(report)).toBe(1));
    await keep(['--fresh'], async (report) => expect(await streams(report)).toBe(0));
  });

  test('the port is that of the last time, and another where that is taken', async () => {
    const first = start();
    const { port } = await whenReady(first);
    first.child.kill('SIGTERM');
    await first.done;
    const second = start();
    expect(await whenReady(second)).toMatchObject({ port });
    second.child.kill('SIGTERM');
    await second.done;
    const guest = createServer().listen(port, '127.0.0.1');
    try {
      const third = await whenReady(start());
      expect(third.port).not.toBe(port);
      expect(await answers(third)).toBe(true);
    } finally {
      guest.close();
    }
  });

  test('--apply and --worker make a system that answers; both end with it, and when it is killed', async () => {
    writeFileSync(join(project, 'osapi-ops.yaml'), readFileSync(join(ROOT, 'config/base.yaml'), 'utf8'));
    writeFileSync(join(project, 'answer.mjs'), 'export default ({ id }) => ({ id, pid: process.pid });\n');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const cli = start('--apply', 'osapi-ops.yaml', '--worker', 'answer.mjs');
      const report = await whenReady(cli);
      const sent = await runCli(['request', 'send', 'dns', '{"query":"q"}', '--wait'], {
        cwd: project,
        env: { ...env, NATS_URL: report.url },
      });
      expect(sent).toMatchObject({ code: 0 });
      const { pid } = JSON.parse(sent.stdout);
      cli.child.kill(signal);
      await cli.done;
      await expectGone([...report.pids, pid]);
      expect(cli.stderr()).toContain('works on REQUESTS/request-worker');
    }
  });

  test('a spec that cannot be applied ends it, and the reason is told', async () => {
    writeFileSync(join(project, 'broken.yaml'), 'version: 1\nname: shop\nqueues: {Q: {subjects: 5}}\n');
    const { code, stderr } = await start('--apply', 'broken.yaml').done;
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('broken.yaml:3:') });
    expect(stderr).toContain('broken.yaml could not be applied to the development server');
    expect((await runCli(['dev', 'status'], { cwd: project, env })).code).toBe(1);
  });

  test('a second one in the same project is refused and says where the first is', async () => {
    const report = await whenReady(start());
    const second = await runCli(['dev'], { cwd: project, env });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(report.url);
    expect(second.stderr).toContain('dev stop');
    expect(await answers(report)).toBe(true);
  });

  test('a port that is taken is named', async () => {
    const report = await whenReady(start());
    const other = mkdtempSync(join(project, 'other-'));
    const second = await runCli(['dev', '--dir', other, '--port', String(report.port)], { cwd: project, env });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`port ${report.port} is taken`);
  });

  test('--cluster 3 is three nodes that know each other, and all of them end', async () => {
    const cli = start('--cluster', '3');
    const report = await whenReady(cli);
    expect(report.urls).toHaveLength(3);
    const jsz = await Promise.all(
      report.monitor.map(
        async (url) => (await (await fetch(`${url}/jsz`)).json()) as { meta_cluster: { cluster_size: number } },
      ),
    );
    expect(jsz.map(({ meta_cluster }) => meta_cluster.cluster_size)).toEqual([3, 3, 3]);
    cli.child.kill('SIGTERM');
    expect((await cli.done).code).toBe(0);
    await expectGone(report.pids);
  });

  test('a context of that name that somebody else wrote is not touched', async () => {
    const cli = start('--context');
    await whenReady(cli);
    cli.child.kill('SIGTERM');
    await cli.done;
    const theirs = '{"url":"nats://theirs.example:4222"}';
    writeFileSync(contextFile(), theirs);
    const refused = await runCli(['dev', '--context'], { cwd: project, env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(contextFile());
    expect(readFileSync(contextFile(), 'utf8')).toBe(theirs);
  });

  test('a cluster of two is refused, with the reason', async () => {
    const refused = await runCli(['dev', '--cluster', '2'], { cwd: project, env });
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining('odd number')]);
  });

  test('a program in OSAPI_OPS_NATS_SERVER that is none is named, and nothing else is tried', async () => {
    const none = await runCli(['dev', '--json'], { cwd: project, env: { ...env, OSAPI_OPS_NATS_SERVER: '/bin/true' } });
    expect(none.code).toBe(69);
    expect(JSON.parse(none.stdout).error.code).toBe('DEV_NO_SERVER');
  });
});

describe('dev --detach, dev status, dev stop', () => {
  test('it returns when the server is ready; status finds it from a folder below; stop ends it and keeps the data', async () => {
    const detached = await runCli(['dev', '--json'], { cwd: project, env: { ...env, OSAPI_OPS_DETACH: '1' } });
    expect(detached.code).toBe(0);
    const report = JSON.parse(detached.stdout) as DevReport;
    expect(await answers(report)).toBe(true);
    const again = await runCli(['dev', '--detach'], { cwd: project, env });
    expect([again.code, again.stdout.trim()]).toEqual([0, report.url]);
    const below = mkdtempSync(join(project, 'below-'));
    const status = await runCli(['dev', 'status', '--json'], { cwd: below, env });
    expect(JSON.parse(status.stdout)).toMatchObject({ running: true, url: report.url, pid: report.pid });
    const stopped = await runCli(['dev', 'stop'], { cwd: below, env });
    expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringContaining(report.url)]);
    await expectGone([report.pid, ...report.pids]);
    expect(existsSync(report.data)).toBe(true);
    expect((await runCli(['dev', 'stop'], { cwd: project, env })).code).toBe(0);
  });

  test('a pid that was given to somebody else since is not killed', async () => {
    const detached = await runCli(['dev', '--detach', '--json'], { cwd: project, env });
    const report = JSON.parse(detached.stdout) as DevReport;
    await runCli(['dev', 'stop'], { cwd: project, env });
    const bystander = startCli([], { command: ['sleep', '60'] });
    const stale = {
      pid: bystander.pid,
      identity: 'of a process long gone',
      servers: { [bystander.pid]: 'too' },
      server: report,
    };
    writeFileSync(join(project, '.osapi-dev', 'state.json'), JSON.stringify(stale));
    expect((await runCli(['dev', 'status'], { cwd: project, env })).code).toBe(1);
    expect((await runCli(['dev', 'stop'], { cwd: project, env })).code).toBe(0);
    expect(processIdentity(bystander.pid)).toBeDefined();
    bystander.child.kill();
    await bystander.done;
  });
});

/** One request over a bare connection: enough to make a stream. */
async function request(report: DevReport, subject: string, body: object): Promise<void> {
  const { connect } = await import('@nats-io/transport-node');
  const connection = await connect({ servers: report.url });
  await connection.request(subject, JSON.stringify(body));
  await connection.close();
}
