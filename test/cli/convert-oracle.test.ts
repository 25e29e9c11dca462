import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const nats = findNatsCli();
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-oracle-'));
// What the nats CLI makes of a file stands on the one server, what convert and apply make of it on the other.
let theirs: TestServer;
let ours: TestServer;

beforeAll(async () => {
  [theirs, ours] = await Promise.all([startServer(), startServer()]);
});
afterAll(async () => {
  await Promise.all([theirs?.stop(), ours?.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const write = (name: string, value: unknown): string => {
  const path = join(dir, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};

/** The configuration alone, without the labels of the server and of this tool. */
function configOf(server: TestServer, kind: 'stream' | 'consumer', ...names: string[]): Record<string, unknown> {
  const { config } = JSON.parse(nats!.run(server, kind, 'info', ...names, '--json'));
  const { metadata: _, name: __, ...rest } = config;
  return rest;
}

async function convertAndApply(...args: string[]): Promise<void> {
  const converted = await runCli(['convert', ...args]);
  expect(converted).toMatchObject({ code: 0 });
  const path = write('converted.yaml', converted.stdout);
  expect(await runCli(['apply', path, '--yes'], { server: ours })).toMatchObject({ code: 0 });
  expect((await runCli(['plan', path, '--detailed-exitcode'], { server: ours })).code).toBe(0);
}

const streams = [
  { name: 'PLAIN', subjects: ['plain.>'] },
  {
    name: 'QUEUE',
    subjects: ['queue.*'],
    retention: 'workqueue',
    discard: 'new',
    max_msgs: 100,
    duplicate_window: 60e9,
  },
  {
    name: 'LIMITS',
    subjects: ['l.>'],
    max_bytes: 1 << 20,
    max_age: 60e9,
    max_msgs_per_subject: 3,
    storage: 'memory',
    compression: 'none',
  },
  { name: 'FLAGS', subjects: ['f.>'], deny_delete: true, allow_rollup_hdrs: true, allow_direct: true, no_ack: true },
  {
    name: 'SHAPES',
    subjects: ['s.>'],
    republish: { src: 's.>', dest: 'r.>' },
    subject_transform: { src: 's.a', dest: 's.b' },
  },
];
const consumers = [
  {
    stream: 'QUEUE',
    config: {
      durable_name: 'w',
      ack_policy: 'explicit',
      max_deliver: 4,
      backoff: [1e9, 5e9],
      filter_subject: 'queue.*',
      max_ack_pending: 5000,
    },
  },
  { stream: 'PLAIN', config: { durable_name: 'none', deliver_policy: 'last', replay_policy: 'original' } },
  {
    stream: 'PLAIN',
    config: {
      durable_name: 'push',
      ack_policy: 'explicit',
      deliver_subject: 'there',
      idle_heartbeat: 5e9,
      flow_control: true,
    },
  },
];

needing('the nats CLI').describe('convert, then apply', () => {
  test('makes of every file what the nats CLI makes of it', async () => {
    for (const stream of streams) nats!.run(theirs, 'stream', 'add', '--config', write(`${stream.name}.json`, stream));
    for (const { stream, config } of consumers) {
      nats!.run(theirs, 'consumer', 'add', stream, '--config', write('theirs.json', config));
    }
    const files = [
      ...streams.map(({ name }) => join(dir, `${name}.json`)),
      ...consumers.map(({ stream, config }) =>
        write(`${config.durable_name}.json`, { stream_name: stream, name: config.durable_name, config }),
      ),
    ];
    await convertAndApply(...files);
    for (const { name } of streams) expect(configOf(ours, 'stream', name)).toEqual(configOf(theirs, 'stream', name));
    for (const { stream, config } of consumers) {
      const name = config.durable_name;
      expect(configOf(ours, 'consumer', stream, name)).toEqual(configOf(theirs, 'consumer', stream, name));
    }
  });

  test('of what the nats CLI shows makes the same once more', async () => {
    nats!.run(theirs, 'kv', 'add', 'answers', '--history', '3', '--ttl', '1h');
    const info = write('kv.json', nats!.run(theirs, 'stream', 'info', 'KV_answers', '--json'));
    await convertAndApply(info, '--name', 'answers');
    expect(configOf(ours, 'stream', 'KV_answers')).toEqual(configOf(theirs, 'stream', 'KV_answers'));
  });
});
