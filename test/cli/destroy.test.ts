import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readHistory } from '../../src/lib/ledger/history.ts';
import { listSystems } from '../../src/lib/ledger/store.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-destroy-'));
let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  writeFileSync(
    join(dir, 'spec.yaml'),
    `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: 1000
    consumers: {request-worker: {max_deliver: 3, ack_wait: 30s}}
    dlq: {stream: requests_dlq, max_age: 30d}
    responses: {bucket: answers, ttl: 7d}
    health: {dead: {warn: 7, critical: 70}}
streams:
  AUDIT: {subjects: [audit], allow_rollup_hdrs: true, metadata: {team: core}}
`,
  );
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  const { streams } = await nats.api('STREAM.NAMES');
  for (const name of (streams ?? []) as string[]) await nats.api(`STREAM.DELETE.${name}`);
  await run(['apply', 'spec.yaml']);
});

const run = (args: string[]) => runCli(args, { server, cwd: dir });
const streams = async () => ((await nats.api('STREAM.NAMES')).streams as string[]).sort();

describe('destroy', () => {
  test('refuses where nobody can be asked, and says how many messages would go', async () => {
    await nats.request('requests.dns', '{"id":"1"}');
    await nats.request('audit', 'x');
    const { code, stdout, stderr } = await run(['destroy', 'spec.yaml']);
    expect(code).toBe(1);
    expect(stdout).toContain('deleting it deletes 1 message');
    expect(stderr).toContain('the 2 messages in them');
    expect(stderr).toContain('--yes');
    expect(await streams()).toHaveLength(5);
  });

  test('removes what carries the mark and nothing else; the ledger forgets, the history does not', async () => {
    await nats.api('STREAM.CREATE.FOREIGN', { name: 'FOREIGN', subjects: ['foreign'] });
    const { config } = await nats.api('STREAM.INFO.AUDIT');
    await nats.api('STREAM.UPDATE.AUDIT', { ...(config as object), metadata: { 'osapi-ops.owner': 'other' } });
    const { code, stdout } = await run(['destroy', 'spec.yaml', '--yes', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      applied: true,
      summary: { delete: 4 },
      left_alone: [
        { resource: 'stream AUDIT', what: 'belongs to other: it stays' },
        { resource: 'bucket osapi_ops', what: expect.stringContaining('`nats kv del osapi_ops` removes it') },
      ],
    });
    expect(await streams()).toEqual(['AUDIT', 'FOREIGN', 'KV_osapi_ops']);
    expect(await listSystems(nats)).toEqual([]);
    expect((await readHistory(nats)).map(({ verb }) => verb)).toEqual(['destroy', 'apply']);
    expect(await run(['destroy', 'spec.yaml', '--yes'])).toMatchObject({ code: 0 });
  });

  test('says how many dead letters go, as status does, how they are kept, and what stays when all is removed', async () => {
    for (const id of ['1', '2', '3']) await nats.request('requests.dns', JSON.stringify({ id }));
    const { config } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
    const quick = { ...(config as object), ack_wait: 20e6 };
    await nats.api('CONSUMER.CREATE.REQUESTS.request-worker', { stream_name: 'REQUESTS', config: quick });
    await letDie(nats);
    const counted = JSON.parse((await run(['status', 'spec.yaml', '--json'])).stdout).queues[0].dead;
    const { stdout } = await run(['destroy', 'spec.yaml', '--dry-run']);
    expect(stdout).toContain(`${counted} dead letters go with it`);
    const [, line = ''] = /`osapi-ops (dlq export[^`]*)`/.exec(stdout.replace(/\n\s+/g, ' ')) ?? [];
    expect(line).toBe('dlq export -f spec.yaml --queue REQUESTS --out dead.ndjson');
    expect(await run(line.split(' '))).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir, 'dead.ndjson'), 'utf8').trim().split('\n')).toHaveLength(counted);
    const done = await run(['destroy', 'spec.yaml', '--yes']);
    for (const told of [stdout, done.stdout])
      expect(told.replace(/\s+/g, ' ')).toMatch(/bucket osapi_ops: the ledger .* `nats kv del osapi_ops` removes it/);
  });

  test('guesses no spec, though the ledger knows one', async () => {
    expect((await run(['destroy', '--yes'])).code).toBe(64);
    expect(await streams()).toHaveLength(5);
  });
});

describe('export', () => {
  test('writes the one system that is live, and plan of it is empty', async () => {
    const { code, stdout } = await run(['export']);
    expect(code).toBe(0);
    expect(stdout).toContain('bucket: answers');
    expect(stdout).toContain('warn: 7');
    expect(stdout).toContain('stream: requests_dlq');
    expect(stdout).not.toContain('osapi_ops');
    writeFileSync(join(dir, 'exported.yaml'), stdout);
    const planned = await run(['plan', 'exported.yaml', '--detailed-exitcode', '--json']);
    expect(JSON.parse(planned.stdout).changes).toEqual([]);
    expect(planned.code).toBe(0);
  });

  test('writes by name what nobody marked, and applying it adopts with labels alone', async () => {
    await nats.api('STREAM.CREATE.WQ', { name: 'WQ', subjects: ['wq.>'], retention: 'workqueue', max_bytes: 1048576 });
    const config = { durable_name: 'w', ack_policy: 'explicit', backoff: [1e9, 2e9], max_deliver: 5 };
    await nats.api('CONSUMER.CREATE.WQ.w', { stream_name: 'WQ', config });
    const { stdout } = await run(['export', 'WQ']);
    writeFileSync(join(dir, 'wq.yaml'), stdout);
    const plain = JSON.parse((await run(['plan', 'wq.yaml', '--json'])).stdout);
    expect(plain.changes).toEqual([]);
    const planned = JSON.parse((await run(['apply', 'wq.yaml', '--adopt', '--dry-run', '--json'])).stdout);
    const paths = planned.changes.flatMap((change: { fields: { path: string }[] }) => change.fields.map((f) => f.path));
    expect(new Set(paths)).toEqual(
      new Set(
        ['osapi-ops.owner', 'io.nats.monitor.enabled', 'io.nats.monitor.unprocessed-critical'].map(
          (key) => `metadata.${key}`,
        ),
      ),
    );
    expect((await run(['apply', 'wq.yaml', '--adopt'])).code).toBe(0);
    const again = await run(['export']);
    expect(again).toMatchObject({ code: 64, stderr: expect.stringContaining('osapi, wq') });
    expect((await run(['export', 'wq'])).stdout).toContain('name: wq');
  });

  test('names what a spec has no place for, and what does not exist', async () => {
    await nats.api('CONSUMER.CREATE.AUDIT', { stream_name: 'AUDIT', config: { ack_policy: 'explicit' } });
    expect((await run(['export', 'AUDIT'])).stderr).toContain('it is not durable');
    expect(await run(['export', 'NOPE'])).toMatchObject({ code: 1, stderr: expect.stringContaining('osapi') });
  });
});
