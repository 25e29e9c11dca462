import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { XMLValidator } from 'fast-xml-parser';
import { widthOf } from '../../src/lib/ui/text.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { needing } from '../support/needing.ts';
import { startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-several-'));
let here: TestServer;
let there: TestServer;

const spec = (name: string, stream: string, url: string): string => {
  const file = join(cwd, `${name}-${stream}-${new URL(url).port}.yaml`);
  writeFileSync(
    file,
    `version: 1
name: ${name}
connection: {servers: ["${url}"]}
queues:
  ${stream}:
    subjects: ["${stream}.*"]
    max_age: 0
    discard: new
    consumers:
      worker: {max_deliver: 2}
    dlq: {stream: ${stream}_dlq}
`,
  );
  return file;
};

let first: string;
let second: string;
let mail: string;
beforeAll(async () => {
  [here, there] = await Promise.all([startServer(), startServer()]);
  [first, second, mail] = [
    spec('osapi', 'REQ', here.url),
    spec('osapi', 'REQ', there.url),
    spec('mail', 'MAIL', here.url),
  ];
  for (const file of [first, second, mail]) expect((await runCli(['apply', file], { cwd })).code).toBe(0);
  const nats = await connectTo(there);
  // Nobody takes it: a warning of this one alone.
  await nats.api('CONSUMER.DELETE.REQ.worker');
  await nats.close();
});
afterAll(async () => {
  await Promise.all([here.stop(), there.stop()]);
  rmSync(cwd, { recursive: true });
});

const status = (...args: string[]) => runCli(['status', ...args], { cwd });

describe('status of several systems', () => {
  test('has a row for each, one system on two servers among them, and the worst exit code', async () => {
    expect((await status(first, mail)).code).toBe(0);
    const { code, stdout } = await status(first, second, mail);
    expect(code).toBe(2);
    const rows = stdout.split('\n').slice(0, 3);
    expect(rows[0]).toMatch(/^osapi {2}healthy {3}REQ: 0 waiting, .* \(nats:\/\/127/);
    expect(rows[1]).toMatch(/^osapi {2}critical {2}REQ: /);
    expect(rows[2]).toMatch(/^mail {3}healthy {3}MAIL: /);
    expect(stdout).toContain('consumer REQ/worker');
  });

  const { test: inTerminal } = needing('a pseudo-terminal');
  inTerminal.each([60, 80, 120])('fits a terminal of %i columns, with names of any length', async (columns) => {
    const long = 'billing-of-all-customers-in-the-european-region';
    const server = await startServer();
    for (const file of [spec('osapi', 'REQ', server.url), spec(long, 'INVOICES_OF_THE_MONTH', server.url)])
      expect((await runCli(['apply', file], { cwd })).code).toBe(0);
    const shown = async (args: readonly string[], at: { server?: TestServer }): Promise<string[]> => {
      const terminal = startInTerminal(['status', ...args], { ...at, cwd: dirname(cwd), columns, rows: 60 });
      await terminal.done;
      const lines = terminal.text().trimEnd().split('\n');
      return lines.filter((line) => !line.includes('has a warning'));
    };
    const both = await shown(['--all'], { server });
    for (const line of both) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    const text = both.join(' ').replace(/\s+/g, ' ');
    for (const [name, stream] of [
      ['osapi', 'REQ'],
      [long, 'INVOICES_OF_THE_MONTH'],
    ])
      expect(text).toContain(`${name} healthy ${stream}: 0 waiting, 0 in flight, nothing dead (${server.url})`);
    // Names that are short stand beside their figures, each line of which begins at one column.
    const short = await shown([first, mail], {});
    const column = short[0]!.indexOf('REQ:');
    expect(column).toBe('osapi  healthy  '.length);
    for (const line of short) expect(line.startsWith(' ') ? line.search(/\S/) : line.search(/REQ:|MAIL:/)).toBe(column);
    await server.stop();
  });

  test('is JSON with an array, and the keys of one beside it', async () => {
    const { code, stdout } = await status(first, second, '--json');
    const value = JSON.parse(stdout);
    expect({ code, value }).toMatchObject({
      code: 2,
      value: {
        system: null,
        health: 'critical',
        queues: [],
        systems: [
          { system: 'osapi', health: 'ok', server: here.url, queues: [{ name: 'REQ' }] },
          { system: 'osapi', health: 'critical', server: there.url },
        ],
      },
    });
    expect(JSON.parse((await status(first, '--json')).stdout)).not.toHaveProperty('systems');
  });

  test('is valid in every other form', async () => {
    const junit = await status(first, second, '--output', 'junit');
    expect(XMLValidator.validate(junit.stdout)).toBe(true);
    expect(junit.stdout.match(/<testsuite /g)).toHaveLength(2);
    const { stdout } = await status(first, second, '--output', 'prometheus');
    const names = stdout.match(/^# TYPE \S+/gm)!;
    expect(new Set(names).size).toBe(names.length);
    const samples = stdout.split('\n').filter((line) => line && !line.startsWith('#'));
    expect(new Set(samples.map((line) => line.replace(/ \S+$/, ''))).size).toBe(samples.length);
    expect(samples).toContain(`osapi_ops_health_status{server="${there.url}",system="osapi"} 2`);
    const nagios = await status(first, second, '--output', 'nagios');
    expect(nagios.code).toBe(2);
    expect(nagios.stdout).toMatch(/^osapi OK: .*; osapi CRITICAL: .* \| 'osapi connection'=/);
    expect(nagios.stdout.trimEnd()).not.toContain('\n');
    expect((await status(first, second, '--output', 'markdown')).stdout.match(/^### /gm)).toHaveLength(2);
    expect((await status(first, second, '--output', 'github')).stdout).toContain('osapi is healthy');
  });

  test('takes a server that is away as a row, with its exit code', async () => {
    const away = spec('gone', 'GONE', 'nats://127.0.0.1:1');
    const { code, stdout } = await status(first, away, '--json');
    expect({ code, value: JSON.parse(stdout) }).toMatchObject({
      code: 69,
      value: {
        health: 'critical',
        systems: [{ health: 'ok' }, { system: 'gone', server: null, error: { code: 'CONN_UNREACHABLE' } }],
      },
    });
    expect((await status(first, away)).stdout).toMatch(/^gone {3}critical {2}.*\(not reached\)$/m);
  });

  test('is of all that were applied to a server with --all', async () => {
    const all = await runCli(['status', '--all', '--json'], { cwd, server: here });
    expect(all.code).toBe(0);
    expect(
      JSON.parse(all.stdout)
        .systems.map(({ system }: { system: string }) => system)
        .sort(),
    ).toEqual(['mail', 'osapi']);
    expect((await runCli(['status'], { cwd, server: here })).stderr).toContain('status --all');
    expect((await runCli(['status', '--all', first], { cwd, server: here })).code).toBe(64);
  });

  test('waits until every one has reached every goal, and says which have not', async () => {
    expect(await status(first, mail, '--wait', '10s', '--for', 'synced,drained,dlq-empty', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"systems"'),
    });
    const late = await status(first, second, mail, '--wait', '1s');
    expect(late).toMatchObject({ code: 2, stdout: expect.stringMatching(/^osapi {2}critical/m) });
    expect(late.stderr).toContain(`not synced within 1s: osapi at ${there.url}: missing: consumer REQ/worker`);
    expect(late.stderr).not.toContain('mail at');
    expect((await runCli(['status', '--all', '--wait', '10s'], { cwd, server: here })).code).toBe(0);
    const away = spec('gone', 'GONE', 'nats://127.0.0.1:1');
    expect(await status(first, away, '--wait', '1ms')).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('not healthy within 1ms: gone: '),
    });
  });

  test('watches all, a line for each system with each look', async () => {
    for (const args of [[first, mail], ['--all']]) {
      const watch = startCli(['status', ...args, '--watch', '--interval', '100ms'], { cwd, server: here });
      await watch.until(
        'stdout',
        /osapi ok: .*\n[\s\S]*mail ok: .*\n[\s\S]*osapi ok: |mail ok: .*\n[\s\S]*osapi ok: .*\n[\s\S]*mail ok: /,
      );
      watch.child.kill('SIGINT');
      expect((await watch.done).code).toBe(0);
    }
    const json = startCli(['status', first, second, '--watch', '--json'], { cwd });
    const [line] = await json.until('stdout', /^.*\n/);
    json.child.kill('SIGINT');
    await json.done;
    expect(JSON.parse(line)).toMatchObject({ health: 'critical', systems: [{ health: 'ok' }, { health: 'critical' }] });
  });

  test('serves the metrics of all, also of what is applied later', async () => {
    const listen = startCli(['status', '--all', '--listen', '127.0.0.1:0'], { cwd, server: here });
    const [url] = await listen.until('stderr', /http:\S+/);
    const systems = async () =>
      [...(await (await fetch(url)).text()).matchAll(/^osapi_ops_health_status\{.*system="(\w+)"\} 0$/gm)]
        .map(([, system]) => system)
        .sort();
    expect(await systems()).toEqual(['mail', 'osapi']);
    const late = spec('later', 'LATER', here.url);
    expect((await runCli(['apply', late], { cwd })).code).toBe(0);
    expect(await systems()).toEqual(['later', 'mail', 'osapi']);
    expect((await runCli(['destroy', late, '--yes'], { cwd })).code).toBe(0);
    expect(await systems()).toEqual(['mail', 'osapi']);
    listen.child.kill('SIGINT');
    expect((await listen.done).code).toBe(0);
  });

  test('takes a server that comes back as it is then', async () => {
    const server = await startServer();
    const file = spec('coming', 'COMING', server.url);
    expect((await runCli(['apply', file], { cwd })).code).toBe(0);
    await server.kill('SIGKILL');
    const watch = startCli(['status', first, file, '--watch', '--interval', '100ms'], { cwd });
    await watch.until('stdout', /coming critical: /);
    await server.restart();
    await watch.until('stdout', /coming ok: /);
    watch.child.kill('SIGINT');
    await watch.done;
    await server.stop();
  });
});
