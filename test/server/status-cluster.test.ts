import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StatusReport } from '../../src/lib/model/verdict.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { statusOfSystems } from '../../src/lib/operations/status/several.ts';
import { contextFor } from '../support/context.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    discard: new
    num_replicas: 3
    consumers:
      request-worker: { max_deliver: 3 }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses, storage: memory }
`;

describe('status of a replicated queue', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ cluster: 3 });
    all.url = server.urls.join(',');
    await applyOperation(contextFor(server, SPEC), {
      specs: ['-'],
      given: new Set(),
      yes: true,
      dryRun: false,
      lockWaitMs: 5000,
      show: () => {},
    });
  });
  afterAll(() => server?.stop());

  const all = { url: '' };
  const look = async () => (await statusOfSystems(contextFor(all), {}))[0]!.report;
  const nats = findNatsCli();
  /** What `nats server check stream` says of each stream; nothing where that CLI is not here. */
  const theirs = (): string[] =>
    ['REQUESTS', 'requests_dlq', 'KV_responses'].flatMap((name) => nats?.check(all, 'stream', '--stream', name) ?? []);
  const alike = (verdict: string) => (nats ? [verdict, verdict, verdict] : []);
  /** Looks until it is so. While a leader is elected there may be no answer, which is an answer of its own kind. */
  const lookUntil = async (done: (report: StatusReport) => boolean): Promise<StatusReport> => {
    for (const end = performance.now() + 25_000; ; await sleep(200)) {
      try {
        const report = await look();
        if (done(report) || performance.now() > end) return report;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  };
  const replicas = ({ checks }: StatusReport) => checks.find(({ id }) => id === 'REQUESTS.replicas');

  test('tells that all is current, then a dead replica, then that there is no leader', async () => {
    expect(replicas(await lookUntil((report) => replicas(report)?.status === 'ok'))?.summary).toMatch(
      /^led by .*3 replicas/,
    );
    expect(theirs()).toEqual(alike('OK'));
    await server.kill('SIGKILL', 2);
    const short = await lookUntil((report) => replicas(report)?.status === 'warn');
    expect(replicas(short)?.summary).toMatch(/offline|not current/);
    expect(short.health).toMatch(/warn|critical/);
    // It has no warning level: a replica that is missed is critical there.
    // A leader that is new has never heard of the dead one, and takes that for a moment ago.
    if (nats) await until(() => theirs().includes('CRITICAL'), 'the nats CLI finds it critical', 60_000);
    await server.kill('SIGKILL', 1);
    const lost = await lookUntil(({ health, checks }) => {
      const found = checks.filter(({ name }) => name === 'replicas' || name === 'resources');
      return health === 'critical' && found.some(({ status }) => status === 'critical');
    }).catch((error: { code: string }) => error);
    // A cluster without a quorum may not even answer who we are: then that is the finding.
    if ('code' in lost) expect(lost.code).toMatch(/^CONN_/);
    else expect(lost.health).toBe('critical');
    await until(() => !theirs().includes('OK'), 'the nats CLI finds nothing well', 60_000);
  });
});
