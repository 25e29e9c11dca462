import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

// A real server without JetStream, and a client of it that answers in its stead: whatever we are told, we end with a
// word, neither as a fault of ours nor never.

type Answer = (subject: string, body: { offset?: number }) => unknown;

let server: TestServer;
let nc: NatsConnection;
let answer: Answer = () => ({});

beforeAll(async () => {
  server = await startServer({ jetstream: false });
  writeFileSync(join(server.dir, 'q.yaml'), SPEC);
  nc = await connect({ servers: server.url });
  nc.subscribe('$JS.API.>', {
    callback: (_, msg) => {
      const body = msg.data.length > 0 ? msg.json<{ offset?: number }>() : {};
      const said = answer(msg.subject.slice('$JS.API.'.length), body);
      if (Array.isArray(said)) for (const one of said) msg.respond('', { headers: one });
      else msg.respond(typeof said === 'string' ? said : JSON.stringify(said));
    },
  });
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const runCli = warmCli();
const run = (...args: string[]) => runCli(args, { server, cwd: server.dir });
const stream = (name: string, more: object = {}) => ({ config: { name, retention: 'workqueue', ...more }, state: {} });

const SAID: readonly [string, Answer][] = [
  ['no JSON', () => 'hello'],
  ['nothing', () => ''],
  ['null', () => null],
  ['a number', () => 5],
  ['a list', () => '[1]'],
  ['an error that is a text', () => ({ error: 'no', streams: 5 })],
  ['an error of wrong types', () => ({ error: { code: 'x', err_code: {}, description: { toString: 1 } } })],
  ['lists that are none', () => ({ config: { name: 'Q' }, total: 1, streams: { a: 1 }, consumers: 'all' })],
  ['lists of nothing', () => ({ config: { name: 'Q' }, total: 5, streams: [null, 5, 'Q', {}], consumers: [[]] })],
  [
    'names that break the protocol',
    () => ({ config: { name: 'Q' }, total: 1, streams: [stream('Q\r\nPUB x 0\r\n\r\n')], consumers: ['a b'] }),
  ],
  ['the same page for ever', () => ({ ...stream('Q'), total: 1000, streams: [stream('Q')], consumers: ['w'] })],
  ['an empty page for ever', () => ({ config: { name: 'Q' }, total: 1000, streams: [], consumers: [] })],
  [
    'new pages for ever',
    (_, { offset = 0 }) => ({
      config: { name: 'Q' },
      total: offset + 2e6,
      streams: [stream(`Q${offset}`)],
      consumers: [`w${offset}`],
    }),
  ],
];

const SPEC = `version: 1
name: osapi
queues:
  Q:
    subjects: ["q.*"]
    consumers: {w: {filter_subject: "q.*"}}
`;

describe.each([
  [['export']],
  [['dlq', 'ls']],
  [['status']],
  [['request', 'get', 'r1']],
  [['request', 'ls']],
  [['plan', 'q.yaml']],
  [['worker', 'run', '--builtin', 'echo']],
])('%j', (args) => {
  test.each(SAID)('ends with a word where the server answers %s', async (_, how) => {
    answer = how;
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/SERVER_REFUSED/) });
  });
});

describe.each([[['doctor']], [['history']]])('%j, which tells what it can,', (args) => {
  test.each(SAID)('ends with a word where the server answers %s', async (_, how) => {
    answer = how;
    const { code, stdout, stderr } = await run(...args, '--json');
    expect([0, 1, 2, 69]).toContain(code);
    expect(() => JSON.parse(stdout)).not.toThrow();
    expect(`${stdout}${stderr}`).not.toMatch(/fault of osapi-ops|\n\s+at .*\.(?:ts|js)/);
  });
});

/** A message of a batch, and its end. */
const piece = (seq: string) => {
  const hdrs = headers();
  const added = {
    'Nats-Stream': 'D',
    'Nats-Subject': 'x',
    'Nats-Sequence': seq,
    'Nats-Time-Stamp': '',
    'Nats-Num-Pending': '5',
  };
  for (const [name, value] of Object.entries(added)) hdrs.append(name, value);
  return hdrs;
};
const END = headers(204, 'EOB');
const NOBODY = [headers(503, 'No Responders')];

describe('a stream is read to an end', () => {
  test.each<[string, { direct?: unknown; api?: unknown }]>([
    ['the same message for ever', { direct: [piece('1'), END] }],
    ['a message twice', { direct: [piece('1'), piece('1'), END] }],
    ['a message without a sequence', { direct: [piece('x'), END] }],
    ['an unknown end', { direct: [headers(500, 'what')] }],
    ['no headers', { direct: 'hello' }],
    ['the same message by the API for ever', { api: { message: { seq: 1, subject: 'x', time: '', data: '' } } }],
    ['a message without a sequence by the API', { api: { message: { subject: 'x' } } }],
    ['a message of another kind by the API', { api: { message: [{ toString: 1 }] } }],
  ])('that answers with %s', async (_, { direct = NOBODY, api }) => {
    const subjects = ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.*'];
    const dlq = {
      ...stream('D', { subjects, allow_direct: !api }),
      state: { messages: 50_000, first_seq: 1, last_seq: 50_000 },
    };
    answer = (subject) => {
      if (subject.startsWith('STREAM.LIST')) return { total: 2, streams: [dlq, stream('Q')] };
      if (subject === 'STREAM.INFO.D') return dlq;
      if (subject === 'STREAM.INFO.Q') return stream('Q');
      if (subject === 'STREAM.MSG.GET.D') return api;
      if (subject.startsWith('DIRECT.GET.')) return subject.endsWith('.D') ? direct : NOBODY;
      if (subject.startsWith('CONSUMER')) return { total: 0, consumers: [] };
      return { error: { err_code: 10059, description: 'stream not found' } };
    };
    const { code, stderr } = await run('dlq', 'ls');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('SERVER_REFUSED') });
  });
});
