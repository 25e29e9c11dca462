import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

// The ledger is a bucket: whoever may write there may have written anything. Whatever it is, what reads it ends with a
// word, and never as a fault of ours.

let server: TestServer;
let nc: NatsConnection;
let head: Record<string, unknown>;
const SPEC = 'config/dev.yaml';
const APPLIED = '$KV.osapi_ops.applied.osapi';

beforeAll(async () => {
  server = await startServer();
  expect((await runCli(['apply', SPEC], { server })).code).toBe(0);
  nc = await connect({ servers: server.url });
  const ask = JSON.stringify({ last_by_subj: APPLIED });
  const { message } = (await nc.request('$JS.API.STREAM.MSG.GET.KV_osapi_ops', ask)).json<{
    message: { data: string };
  }>();
  head = JSON.parse(Buffer.from(message.data, 'base64').toString());
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const runCli = warmCli();
const write = (subject: string, value: string | Uint8Array) => nc.request(subject, value);
const body = (value: unknown): string => gzipSync(JSON.stringify(value)).toString('base64');
const run = async (line: string) => {
  const { code, stdout, stderr } = await runCli(line.split(' '), { server });
  expect({ line, code, said: stdout + stderr }).not.toMatchObject({ code: 70 });
  expect([0, 1, 2, 64, 75]).toContain(code);
  expect(stderr).not.toContain('fault of osapi-ops');
  return { code, stdout, stderr };
};

const anything: readonly [string, string | Uint8Array][] = [
  ['nothing', ''],
  ['no JSON', '{"format": 1, "who'],
  ['bytes that are no text', Buffer.from([0x80, 0xff, 0, 1])],
  ['null', 'null'],
  ['a list', '[1]'],
  ['an empty object', '{}'],
  ['keys of a prototype', '{"__proto__": {"format": 1}, "constructor": 5, "toString": null, "format": 1}'],
  [
    'numbers for texts',
    '{"format":1,"who":1,"host":2,"at":3,"since":4,"verb":5,"system":6,"summary":7,"id":8,"moves":9,"after":0}',
  ],
  ['a text without end', `{"format":1,"who":"${'x'.repeat(900_000)}"}`],
];

test.each([
  ...anything,
  ['a great many parts', () => JSON.stringify({ ...head, body: undefined, parts: 1e9 })],
  ['less than no parts', () => JSON.stringify({ ...head, body: undefined, parts: -1 })],
  ['parts that are not there', () => JSON.stringify({ ...head, body: undefined, parts: 3, write: 'abc' })],
  [
    'a key that breaks the protocol',
    () => JSON.stringify({ ...head, body: undefined, parts: 1, write: 'a b\r\nPUB x 0\r\n\r\n' }),
  ],
  ['a body that is none', () => JSON.stringify({ ...head, body: 'AAAA' })],
  ['a body of null', () => JSON.stringify({ ...head, body: body(null) })],
  [
    'a body of other things',
    () => JSON.stringify({ ...head, body: body({ spec: { queues: { Q: 5 } }, configs: [] }) }),
  ],
  ['earlier versions that are none', () => JSON.stringify({ ...head, previous: [null, 5] })],
  [
    'a body that unpacks to gigabytes',
    () => JSON.stringify({ ...head, body: gzipSync(Buffer.alloc(300 * 1024 * 1024)).toString('base64') }),
  ],
] as readonly [string, string | Uint8Array | (() => string)][])('what was applied reads %s', async (_, value) => {
  await write(APPLIED, typeof value === 'function' ? value() : value);
  for (const line of ['status', 'plan --json', 'history', `plan ${SPEC}`]) await run(line);
  expect((await run(`apply ${SPEC}`)).code).toBe(0);
  expect((await run('status --json')).stdout).toContain('"system": "osapi"');
});

describe.each(anything)('%s stands in', (_, value) => {
  test('the history, an intent, the journal and a failure', async () => {
    for (const key of [
      'history.osapi.20261124T001344123Z-9f3a1c',
      'intent.REQUESTS',
      'journal.REQUESTS.1',
      'failure.REQUESTS.1',
    ]) {
      await write(`$KV.osapi_ops.${key}`, value);
    }
    for (const line of ['history', 'history --json', 'dlq ls', 'dlq replay --dry-run', 'dlq replay']) await run(line);
  });
});

test.each(anything.slice(1, 6))('a lock that reads %s is somebody’s', async (_, value) => {
  await write('$KV.osapi_ops.lock.osapi', value);
  const done = await run(`destroy ${SPEC} --yes --lock-wait 200ms`);
  expect(done).toMatchObject({ code: 75, stderr: expect.stringContaining('somebody is at work on osapi') });
  await nc.request('$JS.API.STREAM.PURGE.KV_osapi_ops', JSON.stringify({ filter: '$KV.osapi_ops.lock.osapi' }));
});

test('a move that cannot be read while somebody is at work is told with who that is', async () => {
  const [key, lock] = ['migration.stream=20REQUESTS', 'lock.osapi'];
  const holder = { id: 'a', who: 'ada', host: 'build-7', pid: 4711, verb: 'apply', since: '2026-01-02T03:04:05Z' };
  await write(`$KV.osapi_ops.${key}`, 'damaged');
  expect((await run('dlq replay')).stderr).not.toContain('At work now');
  await write(`$KV.osapi_ops.${lock}`, JSON.stringify(holder));
  const { code, stderr } = await run('dlq replay');
  for (const each of [key, lock])
    await nc.request('$JS.API.STREAM.PURGE.KV_osapi_ops', JSON.stringify({ filter: `$KV.osapi_ops.${each}` }));
  expect([code, stderr]).toEqual([1, expect.stringMatching(/At work now: .*ada.*build-7.* \(apply, since 2026-01-02/)]);
});

test.each(anything)(
  'of a move under way that reads %s nobody knows what is half moved: nothing is touched',
  async (_, value) => {
    const key = 'migration.stream=20REQUESTS';
    await write(`$KV.osapi_ops.${key}`, value);
    const done = await Promise.all(
      [
        'dlq replay',
        'dlq purge --yes',
        'queue resume',
        `plan ${SPEC}`,
        `apply ${SPEC}`,
        `apply ${SPEC} --migrate`,
        'status',
        'doctor',
      ].map(async (line) => ({ line, ...(await run(line)) })),
    );
    await nc.request('$JS.API.STREAM.PURGE.KV_osapi_ops', JSON.stringify({ filter: `$KV.osapi_ops.${key}` }));
    for (const { line, code, stdout, stderr } of done) {
      expect({ line, said: stdout + stderr }).toMatchObject({ said: expect.stringContaining(`key ${key}`) });
      expect({ line, code }).not.toMatchObject({ code: 0 });
    }
    expect((await run('dlq replay')).code).toBe(0);
  },
);
