import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { headers, type Msg } from '@nats-io/transport-node';
import type { Unreadable } from '../../src/lib/dlq/advisory.ts';
import type { OrphanReport } from '../../src/lib/dlq/dead-count.ts';
import { type ScanOptions, scanEntries } from '../../src/lib/dlq/scan.ts';
import { advisorySubject, failureKey, rejectedSubject } from '../../src/lib/facts/names.ts';
import type { Entry } from '../../src/lib/model/entry.ts';
import type { EntryFilter } from '../../src/lib/model/entry-filter.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import { locateQueues } from '../../src/lib/places/queues.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import {
  advisory,
  letDie,
  makeConsumer,
  makeDead,
  makeQueue,
  pull,
  put,
  putReject,
  wipe,
} from '../support/dead-letters.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

interface Scanned {
  readonly entries: Entry[];
  readonly unreadable: Unreadable[];
  readonly counts: OrphanReport[];
}

async function scan(nats: Nats, filter: EntryFilter = {}, options: ScanOptions = {}): Promise<Scanned> {
  const result: Scanned = { entries: [], unreadable: [], counts: [] };
  const queues = await locateQueues(nats);
  const found = scanEntries(nats, queues, filter, {
    ...options,
    onUnreadable: (one) => result.unreadable.push(one),
    onCount: (report) => result.counts.push(report),
  });
  for await (const entry of found) result.entries.push(entry);
  return result;
}

/** Sorted: what is to die at one moment dies in any order. */
const brief = ({ entries }: Scanned): string[] =>
  entries
    .map(({ seq, state, reason, inner }) => `${seq} ${state} ${reason}${inner.cause ? ` ${inner.cause}` : ''}`)
    .sort();

/** Removes what the DLQ has of a message. */
async function forget(nats: Nats, seq: number): Promise<void> {
  const { entries } = await scan(nats);
  for (const { stream, seq: at } of entries.find((entry) => entry.seq === seq)!.inner.records) {
    await nats.api(`STREAM.MSG.DELETE.${stream}`, { seq: at });
  }
}

const MAX = advisorySubject('max_deliveries', 'REQUESTS', 'request-worker');

const infoOf = (nats: Nats) => nats.api('CONSUMER.INFO.REQUESTS.request-worker');
/** How many records the DLQ holds. */
const recorded = async (nats: Nats): Promise<number> =>
  Number(((await nats.api('STREAM.INFO.REQUESTS_dlq')).state as { messages: number }).messages);
/** Waits for the server's word that it has it. */
const acknowledge = (nats: Nats, { reply }: Msg, word: string) => nats.nc.request(reply!, word, { timeout: 5000 });

describe.each(availableVersions())('dead letters on nats-server %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
  });
  beforeEach(() => wipe(nats));

  test('what died is listed with its request, in both orders and by one reading or more', async () => {
    await makeQueue(nats);
    const seqs = await makeDead(nats, 5);
    const oldest = await scan(nats);
    // The server lets those of one moment die in any order.
    expect(oldest.entries.map(({ seq }) => seq).sort()).toEqual(seqs);
    expect(oldest.entries.find(({ seq }) => seq === 1)).toMatchObject({
      id: 'REQUESTS/request-worker/1',
      queue: 'REQUESTS',
      consumer: 'request-worker',
      subject: 'requests.dns',
      request_id: 'r0',
      state: 'replayable',
      reason: 'max_deliveries',
      deliveries: 1,
      size: 33,
      replays: 0,
    });
    const times = oldest.entries.map(({ died_at }) => died_at);
    expect(times).toEqual([...times].sort());
    expect(oldest.entries.every(({ died_at, published_at }) => died_at! > published_at!)).toBe(true);
    expect(oldest.counts).toMatchObject([{ queue: 'REQUESTS', dead: 5, accounted: 5, orphans: 0, uncertain: 0 }]);
    const newest = await scan(nats, {}, { order: 'newest', exact: false });
    expect(newest.entries.map(({ id }) => id)).toEqual(oldest.entries.map(({ id }) => id).reverse());
    expect((await scan(nats, { limit: 2 }, { order: 'newest', exact: false })).entries).toHaveLength(2);
  });

  test('newest first, reading ends where all that follow died before they were asked for, rejects among them or not', async () => {
    await makeQueue(nats);
    const died = (seq: number) => nats.nc.publish(MAX, advisory({ stream_seq: seq }));
    for (let seq = 1; seq <= 4000; seq++) died(seq);
    await until(async () => (await recorded(nats)) === 4000, 'all are recorded');
    await sleep(20);
    const since = Date.now();
    const readOf = async () => {
      let last = 0;
      const onRead = (read: number, total: number) => {
        last = read / total;
      };
      await scan(nats, { requestIds: ['nobody'], since }, { order: 'newest', exact: false, onRead });
      return last;
    };
    died(4001);
    await until(async () => (await recorded(nats)) === 4001, 'the last is recorded');
    expect(await readOf()).toBeLessThan(0.4);
    await putReject(nats, 5000, 'carried');
    expect(await readOf()).toBeLessThan(0.4);
  });

  test('a queue without a DLQ, and one whose DLQ was purged, have orphans: found, and certain', async () => {
    await makeQueue(nats, { dlq: null });
    await makeDead(nats, 3);
    const found = await scan(nats);
    expect(brief(found)).toEqual(['1 orphan max_deliveries', '2 orphan max_deliveries', '3 orphan max_deliveries']);
    expect(found.entries[0]).toMatchObject({ died_at: null, request_id: 'r0', inner: { records: [] } });
  });

  test('an orphan among entries is found while live work goes on', async () => {
    await makeQueue(nats, { ackWait: 1000 });
    await makeDead(nats, 4);
    await forget(nats, 2);
    // Everything below is settled for the consumer once an ack leaves nothing pending.
    await put(nats, 'requests.dns', 'live');
    const [live] = await pull(nats, 'REQUESTS', 'request-worker');
    expect((await scan(nats)).counts).toMatchObject([{ dead: 4, accounted: 3, inFlight: 1 }]);
    live!.respond('+ACK');
    await put(nats, 'requests.dns', 'waiting');
    await until(async () => (await infoOf(nats)).num_ack_pending === 0, 'the ack is in');
    const found = await scan(nats);
    expect(brief(found)).toContain('2 orphan max_deliveries');
    expect(found.entries).toHaveLength(4);
    expect(found.counts).toMatchObject([{ dead: 4, ready: 1, inFlight: 0, orphans: 1, uncertain: 0 }]);
  });

  test('a message in flight beside an orphan is never taken for one', async () => {
    const { dlq } = await makeQueue(nats, { ackWait: 800 });
    await makeDead(nats, 2);
    await nats.api(`STREAM.PURGE.${dlq}`);
    await put(nats, 'requests.dns', 'in flight');
    await pull(nats, 'REQUESTS', 'request-worker');
    const found = await scan(nats);
    expect(found.entries.map(({ seq }) => seq)).not.toContain(3);
    const [count] = found.counts;
    expect(count!.orphans + count!.uncertain).toBe(2);
  });

  test('past its last ack wait and not pulled for, a message is dying, not dead', async () => {
    await makeQueue(nats, { maxDeliver: 2 });
    await put(nats, 'requests.dns', 'x');
    await pull(nats, 'REQUESTS', 'request-worker');
    await pull(nats, 'REQUESTS', 'request-worker');
    await until(async () => (await scan(nats)).counts[0]?.dying === 1, 'it is dying');
    const found = await scan(nats);
    expect(found.entries).toEqual([]);
    expect(found.counts).toMatchObject([{ dead: 0, inFlight: 1, dying: 1 }]);
  });

  test('a late ack leaves an entry that is gone', async () => {
    await makeQueue(nats);
    await put(nats, 'requests.dns', 'x');
    const [message] = await pull(nats, 'REQUESTS', 'request-worker');
    await letDie(nats);
    await acknowledge(nats, message!, '+ACK');
    expect(brief(await scan(nats))).toEqual(['1 gone max_deliveries acked_or_removed']);
  });

  test('a termination keeps its words; the message is gone, for the queue deleted it', async () => {
    await makeQueue(nats, { ackWait: 5000 });
    await put(nats, 'requests.dns', 'x');
    const [message] = await pull(nats, 'REQUESTS', 'request-worker');
    message!.respond('+TERM no such query');
    await until(async () => (await recorded(nats)) === 1, 'the termination is recorded');
    const found = await scan(nats);
    expect(brief(found)).toEqual(['1 gone terminated terminated']);
    expect(found.entries[0]!.detail).toBe('no such query');
  });

  test('what was taken back while a worker had it is no dead letter, though the server says "terminated"', async () => {
    await makeQueue(nats, { ackWait: 60_000 });
    await put(nats, 'requests.dns', 'x');
    await pull(nats, 'REQUESTS', 'request-worker');
    await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq: 1 });
    await until(async () => (await recorded(nats)) === 1, 'the server has told it');
    const removed: Entry[] = [];
    expect(brief(await scan(nats, {}, { onRemoved: (entry) => removed.push(entry) }))).toEqual([]);
    expect(removed).toHaveLength(1);
    // Who asks for what is gone sees it, and so does whoever clears the DLQ.
    expect(brief(await scan(nats, { states: ['gone'] }))).toEqual(['1 gone terminated removed_in_flight']);
    expect(brief(await scan(nats, {}, { raw: true }))).toEqual(['1 gone terminated removed_in_flight']);
  });

  test('what was acked just before the server was killed is no dead letter', async () => {
    await makeQueue(nats, { config: { storage: 'file' }, ackWait: 60_000 });
    await nats.api('STREAM.DELETE.REQUESTS_dlq');
    const subjects = [MAX.replace('MAX_DELIVERIES', '*')];
    await nats.api('STREAM.CREATE.REQUESTS_dlq', { name: 'REQUESTS_dlq', subjects, storage: 'file' });
    for (let index = 0; index < 200; index++) await put(nats, 'requests.dns', 'x');
    const taken = await pull(nats, 'REQUESTS', 'request-worker', 200, 2000);
    await Promise.all(taken.map((message) => nats.nc.request(message.reply!, '+ACK', { timeout: 5000 })));
    await server.kill('SIGKILL');
    await server.restart();
    await pull(nats, 'REQUESTS', 'request-worker', 10, 1000);
    // What the server did not tell by now it does not tell: an advisory comes with the pull that finds a message dead.
    await sleep(500);
    expect(brief(await scan(nats))).toEqual([]);
  });

  test('a reject and the termination after it are one entry that carries its payload', async () => {
    await makeQueue(nats, { ackWait: 5000 });
    const own = headers();
    own.append('Trace-Id', 'abc');
    await put(nats, 'requests.dns', 'not json', own);
    const [message] = await pull(nats, 'REQUESTS', 'request-worker');
    const rejected = headers();
    rejected.append('Trace-Id', 'abc');
    rejected.append('Osapi-Reject-Reason', 'not JSON');
    rejected.append('Osapi-Reject-Stream', 'REQUESTS');
    rejected.append('Osapi-Reject-Consumer', 'request-worker');
    rejected.append('Osapi-Reject-Seq', '1');
    rejected.append('Osapi-Reject-Subject', 'requests.dns');
    rejected.append('Osapi-Reject-Time', new Date().toISOString());
    rejected.append('Osapi-Reject-Deliveries', '1');
    await put(nats, rejectedSubject('REQUESTS', 'request-worker'), 'not json', rejected);
    // Until the worker takes it out, the message is in its hands.
    expect((await scan(nats)).entries).toEqual([]);
    message!.respond('+TERM not JSON');
    await until(async () => (await recorded(nats)) === 2, 'the termination is recorded');
    for (const options of [{}, { order: 'newest', exact: false }] as const) {
      const found = await scan(nats, {}, options);
      expect(brief(found)).toEqual(['1 replayable rejected']);
      expect(found.entries[0]).toMatchObject({ subject: 'requests.dns', deliveries: 1, size: 8 });
      const { message: carried, records, original } = found.entries[0]!.inner;
      expect(original).toBeUndefined();
      expect(found.entries[0]!.detail).toBe('not JSON');
      expect(records.map(({ kind }) => kind)).toEqual(['rejected', 'advisory']);
      expect(Buffer.from(carried!.headers).toString()).toBe('NATS/1.0\r\nTrace-Id: abc\r\n\r\n');
      expect(Buffer.from(carried!.payload).toString()).toBe('not json');
    }
  });

  test('a re-created stream uses numbers again: old advisories point at nothing, and no new message is named by them', async () => {
    const { stream } = await makeQueue(nats);
    await makeDead(nats, 2);
    await nats.api(`STREAM.DELETE.${stream}`);
    expect(brief(await scan(nats))).toEqual([
      '1 gone max_deliveries stream_deleted',
      '2 gone max_deliveries stream_deleted',
    ]);
    await makeQueue(nats, { dlq: null });
    await put(nats, 'requests.dns', 'another one');
    expect(brief(await scan(nats))).toEqual([
      '1 gone max_deliveries stream_recreated',
      '2 gone max_deliveries stream_recreated',
    ]);
    await letDie(nats);
    const found = await scan(nats);
    expect(brief(found)).toEqual(['1 replayable max_deliveries', '2 gone max_deliveries stream_recreated']);
    // The two died at once, and the server told of them in either order.
    expect(found.entries.find(({ seq }) => seq === 1)!.inner.records).toHaveLength(2);
  });

  test('a re-created consumer delivers the dead again: alive while they wait or are in flight, dead when they die again', async () => {
    await makeQueue(nats, { ackWait: 800 });
    await makeDead(nats, 2);
    await nats.api('CONSUMER.DELETE.REQUESTS.request-worker');
    expect(brief(await scan(nats))).toEqual(['1 replayable max_deliveries', '2 replayable max_deliveries']);
    await makeConsumer(nats, { ackWait: 800 });
    expect((await scan(nats)).entries).toEqual([]);
    await pull(nats, 'REQUESTS', 'request-worker');
    expect((await scan(nats)).entries).toEqual([]);
    await letDie(nats);
    const found = await scan(nats);
    expect(found.entries.map(({ seq, state }) => `${seq} ${state}`).sort()).toEqual(['1 replayable', '2 replayable']);
    // The server sends a second advisory for each: one entry, the newest one's time.
    expect(found.entries[0]!.inner.records).toHaveLength(2);
    expect(found.entries[0]!.died_at).toBe(found.entries[0]!.inner.records[1]!.time);
    const quick = await scan(nats, {}, { order: 'newest', exact: false });
    expect(quick.entries.map(({ id, died_at }) => `${id} ${died_at}`).sort()).toEqual(
      found.entries.map(({ id, died_at }) => `${id} ${died_at}`).sort(),
    );
  });

  test('several consumers, several DLQs, and one DLQ for several queues are each told apart', async () => {
    await makeQueue(nats, { consumerConfig: { filter_subject: 'requests.dns' } });
    await makeConsumer(nats, { consumer: 'mailer', consumerConfig: { filter_subject: 'requests.mail' } });
    const second = advisorySubject('max_deliveries', 'OTHER');
    await nats.api('STREAM.UPDATE.REQUESTS_dlq', {
      name: 'REQUESTS_dlq',
      storage: 'memory',
      allow_direct: true,
      subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.request-worker', second],
    });
    await nats.api('STREAM.CREATE.mail_dlq', {
      name: 'mail_dlq',
      storage: 'memory',
      subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.mailer'],
    });
    await makeQueue(nats, { stream: 'OTHER', subjects: ['other'], dlq: null });
    await put(nats, 'requests.dns', 'a');
    await put(nats, 'requests.mail', 'b');
    await put(nats, 'requests.none', 'nobody covers this');
    await put(nats, 'other', 'c');
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'mailer');
    await letDie(nats, 'OTHER');
    expect(await locateQueues(nats)).toMatchObject([
      { queue: 'OTHER', dlqs: ['REQUESTS_dlq'] },
      { queue: 'REQUESTS', dlqs: ['REQUESTS_dlq', 'mail_dlq'], consumers: ['mailer', 'request-worker'] },
    ]);
    const found = await scan(nats);
    expect(found.entries.map(({ id }) => id).sort()).toEqual([
      'OTHER/request-worker/1',
      'REQUESTS/mailer/2',
      'REQUESTS/request-worker/1',
    ]);
    expect(found.counts.find(({ queue }) => queue === 'REQUESTS')).toMatchObject({ dead: 2, uncovered: 1, orphans: 0 });
    await nats.api('STREAM.PURGE.mail_dlq');
    expect(brief(await scan(nats, { consumers: ['mailer'] }))).toEqual(['2 orphan max_deliveries']);
  });

  test('what others wrote into the DLQ is told apart, and names no message', async () => {
    const { dlq } = await makeQueue(nats);
    await makeDead(nats, 1);
    const hostile: (string | Uint8Array)[] = [
      'garbage',
      '',
      '[]',
      '{"type":"io.nats.jetstream.advisory.v1.max_deliver"}',
      advisory({ stream_seq: 1e300 }),
      advisory({ stream_seq: -1 }),
      advisory({ stream_seq: 1.5 }),
      advisory({ stream_seq: '1' }),
      advisory({ stream: 'OTHER' }),
      advisory({ consumer: 'request-worker/../x' }),
      advisory({ consumer: '\u001b[31m' }),
      new Uint8Array([0xff, 0xfe, 0x00]),
      `${'['.repeat(50_000)}`,
      `{"type":"io.nats.jetstream.advisory.v1.max_deliver","stream":"REQUESTS","stream":"OTHER","consumer":"request-worker","stream_seq":1}`,
    ];
    for (const payload of hostile) await put(nats, MAX, payload);
    const many = headers();
    for (let index = 0; index < 9_900; index++) many.append('A', '1');
    many.append('Osapi-Reject-Stream', 'OTHER');
    await put(nats, rejectedSubject('REQUESTS', 'request-worker'), 'x', many);
    // Well formed, and about messages that never were: gone, not another message.
    await put(nats, MAX, advisory({ stream_seq: 4_000_000_000 }));
    await put(nats, MAX, advisory({ stream_seq: Number.MAX_SAFE_INTEGER }));
    for (const options of [{}, { order: 'newest', exact: false }] as const) {
      const found = await scan(nats, {}, options);
      expect(brief(found).sort()).toEqual([
        '1 replayable max_deliveries',
        '4000000000 gone max_deliveries beyond_last_seq',
        '9007199254740991 gone max_deliveries beyond_last_seq',
      ]);
      expect(found.unreadable.length).toBe(hostile.length + 1);
      expect(found.unreadable.every(({ stream }) => stream === dlq)).toBe(true);
    }
  });

  test('the dead letters of two public services are read, their originals restored', async () => {
    await makeQueue(nats, { dlq: null });
    await nats.api('STREAM.CREATE.ACME_PROD_DLQ', {
      name: 'ACME_PROD_DLQ',
      subjects: ['acme.prod.dlq.>'],
      storage: 'memory',
    });
    const service = headers();
    for (const [name, value] of [
      ['X-DLQ-Original-Stream', 'REQUESTS'],
      ['X-DLQ-Original-Subject', 'requests.dns'],
      ['X-DLQ-Original-Seq', '7'],
      ['X-DLQ-Consumer', 'request-worker'],
      ['X-DLQ-Deliveries', '3'],
      ['X-DLQ-Termination-Reason', 'bad input'],
      ['X-DLQ-Trace-Id', 'abc'],
    ] as const) {
      service.append(name, value);
    }
    await put(nats, 'acme.prod.dlq.requests.request-worker', '{"id":"q7"}', service);
    const name = 'orders__microservice_dlq-stream';
    await nats.api(`STREAM.CREATE.${name}`, { name, subjects: [name], storage: 'memory' });
    const nest = headers();
    for (const [key, value] of [
      ['x-original-stream', 'REQUESTS'],
      ['x-original-subject', 'requests.mail'],
      ['x-dead-letter-reason', 'boom'],
      ['x-delivery-count', '2'],
      ['x-failed-at', new Date().toISOString()],
      ['x-tenant', 't1'],
    ] as const) {
      nest.append(key, value);
    }
    await put(nats, name, '{"id":"q8"}', nest);
    const { entries } = await scan(nats);
    const byId = Object.fromEntries(entries.map((entry) => [entry.id, entry]));
    expect(byId['REQUESTS/request-worker/7']).toMatchObject({
      state: 'replayable',
      reason: 'terminated',
      deliveries: 3,
      request_id: 'q7',
      subject: 'requests.dns',
      detail: 'bad input',
    });
    expect(Buffer.from(byId['REQUESTS/request-worker/7']!.inner.message!.headers).toString()).toContain(
      'Trace-Id: abc',
    );
    expect(byId[`${name}/-/1`]).toMatchObject({
      queue: 'REQUESTS',
      state: 'replayable',
      request_id: 'q8',
      deliveries: 2,
    });
    expect(Buffer.from(byId[`${name}/-/1`]!.inner.message!.headers).toString()).toBe(
      'NATS/1.0\r\nx-tenant: t1\r\n\r\n',
    );
  });

  test('what a service copied without its sequence is one with what the server told of the same death', async () => {
    await makeQueue(nats);
    const service = 'ACME_PROD_DLQ';
    await nats.api(`STREAM.CREATE.${service}`, { name: service, subjects: ['acme.prod.dlq.>'], storage: 'memory' });
    const nest = 'orders__microservice_dlq-stream';
    await nats.api(`STREAM.CREATE.${nest}`, { name: nest, subjects: [nest], storage: 'memory' });
    const copy = async (subject: string, payload: string, told: Readonly<Record<string, string>>) => {
      const hdrs = headers();
      for (const [name, value] of Object.entries(told)) hdrs.append(name, value);
      await put(nats, subject, payload, hdrs);
    };
    // As nats-dlq-service does: told of a death, it copies what is stored, by the headers of its README.
    await makeDead(nats, 3);
    for (const index of [0, 1, 2, 99]) {
      await copy('acme.prod.dlq.requests', JSON.stringify({ id: `r${index}`, query: 'example.com' }), {
        'X-DLQ-Original-Stream': 'REQUESTS',
        'X-DLQ-Original-Consumer': 'request-worker',
        'X-DLQ-Original-Subject': 'requests.dns',
        'X-DLQ-Failure-Reason': 'MaxDeliveriesExceeded',
        'X-DLQ-Delivery-Attempts': index === 99 ? '7' : '1',
        'X-DLQ-Failure-Timestamp': new Date().toISOString(),
      });
    }
    // As nestjs-jetstream does: it copies what it gives up, and terminates it.
    await put(nats, 'requests.mail', '{"id":"n1"}');
    const [given] = await pull(nats, 'REQUESTS', 'request-worker');
    await copy(nest, '{"id":"n1"}', {
      'x-original-stream': 'REQUESTS',
      'x-original-subject': 'requests.mail',
      'x-dead-letter-reason': 'boom',
      'x-delivery-count': '1',
      'x-failed-at': new Date().toISOString(),
    });
    const before = await recorded(nats);
    await acknowledge(nats, given!, '+TERM Moved to DLQ stream');
    await until(async () => (await recorded(nats)) > before, 'the termination is recorded');
    const all = [
      'REQUESTS/request-worker/1 replayable r0 2',
      'REQUESTS/request-worker/2 replayable r1 2',
      'REQUESTS/request-worker/3 replayable r2 2',
      'REQUESTS/request-worker/4 replayable n1 2',
      `${service}/-/4 replayable r99 1`,
    ];
    for (const options of [{}, { exact: false }, { exact: false, order: 'newest' }] as const) {
      const { entries } = await scan(nats, {}, options);
      const told = entries.map(
        ({ id, state, request_id, inner }) => `${id} ${state} ${request_id} ${inner.records.length}`,
      );
      expect(told.sort()).toEqual(all.sort());
    }
    const { entries } = await scan(nats, { ids: [{ text: '', seq: 2 }] });
    expect(entries.map(({ id, inner }) => [id, inner.records.length])).toEqual([['REQUESTS/request-worker/2', 2]]);
    expect(entries[0]!.inner.original?.seq).toBe(2);
  });

  test('where nobody captured the advisories, what services copied is one with what is stored and dead, as many on each side', async () => {
    await makeQueue(nats, { dlq: null });
    const service = 'ACME_PROD_DLQ';
    await nats.api(`STREAM.CREATE.${service}`, { name: service, subjects: ['acme.prod.dlq.>'], storage: 'memory' });
    const nest = 'orders__microservice_dlq-stream';
    await nats.api(`STREAM.CREATE.${nest}`, { name: nest, subjects: [nest], storage: 'memory' });
    // Two alike, of which one was copied; one that both services copied; one that was copied twice; one that nobody did.
    for (const id of ['same', 'same', 'both', 'twice', 'none']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
    await letDie(nats);
    const copy = async (id: string) => {
      const hdrs = headers();
      hdrs.append('x-original-stream', 'REQUESTS');
      hdrs.append('x-original-subject', 'requests.dns');
      hdrs.append('x-delivery-count', '1');
      hdrs.append('x-failed-at', new Date().toISOString());
      await put(nats, nest, `{"id":"${id}"}`, hdrs);
    };
    for (const id of ['same', 'both', 'twice', 'twice']) await copy(id);
    const hdrs = headers();
    hdrs.append('X-DLQ-Original-Stream', 'REQUESTS');
    hdrs.append('X-DLQ-Original-Subject', 'requests.dns');
    hdrs.append('X-DLQ-Original-Seq', '3');
    hdrs.append('X-DLQ-Consumer', 'request-worker');
    hdrs.append('X-DLQ-Deliveries', '1');
    await put(nats, 'acme.prod.dlq.requests', '{"id":"both"}', hdrs);
    // Published after the copy of one alike was written, in another of its milliseconds: another message.
    await sleep(20);
    await put(nats, 'requests.dns', '{"id":"twice"}');
    await letDie(nats);
    for (const options of [{}, { exact: false }, { exact: false, order: 'newest' }] as const) {
      const { entries, counts } = await scan(nats, {}, options);
      expect(
        entries
          .map(({ id, state, request_id, inner }) => `${id} ${state} ${request_id} ${inner.records.length}`)
          .sort(),
      ).toEqual([
        'REQUESTS/request-worker/1 replayable same 1',
        'REQUESTS/request-worker/2 orphan same 0',
        'REQUESTS/request-worker/3 replayable both 2',
        'REQUESTS/request-worker/4 replayable twice 1',
        'REQUESTS/request-worker/5 orphan none 0',
        'REQUESTS/request-worker/6 orphan twice 0',
        `${nest}/-/4 replayable twice 1`,
      ]);
      expect(counts).toMatchObject([{ dead: 6, accounted: 3, orphans: 3, uncertain: 0 }]);
    }
    const { entries } = await scan(nats, { ids: [{ text: '', seq: 1 }] });
    expect(entries.map(({ id, inner }) => [id, inner.records.length])).toEqual([['REQUESTS/request-worker/1', 1]]);
  });

  test('what services copied again is one with the first copy, whether or not the message is stored, and goes with it', async () => {
    const nest = 'q_dlq-stream';
    const service = 'ACME_PROD_DLQ';
    await makeQueue(nats, { dlq: null });
    // In its own window of duplicates the second copy of an id is not stored.
    const window = { duplicate_window: 100e6 };
    await nats.api(`STREAM.CREATE.${nest}`, { name: nest, subjects: [nest], storage: 'memory', ...window });
    await nats.api(`STREAM.CREATE.${service}`, { name: service, subjects: ['acme.prod.dlq.>'], storage: 'memory' });
    const own = headers();
    own.append('Nats-Msg-Id', 'here');
    await put(nats, 'requests.dns', '{"id":"here"}', own);
    await letDie(nats);
    const copy = (subject: string, id: string, told: Readonly<Record<string, string>>) => {
      const hdrs = headers();
      for (const [name, value] of Object.entries(told)) hdrs.append(name, value);
      return put(nats, subject, `{"id":"${id}"}`, hdrs);
    };
    const byNest = (id: string) =>
      copy(nest, id, {
        'x-original-stream': 'REQUESTS',
        'x-original-subject': 'requests.dns',
        'x-failed-at': new Date().toISOString(),
        'Nats-Msg-Id': id,
      });
    for (const id of ['here', 'gone']) await byNest(id);
    await sleep(300);
    for (const id of ['here', 'gone']) await byNest(id);
    await copy('acme.prod.dlq.requests', 'gone', {
      'X-DLQ-Original-Stream': 'REQUESTS',
      'X-DLQ-Original-Subject': 'requests.dns',
      'X-DLQ-Failure-Reason': 'MaxDeliveriesExceeded',
      'X-DLQ-Nats-Msg-Id': 'gone',
    });
    for (const options of [{}, { exact: false }, { exact: false, order: 'newest' }] as const) {
      const { entries } = await scan(nats, {}, options);
      expect(entries.map(({ id, inner }) => `${id} ${inner.records.length}`).sort()).toEqual([
        'REQUESTS/request-worker/1 2',
        `${nest}/-/2 3`,
      ]);
    }
    const { entries } = await scan(nats, { ids: [{ text: '', queue: nest, consumer: '-', seq: 2 }] });
    expect(entries.map(({ inner }) => inner.records.length)).toEqual([3]);
    const context = contextFor(server);
    const wishes = { maxInFlight: 256, maxReplays: 3, wait: false, waitMs: 5000 };
    const how = { filter: {}, dryRun: false, edit: false, lockWaitMs: 1000, keepEntries: false, wishes };
    expect(await replayDeadLetters(context, how)).toMatchObject({ replayed: 2, failed: 0, remaining: 0 });
    const figures = await Promise.all([nest, service, 'REQUESTS'].map((name) => nats.api(`STREAM.INFO.${name}`)));
    expect(figures).toMatchObject([0, 0, 2].map((messages) => ({ state: { messages } })));
  });

  test('what a service copied while another of its kind is in flight is left until that is settled, and put back once', async () => {
    const nest = 'q_dlq-stream';
    await makeQueue(nats, { dlq: null, ackWait: 600_000 });
    await nats.api(`STREAM.CREATE.${nest}`, { name: nest, subjects: [nest], storage: 'memory' });
    const replay = async () => {
      const context = contextFor(server);
      const result = await replayDeadLetters(context, {
        filter: {},
        dryRun: false,
        edit: false,
        lockWaitMs: 1000,
        keepEntries: true,
        wishes: { maxInFlight: 256, maxReplays: 3, wait: false, waitMs: 5000 },
      });
      return { ...result, notes: context.io.events.flatMap((event) => (event.type === 'note' ? [event.text] : [])) };
    };
    const stored = async (stream: string) => {
      const payloads: string[] = [];
      for await (const { payload } of getRange(nats, stream, 1)) payloads.push(Buffer.from(payload).toString());
      return payloads.sort();
    };
    await put(nats, 'requests.dns', '{"id":"same"}');
    await put(nats, 'requests.dns', '{"id":"other"}');
    const given = await pull(nats, 'REQUESTS', 'request-worker', 2);
    const hdrs = headers();
    hdrs.append('x-original-stream', 'REQUESTS');
    hdrs.append('x-original-subject', 'requests.dns');
    hdrs.append('x-failed-at', new Date().toISOString());
    for (const id of ['same', 'same']) await put(nats, nest, `{"id":"${id}"}`, hdrs);

    // Of two copies one at most is of what is stored; the other is of one that is not there any more.
    const during = await replay();
    expect(during).toMatchObject({ replayed: 1, skipped: 1, failed: 0, remaining: 0 });
    expect(during.notes).toContainEqual(expect.stringMatching(/^1 skipped, that may still be in flight: ask again/));
    const error = expect.stringContaining('that waits or is in flight, and this may be a copy of it');
    expect(during.entries).toContainEqual({ id: `${nest}/-/1`, outcome: 'skipped', error });
    expect(await stored('REQUESTS')).toHaveLength(3);
    // Named by its id as well.
    const { entries } = await scan(nats, { ids: [{ text: '', queue: nest, consumer: '-', seq: 1 }] });
    expect(entries.map(({ inner }) => inner.inDoubt)).toEqual([true]);

    // It dies: the copy is of it, and goes with it.
    for (const one of given) await acknowledge(nats, one, '-NAK');
    await makeConsumer(nats, {});
    await letDie(nats);
    expect(await replay()).toMatchObject({ replayed: 3, skipped: 0, failed: 0, remaining: 0 });
    expect(await stored('REQUESTS')).toEqual(['{"id":"other"}', '{"id":"same"}', '{"id":"same"}']);
    expect(await stored(nest)).toEqual([]);
  });

  test('and of what waits for a consumer that was made anew since', async () => {
    const nest = 'q_dlq-stream';
    await makeQueue(nats, { dlq: null });
    await nats.api(`STREAM.CREATE.${nest}`, { name: nest, subjects: [nest], storage: 'memory' });
    await put(nats, 'requests.dns', '{"id":"same"}');
    await letDie(nats);
    const hdrs = headers();
    hdrs.append('x-original-stream', 'REQUESTS');
    hdrs.append('x-original-subject', 'requests.dns');
    hdrs.append('x-failed-at', new Date().toISOString());
    await put(nats, nest, '{"id":"same"}', hdrs);
    await sleep(20);
    // Sent after that was written: another of its kind, and no reason for doubt.
    await put(nats, 'requests.dns', '{"id":"same"}');
    await nats.api('CONSUMER.DELETE.REQUESTS.request-worker');
    const doubts = async () => (await scan(nats)).entries.map(({ id, inner }) => [id, inner.inDoubt]);
    expect(await doubts()).toEqual([[`${nest}/-/1`, true]]);
    await makeConsumer(nats, {});
    expect(await doubts()).toEqual([[`${nest}/-/1`, true]]);
    const [first] = await pull(nats, 'REQUESTS', 'request-worker');
    await acknowledge(nats, first!, '+ACK');
    expect(await doubts()).toEqual([[`${nest}/-/1`, undefined]]);
  });

  test.each(['limits', 'interest'])(
    'on a stream of retention %s a death is told in its own consumer’s words',
    async (retention) => {
      await makeQueue(nats, { config: { retention } });
      await makeConsumer(nats, { consumer: 'other' });
      await nats.api('STREAM.CREATE.KV_osapi_ops', {
        name: 'KV_osapi_ops',
        subjects: ['$KV.osapi_ops.>'],
        storage: 'memory',
        allow_direct: true,
      });
      const most = 70;
      const noted = async (seq: number, consumer: string, published: string) => {
        const time = new Date(Math.floor(Date.parse(published))).toISOString();
        const words = {
          stream: 'REQUESTS',
          consumer,
          seq,
          published_at: time,
          at: time,
          delivery: 1,
          reason: consumer,
        };
        await put(nats, `$KV.osapi_ops.${failureKey('REQUESTS', seq)}`, JSON.stringify(words));
      };
      for (let seq = 1; seq <= most; seq++) await put(nats, 'requests.dns', `{"id":"${seq}"}`);
      await letDie(nats);
      await letDie(nats, 'REQUESTS', 'other');
      await until(async () => (await recorded(nats)) === 2 * most, 'all are recorded');
      const told = async (filter: EntryFilter = {}) =>
        Object.fromEntries((await scan(nats, filter, { details: true })).entries.map(({ id, detail }) => [id, detail]));
      for await (const { seq, time } of getRange(nats, 'REQUESTS', 1, { untilSeq: 2 })) {
        await noted(seq, 'request-worker', time);
        if (seq === 1) await noted(seq, 'other', time);
      }
      // Few are asked for one by one, of many all is read.
      for (const filter of [
        {
          ids: [
            { text: '', seq: 1 },
            { text: '', seq: 2 },
          ],
        },
        {},
      ]) {
        expect(await told(filter)).toMatchObject({
          'REQUESTS/request-worker/1': 'request-worker',
          'REQUESTS/other/1': 'other',
          'REQUESTS/request-worker/2': 'request-worker',
          'REQUESTS/other/2': null,
        });
      }
    },
  );

  test('an entry is found by its id, by a short one, and an orphan by its sequence', async () => {
    await makeQueue(nats);
    await makeDead(nats, 3);
    await forget(nats, 3);
    const ids = async (...patterns: { text: string; seq: number; queue?: string; consumer?: string }[]) =>
      (await scan(nats, { ids: patterns })).entries.map(({ id, state }) => `${id} ${state}`);
    expect(await ids({ text: '', seq: 2 })).toEqual(['REQUESTS/request-worker/2 replayable']);
    expect(await ids({ text: '', queue: 'REQUESTS', consumer: 'request-worker', seq: 1 })).toEqual([
      'REQUESTS/request-worker/1 replayable',
    ]);
    expect(await ids({ text: '', seq: 3 })).toEqual(['REQUESTS/request-worker/3 orphan']);
    expect(await ids({ text: '', seq: 4 })).toEqual([]);
    expect(await ids({ text: '', consumer: 'other', seq: 1 })).toEqual([]);
  });
});
