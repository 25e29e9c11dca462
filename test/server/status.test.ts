import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { headers as createHeaders } from '@nats-io/transport-node';
import type { StatusReport } from '../../src/lib/model/verdict.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { listenStatus } from '../../src/lib/operations/status/listen.ts';
import { statusOfSystems } from '../../src/lib/operations/status/several.ts';
import { waitForStatus } from '../../src/lib/operations/status/wait.ts';
import { renderPrometheus } from '../../src/lib/ui/render/status-prometheus.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { letDie, makeDead, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    discard: new
    max_msgs: 10
    consumers:
      request-worker: { max_deliver: 1, ack_wait: 100ms, max_ack_pending: 2, filter_subject: "requests.*" }
    dlq: { stream: requests_dlq, max_age: 30d }
    responses: { bucket: responses }
`;

describe.each(outermostVersions())('status on nats-server %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
  });
  beforeEach(() => wipe(nats));

  const apply = (spec = SPEC) =>
    applyOperation(contextFor(server, spec), {
      specs: ['-'],
      given: new Set(),
      yes: true,
      dryRun: false,
      lockWaitMs: 5000,
      show: () => {},
    });
  const look = async (spec?: string, now?: () => Date): Promise<StatusReport> => {
    const context = { ...contextFor(server, spec), ...(now && { now }) };
    return (await statusOfSystems(context, spec === undefined ? {} : { specs: ['-'] }))[0]!.report;
  };
  const check = (report: StatusReport, id: string) => report.checks.find((one) => one.id === id);
  const bad = (report: StatusReport) =>
    report.checks.filter(({ status }) => status !== 'ok').map(({ id, status }) => `${status} ${id}`);
  const send = async (count: number) => {
    for (let index = 0; index < count; index++) await put(nats, 'requests.dns', `{"id":"${index}"}`);
  };

  test('is calm after an apply, with the spec or without it', async () => {
    await apply();
    for (const report of [await look(SPEC), await look()]) {
      expect(report).toMatchObject({ system: 'osapi', health: 'ok', drift: [] });
      expect(report.queues).toMatchObject([
        { name: 'REQUESTS', ready: 0, in_flight: 0, dead: 0, redelivered: 0, oldest_seconds: 0, responses: 0 },
      ]);
    }
  });

  test('says that nobody can know who is dead where a stream keeps all and no DLQ tells', async () => {
    const kept = SPEC.replace('storage: memory', 'storage: memory\n    retention: limits').replace(/ +dlq: .*\n/, '');
    await apply(kept);
    const report = await look(kept);
    expect(bad(report)).toEqual(['unknown REQUESTS.dead']);
    expect(check(report, 'REQUESTS.dead')).toMatchObject({
      summary:
        'how many are dead is not known: a stream of retention limits keeps what was acked too, and there is no DLQ that tells who died',
      next: 'give the queue a dlq in the spec, and apply it',
    });
    expect(report).toMatchObject({ health: 'unknown', queues: [{ dead: null }] });
    // Nobody works there: nobody dies.
    await nats.api('CONSUMER.DELETE.REQUESTS.request-worker');
    expect((await look(kept)).queues).toMatchObject([{ dead: 0 }]);
  });

  test('counts the dead of a queue that the server calls drained', async () => {
    await apply();
    await makeDead(nats, 3);
    const report = await look();
    expect(report.health).toBe('warn');
    expect(bad(report)).toEqual(['warn REQUESTS.dead']);
    expect(report.queues[0]).toMatchObject({ ready: 0, in_flight: 0, dead: 3 });
    expect(check(report, 'REQUESTS.dead')?.summary).toMatch(/3 messages are dead \(the oldest for .*, 3 within/);
  });

  test('tells how many of the dead are parked, as they died again after each replay', async () => {
    await apply();
    await makeDead(nats, 1);
    const again = createHeaders();
    again.set('Osapi-Replay-Of', 'REQUESTS/request-worker/1');
    again.set('Osapi-Replay-Count', '3');
    await nats.nc.request('requests.dns', '{"id":"again"}', { headers: again, timeout: 5000 });
    await letDie(nats);
    const report = await look();
    expect(report.queues).toMatchObject([{ dead: 2, parked: 1 }]);
    expect(check(report, 'REQUESTS.dead')?.summary).toContain(
      '2 messages are dead (1 parked: died again after each replay, ',
    );
    expect(renderPrometheus(report)).toContain('osapi_ops_queue_parked_messages{system="osapi",queue="REQUESTS"} 1\n');
    await nats.api('STREAM.PURGE.REQUESTS');
    expect((await look()).queues).toMatchObject([{ dead: 0, parked: 0 }]);
  });

  test('counts what a worker rejected, which is in the DLQ only, among the dead', async () => {
    await apply();
    const seqs = await makeDead(nats, 1);
    const headers = createHeaders();
    const said = {
      Stream: 'REQUESTS',
      Consumer: 'request-worker',
      Seq: '99',
      Subject: 'requests.dns',
      Reason: 'no id',
    };
    for (const [name, value] of Object.entries(said)) headers.set(`Osapi-Reject-${name}`, value);
    await put(nats, 'osapi-ops.rejected.REQUESTS.request-worker', 'no request', headers);
    const report = await look();
    expect(bad(report)).toEqual(['warn REQUESTS.dead']);
    expect(report.queues[0]).toMatchObject({ dead: 2, rejected: 1 });
    expect(check(report, 'REQUESTS.dead')?.summary).toMatch(
      /^2 messages are dead \(1 kept in the DLQ with the payload/,
    );
    await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq: seqs[0]! });
    const { queues } = await look();
    expect(queues[0]).toMatchObject({ dead: 1, rejected: 1 });
    expect(
      (await waitForStatus(contextFor(server), { goals: ['drained', 'dlq-empty'], waitMs: 1 })).open,
    ).toMatchObject([{ goal: 'dlq-empty', why: 'REQUESTS: 1 dead' }]);
  });

  test('finds dead without an entry once the DLQ was purged', async () => {
    await apply();
    await makeDead(nats, 2);
    await nats.api('STREAM.PURGE.requests_dlq');
    expect(check(await look(), 'REQUESTS.orphans')).toMatchObject({ status: 'critical', value: 2 });
  });

  test('says who fills a queue, and when publishers are refused', async () => {
    await apply();
    await makeDead(nats, 7);
    expect(check(await look(), 'REQUESTS.usage')).toMatchObject({ status: 'warn', value: 70 });
    await send(3);
    const report = await look();
    expect(check(report, 'REQUESTS.usage')).toMatchObject({
      status: 'critical',
      summary: expect.stringContaining('3 waiting, 0 in flight, 7 dead; full: publishers are refused (10077)'),
    });
    await expect(put(nats, 'requests.dns', '{}')).rejects.toThrow('10077');
  });

  test('tells what is missing and what differs as findings', async () => {
    await apply();
    await nats.api('STREAM.DELETE.KV_responses');
    const { config } = await nats.api('STREAM.INFO.requests_dlq');
    await nats.api('STREAM.UPDATE.requests_dlq', { ...(config as object), max_age: 86_400e9 });
    const report = await look();
    expect(bad(report)).toEqual(['critical resources', 'warn drift']);
    expect(check(report, 'drift')?.summary).toBe('stream requests_dlq: max_age is 1d, not 30d');
    expect(report.drift.map(({ action, name }) => `${action} ${name}`)).toEqual([
      'update requests_dlq',
      'create responses',
    ]);
    expect(report.queues[0]?.responses).toBeNull();
  });

  test('tells a queue that is gone, and does not fall over it', async () => {
    await apply();
    await nats.api('STREAM.DELETE.REQUESTS');
    const report = await look();
    expect(bad(report)).toEqual(['critical resources']);
    expect(report.queues[0]).toMatchObject({ ready: null, dead: null });
  });

  test('tells a stalled consumer, and what is dying in it', async () => {
    await apply(SPEC.replace('max_deliver: 1, ack_wait: 100ms', 'max_deliver: 2, ack_wait: 1s'));
    await send(4);
    expect(await pull(nats, 'REQUESTS', 'request-worker', 2)).toHaveLength(2);
    const busy = await look();
    expect(check(busy, 'REQUESTS/request-worker.in_flight')).toMatchObject({ status: 'ok', value: 100 });
    expect(busy.queues).toMatchObject([{ ready: 2, in_flight: 2, dead: 0 }]);
    expect(await pull(nats, 'REQUESTS', 'request-worker', 2, 5000)).toHaveLength(2);
    // As old as a stall has to be.
    await sleep(5300);
    // Death is lazy: nobody pulls, so the two are neither alive nor dead.
    const stalled = await look();
    expect(check(stalled, 'REQUESTS/request-worker.in_flight')).toMatchObject({ status: 'critical', value: 100 });
    expect(check(stalled, 'REQUESTS.dying')).toMatchObject({ status: 'warn', value: 2 });
    expect(check(stalled, 'REQUESTS.oldest')?.value).toBeGreaterThan(5);
    expect(stalled.queues).toMatchObject([{ ready: 2, in_flight: 2, dead: 0, redelivered: 2 }]);
  });

  test('looks at queues made by hand; drift is not known there', async () => {
    await makeQueue(nats, { dlq: null });
    await makeDead(nats, 1);
    const report = await look();
    expect(report).toMatchObject({ system: null, health: 'critical', queues: [{ name: 'REQUESTS', dead: 1 }] });
    expect(bad(report)).toEqual(['unknown drift', 'warn REQUESTS.dead', 'critical REQUESTS.orphans']);
  });

  test('counts what no consumer covers as waiting, not as dead', async () => {
    await makeQueue(nats, { consumerConfig: { filter_subject: 'requests.dns' } });
    await put(nats, 'requests.other', '{}');
    expect((await look()).queues[0]).toMatchObject({ dead: 0, ready: 1 });
  });

  test('waits until a queue is drained; dead messages may remain', async () => {
    await apply();
    await send(1);
    const context = contextFor(server);
    const wait = (goals: readonly ('drained' | 'synced')[], waitMs: number) =>
      waitForStatus(context, { goals, waitMs });
    const late = wait(['drained', 'synced'], 50_000);
    await until(() => context.io.events.some(({ type }) => type === 'note'), 'it says what it waits for');
    for (const message of await pull(nats, 'REQUESTS', 'request-worker')) message.respond('+ACK');
    expect((await late).open).toEqual([]);
    await makeDead(nats, 1);
    expect((await wait(['drained'], 300)).open).toEqual([]);
    await send(1);
    expect((await wait(['drained'], 300)).open).toEqual([{ goal: 'drained', why: 'REQUESTS: 1 waiting, 0 in flight' }]);
  });

  test('goes from ok to warn to critical as dead, age, DLQ and responses reach their limits', async () => {
    const spec = SPEC.replace('max_msgs: 10', 'max_msgs: 1000')
      .replace('{ stream: requests_dlq, max_age: 30d }', '{ stream: requests_dlq, max_msgs: 10, storage: memory }')
      .replace('{ bucket: responses }', '{ bucket: responses, max_bytes: 10KiB, storage: memory }')
      .concat('    health: { dead: { warn: 2, critical: 9 }, oldest: { warn: 2s, critical: 4s } }\n');
    await apply(spec);
    const fill = async (bytes: number) => void (await nats.kv('responses').put(`r${bytes}`, 'x'.repeat(bytes)));
    const states = async () => {
      const report = await look();
      return ['REQUESTS.dead', 'requests_dlq.dlq', 'responses.responses'].map((id) => check(report, id)?.status);
    };
    await makeDead(nats, 1);
    expect(await states()).toEqual(['ok', 'ok', 'ok']);
    await makeDead(nats, 6);
    await fill(7500);
    expect(await states()).toEqual(['warn', 'warn', 'warn']);
    // A server without batches is not asked for each: as many as there are responses may be answered.
    await makeDead(nats, 4);
    await fill(2000);
    expect(await states()).toEqual(['critical', 'critical', 'critical']);
    await send(1);
    const oldest = async () => check(await look(), 'REQUESTS.oldest')?.status;
    expect(await oldest()).toBe('ok');
    await until(async () => (await oldest()) === 'warn', 'the oldest is old');
    await until(async () => (await oldest()) === 'critical', 'the oldest is too old');
  });

  test('tells from what comes in when publishers are refused', async () => {
    await apply(SPEC.replace('max_msgs: 10', 'max_msgs: 1000'));
    await send(750);
    const control = new AbortController();
    const publishing = (async () => {
      while (!control.signal.aborted) {
        await send(1);
        await sleep(40);
      }
    })();
    try {
      const usage = check(await look(), 'REQUESTS.usage');
      expect(usage?.status).toBe('warn');
      expect(usage?.summary).toMatch(/; in about \d+\S*s at the present rate publishers are refused \(10077\)$/);
    } finally {
      control.abort();
      await publishing;
    }
  });

  test('tells retries, and that delivery is paused', async () => {
    await apply(
      SPEC.replace('max_deliver: 1, ack_wait: 100ms, max_ack_pending: 2', 'max_deliver: 9, ack_wait: 300ms').replace(
        'max_msgs: 10',
        'max_msgs: 1000',
      ),
    );
    await send(12);
    const redelivery = async () => check(await look(), 'REQUESTS.redelivery')?.status;
    await pull(nats, 'REQUESTS', 'request-worker', 12);
    expect(await redelivery()).toBe('ok');
    expect(await pull(nats, 'REQUESTS', 'request-worker', 12, 5000)).toHaveLength(12);
    expect(await redelivery()).toBe('warn');
    if (version.startsWith('2.10')) return;
    const pause = (until: string) => nats.api('CONSUMER.PAUSE.REQUESTS.request-worker', { pause_until: until });
    const paused = async () => check(await look(), 'REQUESTS/request-worker.paused')?.status;
    expect(await paused()).toBe('ok');
    await pause(new Date(Date.now() + 60_000).toISOString());
    expect(await paused()).toBe('warn');
  });

  needing('the nats CLI').test('agrees with `nats server check` where it has the check', async () => {
    const cli = findNatsCli()!;
    await apply();
    await makeDead(nats, 2);
    const checks = (await look()).checks;
    const theirs = (...args: string[]) => cli.check(server, ...args);
    expect(theirs('kv', '--bucket', 'nothere')).toBe('CRITICAL');
    expect(theirs('kv', '--bucket', 'responses')).toBe('OK');
    // Here the dead are nobody's business: that is why there is a check of our own.
    expect(
      theirs('consumer', '--stream', 'REQUESTS', '--consumer', 'request-worker', '--unprocessed-critical', '1'),
    ).toBe('OK');
    expect(theirs('connection')).toBe('OK');
    expect(theirs('jetstream')).toBe('OK');
    const status = (id: string) => checks.find((one) => one.id === id)?.status;
    expect([status('connection'), status('storage'), status('resources'), status('REQUESTS.dead')]).toEqual([
      'ok',
      'ok',
      'ok',
      'warn',
    ]);
  });

  needing('the nats CLI').test('writes thresholds that `nats server check` goes by, and both agree', async () => {
    const cli = findNatsCli()!;
    const spec = `${SPEC}    health: { backlog: { warn: 2, critical: 4 } }\n`;
    await apply(spec);
    expect(await apply(spec)).toMatchObject([{ changes: [] }]);
    /** `nats server check consumer` of v0.5.1 does not read the labels that its help names: it is handed what they say. */
    const theirs = async (): Promise<string> => {
      const { config } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
      const { metadata = {} } = config as { metadata?: Record<string, string> };
      const limit = metadata['io.nats.monitor.unprocessed-critical'];
      const flags = limit === undefined ? [] : ['--unprocessed-critical', limit];
      return cli.check(server, 'consumer', '--stream', 'REQUESTS', '--consumer', 'request-worker', ...flags);
    };
    const both = async () => [check(await look(), 'REQUESTS.backlog')?.status, await theirs()];
    await send(1);
    expect(await both()).toEqual(['ok', 'OK']);
    await send(2);
    // It has no warning level.
    expect(await both()).toEqual(['warn', 'OK']);
    await send(1);
    expect(await both()).toEqual(['critical', 'CRITICAL']);
    expect(cli.check(server, 'stream', '--stream', 'REQUESTS')).toBe('OK');
    await apply(spec.replace('critical: 4', 'critical: 5'));
    expect(await both()).toEqual(['warn', 'OK']);
    await apply(spec.replace('critical: 4', 'critical: off'));
    expect(await both()).toEqual(['warn', 'OK']);
  });

  test('serves metrics for scrapes, and says so where the server is away', async () => {
    await apply();
    await letDie(nats);
    const control = new AbortController();
    const context = contextFor(server);
    const serving = listenStatus(
      { ...context, io: { ...context.io, signal: control.signal } },
      { address: '127.0.0.1:0', render: ([one]) => renderPrometheus(one!.report) },
    );
    await until(() => context.io.events.length > 0, 'it says where it listens');
    const [told] = context.io.events as { text: string }[];
    const url = /http:\S+/.exec(told!.text)![0];
    const [one, two] = await Promise.all([fetch(url), fetch(url)]);
    expect(one.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    for (const response of [one, two]) expect(await response.text()).toContain('\nosapi_ops_up 1\n');
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
    control.abort();
    await serving;
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('status of an account with a limit', () => {
  test('goes from ok to warn to critical as it is used up', async () => {
    const server = await startServer({
      config: 'accounts { A { jetstream: { max_streams: 10 }, users: [{ user: a, password: a }] } }\nno_auth_user: a',
    });
    const nats = await connectTo(server);
    try {
      const storage = async () =>
        (await statusOfSystems(contextFor(server), {}))[0]!.report.checks.find(({ id }) => id === 'storage');
      const grow = async (from: number, to: number) => {
        for (let n = from; n < to; n++) await nats.api(`STREAM.CREATE.S${n}`, { name: `S${n}`, storage: 'memory' });
      };
      await grow(0, 6);
      expect(await storage()).toMatchObject({ status: 'ok', value: 60 });
      await grow(6, 7);
      expect(await storage()).toMatchObject({ status: 'warn', value: 70 });
      await grow(7, 10);
      expect(await storage()).toMatchObject({ status: 'critical', summary: expect.stringContaining('10 of 10') });
    } finally {
      await nats.close();
      await server.stop();
    }
  });
});
