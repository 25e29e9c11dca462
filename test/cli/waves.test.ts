// How often a command waits for the server, one round trip after the other: what makes it slow for whoever is far away.
// Waves are counted at the wire, not time; the greeting and the login are the first two of each. The greeting comes without
// being asked for, half a round trip after the connection: n waves are n - 0.5 round trips.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { advisorySubject } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { advisory, letDie, makeDead, pull, put } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';
import { startWaves, type Waves } from '../support/waves.ts';

const SPEC = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    consumers:
      request-worker: {ack_policy: explicit, filter_subject: "requests.*", max_deliver: 1, ack_wait: 60ms, max_ack_pending: 10000}
    dlq: {stream: REQUESTS_dlq}
    responses: {bucket: responses, ttl: 7d}
`;

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-waves-'));
const spec = join(dir, 'spec.yaml');
const cwd = dir;
writeFileSync(spec, SPEC);
afterAll(() => rmSync(dir, { recursive: true }));
const runCli = warmCli();

describe.each(outermostVersions())('far from a server %s', (version) => {
  let server: TestServer;
  let far: Waves;
  let nats: Nats;

  beforeAll(async () => {
    server = await startServer({ version });
    far = await startWaves(server);
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats.close();
    await far.close();
    await server.stop();
  });

  /** What stands on the server when the command is run. */
  const scenes = {
    async nothing() {
      const { streams } = await nats.api('STREAM.NAMES');
      for (const name of (streams as string[] | null) ?? []) await nats.api(`STREAM.DELETE.${name}`);
    },
    async applied() {
      await scenes.nothing();
      expect((await runCli(['apply', spec], { server, cwd })).code).toBe(0);
    },
    async waiting() {
      await scenes.applied();
      await put(nats, 'requests.dns', JSON.stringify({ id: 'waits', query: 'example.com' }));
    },
    async answered() {
      await scenes.applied();
      await put(nats, '$KV.responses.is-answered', '{"answer":42}');
    },
    async dead(count: number) {
      await scenes.applied();
      await makeDead(nats, count);
    },
    async failing() {
      await scenes.applied();
      const { config } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
      const patient = { ...(config as object), max_deliver: 9, ack_wait: 600e9 };
      await nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
        stream_name: 'REQUESTS',
        config: patient,
        action: 'update',
      });
      await put(nats, 'requests.dns', JSON.stringify({ id: 'fails', query: 'example.com' }));
      await pull(nats, 'REQUESTS', 'request-worker');
      const record = { stream: 'REQUESTS', consumer: 'request-worker', seq: 1, delivery: 1, reason: 'no' };
      const times = { at: new Date(0), published_at: new Date(0), next_delivery_at: new Date(Date.now() + 6e5) };
      await put(nats, '$KV.osapi_ops.failure.REQUESTS.1', JSON.stringify({ ...record, ...times }));
    },
    'one dead': () => scenes.dead(1),
    'ten dead': () => scenes.dead(10),
    'a thousand dead': () => scenes.dead(1000),
    'three thousand dead': () => scenes.dead(3000),
    'ten thousand dead': () => scenes.dead(10_000),
    /** As after a mass that expires at once: its records are in no order. */
    async 'ten thousand scattered dead'() {
      await scenes.dead(10_000);
      await nats.api('STREAM.PURGE.REQUESTS_dlq');
      for (let index = 0; index < 10_000; index++) {
        const record = advisory({ stream_seq: ((index * 7919) % 10_000) + 1 });
        nats.nc.publish(advisorySubject('max_deliveries', 'REQUESTS', 'request-worker'), record);
      }
      await nats.nc.flush();
    },
    async 'ten large dead'() {
      await scenes.applied();
      for (let index = 0; index < 10; index++) await put(nats, 'requests.dns', 'x'.repeat(200_000));
      await letDie(nats);
    },
  };

  const rows: readonly [scene: Exclude<keyof typeof scenes, 'dead'>, command: string, waves: number, code?: number][] =
    [
      ['nothing', 'apply SPEC', 9],
      ['applied', 'apply SPEC', 3],
      ['applied', 'plan SPEC', 3],
      ['applied', 'destroy SPEC --yes', 10],
      ['applied', 'status', 4],
      ['applied', 'status SPEC', 3],
      ['waiting', 'status', 5],
      ['failing', 'status SPEC', 4, 2],
      ['failing', 'status', 5, 2],
      ['failing', 'request ls', 7],
      ['one dead', 'status', 7, 2],
      ['one dead', 'status SPEC', 6, 2],
      ['a thousand dead', 'status', 6, 2],
      ['applied', 'dlq ls', 6],
      ['ten dead', 'dlq ls', 7],
      ['a thousand dead', 'dlq ls', 7],
      ['ten thousand scattered dead', 'dlq ls', 12],
      ['applied', 'request send dns {"query":"example.com"}', 4],
      ['applied', 'request send dns {"query":"example.com"} --id named', 4],
      ['applied', 'dlq replay', 8],
      ['one dead', 'dlq replay', 15],
      ['ten thousand dead', 'dlq replay', 60],
      ['answered', 'request get is-answered', 4],
      ['answered', 'request show is-answered', 4],
      ['waiting', 'request show waits', 7],
      ['waiting', 'request cancel waits --yes', 7],
      ['one dead', 'dlq show REQUESTS/request-worker/1', 7],
    ];

  // Only a newer server can pause.
  const newer: typeof rows = [
    ['applied', 'queue pause REQUESTS', 4],
    ['applied', 'queue pause REQUESTS/request-worker --for 1h', 4],
  ];

  test.each(version === '2.10' ? rows : [...rows, ...newer])(
    '%s: %s takes %i waves',
    async (scene, command, waves, code = 0) => {
      // A server of 2.11 or newer may answer in another order than it was asked in; then some of it is asked once more.
      for (let left = 3; ; left--) {
        await scenes[scene]();
        far.take();
        const argv = command.split(' ').map((word) => (word === 'SPEC' ? spec : word));
        far.watch(runCli.pid());
        expect(await runCli(argv, { server: far, cwd })).toMatchObject({ code });
        const taken = far.take().waves;
        if (taken <= waves) return;
        if (left === 1) expect(taken).toBeLessThanOrEqual(waves);
      }
    },
  );

  const many = ['a thousand dead', 'three thousand dead', 'ten large dead'] as const;
  test.each(many)('%s: a probe reads at most 1 MB, in 20 requests', async (scene) => {
    await scenes[scene]();
    far.take();
    expect(await runCli(['status'], { server: far, cwd })).toMatchObject({ code: 2 });
    const { bytes, requests } = far.take();
    expect(bytes).toBeLessThanOrEqual(1e6);
    expect(requests.length).toBeLessThanOrEqual(20);
  });
});
