import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createInbox } from '@nats-io/transport-node';
import { scanEntries } from '../../src/lib/dlq/scan.ts';
import { dlqSubjects } from '../../src/lib/facts/names.ts';
import { writeIntent } from '../../src/lib/ledger/journal.ts';
import { executeMigration, undoMigration } from '../../src/lib/migrate/execute.ts';
import { planMigration } from '../../src/lib/migrate/plan.ts';
import { findUnfinished } from '../../src/lib/migrate/read.ts';
import type { Moving } from '../../src/lib/migrate/run.ts';
import type { Config } from '../../src/lib/model/json.ts';
import type { Migration } from '../../src/lib/model/migration.ts';
import { orThrow, orUndefined } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { listConsumers, readConsumer, writeConsumer } from '../../src/lib/nats/consumers.ts';
import { deleteStream, readStream, streamNames, writeStream } from '../../src/lib/nats/streams.ts';
import { playMoving } from '../chaos/moving.ts';
import { connectTo } from '../support/connected.ts';
import { recordingIo } from '../support/io.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

// Nothing here rests on a second try.
jest.retryTimes(0);

const WINDOW = 200e6;
const config: Config = {
  name: 'JOBS',
  subjects: ['jobs.*'],
  retention: 'workqueue',
  discard: 'new',
  storage: 'memory',
  duplicate_window: WINDOW,
};
const worker: Config = { durable_name: 'w', name: 'w', ack_policy: 'explicit', ack_wait: 1e9, max_ack_pending: 50 };

let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer({ version: '2.15' });
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(async () => {
  for (const name of await orThrow(streamNames(nats))) await orUndefined(deleteStream(nats, name));
  await writeStream(nats, 'create', 'JOBS', config);
  await writeStream(nats, 'create', 'dlq', {
    name: 'dlq',
    subjects: dlqSubjects('JOBS', ['max_deliveries', 'terminated']),
  });
  await writeConsumer(nats, 'create', { stream: 'JOBS', consumer: 'w' }, worker);
  for (let index = 0; index < 5; index++) await publish(`r${index}`);
});

const publish = (id: string) => nats.request('jobs.a', JSON.stringify({ id }));

async function plan(fields: Partial<Config> = { storage: 'file' }): Promise<Migration> {
  const planned = planMigration({
    kind: 'stream',
    name: 'JOBS',
    from: 'JOBS',
    fields: Object.keys(fields),
    version: server.version,
    clustered: false,
    stream: await orThrow(readStream(nats, 'JOBS')),
    after: { ...config, ...fields } as Config,
    consumers: await orThrow(listConsumers(nats, 'JOBS')),
    dlqs: [{ stream: 'dlq', subjects: [] }],
    others: [],
    streams: await orThrow(streamNames(nats)),
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  return planned.migration;
}

/** Ends it when it comes to a step, as Ctrl-C does. */
function moving(stopAt?: RegExp): Moving {
  const controller = new AbortController();
  const io = recordingIo();
  return {
    io: {
      tell(event) {
        io.tell(event);
        if (event.type === 'note' && stopAt?.test(event.text)) controller.abort(new Error('stopped'));
      },
    },
    signal: controller.signal,
    actor: { who: 'tester', host: 'here', pid: 1 },
    now: new Date(),
  };
}

const figures = async (name = 'JOBS') => (await orThrow(readStream(nats, name))).figures;
const stepNow = async () => (await findUnfinished(nats)).map(({ step, canUndo }) => [step, canUndo]);

describe('a queue in memory that is to be on disk', () => {
  test('has its messages, its consumer and its name afterwards, and nothing is left of the way', async () => {
    await executeMigration(nats, await plan(), moving());
    const { config: now } = await orThrow(readStream(nats, 'JOBS'));
    expect(now).toMatchObject({
      storage: 'file',
      retention: 'workqueue',
      subjects: ['jobs.*'],
      duplicate_window: WINDOW,
    });
    expect(await figures()).toMatchObject({ messages: 5, first_seq: 1 });
    const consumer = await orThrow(readConsumer(nats, 'JOBS', 'w'));
    expect(consumer.config).toMatchObject({ max_ack_pending: 50, ack_wait: 1e9 });
    expect(consumer.figures).toMatchObject({ num_pending: 5, paused: false });
    expect(await orThrow(streamNames(nats))).toEqual(['JOBS', 'KV_osapi_ops', 'dlq']);
    expect(await findUnfinished(nats)).toEqual([]);
    expect((await publish('r9')).json()).toMatchObject({ stream: 'JOBS' });
  });

  test('is as it was when that is taken back before publishers noticed', async () => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/copying JOBS to/))).rejects.toThrow();
    expect(await stepNow()).toEqual([['copying', true]]);
    await undoMigration(nats, migration, moving());
    const { config: now } = await orThrow(readStream(nats, 'JOBS'));
    expect(now).toMatchObject({ storage: 'memory', subjects: ['jobs.*'] });
    const consumer = await orThrow(readConsumer(nats, 'JOBS', 'w'));
    expect(consumer.config).toMatchObject({ max_ack_pending: 50 });
    expect(consumer.figures).toMatchObject({ num_pending: 5, paused: false });
    expect(await orThrow(streamNames(nats))).toEqual(['JOBS', 'KV_osapi_ops', 'dlq']);
    expect(await findUnfinished(nats)).toEqual([]);
  });

  test('cannot be taken back once its subjects have moved, and goes on from there', async () => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/JOBS_moving is open/))).rejects.toThrow();
    expect((await publish('r9')).json()).toMatchObject({ stream: 'JOBS_moving' });
    await expect(undoMigration(nats, migration, moving())).rejects.toMatchObject({ code: 'MIGRATE_TOO_LATE' });
    await executeMigration(nats, migration, moving());
    expect(await figures()).toMatchObject({ messages: 6 });
  });

  test.each([
    ['promoted', /JOBS_moving is open/, 'JOBS'],
    ['repromoted', /JOBS is open, JOBS_moving/, 'JOBS'],
  ])('has no dead letter of its own marker, which somebody had given out at %s', async (_, at, queue) => {
    await writeConsumer(
      nats,
      'update',
      { stream: 'JOBS', consumer: 'w' },
      { ...worker, max_deliver: 1, ack_wait: 1e9 },
    );
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(at))).rejects.toThrow();
    // By hand, as `nats consumer resume` does: our own command refuses.
    await nats.api(`CONSUMER.PAUSE.${queue}.w`, {});
    const given = async () => {
      const inbox = createInbox();
      const sub = nats.nc.subscribe(inbox, { max: 20 });
      const wanted = JSON.stringify({ batch: 20, expires: 1.5e9 });
      nats.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${queue}.w`, wanted, { reply: inbox });
      const subjects: string[] = [];
      for await (const message of sub) {
        if (message.headers?.code) break;
        subjects.push(message.subject);
        if (message.subject === 'jobs.a') await nats.request(message.reply!, '+ACK');
      }
      return subjects;
    };
    expect((await given()).filter((subject) => subject !== 'jobs.a')).toEqual([
      expect.stringMatching(/^osapi-ops\.moving\./),
    ]);
    // Death is lazy: the next pull brings it.
    await until(async () => (await given()).length === 0 && (await figures('dlq')).messages === 1, 'it has died');
    const entries = async () => {
      const ids: string[] = [];
      const ref = { queue, dlq: 'dlq', dlqs: ['dlq'], consumers: ['w'] };
      for await (const { id } of scanEntries(nats, [ref], {})) ids.push(id);
      return ids;
    };
    expect(await entries()).toEqual([]);
    await executeMigration(nats, migration, moving());
    expect([await entries(), (await figures('dlq')).messages, (await figures()).messages]).toEqual([[], 0, 0]);
  });

  test('keeps its workers where its dead letters have no place to wait in', async () => {
    const dying = { ...worker, max_deliver: 1, ack_wait: 200e6 };
    await writeConsumer(nats, 'update', { stream: 'JOBS', consumer: 'w' }, dying);
    const pull = async () => {
      const inbox = createInbox();
      const sub = nats.nc.subscribe(inbox, { max: 1 });
      nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.JOBS.w', JSON.stringify({ batch: 1, expires: 5e9 }), { reply: inbox });
      for await (const message of sub) return message;
      return undefined;
    };
    await pull();
    await sleep(300);
    // Death is lazy: the next pull brings it.
    (await pull())?.respond('+ACK');
    await until(async () => (await figures('dlq')).messages === 1, 'it has died');
    await writeStream(nats, 'update', 'dlq', { name: 'dlq', subjects: ['nothing'] });
    await expect(executeMigration(nats, await plan(), moving())).rejects.toMatchObject({ code: 'MIGRATE_REFUSED' });
    const { config: now, figures: told } = await orThrow(readConsumer(nats, 'JOBS', 'w'));
    expect([told.paused, now.max_ack_pending]).toEqual([false, 50]);
    expect((await publish('r9')).json()).toMatchObject({ stream: 'JOBS' });
    await undoMigration(nats, await plan().catch(async () => (await findUnfinished(nats))[0]!.migration), moving());
  });

  test('is not touched while a replay of it is half done', async () => {
    const intent = { moves: [], target: { stream: 'JOBS', created: '', after: 0 } };
    await writeIntent(nats, 'JOBS', intent);
    await expect(executeMigration(nats, await plan(), moving())).rejects.toMatchObject({ code: 'MIGRATE_REFUSED' });
    expect(await orThrow(streamNames(nats))).not.toContain('JOBS_moving');
  });

  test('that may not lose a message by hand may not afterwards either', async () => {
    await executeMigration(nats, await plan({ storage: 'file', deny_delete: true, deny_purge: true }), moving());
    expect((await orThrow(readStream(nats, 'JOBS'))).config).toMatchObject({ deny_delete: true, deny_purge: true });
    expect(await figures()).toMatchObject({ messages: 5 });
  });

  test('keeps its publishers where the copy does not come to what was published last', async () => {
    const migration = await plan();
    const [hop] = migration.hops;
    await expect(executeMigration(nats, migration, moving(/intended/))).rejects.toThrow();
    // Somebody made the copy that only gets some of it.
    const filtered = { name: hop!.to, duplicate_window: WINDOW, mirror: { name: 'JOBS', filter_subject: 'jobs.*' } };
    await writeStream(nats, 'create', hop!.to, filtered as unknown as Config);
    await expect(executeMigration(nats, migration, moving())).rejects.toMatchObject({ code: 'MIGRATE_REFUSED' });
    expect((await publish('r9')).json()).toMatchObject({ stream: 'JOBS' });
    await undoMigration(nats, migration, moving());
    expect(await figures()).toMatchObject({ messages: 6 });
  });
});

test('a stream that keeps what was answered, and its consumer, go on where they were', async () => {
  await writeStream(nats, 'create', 'KEPT', {
    name: 'KEPT',
    subjects: ['kept'],
    storage: 'memory',
    duplicate_window: WINDOW,
  });
  await writeConsumer(nats, 'create', { stream: 'KEPT', consumer: 'w' }, worker);
  for (let index = 0; index < 4; index++) await nats.request('kept', `${index}`);
  const sub = nats.nc.subscribe('_INBOX.kept', { max: 2 });
  nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.KEPT.w', JSON.stringify({ batch: 2 }), { reply: '_INBOX.kept' });
  for await (const message of sub) await nats.request(message.reply!, '+ACK');
  const planned = planMigration({
    kind: 'stream',
    name: 'KEPT',
    from: 'KEPT',
    fields: ['storage'],
    version: server.version,
    clustered: false,
    stream: await orThrow(readStream(nats, 'KEPT')),
    after: { name: 'KEPT', subjects: ['kept'], storage: 'file', retention: 'limits', duplicate_window: WINDOW },
    consumers: await orThrow(listConsumers(nats, 'KEPT')),
    dlqs: [],
    others: [],
    streams: [],
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  await executeMigration(nats, planned.migration, moving());
  expect(await figures('KEPT')).toMatchObject({ messages: 4, first_seq: 1 });
  const { figures: told } = await orThrow(readConsumer(nats, 'KEPT', 'w'));
  expect(told).toMatchObject({ num_pending: 2, num_ack_pending: 0, delivered_stream_seq: 2, paused: false });
});

test('a bucket has its keys, revisions and history under its new name', async () => {
  const bucket: Config = {
    name: 'KV_a',
    subjects: ['$KV.a.>'],
    max_msgs_per_subject: 3,
    discard: 'new',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
  await writeStream(nats, 'create', 'KV_a', bucket);
  for (let index = 0; index < 5; index++) await nats.kv('a').put('k', `${index}`);
  await nats.kv('a').put('gone', 'x');
  await nats.kv('a').delete('gone');
  const was = await Promise.all(['k', 'gone'].map((key) => nats.kv('a').latest(key)));
  const before = await figures('KV_a');
  const planned = planMigration({
    kind: 'bucket',
    name: 'b',
    from: 'a',
    fields: ['name'],
    version: server.version,
    clustered: false,
    stream: await orThrow(readStream(nats, 'KV_a')),
    after: { ...bucket, name: 'KV_b', subjects: ['$KV.b.>'] },
    consumers: [],
    dlqs: [],
    others: [],
    streams: [],
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  await executeMigration(nats, planned.migration, moving());
  expect(await Promise.all(['k', 'gone'].map((key) => nats.kv('b').latest(key)))).toEqual(was);
  expect(await figures('KV_b')).toMatchObject({ messages: before.messages });
  expect(await orThrow(streamNames(nats))).not.toContain('KV_a');
  expect(await nats.kv('b').put('k', 'new')).toBeGreaterThan(was[0]!.revision);
});

// The short form of `npm run test:chaos -- --forms moving`, which plays more on every server line that can.
test('a migration that is killed at its writes loses nothing and doubles nothing', async () => {
  const report = await playMoving({ version: '2.15', seed: 5, kills: 6, ways: ['same', 'rename'] });
  expect(report.faults).toEqual([]);
  expect(report.dead).toBeGreaterThan(0);
});

test('what anybody would try is seen to double, or to lose', async () => {
  const report = await playMoving({ version: '2.15', seed: 5, kills: 0, ways: ['same'], naive: true });
  expect(report.faults.length).toBeGreaterThan(0);
});
