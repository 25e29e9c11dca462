import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { XMLParser } from 'fast-xml-parser';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { type CliOptions, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, put } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    discard: new
    consumers:
      request-worker: { max_deliver: 1, ack_wait: 100ms }
    dlq: { stream: requests_dlq }
`;

describe('status as a process', () => {
  let server: TestServer;
  let nats: Nats;
  let dir: string;
  const cli = (args: readonly string[], options: CliOptions = {}) => runCli(args, { server, cwd: dir, ...options });
  beforeAll(async () => {
    server = await startServer();
    nats = await connectTo(server);
    dir = mkdtempSync(join(tmpdir(), 'osapi-ops-status-'));
    writeFileSync(join(dir, 'spec.yaml'), SPEC);
    await cli(['apply', 'spec.yaml']);
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await nats.api('STREAM.PURGE.REQUESTS');
    await nats.api('STREAM.PURGE.requests_dlq');
  });
  const die = async () => {
    await put(nats, 'requests.dns', '{"id":"1"}');
    await letDie(nats);
  };

  test('exits 0 when all is well, and is the same with a spec and without', async () => {
    const [bare, named] = await Promise.all([cli(['status']), cli(['status', 'spec.yaml'])]);
    expect(bare).toMatchObject({ code: 0, stderr: '' });
    expect(bare.stdout).toMatch(/^osapi is healthy: 0 waiting, 0 in flight, nothing dead\n/);
    expect(named.stdout).toBe(bare.stdout);
  });

  test('exits 2 where something warns, 0 where only critical shall fail; in every output', async () => {
    await die();
    const json = await cli(['status', '--json']);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      system: 'osapi',
      health: 'warn',
      queues: [{ dead: 1 }],
      drift: [],
    });
    expect(JSON.parse((await cli(['status', '--output', 'json'])).stdout).health).toBe('warn');
    expect((await cli(['status', '--fail-on', 'critical'])).code).toBe(0);
    const junit = await cli(['status', '-o', 'junit']);
    expect(junit.code).toBe(2);
    expect(new XMLParser({ ignoreAttributes: false }).parse(junit.stdout).testsuites.testsuite['@_failures']).toBe('1');
    expect(await cli(['status', '-o', 'nagios'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^osapi WARNING: /),
    });
    const summary = join(dir, 'summary.md');
    const github = await cli(['status', '-o', 'github'], { env: { GITHUB_STEP_SUMMARY: summary } });
    expect(github.stdout).toMatch(/^::warning title=osapi REQUESTS\.dead::1 message is dead/);
    expect(readFileSync(summary, 'utf8')).toContain('osapi is degraded');
  });

  test('writes metrics that the Python client of Prometheus reads', async () => {
    const parse = `import sys
from prometheus_client.parser import text_string_to_metric_families as families
print(sum(len(family.samples) for family in families(sys.stdin.read())))`;
    if (spawnSync('python3', ['-c', 'import prometheus_client']).status !== 0) {
      process.stderr.write('prometheus_client is not here: the metrics are read by our own grammar only\n');
      return;
    }
    await die();
    const { stdout } = await cli(['status', '-o', 'prometheus']);
    const read = spawnSync('python3', ['-c', parse], { input: stdout, encoding: 'utf8' });
    const samples = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(read).toMatchObject({ status: 0, stdout: `${samples.length}\n` });
  });

  test('waits no longer than it was told to, and says what was not reached', async () => {
    await die();
    const late = await cli(['status', '--wait', '500ms', '--for', 'synced,dlq-empty']);
    expect(late.code).toBe(2);
    expect(late.stderr).toContain('Warning: not dlq-empty within 500ms: REQUESTS: 1 dead');
    expect(await cli(['status', '--wait', '5s', '--for', 'synced'])).toMatchObject({ code: 0 });
    expect(await cli(['status', '--wait', '5s', '--for', 'ready'])).toMatchObject({ code: 64 });
  });

  test('refuses a goal that is typed where nothing waits for it; one of the environment is for the calls that wait', async () => {
    const { code, stdout, stderr } = await cli(['status', '--for', 'drained']);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('--wait 2m --for drained');
    const left = await cli(['status', '--json'], { env: { OSAPI_OPS_FOR: 'drained' } });
    expect(JSON.parse(left.stdout)).toHaveProperty('checks');
  });

  test('exits 69 where no server answers, 3 for nagios, and leaves a report for who reads one', async () => {
    const away = { env: { NATS_URL: 'nats://127.0.0.1:1' } };
    const json = await cli(['status', '--json'], away);
    expect(json.code).toBe(69);
    expect(JSON.parse(json.stdout).error.code).toBe('CONN_UNREACHABLE');
    expect(await cli(['status', '-o', 'nagios'], away)).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^the server UNKNOWN: /),
    });
    const junit = await cli(['status', '-o', 'junit'], away);
    expect(junit.code).toBe(69);
    expect(junit.stdout).toContain('<failure type="critical" message="cannot reach nats://127.0.0.1:1');
    expect((await cli(['status', '-o', 'prometheus'], away)).stdout).toContain('osapi_ops_up 0\n');
  });

  test('watches in lines off a terminal, and ends with Ctrl-C as it should', async () => {
    await die();
    const process = startCli(['status', '--watch', '--interval', '100ms'], { server, cwd: dir });
    await process.until('stdout', /^.*osapi warn.*\n.*osapi warn.*\n/m);
    process.child.kill('SIGINT');
    expect(await process.done).toMatchObject({ code: 0, stderr: '' });
  });
});
