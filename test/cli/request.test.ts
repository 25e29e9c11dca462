import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-request-'));
let server: TestServer;
let nats: Nats;

beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(cwd, { recursive: true });
});

/** The original system, made by hand: no spec, no ledger. */
beforeEach(async () => {
  for (const name of ['REQUESTS', 'requests_dlq', 'KV_responses', 'KV_osapi_ops']) {
    await nats.api(`STREAM.DELETE.${name}`).catch(() => {});
  }
  const memory = { storage: 'memory' };
  const queue = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new', max_msgs: 1000 };
  await nats.api('STREAM.CREATE.REQUESTS', { name: 'REQUESTS', ...queue, ...memory });
  const config = { durable_name: 'request-worker', ack_policy: 'explicit', max_deliver: 2, backoff: [100e6, 200e6] };
  await nats.api('CONSUMER.DURABLE.CREATE.REQUESTS.request-worker', { stream_name: 'REQUESTS', config });
  const dead = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*';
  await nats.api('STREAM.CREATE.requests_dlq', { name: 'requests_dlq', subjects: [dead], ...memory });
  const bucket = { subjects: ['$KV.responses.>'], max_msgs_per_subject: 1, allow_rollup_hdrs: true, discard: 'new' };
  await nats.api('STREAM.CREATE.KV_responses', { name: 'KV_responses', ...bucket, ...memory });
});

const run = (...args: string[]) => runCli(['request', ...args], { server, cwd });
const BODY = '{"query":"localhost"}';
const CALM = { code: 0, stderr: '' };

describe('request send', () => {
  test('prints the id alone, and says on stderr that nobody works', async () => {
    const { code, stdout, stderr } = await run('send', 'dns', BODY);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}\n$/);
    expect(stderr).toContain('no worker is pulling from REQUESTS/request-worker');
    expect(stderr).toContain('stored in REQUESTS as 1 (requests.dns)');
  });

  test('is harmless twice with --id, and says so', async () => {
    await run('send', 'dns', BODY, '--id', 'once');
    const { code, stdout } = await run('send', 'dns', BODY, '--id', 'once', '--json');
    expect({ code, json: JSON.parse(stdout) }).toEqual({
      code: 0,
      json: { id: 'once', queue: 'REQUESTS', seq: 1, subject: 'requests.dns', duplicate: true },
    });
  });

  test('says of an id that the queue remembers and has no more that nothing was stored', async () => {
    await run('send', 'dns', BODY, '--id', 'once');
    await run('cancel', 'once', '--yes');
    expect((await run('send', 'dns', BODY, '--id', 'once')).stderr).toContain('remembers once, but has it no more');
  });

  test('waits for the response and prints it as it is stored', async () => {
    const sending = startCli(['request', 'send', 'dns', BODY, '--id', 'w', '--wait', '--timeout', '10s'], {
      server,
      cwd,
    });
    await sending.until('stderr', /waiting for its response/);
    await nats.kv('responses').put('w', '{"n": 12345678901234567890}');
    expect(await sending.done).toMatchObject({ code: 0, stdout: '{"n": 12345678901234567890}\n' });
  });

  test('exits 2 where the time to wait is over and the answer may still come', async () => {
    const { code, stdout, stderr } = await run('send', 'dns', BODY, '--id', 'w', '--wait', '--timeout', '200ms');
    expect({ code, stdout }).toEqual({ code: 2, stdout: 'w\n' });
    expect(stderr).toContain('no response yet: w is queued in REQUESTS as 1');
  });

  test.each([
    { name: 'a payload that is no JSON', args: ['dns', 'hello'], code: 64, says: 'REQUEST_INVALID' },
    { name: 'a kind that no queue takes', args: ['a.b', BODY], code: 64, says: 'REQUEST_UNKNOWN_KIND' },
    {
      name: 'a subject that no stream takes',
      args: ['x', BODY, '--subject', 'a.b'],
      code: 64,
      says: 'REQUEST_UNKNOWN_KIND',
    },
    { name: 'no payload', args: ['dns'], code: 64, says: 'USAGE' },
    { name: 'a header of the server', args: ['dns', BODY, '-H', 'Nats-Rollup:all'], code: 64, says: 'USAGE' },
    { name: 'a file that is not there', args: ['dns', '--input', 'none.json'], code: 64, says: 'USAGE_FILE' },
  ])('refuses $name', async ({ args, code, says }) => {
    const result = await run('send', ...args, '--json');
    expect(result.code).toBe(code);
    expect(JSON.parse(result.stdout).error.code).toBe(says);
    expect((await nats.api('STREAM.INFO.REQUESTS')).state).toMatchObject({ messages: 0 });
  });

  test('takes the payload from stdin and from a file, headers with it, and bytes with --raw', async () => {
    const stdin = { server, cwd, stdin: BODY };
    expect(
      (await runCli(['request', 'send', 'dns', '-', '--id', 'a', '-H', 'Tenant: acme', '-H', 'X:1'], stdin)).code,
    ).toBe(0);
    writeFileSync(join(cwd, 'raw.bin'), Buffer.from([0xff, 0x00, 0x0a]));
    expect((await run('send', 'dns', '--input', 'raw.bin', '--raw', '--id', 'b')).code).toBe(0);
    const first = await nats.api('STREAM.MSG.GET.REQUESTS', { seq: 1 });
    const second = await nats.api('STREAM.MSG.GET.REQUESTS', { seq: 2 });
    const { data, hdrs } = first.message as { data: string; hdrs: string };
    expect(Buffer.from(data, 'base64').toString()).toBe('{"id":"a","query":"localhost"}');
    expect(Buffer.from(hdrs, 'base64').toString()).toBe('NATS/1.0\r\nNats-Msg-Id: a\r\nTenant: acme\r\nX: 1\r\n\r\n');
    expect((second.message as { data: string }).data).toBe('/wAK');
  });

  test('says how many lines it did not try when a full queue ends a bulk, and warns of nothing else', async () => {
    const line = (n: number) => JSON.stringify({ n, pad: 'x'.repeat(300) });
    writeFileSync(join(cwd, 'many.ndjson'), Array.from({ length: 20_000 }, (_, n) => line(n)).join('\n'));
    const args = ['send', 'dns', '--ndjson', '--input', 'many.ndjson'];
    const cut = await run(...args, '--json');
    const { error, sent, failed, untried, lines } = JSON.parse(cut.stdout);
    expect({ code: cut.code, sent, lines, all: sent + failed + untried }).toEqual({
      code: 1,
      sent: 1000,
      lines: sent + failed,
      all: 20_000,
    });
    expect(error.message).toBe(
      `1000 sent, 0 there already, ${failed} not stored; the ${untried} after line ${lines} were not tried`,
    );
    const kept = await run(...args, '--rejects', 'rest.ndjson');
    expect(kept.stderr).toContain('0 sent, 0 there already, 20000 not stored\n');
    expect(kept.stderr).not.toContain('MaxListeners');
    expect(readFileSync(join(cwd, 'rest.ndjson'), 'utf8').trim().split('\n')).toHaveLength(20_000);
  });

  test('keeps the lines of a bulk that did not get in, ready to be sent again', async () => {
    const lines = Array.from({ length: 1010 }, (_, n) => `{"n":${n}}`).join('\n');
    writeFileSync(join(cwd, 'bulk.ndjson'), lines);
    const args = ['send', 'dns', '--ndjson', '--input', 'bulk.ndjson', '--rejects', 'unsent.ndjson'];
    const full = await run(...args);
    expect(full.code).toBe(1);
    expect(full.stdout.trim().split('\n')).toHaveLength(1000);
    expect(full.stderr).toContain('1000 sent, 0 there already, 10 not stored');
    expect(full.stderr).toMatch(/lines 1001 to 10(09|10): the queue is full: the request was not stored/);
    expect(readFileSync(join(cwd, 'unsent.ndjson'), 'utf8').trim().split('\n')).toHaveLength(10);
    // What was kept is not written over by a second run.
    expect((await run(...args)).code).toBe(64);
    await nats.api('STREAM.PURGE.REQUESTS', { keep: 100 });
    const again = await run('send', 'dns', '--ndjson', '--input', 'unsent.ndjson', '--json');
    expect({ code: again.code, json: JSON.parse(again.stdout) }).toEqual({
      code: 0,
      json: { sent: 10, duplicates: 0, failed: 0, lines: 10, stopped: false, errors: [] },
    });
    expect(existsSync(join(cwd, 'unsent.ndjson'))).toBe(true);
  });
});

describe('request get, show, ls and cancel', () => {
  test('tell by their exit codes whether an answer is there, may come, or will not', async () => {
    await run('send', 'dns', BODY, '--id', 'a');
    expect(await run('get', 'a', '--json')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('"state": "queued"'),
    });
    await nats.kv('responses').put('a', 'yes');
    expect(await run('get', 'a')).toEqual({ ...CALM, signal: null, stdout: 'yes\n' });
    expect(await run('get', 'a', '--raw')).toEqual({ ...CALM, signal: null, stdout: 'yes' });
    const none = await run('get', 'nobody', '--json');
    expect(none.code).toBe(1);
    expect(JSON.parse(none.stdout)).toMatchObject({ id: 'nobody', state: 'unknown', error: { code: 'NOT_FOUND' } });
  });

  test('follow a request to its death, and tell why and what to do', async () => {
    await run('send', 'dns', 'poison', '--raw', '--id', 'p');
    const worker = startCli(['worker', 'run', '--builtin', 'dns', '--idle-exit', '3s'], { server, cwd });
    const { code, stdout, stderr } = await run('get', 'p', '--wait', '20s', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'dead',
      entry: 'REQUESTS/request-worker/1',
      detail: expect.stringContaining('not JSON'),
      error: { code: 'REQUEST_DEAD' },
    });
    expect(stderr).toContain('osapi-ops dlq show REQUESTS/request-worker/1');
    await worker.done;
    const shown = await run('show', 'p', '--json');
    const events = JSON.parse(shown.stdout).timeline.map(({ event }: { event: string }) => event);
    expect(events).toEqual(expect.arrayContaining(['published', 'failed', 'died']));
    expect(events.indexOf('published')).toBeLessThan(events.indexOf('died'));
  });

  test('list what waits as a table, as JSON and line by line, filtered', async () => {
    await run('send', 'dns', BODY, '--id', 'a');
    await run('send', 'http', BODY, '--id', 'b');
    const { stdout } = await run('ls');
    expect(stdout.split('\n').map((line) => line.split(/ +/).slice(0, 4))).toEqual([
      ['ID', 'SUBJECT', 'QUEUE', 'SEQ'],
      ['a', 'requests.dns', 'REQUESTS', '1'],
      ['b', 'requests.http', 'REQUESTS', '2'],
      [''],
    ]);
    const json = JSON.parse((await run('ls', '--subject', 'requests.http', '--json')).stdout);
    expect(json).toEqual([
      {
        id: 'b',
        queue: 'REQUESTS',
        state: 'queued',
        seq: 2,
        subject: 'requests.http',
        published_at: expect.stringMatching(/^20.*Z$/),
        size: 30,
        replays: 0,
      },
    ]);
    expect((await run('ls', '--ndjson', '--limit', '1')).stdout.trim().split('\n')).toHaveLength(1);
    const told = async (...args: string[]) => (await run('ls', ...args)).stderr;
    expect(await told('--older-than', '1h')).toBe('0 of 2 requests match\n');
    expect(await told('--older-than', '0s')).toBe('2 of 2 requests match: 2 requests wait\n');
    expect(await told('--subject', 'other')).toBe('0 of 2 requests match\n');
    expect(await told('--subject', 'requests.http')).toBe('1 of 2 requests match: 1 request waits\n');
    expect(await told('--failing')).toBe('0 of 2 requests match\n');
    expect(await told('--limit', '1')).toBe('the first 1 of 2 requests; more wait\n');
    expect(await told('--subject', 'requests.*', '--limit', '1')).toBe(
      'the first 1 that match, of 2 requests; more do\n',
    );
    expect(await told('--where', 'json:.v=zzz')).toBe('0 of 2 requests match\n');
    expect(await told('--where', 'json:.v=zzz', '--subject', 'requests.http')).toBe('0 of 2 requests match\n');
    expect(await told('--where', 'json:.v!=zzz')).toBe('2 of 2 requests match: 2 requests wait\n');
    expect(await told('--queue', 'REQUESTS', '--where', 'state=queued')).toContain('Error:');
  });

  test('take nothing back off a terminal without --yes; with it they do, and the history says who', async () => {
    await run('send', 'dns', BODY, '--id', 'a');
    const refused = await run('cancel', 'a', '--json');
    expect({ code: refused.code, error: JSON.parse(refused.stdout).error.code }).toEqual({
      code: 1,
      error: 'NOT_CONFIRMED',
    });
    const done = await run('cancel', 'a', 'zz', '--yes', '--json');
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout)).toMatchObject({
      cancelled: 1,
      refused: 1,
      entries: [
        { id: 'a', outcome: 'cancelled', queue: 'REQUESTS', seq: 1 },
        { id: 'zz', outcome: 'unknown' },
      ],
      error: { code: 'REQUEST_NOT_CANCELLED' },
    });
    const history = JSON.parse((await runCli(['history', '--json'], { server, cwd })).stdout);
    expect(JSON.stringify(history)).toContain('1 taken out of REQUESTS');
  });

  test('print what a response says without letting it reach the terminal’s controls', async () => {
    await run('send', 'dns', BODY, '--id', 'b');
    await nats.kv('responses').put('b', '\u001b[2Jgone');
    // Not a terminal: the bytes are the reader's.
    expect((await run('get', 'b')).stdout).toBe('\u001b[2Jgone\n');
    expect((await run('show', 'b')).stdout).not.toContain('\u001b');
  });

  needing('the nats CLI').test('give the nats CLI what they store, and read what it stores', async () => {
    const cli = findNatsCli()!;
    cli.run(server, 'pub', 'requests.dns', BODY, '-H', 'Nats-Msg-Id: theirs');
    expect((await run('get', 'theirs', '--json')).code).toBe(2);
    cli.run(server, 'kv', 'put', 'responses', 'theirs', '{"ok":true}');
    expect((await run('get', 'theirs')).stdout).toBe('{"ok":true}\n');
    const id = (await run('send', 'dns', BODY)).stdout.trim();
    const taken = cli.run(server, 'consumer', 'next', 'REQUESTS', 'request-worker', '--raw', '--count', '2');
    expect(taken).toContain(`{"id":"${id}","query":"localhost"}`);
  });
});

/** What `osapi-ops permissions SPEC client` allows. */
const CLIENT = `accounts: { A: { jetstream: enabled, users: [
  { user: admin, password: a }
  { user: client, password: c, permissions: {
    publish: { allow: ["requests.*", "$JS.API.DIRECT.GET.KV_responses.$KV.responses.>"] }
    subscribe: { allow: ["_INBOX.>"] }
  } }
] } }`;

describe('a client that may only publish requests and read responses', () => {
  let shared: TestServer;
  let admin: Nats;
  beforeAll(async () => {
    shared = await startServer({ config: CLIENT });
    admin = await connectTo(shared, { user: 'admin', password: 'a' });
    await admin.api('STREAM.CREATE.REQUESTS', { name: 'REQUESTS', subjects: ['requests.*'], retention: 'workqueue' });
    const bucket = { subjects: ['$KV.responses.>'], max_msgs_per_subject: 1, allow_direct: true };
    await admin.api('STREAM.CREATE.KV_responses', { name: 'KV_responses', ...bucket });
  });
  afterAll(async () => {
    await admin.close();
    await shared.stop();
  });
  const SPEC =
    'version: 1\nname: s\nqueues:\n  REQUESTS:\n    subjects: ["requests.*"]\n    responses: { bucket: responses }\n';
  const as = (...args: string[]) =>
    startCli(['request', ...args, '--user', 'client', '--password', 'c'], { server: shared, cwd });

  test('sends, waits and reads without a word about what it may not see', async () => {
    writeFileSync(join(cwd, 'spec.yaml'), SPEC);
    const sending = as('send', 'dns', BODY, '--id', 'x', '--file', 'spec.yaml', '--wait', '--timeout', '10s');
    await sending.until('stderr', /waiting for its response/);
    await admin.kv('responses').put('x', 'yes');
    expect(await sending.done).toMatchObject({ code: 0, stdout: 'yes\n' });
    expect(sending.stderr()).not.toMatch(/permission/);
    expect(await as('get', 'x', '--bucket', 'responses').done).toMatchObject({ code: 0, stdout: 'yes\n', stderr: '' });
  });

  test('is not told that a request is unknown where it may not look for it', async () => {
    const { code, stdout, stderr } = await as('get', 'nope', '--bucket', 'responses').done;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('no permission to publish to $JS.API.STREAM.LIST');
  });

  test('is told to name what it may not look up', async () => {
    const { code, stderr } = await as('send', 'dns', BODY).done;
    expect(code).toBe(77);
    expect(stderr).toContain('name the spec with -f FILE, or the whole subject with --subject');
    expect(await as('send', 'x', BODY, '--subject', 'requests.dns').done).toMatchObject({ code: 0 });
  });
});

describe('with a backlog', () => {
  test.each([[['status', '--fail-on', 'critical']], [['request', 'ls', '--limit', '1']]])(
    '%j ends with its answer: what was read ahead keeps nobody waiting',
    async (args) => {
      for (let n = 0; n < 3; n++) await nats.request('requests.dns', BODY);
      const running = startCli([...args, '--timeout', '60s'], { server, cwd });
      await running.until('stdout', /REQUESTS|requests\.dns/);
      const late = setTimeout(() => running.child.kill('SIGKILL'), 15_000);
      expect(await running.done).toMatchObject({ signal: null, code: 0 });
      clearTimeout(late);
    },
  );
});
