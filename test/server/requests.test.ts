import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readStanding } from '../../src/lib/dlq/collect.ts';
import type { QueueRef } from '../../src/lib/model/entry.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getMessage } from '../../src/lib/nats/messages.ts';
import { sendBulk } from '../../src/lib/requests/bulk.ts';
import { cancelRequest, judgeCancel } from '../../src/lib/requests/cancel.ts';
import { fetchRequest, findRequest } from '../../src/lib/requests/fetch.ts';
import { followRequest, listenFor } from '../../src/lib/requests/follow.ts';
import { uuidV7 } from '../../src/lib/requests/id.ts';
import { readBulk } from '../../src/lib/requests/lines.ts';
import { findMessages, scanWaiting } from '../../src/lib/requests/scan.ts';
import { sendRequest } from '../../src/lib/requests/send.ts';
import { connectTo } from '../support/connected.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const QUEUE = 'REQUESTS';
const WORKER = 'w';
const REF: QueueRef = { queue: QUEUE, dlq: 'requests_dlq', dlqs: ['requests_dlq'], consumers: [WORKER] };
const LOOK = { buckets: ['responses'], now: () => Date.now() };
const body = (id: string, more = {}) => Buffer.from(JSON.stringify({ id, query: 'example.com', ...more }));
const freshId = () => uuidV7(Date.now(), randomBytes(10));

describe.each(availableVersions())('requests on a server of %s', (version) => {
  let server: TestServer;
  let nats: Nats;

  const make = async (over: object = {}, consumer: object = {}) => {
    for (const name of [QUEUE, 'requests_dlq', 'KV_responses', 'KV_osapi_ops']) {
      await nats.api(`STREAM.DELETE.${name}`).catch(() => {});
    }
    const queue = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new', storage: 'memory' };
    await nats.api(`STREAM.CREATE.${QUEUE}`, { name: QUEUE, ...queue, ...over });
    const durable = { durable_name: WORKER, ack_policy: 'explicit', max_deliver: 2, ack_wait: 200e6, ...consumer };
    await nats.api(`CONSUMER.DURABLE.CREATE.${QUEUE}.${WORKER}`, { stream_name: QUEUE, config: durable });
    const dead = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${QUEUE}.*`;
    await nats.api('STREAM.CREATE.requests_dlq', { name: 'requests_dlq', subjects: [dead], storage: 'memory' });
    const bucket = { subjects: ['$KV.responses.>'], max_msgs_per_subject: 1, storage: 'memory', discard: 'new' };
    await nats.api('STREAM.CREATE.KV_responses', { name: 'KV_responses', ...bucket, allow_rollup_hdrs: true });
  };
  /** A delivery, as any worker takes it; gives the subject that acks it. */
  const take = async (): Promise<string> => {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${QUEUE}.${WORKER}`;
    let reply = '';
    const inbox = `_INBOX.test.${randomBytes(6).toString('hex')}`;
    const got = new Promise<void>((resolve) => {
      nats.nc.subscribe(inbox, {
        max: 1,
        callback: (_error, msg) => {
          reply = msg.reply ?? '';
          resolve();
        },
      });
    });
    nats.nc.publish(subject, JSON.stringify({ batch: 1, expires: 2e9 }), { reply: inbox });
    await got;
    return reply;
  };
  const send = (id: string, subject = 'requests.dns') =>
    sendRequest(nats, { id, subject, payload: body(id), headers: [] });
  const state = async (id: string) => (await fetchRequest(nats, [REF], id, LOOK)).status;

  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
  });
  beforeEach(() => make());

  test('a request is told apart from unknown to answered, through every state between', async () => {
    expect(await state('a')).toEqual({ id: 'a', state: 'unknown' });
    const { seq } = await send('a');
    expect(await state('a')).toMatchObject({ state: 'queued', queue: QUEUE, seq, subject: 'requests.dns' });
    const ack = await take();
    expect(await state('a')).toMatchObject({ state: 'in_flight', seq });
    await nats.kv('responses').put('a', '{"ok":true}');
    await nats.request(ack, '+ACK');
    const { status, response } = await fetchRequest(nats, [REF], 'a', LOOK);
    expect(status).toMatchObject({ state: 'answered', bucket: 'responses', revision: 1 });
    expect(Buffer.from(response!).toString()).toBe('{"ok":true}');
  });

  test('a request that used up its deliveries is dead, with the entry that dlq knows it by', async () => {
    const { seq } = await send('a');
    await take();
    await take();
    const poll = nats.request(`$JS.API.CONSUMER.MSG.NEXT.${QUEUE}.${WORKER}`, '{"batch":1,"expires":1000000000}');
    poll.catch(() => {});
    await until(async () => (await state('a')).state === 'dead', 'it is dead');
    expect(await state('a')).toMatchObject({
      entry: `${QUEUE}/${WORKER}/${seq}`,
      reason: 'max_deliveries',
      deliveries: 2,
    });
    await poll.catch(() => {});
  });

  test('an answer that comes at any moment ends the waiting, as the answer it is', async () => {
    for (const delay of [0, 5, 150]) {
      const id = freshId();
      const ear = listenFor(nats, [REF], ['responses'], id);
      await send(id);
      setTimeout(() => void nats.kv('responses').put(id, '1'), delay);
      // A waiting that only its own end ended would outlast the test.
      const { status } = await followRequest(nats, [REF], id, { ...LOOK, ear, timeoutMs: 3_600_000 });
      ear.close();
      expect(status.state).toBe('answered');
    }
  });

  test('waiting ends when the time is over, with what is known', async () => {
    await send('a');
    const ear = listenFor(nats, [REF], ['responses'], 'a');
    const { status } = await followRequest(nats, [REF], 'a', { ...LOOK, ear, timeoutMs: 300 });
    ear.close();
    expect(status).toMatchObject({ state: 'queued', detail: `nobody is pulling from ${WORKER}` });
  });

  test('the same id twice is stored once and said so; a full queue, a size and a subject are refused by name', async () => {
    const first = await send('a');
    expect(await send('a')).toEqual({ ...first, duplicate: true });
    await make({ max_msgs: 1, max_msg_size: 1000 });
    await send('b');
    await expect(send('c')).rejects.toMatchObject({ code: 'REQUEST_QUEUE_FULL', exitCode: 1 });
    expect(await state('c')).toMatchObject({ state: 'unknown' });
    const request = { id: 'd', subject: 'requests.dns', headers: [] };
    const large = (size: number) => sendRequest(nats, { ...request, payload: Buffer.alloc(size) });
    await expect(large(2000)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    await expect(large(nats.target.server.max_payload + 1)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    await expect(send('e', 'nobody.takes.this')).rejects.toMatchObject({ code: 'REQUEST_UNKNOWN_KIND', exitCode: 64 });
  });

  test('a bulk is stored line by line, in order, once each, and what is wrong is told by its line', async () => {
    const ids = Array.from({ length: 3000 }, freshId);
    const lines = ids.map((id, index) => (index === 1500 ? 'nope' : `{"id":"${id}","n":${index}}`));
    const sent: string[] = [];
    const rejects: string[] = [];
    const run = () =>
      sendBulk(nats, readBulk(chunked(lines.join('\n'))), {
        subject: 'requests.dns',
        headers: [],
        fresh: freshId,
        source: 'test',
        onId: (id) => void sent.push(id),
        onReject: (text) => void rejects.push(text),
        onProgress: () => {},
      });
    const { result } = await run();
    expect(result).toMatchObject({ sent: 2999, duplicates: 0, failed: 1, lines: 3000, stopped: false });
    expect(result.errors).toEqual([expect.objectContaining({ line: 1501, code: 'REQUEST_INVALID' })]);
    expect(rejects).toEqual(['nope']);
    const wanted = ids.filter((_, index) => index !== 1500);
    expect([...sent].sort()).toEqual([...wanted].sort());
    const stored: string[] = [];
    for await (const message of scanWaiting(nats, await readStanding(nats, REF), {})) {
      stored.push(JSON.parse(Buffer.from(message.payload).toString()).id);
    }
    expect(stored).toEqual(wanted);
    expect((await run()).result).toMatchObject({ sent: 0, duplicates: 2999, failed: 1 });
  });

  test('a bulk into a queue that fills up stops, and keeps every line that is not in it', async () => {
    await make({ max_msgs: 100 });
    const kept: string[] = [];
    const sent: string[] = [];
    const text = Array.from({ length: 6000 }, (_, n) => JSON.stringify({ n })).join('\n');
    const { result, error } = await sendBulk(nats, readBulk(chunked(text)), {
      subject: 'requests.dns',
      headers: [],
      fresh: freshId,
      source: 'test',
      onId: (id) => void sent.push(id),
      onReject: (line) => void kept.push(line),
      onProgress: () => {},
    });
    expect(error).toMatchObject({ code: 'REQUEST_QUEUE_FULL' });
    expect(result).toMatchObject({ sent: 100, failed: 5900, stopped: true });
    expect(sent).toHaveLength(100);
    expect(kept.map((line) => JSON.parse(line).n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 5900 }, (_, n) => n + 100),
    );
  });

  test('a request that waits is taken back; one that a worker has, or had, is not', async () => {
    await send('a');
    await send('b');
    await take();
    const judge = async (id: string) => judgeCancel(nats, [REF], id, await findRequest(nats, [REF], id), LOOK);
    expect(await judge('a')).toMatchObject({ outcome: 'in_flight' });
    expect(await judge('z')).toMatchObject({ outcome: 'unknown' });
    const { found } = await judge('b');
    expect(await cancelRequest(nats, 'b', found!, ['responses'])).toMatchObject({ outcome: 'cancelled' });
    expect(await state('b')).toMatchObject({ state: 'unknown' });
  });

  test('a request that a worker fetched since it was judged is not called taken back', async () => {
    await make({}, { ack_wait: 60e9 });
    await send('a');
    const { found } = await judgeCancel(nats, [REF], 'a', await findRequest(nats, [REF], 'a'), LOOK);
    await take();
    expect(await cancelRequest(nats, 'a', found!, ['responses'])).toMatchObject({ outcome: 'in_flight' });
    await send('b');
    const second = (await findRequest(nats, [REF], 'b'))!;
    await nats.request(await take(), '+ACK');
    expect(await cancelRequest(nats, 'b', second, ['responses'])).toMatchObject({ outcome: 'unknown' });
  });

  test('no request is both taken back and delivered, while a worker pulls as fast as it can', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `r${n}`);
    for (const id of ids) await send(id);
    const delivered = new Set<string>();
    const inbox = `_INBOX.race.${randomBytes(6).toString('hex')}`;
    nats.nc.subscribe(inbox, {
      callback: (_error, msg) => {
        if (msg.data.length === 0) return;
        delivered.add(JSON.parse(msg.string()).id);
        msg.respond('+ACK');
      },
    });
    const pull = setInterval(() => {
      nats.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${QUEUE}.${WORKER}`, '{"batch":4,"no_wait":true}', { reply: inbox });
    }, 2);
    const outcomes = new Map<string, string>();
    // From the end: worker and canceller meet somewhere.
    for (const id of ids.filter((_, n) => n % 3 === 0).reverse()) {
      const found = await findRequest(nats, [REF], id);
      if (found) outcomes.set(id, (await cancelRequest(nats, id, found, ['responses'])).outcome);
    }
    await until(async () => (await readStanding(nats, REF)).messages === 0, 'the queue is empty');
    clearInterval(pull);
    const cancelled = [...outcomes].filter(([, outcome]) => outcome === 'cancelled').map(([id]) => id);
    expect(cancelled.length).toBeGreaterThan(0);
    expect(cancelled.filter((id) => delivered.has(id))).toEqual([]);
    const unsure = new Set([...outcomes].filter(([, outcome]) => outcome !== 'cancelled').map(([id]) => id));
    expect(ids.filter((id) => !delivered.has(id) && !cancelled.includes(id) && !unsure.has(id))).toEqual([]);
  });

  test('hostile ids are looked for as they are, and found nowhere', async () => {
    await send('a');
    for (const id of ['>', '*', 'a b', '$KV.responses.a', 'é', '../a', '"', 'a\u202e', '.', 'a.', ' a']) {
      expect(await state(id)).toEqual({ id, state: 'unknown' });
    }
  });

  test('a request is found among thousands by its time, by its header, and after it was replayed', async () => {
    const ids = Array.from({ length: 21_000 }, freshId);
    const text = ids.map((id) => `{"id":"${id}"}`).join('\n');
    const none = { onId: () => undefined, onProgress: () => {} };
    const to = { subject: 'requests.dns', headers: [], fresh: freshId, source: 'test', ...none };
    await sendBulk(nats, readBulk(chunked(text)), to);
    const original = freshId();
    await sendRequest(nats, {
      id: original,
      subject: 'requests.dns',
      payload: Buffer.from('{"query":1}'),
      headers: [],
    });
    const late = uuidV7(Date.now() - 3_600_000, randomBytes(10));
    await sendRequest(nats, { id: 'osapi-ops.replay.1', subject: 'requests.dns', payload: body(late), headers: [] });
    const standing = await readStanding(nats, REF);
    const found = await findMessages(nats, standing, [ids[0]!, ids[12_345]!, ids.at(-1)!, original, late, 'nobody']);
    expect(Object.fromEntries([...found].map(([id, { seq }]) => [id, seq]))).toEqual({
      [ids[0]!]: 1,
      [ids[12_345]!]: 12_346,
      [ids.at(-1)!]: 21_000,
      [original]: 21_001,
      [late]: 21_002,
    });
    // Nobody has it: the newest are read, and those that lie on their pages.
    const since = Date.parse((await getMessage(nats, QUEUE, 20_500))!.time);
    let read = 0;
    const onProgress = (count: number) => {
      read = count;
    };
    expect(await findMessages(nats, standing, ['nobody'], { since, onProgress })).toEqual(new Map());
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(5000);
    expect((await findMessages(nats, standing, [original], { since })).size).toBe(1);
  });

  needing('the nats CLI').test('what the nats CLI publishes is found, and what we send it reads', async () => {
    const cli = findNatsCli()!;
    cli.run(server, 'pub', 'requests.dns', '{"query":"example.com"}', '-H', 'Nats-Msg-Id: by-header');
    cli.run(server, 'pub', 'requests.dns', '{"id":"by-body","query":"example.com"}');
    expect(await state('by-header')).toMatchObject({ state: 'queued', seq: 1 });
    expect(await state('by-body')).toMatchObject({ state: 'queued', seq: 2 });
    await send('ours');
    const text = cli.run(server, 'stream', 'get', QUEUE, '3');
    expect(text).toContain('Nats-Msg-Id: ours');
    expect(text).toContain('{"id":"ours","query":"example.com"}');
    cli.run(server, 'kv', 'put', 'responses', 'ours', '{"answer":42}');
    expect(Buffer.from((await fetchRequest(nats, [REF], 'ours', LOOK)).response!).toString()).toBe('{"answer":42}');
  });
});

async function* chunked(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
