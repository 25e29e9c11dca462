import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StatusReport } from '../../src/lib/model/verdict.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { statusOperation } from '../../src/lib/operations/status.ts';
import { contextFor } from '../support/context.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

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
  }, 90_000);
  afterAll(() => server?.stop());

  const all = { url: '' };
  const look = () => statusOperation(contextFor(all), {});
  const nats = findNatsCli();
  /** What `nats server check stream` says of each stream; nothing where that CLI is not here. */
  const theirs = (): string[] =>
    ['REQUESTS', 'requests_dlq', 'KV_responses'].flatMap((name) => nats?.check(all, 'stream', '--stream', name) ?? []);
  const alike = (verdict: string) => (nats ? [verdict, verdict, verdict] : []);
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
    expect(theirs()).toEqual(alike('OK'));
    await server.kill('SIGKILL', 2);
    const short = await until((report) => replicas(report)?.status === 'warn');
    expect(replicas(short)?.summary).toMatch(/offline|not current/);
    expect(short.health).toMatch(/warn|critical/);
    // It has no warning level: a replica that is missed is critical there.
    // A leader that is new has never heard of the dead one, and takes that for a moment ago.
    let said = theirs();
    for (let tries = 0; nats && tries < 40 && !said.includes('CRITICAL'); tries++) {
      await sleep(500);
      said = theirs();
    }
    if (nats) expect(said).toContain('CRITICAL');
    await server.kill('SIGKILL', 1);
    const lost = await until(({ health, checks }) => {
      const found = checks.filter(({ name }) => name === 'replicas' || name === 'resources');
      return health === 'critical' && found.some(({ status }) => status === 'critical');
    }).catch((error: { code: string }) => error);
    // A cluster without a quorum may not even answer who we are: then that is the finding.
    if ('code' in lost) expect(lost.code).toMatch(/^CONN_/);
    else expect(lost.health).toBe('critical');
    expect(theirs()).not.toContain('OK');
  }, 90_000);
});
