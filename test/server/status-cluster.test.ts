import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StatusReport } from '../../src/lib/model/verdict.ts';
import { statusOperation } from '../../src/lib/operations/status.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { makeQueue } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('status of a replicated queue', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ cluster: 3 });
    const nats = await connectTo(server);
    await makeQueue(nats, { config: { num_replicas: 3 }, consumerConfig: { num_replicas: 3 } });
    await nats.close();
  }, 90_000);
  afterAll(() => server?.stop());

  const look = () => statusOperation({ ...contextFor({ url: server.urls.join(',') }) }, {});
  /** Looks until it is so. While a leader is elected there may be no answer, which is an answer of its own kind. */
  const until = async (done: (report: StatusReport) => boolean): Promise<StatusReport> => {
    for (let tries = 0; ; tries++) {
      try {
        const report = await look();
        if (done(report) || tries >= 20) return report;
      } catch (error) {
        if (tries >= 3) throw error;
      }
      await sleep(500);
    }
  };
  const replicas = ({ checks }: StatusReport) => checks.find(({ id }) => id === 'REQUESTS.replicas');

  test('tells that all is current, then a dead replica, then that there is no leader', async () => {
    expect(replicas(await until((report) => replicas(report)?.status === 'ok'))?.summary).toMatch(
      /^led by .*3 replicas/,
    );
    await server.kill('SIGKILL', 2);
    const short = await until((report) => replicas(report)?.status === 'warn');
    expect(replicas(short)?.summary).toMatch(/offline|not current/);
    expect(short.health).toMatch(/warn|critical/);
    await server.kill('SIGKILL', 1);
    const lost = await until(({ health, checks }) => {
      const found = checks.filter(({ name }) => name === 'replicas' || name === 'resources');
      return health === 'critical' && found.some(({ status }) => status === 'critical');
    }).catch((error: { code: string }) => error);
    // A cluster without a quorum may not even answer who we are: then that is the finding.
    if ('code' in lost) expect(lost.code).toMatch(/^CONN_/);
    else expect(lost.health).toBe('critical');
  }, 90_000);
});
