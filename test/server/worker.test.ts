import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFailure, readFailures } from '../../src/lib/ledger/failure.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getMessage, getRange } from '../../src/lib/nats/messages.ts';
import { headerValue, parseHeaders, printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { showDeadLetter } from '../../src/lib/operations/dlq/show.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { BACKOFF_MS, makeSystem, sendRequests, startWorker, stateOf, until, work } from '../support/worker.ts';

jest.setTimeout(30_000);

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-handlers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const first = { ids: ['REQUESTS/request-worker/1'], filter: {} };

let handlers = 0;
/** A module with this text as a handler. */
function handler(body: string): { work: { type: 'handler'; file: string } } {
  const file = join(dir, `handler-${handlers++}.ts`);
  writeFileSync(
    file,
    `export default async (request: { id: string; query: string }, context: any) => {\n${body}\n};\n`,
  );
  return { work: { type: 'handler', file } };
}

describe.each(availableVersions())('a worker, nats-server %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
  }, 60_000);
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
  });
  beforeEach(() => makeSystem(nats));

  const response = async (id: string) => {
    const entry = await nats.kv('responses').get(id);
    return entry && Buffer.from(entry.value).toString();
  };
  /** Takes a delivery as a worker does that then falls silent. */
  const takeOne = async () => {
    const inbox = `_INBOX.taker.${Date.now()}`;
    const sub = nats.nc.subscribe(inbox, { max: 1 });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', '{"batch":1}', { reply: inbox });
    for await (const _ of sub) return;
  };

  needing('the nats CLI').test(
    'answers what others send as the bash loop of the nats CLI does, and leaves nothing',
    async () => {
      const cli = findNatsCli()!;
      cli.run(server, 'pub', 'requests.dns', '{"id": "by-cli", "query": "example.com"}', '-H', 'Nats-Msg-Id:by-cli');
      const { report } = await work(server);
      expect(cli.run(server, 'kv', 'get', 'responses', 'by-cli', '--raw').trim()).toBe(
        '{"id": "by-cli", "query": "example.com", "response": "Success"}',
      );
      expect(report).toMatchObject({ taken: 1, answered: 1, ended_by: 'idle' });
      expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    },
  );

  test('answers thousands once each', async () => {
    const ids = Array.from({ length: 3000 }, (_, index) => `many-${index}`);
    await sendRequests(nats, ids);
    const { report } = await work(server, { concurrency: 64 });
    expect(report).toMatchObject({ taken: 3000, answered: 3000 });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    expect(await stateOf(nats, 'KV_responses')).toMatchObject({ messages: 3000, last_seq: 3000 });
  });

  test('acks the second delivery of an answered request, and does not do it again', async () => {
    await sendRequests(nats, ['twice']);
    await takeOne();
    await nats.kv('responses').put('twice', 'by another worker');
    const { report } = await work(server, { idleExitMs: 800 });
    expect(report).toMatchObject({ answered: 0, already_answered: 1 });
    expect(await response('twice')).toBe('by another worker');
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });

  test('lets the answer stand that another worker gave while it worked', async () => {
    await sendRequests(nats, ['raced']);
    const worker = startWorker(server, handler('await new Promise((done) => setTimeout(done, 400)); return "late";'));
    await sleep(200);
    await nats.kv('responses').put('raced', 'first');
    expect((await worker.done).report).toMatchObject({ answered: 0, already_answered: 1 });
    expect(await response('raced')).toBe('first');
  });

  test('answers a new request under an old id anew', async () => {
    await nats.kv('responses').put('again', 'of last week');
    await sendRequests(nats, ['again']);
    expect((await work(server)).report.answered).toBe(1);
    expect(await response('again')).toContain('"query": "of again"');
  });

  test('keeps the lease of long work: it is delivered once, though the ack wait is over many times', async () => {
    await sendRequests(nats, ['long']);
    const long = BACKOFF_MS[0]! * 6;
    const slow = handler(
      `await new Promise((done) => setTimeout(done, ${long})); return { delivery: context.delivery };`,
    );
    const { report } = await work(server, { ...slow, idleExitMs: 700 });
    expect(report).toMatchObject({ taken: 1, answered: 1 });
    expect(await response('long')).toBe('{"delivery":1}');
  });

  test('keeps the lease of what waits for its turn, too', async () => {
    await sendRequests(nats, ['a', 'b', 'c']);
    const slow = handler('await new Promise((done) => setTimeout(done, 700)); return context.delivery;');
    const { report } = await work(server, { ...slow, concurrency: 1, prefetch: 2, idleExitMs: 700 });
    expect(report).toMatchObject({ taken: 3, answered: 3 });
  });

  test('tries a failure again as the backoff says, keeps its reasons, and forgets them with the answer', async () => {
    await sendRequests(nats, ['shaky']);
    const shaky = handler(
      'if (context.delivery < 3) throw new Error("try " + context.delivery); return [Date.now(), context.delivery];',
    );
    const started = Date.now();
    const worker = startWorker(server, { ...shaky, idleExitMs: 1500 });
    const message = (await getMessage(nats, 'REQUESTS', 1))!;
    await until(async () => (await readFailures(nats, message)).length === 2, 'two reasons are kept');
    expect(await readFailures(nats, message)).toMatchObject([
      { delivery: 1, reason: 'try 1', request_id: 'shaky', kind: 'failed', next_delivery_at: expect.any(String) },
      { delivery: 2, reason: 'try 2' },
    ]);
    // Where the server can, the reasons go by themselves: a dead letter that is replayed leaves them behind.
    const kept = (await getMessage(nats, 'KV_osapi_ops', 1))!;
    expect(headerValue(parseHeaders(kept.headers), 'Nats-TTL')).toBe('2592000s');
    const { report } = await worker.done;
    expect(report).toMatchObject({ taken: 3, failed: 2, answered: 1 });
    const [at, delivery] = JSON.parse((await response('shaky'))!);
    expect(delivery).toBe(3);
    expect(at - started).toBeGreaterThanOrEqual(BACKOFF_MS[0]! + BACKOFF_MS[1]! - 20);
    expect(await readFailure(nats, message)).toBeUndefined();
    expect((await stateOf(nats, 'KV_osapi_ops')).messages).toBe(0);
  });

  test('keeps reasons in a ledger of an older make, which lets nothing go by itself', async () => {
    await nats.api('STREAM.CREATE.KV_osapi_ops', {
      name: 'KV_osapi_ops',
      subjects: ['$KV.osapi_ops.>'],
      allow_direct: true,
    });
    await sendRequests(nats, ['poison']);
    await work(server, { ...handler('throw new Error("no");'), max: 1 });
    const message = (await getMessage(nats, 'REQUESTS', 1))!;
    expect(await readFailure(nats, message)).toMatchObject({ reason: 'no' });
  });

  test('lets die what always fails, with the reason for dlq show', async () => {
    await sendRequests(nats, ['poison']);
    const { report } = await work(server, { ...handler('throw new TypeError("no such host");'), idleExitMs: 1200 });
    expect(report).toMatchObject({ taken: 4, failed: 4 });
    await until(async () => (await stateOf(nats, 'requests_dlq')).messages === 1, 'the advisory is captured');
    const { letter } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({ state: 'replayable', request_id: 'poison', detail: 'TypeError: no such host' });
  });

  test('keeps payload and headers of what can never be handled, then ends it', async () => {
    const headers = printHeaders([
      { name: 'Nats-Msg-Id', value: 'm1' },
      { name: 'Team', value: 'shop' },
    ]);
    const payload = Buffer.from([0xff, 0x00, 0x7b]);
    await publish(nats, 'requests.dns', payload, headers);
    await publish(nats, 'requests.dns', Buffer.from('{"query":"no id"}'));
    const { report, events } = await work(server);
    expect(report).toMatchObject({ taken: 2, rejected: 2, failed: 0 });
    expect(events.filter(({ event }) => event === 'rejects_not_kept')).toEqual([]);
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    const { letter, payload: kept } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({
      reason: 'rejected',
      detail: expect.stringMatching(/^not JSON/),
      subject: 'requests.dns',
    });
    expect(letter.headers).toEqual({ 'Nats-Msg-Id': ['m1'], Team: ['shop'] });
    expect(Buffer.from(kept!)).toEqual(payload);
  });

  test('leaves what it can never handle in a queue whose DLQ keeps no payloads, dead and with its reason', async () => {
    await makeSystem(nats, { handMade: true });
    await publish(nats, 'requests.dns', Buffer.from('{"query":"no id"}'));
    const { report, events } = await work(server);
    expect(report).toMatchObject({ rejected: 0, taken: 4 });
    expect(events.find(({ event }) => event === 'rejects_not_kept')?.level).toBe('warn');
    await until(async () => (await stateOf(nats, 'requests_dlq')).messages === 1, 'the advisory is captured');
    const { letter } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({ state: 'replayable', payload: '{"query":"no id"}', detail: 'no id' });
  });

  test('never acks away a response that a full bucket does not take', async () => {
    await makeSystem(nats, { bucket: { max_bytes: 100 }, consumer: { max_deliver: 2 } });
    await sendRequests(nats, ['full']);
    const { report, events } = await work(server, { idleExitMs: 900 });
    expect(report).toMatchObject({ answered: 0, unstored: 2 });
    expect(events.filter(({ event }) => event === 'unstored')[0]).toMatchObject({
      reason: expect.stringMatching(/maximum bytes/),
    });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 1 });
  });

  test('gives back what it cannot answer while the bucket is gone', async () => {
    const gone = startWorker(server, {
      ...handler('await new Promise((done) => setTimeout(done, 300)); return 1;'),
      max: 1,
    });
    await sleep(200);
    await nats.api('STREAM.DELETE.KV_responses');
    await sendRequests(nats, ['homeless']);
    expect((await gone.done).report).toMatchObject({ answered: 0, unstored: 1 });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 1 });
  });

  test('rejects a request whose response no server takes, and goes on', async () => {
    await sendRequests(nats, ['huge', 'small']);
    const { report } = await work(server, handler('return request.id === "huge" ? "x".repeat(2_000_000) : "ok";'));
    expect(report).toMatchObject({ answered: 1, rejected: 1 });
    expect(await response('small')).toBe('ok');
  });

  test('takes no more than it is to take', async () => {
    await sendRequests(nats, ['a', 'b', 'c', 'd', 'e']);
    const { report } = await work(server, { max: 2, idleExitMs: undefined });
    expect(report).toMatchObject({ taken: 2, answered: 2, ended_by: 'max', returned: 0 });
    const info = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
    expect(info).toMatchObject({ num_pending: 3, num_ack_pending: 0, num_redelivered: 0 });
  });

  test('finishes what is in hand when told to stop, and gives back the rest at once', async () => {
    await makeSystem(nats, { consumer: { backoff: [30e9] } });
    await sendRequests(nats, ['a', 'b', 'c', 'd']);
    const slow = handler('await new Promise((done) => setTimeout(done, 500)); return "done";');
    const worker = startWorker(server, { ...slow, concurrency: 2, prefetch: 2, idleExitMs: undefined });
    await sleep(450);
    worker.stop();
    const { report } = await worker.done;
    expect(report).toMatchObject({ ended_by: 'signal', taken: 4, answered: 2, returned: 2, cut_short: 0 });
    // Others get it now, and not after the ack wait of half a minute.
    expect((await work(server)).report).toMatchObject({ answered: 2 });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });

  test('gives back what is not done when the grace is over', async () => {
    await makeSystem(nats, { consumer: { backoff: [30e9] } });
    await sendRequests(nats, ['a']);
    const worker = startWorker(server, { ...handler('for (;;);'), graceMs: 200, idleExitMs: undefined });
    await sleep(500);
    worker.stop();
    expect((await worker.done).report).toMatchObject({ returned: 1, cut_short: 1, answered: 0 });
    expect((await work(server)).report).toMatchObject({ answered: 1 });
  });

  test('a handler that throws, exits, hangs or eats memory takes no other request with it', async () => {
    const queries = ['ok', 'exit', 'hang', 'heap', 'buffers', 'late', 'rejection', 'null', 'nothing', 'ok'];
    queries.forEach((query, index) => {
      nats.nc.publish('requests.x', JSON.stringify({ id: `${query}-${index}`, query }));
    });
    await nats.nc.flush();
    const bad = handler(`
      console.log('to nobody');
      switch (request.query) {
        case 'exit': process.exit(3);
        case 'hang': for (;;);
        case 'heap': { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }
        case 'buffers': { const all = []; for (;;) all.push(Buffer.alloc(3e7, 1)); }
        case 'late': setTimeout(() => { throw new Error('too late'); }, 1); await new Promise((done) => setTimeout(done, 500));
        case 'rejection': Promise.reject(new Error('unhandled')); await new Promise((done) => setTimeout(done, 500));
        case 'null': throw null;
        case 'nothing': return undefined;
      }
      return 'fine';`);
    await makeOneDelivery();
    const { report, events } = await work(server, {
      ...bad,
      handlerTimeoutMs: 2500,
      idleExitMs: 1500,
      concurrency: 10,
    });
    expect(report).toMatchObject({ taken: 10, answered: 2, failed: 8 });
    const reasons = events
      .filter(({ event }) => event === 'failed')
      .map(({ request_id, reason }) => [request_id!.split('-')[0], reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      exit: 'the handler ended its process (exit code 3)',
      hang: 'took longer than 2.5 s',
      heap: 'used more than 128MiB of memory (--handler-memory)',
      buffers: 'used more than 128MiB of memory (--handler-memory)',
      late: 'outside of its own call it threw Error: too late',
      rejection: 'outside of its own call it threw Error: unhandled',
      null: 'threw null',
      nothing: 'the handler returned nothing; return null for an empty response',
    });
  });

  const makeOneDelivery = () =>
    nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
      stream_name: 'REQUESTS',
      action: '',
      config: { durable_name: 'request-worker', ack_policy: 'explicit', deliver_policy: 'all', max_deliver: 1 },
    });

  test('what a handler asks for is done: a later delivery, a reject', async () => {
    await sendRequests(nats, ['later', 'never']);
    const asks = handler(`
      if (request.id === 'never') context.reject('we do not do this');
      if (context.delivery === 1) context.retry('not yet', { delayMs: 50 });
      return new Uint8Array([1, 2, 255]);`);
    const { report } = await work(server, asks);
    expect(report).toMatchObject({ retried: 1, rejected: 1, answered: 1 });
    expect((await nats.kv('responses').get('later'))!.value).toEqual(Buffer.from([1, 2, 255]));
    const deaths: string[] = [];
    for await (const { headers } of getRange(nats, 'requests_dlq', 1, { subject: 'osapi-ops.rejected.>' })) {
      deaths.push(
        ...parseHeaders(headers)
          .filter(({ name }) => name === 'Osapi-Reject-Reason')
          .map(({ value }) => value),
      );
    }
    expect(deaths).toEqual(['we do not do this']);
  });

  test('waits out a restart of the server with the work done, and stores it then', async () => {
    await sendRequests(nats, ['patient']);
    const slow = handler('await new Promise((done) => setTimeout(done, 600)); return context.delivery;');
    const worker = startWorker(server, { ...slow, idleExitMs: 3000 });
    await sleep(400);
    await server.kill('SIGKILL');
    await sleep(600);
    await server.restart();
    const { report } = await worker.done;
    expect(report.answered + report.already_answered).toBeGreaterThanOrEqual(1);
    expect(await response('patient')).toMatch(/^[12]$/);
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });
});
