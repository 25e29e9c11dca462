import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ROOT } from '../support/cli.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const nats = findNatsCli();
const SPEC = join(ROOT, 'config', 'prod.yaml');
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-oracle-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const WORKER = {
  durable_name: 'request-worker',
  ack_policy: 'explicit',
  filter_subject: 'requests.*',
  max_deliver: 10,
  backoff: [5e9, 10e9, 15e9],
};

needing('the nats CLI').describe.each(availableVersions())(
  'the nats CLI as a second opinion, nats-server %s',
  (line) => {
    let theirs: TestServer;
    let ours: TestServer;
    beforeAll(async () => {
      [theirs, ours] = await Promise.all([startServer({ version: line }), startServer({ version: line })]);
    });
    afterAll(async () => {
      await Promise.all([theirs?.stop(), ours?.stop()]);
    });
    afterEach(() => {
      for (const server of [theirs, ours]) {
        for (const name of names(server)) nats!.run(server, 'stream', 'rm', name, '--force');
      }
    });

    const names = (server: TestServer): string[] =>
      JSON.parse(nats!.run(server, 'stream', 'ls', '--all', '--json')) ?? [];

    /** The system as people build it today, command by command. */
    function buildByHand(server: TestServer): void {
      const run = (...args: string[]) => nats!.run(server, ...args);
      const worker = join(dir, 'worker.json');
      writeFileSync(worker, JSON.stringify(WORKER));
      const queue = [
        '--subjects=requests.*',
        '--storage=file',
        '--retention=work',
        '--discard=new',
        '--dupe-window=2m',
      ];
      const limits = [
        '--max-msgs=100000',
        '--max-bytes=1GiB',
        '--description=Requests to be worked off, one worker each',
      ];
      run('stream', 'add', 'REQUESTS', ...queue, ...limits, '--allow-direct', '--defaults');
      run('consumer', 'add', 'REQUESTS', '--config', worker);
      const advisories = [
        '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*',
        '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.REQUESTS.*',
        'osapi-ops.rejected.REQUESTS.*',
      ];
      run(
        'stream',
        'add',
        'requests_dlq',
        `--subjects=${advisories.join(',')}`,
        '--max-age=30d',
        '--allow-direct',
        '--defaults',
      );
      run('kv', 'add', 'responses', '--history=1', '--ttl=7d');
    }

    const info = (server: TestServer, ...args: string[]) => JSON.parse(nats!.run(server, ...args, '--json'));
    const configOf = (server: TestServer, ...args: string[]): Record<string, unknown> => {
      const { config } = info(server, ...args);
      const { metadata: _, ...rest } = config;
      return rest;
    };
    const apply = (...args: string[]) => runCli(['apply', SPEC, ...args, '--json'], { server: ours });
    const plan = async (...args: string[]) =>
      JSON.parse((await runCli(['plan', SPEC, ...args, '--json'], { server: ours })).stdout);

    test('reads of what apply built what it would have built itself', async () => {
      buildByHand(theirs);
      expect((await apply()).code).toBe(0);
      for (const stream of ['REQUESTS', 'requests_dlq', 'KV_responses']) {
        expect(configOf(ours, 'stream', 'info', stream)).toEqual(configOf(theirs, 'stream', 'info', stream));
      }
      const worker = ['consumer', 'info', 'REQUESTS', 'request-worker'];
      expect(configOf(ours, ...worker)).toEqual(configOf(theirs, ...worker));
      const [mine, other] = [ours, theirs].map((server) => nats!.run(server, 'kv', 'info', 'responses'));
      const withoutTime = (text: string) =>
        text
          .replace(/created .*/i, '')
          .replace(/^.*osapi-ops\.owner.*$/m, '')
          .replace(/\s+/g, ' ');
      expect(withoutTime(mine!)).toContain('responses');
      for (const word of ['History Kept: 1', 'Maximum Age: 7d0h0m0s', 'Storage: File']) {
        expect([withoutTime(mine!), withoutTime(other!)].every((text) => text.includes(word))).toBe(true);
      }
      nats!.run(ours, 'kv', 'put', 'responses', 'a', 'b');
      expect(nats!.run(ours, 'kv', 'get', 'responses', 'a', '--raw').trim()).toBe('b');
    });

    test('what it built is left alone, then taken over with nothing but labels: the owner mark, and what its own checks go by', async () => {
      buildByHand(ours);
      const refused = await apply();
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stdout).error).toMatchObject({
        code: 'RISK_REFUSED',
        message: expect.stringContaining('--adopt'),
      });
      const before = configOf(ours, 'stream', 'info', 'REQUESTS');
      const adopted = await apply('--adopt');
      expect(adopted.code).toBe(0);
      const { changes } = JSON.parse(adopted.stdout);
      expect(changes).toHaveLength(4);
      for (const { action, kind, fields } of changes) {
        const monitor = kind === 'consumer' ? ['enabled', 'unprocessed-critical'] : [];
        const labels = [...monitor.map((name) => `io.nats.monitor.${name}`), 'osapi-ops.owner'];
        expect(action).toBe('update');
        expect(fields.map(({ path }: { path: string }) => path)).toEqual(labels.map((name) => `metadata.${name}`));
      }
      expect(configOf(ours, 'stream', 'info', 'REQUESTS')).toEqual(before);
      expect((await plan()).changes).toEqual([]);
    });

    test('what is edited with it is found as made on the server, and mended', async () => {
      expect((await apply()).code).toBe(0);
      const run = (...args: string[]) => nats!.run(ours, ...args);
      run('stream', 'edit', 'REQUESTS', '--max-msgs=7', '--discard=old', '--force');
      run('stream', 'edit', 'requests_dlq', '--max-age=1h', '--force');
      run('consumer', 'edit', 'REQUESTS', 'request-worker', '--max-deliver=5', '--max-pending=3', '--force');
      run('kv', 'edit', 'responses', '--ttl=1h');
      const { changes } = await plan();
      const seen = Object.fromEntries(
        changes.map((change: { name: string; fields: { path: string; from: unknown; to: unknown }[] }) => [
          change.name,
          Object.fromEntries(change.fields.map(({ path, from, to }) => [path, [from, to]])),
        ]),
      );
      expect(seen).toEqual({
        REQUESTS: { max_msgs: [7, 100_000], discard: ['old', 'new'] },
        requests_dlq: { max_age: ['1h', '30d'] },
        responses: { ttl: ['1h', '7d'] },
        'REQUESTS/request-worker': { max_deliver: [5, 10], max_ack_pending: [3, 1000] },
      });
      expect(new Set(changes.map(({ origin }: { origin: string }) => origin))).toEqual(new Set(['server']));
      expect((await apply()).code).toBe(0);
      expect((await plan()).changes).toEqual([]);
      expect(configOf(ours, 'stream', 'info', 'REQUESTS')).toMatchObject({ max_msgs: 100_000, discard: 'new' });
    });
  },
);
