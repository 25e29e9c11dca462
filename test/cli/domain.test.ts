import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

// Through a leaf node nobody says that a subject has no listener: what does not exist must be asked for.
describe('a domain behind a leaf node', () => {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-domain-'));
  let hub: TestServer;
  let leaf: TestServer;
  const start = (domain: string, more: string) =>
    startServer({
      jetstream: false,
      config: `jetstream: { domain: ${domain}, store_dir: "${dir}/${domain}" }\n${more}`,
    });
  const tell = async <T>(url: string) => (await (await fetch(url)).json()) as T;
  const cli = (...args: string[]) => runCli(args, { server: leaf, env: { OSAPI_OPS_DOMAIN: 'hub' } });

  const streamsOf = async (server: TestServer) => {
    const nats = await connectTo(server);
    const { streams } = await nats.api('STREAM.NAMES');
    await nats.close();
    return streams ?? [];
  };

  beforeAll(async () => {
    hub = await start('hub', 'leafnodes { listen: "127.0.0.1:-1" }');
    const listener = (await tell<{ leaf: { port: number } }>(`${hub.monitorUrl}/varz`)).leaf;
    leaf = await start('leaf', `leafnodes { remotes: [{ url: "nats-leaf://127.0.0.1:${listener.port}" }] }`);
    const joined = async () => (await tell<{ leafnodes: number }>(`${leaf.monitorUrl}/leafz`)).leafnodes === 1;
    await until(joined, 'the leaf has joined');
  });
  afterAll(async () => {
    await leaf?.stop();
    await hub?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('holds the queue, its dead letters and its answers; the leaf holds nothing', async () => {
    expect(await cli('request', 'get', 'r1')).toMatchObject({ code: 1 });
    const spec = [
      'version: 1',
      'name: far',
      'queues:',
      '  REQUESTS:',
      '    subjects: ["requests.*"]',
      '    discard: new',
      '    max_msgs: 1000',
      '    consumers: { request-worker: { filter_subject: "requests.*", max_deliver: 1, ack_wait: 500ms } }',
      '    dlq: { stream: requests_dlq, max_age: 30d }',
      '    responses: { bucket: responses, ttl: 7d }',
    ].join('\n');
    const apply = () => runCli(['apply', '-'], { server: leaf, stdin: spec, env: { OSAPI_OPS_DOMAIN: 'hub' } });
    const first = await apply();
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied: 4 created') });
    expect(first.stdout).toContain('domain hub');
    expect((await apply()).stdout).toContain('Nothing to do');

    expect(await cli('request', 'send', 'dns', '{"query":"x"}', '--id', 'r1')).toMatchObject({ code: 0 });
    await cli('worker', 'run', '--exec', 'exit 1', '--shell', '--idle-exit', '2s');
    const [entry] = JSON.parse((await cli('dlq', 'ls', '--json')).stdout);
    expect(entry).toMatchObject({ id: 'REQUESTS/request-worker/1', state: 'replayable', request_id: 'r1' });
    expect((await cli('status')).code).toBe(2);
    expect(await cli('dlq', 'replay')).toMatchObject({ code: 0, stdout: 'Replayed 1 dead letter.\n' });
    await cli('worker', 'run', '--builtin', 'echo', '--idle-exit', '3s');
    expect(await cli('request', 'get', 'r1')).toMatchObject({ code: 0 });
    expect(await cli('status')).toMatchObject({ code: 0 });

    expect(await streamsOf(hub)).toContain('REQUESTS');
    expect(await streamsOf(leaf)).toEqual([]);
  });

  test('a name that is none is said before anything is asked', async () => {
    expect(await cli('status', '--domain', 'a.b')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('"a.b" is not the name of a domain'),
    });
  });
});
