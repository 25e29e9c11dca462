import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseArchiveLine } from '../../src/lib/dlq/archive.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: TestServer;
let nats: Nats;
let cwd: string;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-dlq-'));
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(cwd, { recursive: true, force: true });
});

const dlq = (...args: string[]) => runCli(['dlq', ...args], { server, cwd });
const lines = (text: string): string[] => text.split('\n').filter(Boolean);
const BINARY = Uint8Array.of(0, 0xff, 0x1b, 0x5b, 0x32, 0x4a, 0x0a);

describe('three dead letters, one of them binary', () => {
  beforeAll(async () => {
    await wipe(nats);
    await makeQueue(nats);
    await makeDead(nats, 2);
    await put(nats, 'requests.raw', BINARY);
    await letDie(nats);
  });

  test('are a table on stdout, and their sum on stderr', async () => {
    const { code, stdout, stderr } = await dlq('ls');
    expect(code).toBe(0);
    expect(lines(stdout)[0]).toMatch(/^ID +STATE +REASON +DIED +TRIES +SUBJECT +REQUEST$/);
    expect(lines(stdout)[1]).toMatch(
      /^REQUESTS\/request-worker\/3 +replayable +max_deliveries +\d+s +1 +requests.raw +-$/,
    );
    expect(lines(stdout)).toHaveLength(4);
    expect(stderr).toBe('3 replayable\n');
  });

  test('are an array, or lines, of the keys that were promised, in both', async () => {
    const array: Record<string, unknown>[] = JSON.parse((await dlq('ls', '--json')).stdout);
    expect(Object.keys(array[0]!)).toEqual([
      'id',
      'queue',
      'consumer',
      'seq',
      'subject',
      'request_id',
      'state',
      'reason',
      'detail',
      'deliveries',
      'died_at',
      'published_at',
      'size',
      'replays',
    ]);
    const ndjson = lines((await dlq('ls', '--ndjson')).stdout).map((line) => JSON.parse(line));
    expect(ndjson).toEqual(array);
  });

  test('are filtered by what the flags say, and a flag takes one value at a time', async () => {
    const ids = async (...args: string[]) =>
      (JSON.parse((await dlq('ls', '--json', ...args)).stdout) as { seq: number }[]).map(({ seq }) => seq).sort();
    expect(await ids('--subject', 'requests.dns')).toEqual([1, 2]);
    expect(await ids('--request-id', 'r1')).toEqual([2]);
    expect(await ids('--match', '"r0"')).toEqual([1]);
    expect(await ids('--state', 'gone')).toEqual([]);
    expect(await ids('--state', 'replayable', '3')).toEqual([3]);
    expect(await ids('--older-than', '1h')).toEqual([]);
    expect((await dlq('ls', '--older-than', 'yesterday')).stderr).toContain('--until yesterday');
    expect(await ids('--since', '1h', '--limit', '2')).toHaveLength(2);
    expect(await ids('--where', 'json:.id=r0')).toEqual([1]);
    expect(await ids('--where', 'subject!=*.dns', '--where', 'reason=max*')).toEqual([3]);
    expect(await dlq('ls', '--where', 'colour=red')).toMatchObject({ code: 64 });
    expect(await dlq('ls', '--since', 'soon')).toMatchObject({ code: 64 });
    expect(await dlq('ls', '--reason', 'bored')).toMatchObject({ code: 64 });
  });

  test('are shown one by one: the payload as it is with --raw, harmless without', async () => {
    const json = JSON.parse((await dlq('show', '3', '--json')).stdout);
    expect(json).toMatchObject({
      id: 'REQUESTS/request-worker/3',
      payload_base64: Buffer.from(BINARY).toString('base64'),
    });
    const shown = await dlq('show', 'request-worker/3');
    expect(shown.stdout).toContain('00000000  00 ff 1b 5b 32 4a 0a');
    expect(shown.stdout).not.toContain('\u001b');
    expect((await dlq('show', '1')).stdout).toContain('"query": "example.com"');
    expect(JSON.parse((await dlq('show', '--where', 'subject=*.dns', '--json')).stdout)).toMatchObject({
      subject: 'requests.dns',
    });
    const left = await dlq('show', '--where', 'subject=mail');
    expect(left).toMatchObject({ code: 1, stderr: expect.stringContaining('no dead letter is what is asked for') });
    expect(left.stderr).toContain('0 of 3 dead letters match');
    const named = await dlq('show', '1', '--where', 'subject=mail');
    expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining('REQUESTS/request-worker/1 is not what') });
    expect(named.stderr).not.toContain('there is no dead letter');
    expect(await dlq('show')).toMatchObject({ code: 64 });
    expect((await dlq('show', '1', '--raw')).stdout).toBe('{"id":"r0","query":"example.com"}');
    const missing = await dlq('show', '99', '--json');
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'NOT_FOUND' } });
    expect(await dlq('show', 'nonsense')).toMatchObject({ code: 64 });
  });

  test('are counted by what they have in common', async () => {
    const stats = JSON.parse((await dlq('stats', '--by', 'subject,json:.query', '--json')).stdout);
    expect(stats).toMatchObject({
      total: 3,
      groups: [
        { by: { subject: 'requests.dns', 'json:.query': 'example.com' }, count: 2 },
        { by: { subject: 'requests.raw', 'json:.query': null }, count: 1, sample: 'REQUESTS/request-worker/3' },
      ],
    });
    expect(lines((await dlq('stats')).stdout)[0]).toMatch(
      /^COUNT +SUBJECT +REASON +DETAIL +FIRST +LAST +SAMPLE +REPLAY$/,
    );
    const json = async (...args: string[]) => JSON.parse((await dlq('stats', '--json', ...args)).stdout);
    expect(await json('--by', 'subject', '--by', 'reason,detail')).toEqual(await json());
    expect(await dlq('stats', '--by', 'colour')).toMatchObject({ code: 64 });
  });

  test('are counted as none on stderr where a filter chooses none, and nothing on stdout says that there are none', async () => {
    expect(await dlq('stats', '--where', 'subject=mail')).toMatchObject({
      stdout: '',
      stderr: '0 of 3 dead letters match\n',
    });
    expect(await dlq('stats', '--state', 'gone')).toMatchObject({ stdout: '', stderr: '0 of 3 dead letters match\n' });
  });

  test('are written as an archive to stdout or to a file, the same lines', async () => {
    const { stdout } = await dlq('export');
    const archive = lines(stdout).map((line, index) => parseArchiveLine(line, `${index}`));
    expect(archive.map(({ entry }) => entry.seq).sort()).toEqual([1, 2, 3]);
    expect(archive.every(({ records }) => records.length === 1)).toBe(true);
    const raw = archive.find(({ entry }) => entry.seq === 3)!;
    expect(raw.original!.payload).toBe(Buffer.from(BINARY).toString('base64'));
    const done = await dlq('export', '--out', 'dead.ndjson');
    expect(done).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(join(cwd, 'dead.ndjson'), 'utf8')).toBe(stdout);
    expect(await dlq('export', '--out', 'no/such/dir')).toMatchObject({ code: 64 });
  });

  test('are found by a user who may read only these streams, with the spec at hand', async () => {
    const spec = join(cwd, 'spec.yaml');
    writeFileSync(
      spec,
      'version: 1\nname: osapi\nqueues:\n  REQUESTS:\n    subjects: ["requests.*"]\n    consumers:\n      request-worker: {}\n    dlq: {stream: REQUESTS_dlq}\n',
    );
    const allow = ['STREAM.INFO.*', 'DIRECT.GET.*', 'CONSUMER.INFO.REQUESTS.request-worker'].map(
      (name) => `"$JS.API.${name}"`,
    );
    const guarded = await startServer({
      config: `authorization { users: [
        {user: admin, password: a}
        {user: viewer, password: v, permissions: {publish: [${allow.join(', ')}], subscribe: ["_INBOX.>"]}}
      ] }`,
    });
    try {
      const admin = await connectTo(guarded, { user: 'admin', password: 'a' });
      await makeQueue(admin);
      await makeDead(admin, 1);
      await admin.close();
      const done = await runCli(['dlq', 'ls', '--ndjson', '-f', spec, '--user', 'viewer'], {
        server: guarded,
        env: { NATS_PASSWORD: 'v' },
      });
      expect(done.code).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject({ id: 'REQUESTS/request-worker/1', state: 'replayable' });
      const bare = await runCli(['dlq', 'ls', '--user', 'viewer'], {
        server: guarded,
        cwd,
        env: { NATS_PASSWORD: 'v' },
      });
      expect(bare.code).toBe(77);
      expect(bare.stderr).toContain('$JS.API.STREAM.LIST');
    } finally {
      await guarded.stop();
    }
  });
});

test('dlq stats with a limit says that it counts the newest alone', async () => {
  await wipe(nats);
  await makeQueue(nats);
  await makeDead(nats, 3);
  const told = 'newest alone';
  expect((await runCli(['dlq', 'stats', '--limit', '2'], { server, cwd })).stderr).toContain(`the 2 ${told}`);
  expect((await runCli(['dlq', 'stats'], { server, cwd })).stderr).not.toContain(told);
});

test('new deaths are told as they come, and Ctrl-C is the end that was asked for', async () => {
  await wipe(nats);
  await makeQueue(nats);
  await makeDead(nats, 1);
  const watch = startCli(['dlq', 'watch', '--ndjson'], { server, cwd });
  await watch.until('stderr', /watching REQUESTS/);
  await put(nats, 'requests.dns', '{"id":"new"}');
  await letDie(nats);
  const [line] = await watch.until('stdout', /.+\n/);
  expect(JSON.parse(line)).toMatchObject({ seq: 2, request_id: 'new', state: 'replayable' });
  watch.child.kill('SIGINT');
  expect(await watch.done).toMatchObject({ code: 0 });
  expect(watch.stdout().split('\n')).toHaveLength(2);
});

needing('the nats CLI').test('what was made by hand with the nats CLI is read as it is, without a spec', async () => {
  const cli = findNatsCli()!;
  await wipe(nats);
  const config = join(cwd, 'consumer.json');
  writeFileSync(
    config,
    JSON.stringify({
      durable_name: 'request-worker',
      ack_policy: 'explicit',
      deliver_policy: 'all',
      filter_subject: 'requests.*',
      replay_policy: 'instant',
      max_deliver: 3,
      backoff: [50e6, 60e6, 70e6],
    }),
  );
  cli.run(
    server,
    'stream',
    'add',
    'REQUESTS',
    '--subjects',
    'requests.*',
    '--storage',
    'file',
    '--retention',
    'work',
    '--defaults',
  );
  cli.run(server, 'stream', 'edit', 'REQUESTS', '--discard', 'new', '--force');
  cli.run(server, 'consumer', 'add', 'REQUESTS', 'request-worker', '--config', config);
  const captured = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*';
  cli.run(server, 'stream', 'add', 'requests_dlq', '--subjects', captured, '--defaults');
  cli.run(server, 'pub', 'requests.dns', '{"query": "example.com"}', '-H', 'Nats-Msg-Id:5f0c', '--quiet');
  await letDie(nats);
  const { code, stdout } = await dlq('ls', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([
    { id: 'REQUESTS/request-worker/1', state: 'replayable', deliveries: 3, request_id: '5f0c' },
  ]);
  expect((await dlq('show', '1')).stdout).toMatch(/delivery 3 of 3, no ack within 70ms, or a nak \(computed\)/);
});

test('a server without a queue, and one that is not there, are told apart', async () => {
  await wipe(nats);
  expect(await dlq('ls')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no queue on this server'),
  });
  expect(await runCli(['dlq', 'ls', '-s', 'nats://127.0.0.1:1'], { cwd })).toMatchObject({ code: 69 });
});

test('dead letters of two queues are listed by their death, and the newest of all is shown', async () => {
  await wipe(nats);
  const other = { stream: 'MAIL', consumer: 'mailer', subjects: ['mail.*'] };
  await makeQueue(nats);
  await makeQueue(nats, other);
  for (const [subject, stream, consumer] of [
    ['requests.a', 'REQUESTS', 'request-worker'],
    ['mail.b', 'MAIL', 'mailer'],
    ['requests.c', 'REQUESTS', 'request-worker'],
  ] as const) {
    await put(nats, subject, '{}');
    await letDie(nats, stream, consumer);
  }
  const subjects = async (...args: string[]) =>
    (JSON.parse((await dlq('ls', '--json', ...args)).stdout) as { subject: string }[]).map(({ subject }) => subject);
  expect(await subjects()).toEqual(['requests.c', 'mail.b', 'requests.a']);
  expect(await subjects('--limit', '2')).toEqual(['requests.c', 'mail.b']);
  expect(JSON.parse((await dlq('show', '--where', 'reason=max_deliveries', '--json')).stdout)).toMatchObject({
    subject: 'requests.c',
  });
});
