import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/lib/model/json.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-cluster-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function spec(replicas: number): string {
  const path = join(dir, `r${replicas}.yaml`);
  writeFileSync(
    path,
    `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: 1000
    num_replicas: ${replicas}
    consumers: {request-worker: {max_deliver: 3, ack_wait: 30s}}
    dlq: {stream: requests_dlq, max_age: 30d}
    responses: {bucket: responses, ttl: 7d}
`,
  );
  return path;
}

describe.each(['2.10', '2.15'])('a cluster of three of %s', (version) => {
  let cluster: TestServer;
  beforeAll(async () => {
    cluster = await startServer({ version, cluster: 3 });
  });
  afterAll(() => cluster.stop());
  const run = (args: string[], more: string[] = []) => runCli([...args, ...more], { cwd: dir, server: cluster });

  test('takes the system from one replica to three and back, one apply after the other, and the ledger follows up', async () => {
    for (const replicas of [1, 3, 1, 3]) {
      const applied = await run(['apply', spec(replicas), '--json']);
      if (applied.code !== 0) throw new Error(`${replicas}: ${applied.stderr}`);
      const again = await run(['plan', spec(replicas), '--detailed-exitcode']);
      if (again.code !== 0) throw new Error(`${replicas}: ${again.stdout}${again.stderr}`);
    }
    const nats = await connectTo(cluster);
    for (const stream of ['REQUESTS', 'requests_dlq', 'KV_responses', 'KV_osapi_ops']) {
      const { config } = await nats.api(`STREAM.INFO.${stream}`);
      expect((config as Config).num_replicas).toBe(3);
    }
    await nats.close();
  });

  test('without a quorum is refused with what is missing, and nothing hangs', async () => {
    await cluster.kill('SIGKILL', 1);
    await cluster.kill('SIGKILL', 2);
    const start = performance.now();
    const { code, stdout } = await run(['apply', spec(1), '--json', '--timeout', '3s']);
    expect(performance.now() - start).toBeLessThan(40_000);
    expect([1, 69]).toContain(code);
    expect(stdout).toMatch(/"code": "(CONN_[A-Z_]+|PLAN_REFUSED)",\n {4}"message"/);
    await cluster.restart();
    expect((await run(['apply', spec(3), '--timeout', '20s'])).code).toBe(0);
  });
});
