// What the history tells is true, whenever the process that tells it is killed.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeConsumer, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { type Lossy, startLossy } from '../support/lossy.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const warm = warmCli();
let server: TestServer;
let lossy: Lossy;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  lossy = await startLossy(server.port);
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats?.close();
  lossy?.close();
  await server?.stop();
});
beforeEach(async () => {
  await wipe(nats);
  await makeQueue(nats);
  // Makes the ledger.
  await warm(['dlq', 'replay'], { server });
});

const history = async (): Promise<Record<string, unknown>[]> =>
  JSON.parse((await warm(['history', '--json'], { server })).stdout);

/** Runs a command that is killed (kill -9) when the answer to such a request comes, or the request is lost. */
async function killedAt(what: 'answer' | 'request', subject: RegExp, ...args: string[]): Promise<void> {
  const cli = startCli(args, { server: lossy });
  lossy.lose(what, subject, async () => void process.kill(cli.pid, 'SIGKILL'));
  expect(await cli.done).not.toMatchObject({ code: 0 });
}

test.each([
  ['answer', /history/],
  ['answer', /CONSUMER\.PAUSE/],
  ['request', /history/],
  ['request', /CONSUMER\.PAUSE/],
] as const)(
  'a pause that is killed when the %s of %s is lost is told as what it is: asked for',
  async (what, subject) => {
    await killedAt(what, subject, 'queue', 'pause', 'REQUESTS');
    for (const { summary } of await history()) {
      expect(summary).toBe('asked to pause REQUESTS/request-worker until somebody resumes it');
    }
  },
);

test('a pause is written down behind all that it asks for, however many', async () => {
  await makeQueue(nats, { stream: 'MANY', subjects: ['many.*'], config: { retention: 'limits' }, consumer: 'c0' });
  for (let index = 1; index < 20; index++) await makeConsumer(nats, { stream: 'MANY', consumer: `c${index}` });
  const subjects: string[] = [];
  const tap = await connectTo(server);
  tap.nc.subscribe('>', { callback: (_, { subject }) => void subjects.push(subject) });
  await tap.nc.flush();
  expect(await warm(['queue', 'pause', 'MANY'], { server })).toMatchObject({ code: 0 });
  await tap.nc.flush();
  await tap.close();
  const written = subjects.findIndex((subject) => subject.includes('.history.'));
  const asked = subjects
    .map((subject, at) => (subject.startsWith('$JS.API.CONSUMER.PAUSE') ? at : -1))
    .filter((at) => at >= 0);
  expect(asked).toHaveLength(20);
  expect(Math.max(...asked)).toBeLessThan(written);
});

test('a pause that is refused is told as refused', async () => {
  await makeQueue(nats, { stream: 'MANY', subjects: ['many.*'] });
  const cli = startCli(['queue', 'pause', 'MANY'], { server: lossy });
  // Gone between the look and the deed.
  lossy.lose('request', /CONSUMER\.PAUSE/, () => nats.api('CONSUMER.DELETE.MANY.request-worker'));
  expect(await cli.done).toMatchObject({ code: 1 });
  expect(await history()).toMatchObject([
    { verb: 'pause', summary: expect.stringMatching(/^could not pause MANY\/request-worker until .*: .*not found/) },
  ]);
});

test.each([
  { name: 'before its request is out', lost: 'request', subject: /MSG\.DELETE/, told: [] },
  { name: 'when it is out', lost: 'answer', subject: /history/, told: [{ id: 'a', seq: 1 }] },
] as const)('a cancelled request, killed $name: no more is told than is known by then', async (row) => {
  await put(nats, 'requests.dns', JSON.stringify({ id: 'a', query: 'example.com' }));
  await killedAt(row.lost, row.subject, 'request', 'cancel', 'a', '--yes');
  const told = (await history()).flatMap(({ detail }) => (detail as { entries: unknown[] }).entries);
  expect(told).toEqual(row.told);
});
