import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

// A real server without JetStream, and a client of it that answers in its stead: whatever we are told, we end with a
// word, neither as a fault of ours nor never.

let server: TestServer;
let nc: NatsConnection;
let answer: (subject: string, body: { offset?: number }) => unknown = () => ({});

beforeAll(async () => {
  server = await startServer({ jetstream: false });
  nc = await connect({ servers: server.url });
  nc.subscribe('$JS.API.>', {
    callback: (_, msg) => {
      const body = msg.data.length > 0 ? msg.json<{ offset?: number }>() : {};
      const said = answer(msg.subject.slice('$JS.API.'.length), body);
      msg.respond(typeof said === 'string' ? said : JSON.stringify(said));
    },
  });
}, 60_000);
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const run = (...args: string[]) => runCli(args, { server, cwd: server.dir });
const stream = (name: string) => ({ config: { name, retention: 'workqueue' }, state: {} });

const ANSWERS: readonly [string, typeof answer][] = [
  ['no JSON', () => 'hello'],
  ['nothing', () => ''],
  ['null', () => null],
  ['a number', () => 5],
  ['a list', () => [1]],
  ['an error that is a text', () => ({ error: 'no', streams: 5 })],
  ['an error of wrong types', () => ({ error: { code: 'x', err_code: {}, description: ['y'] } })],
  ['lists that are none', () => ({ total: 1, streams: { a: 1 }, consumers: 'all' })],
  ['lists of nothing', () => ({ total: 5, streams: [null, 5, 'Q', {}], consumers: [[]] })],
  [
    'names that break the protocol',
    () => ({ total: 1, streams: [stream('Q\r\nPUB x 0\r\n\r\n')], consumers: ['a b'] }),
  ],
  ['the same page for ever', () => ({ total: 1000, streams: [stream('Q')], consumers: ['w'] })],
  ['an empty page for ever', () => ({ total: 1000, streams: [], consumers: [] })],
  [
    'new pages for ever',
    (_, { offset = 0 }) => ({ total: offset + 2e6, streams: [stream(`Q${offset}`)], consumers: [`w${offset}`] }),
  ],
];

describe.each([[['export']]])('%j', (args) => {
  test.each(ANSWERS)('ends with a word where the server answers %s', async (_, how) => {
    answer = how;
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('SERVER_REFUSED'),
    });
  });
});
