import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { dlqSubjects } from '../../src/lib/facts/names.ts';
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
  }, 60_000);
});

// The short form of `npm run test:chaos -- --forms moving`, which plays more on every server line that can.
test('a migration that is killed at its writes loses nothing and doubles nothing', async () => {
  const report = await playMoving({ version: '2.15', seed: 5, kills: 6, ways: ['same', 'rename'] });
  expect(report.faults).toEqual([]);
  expect(report.dead).toBeGreaterThan(0);
}, 180_000);

test('what anybody would try is seen to double, or to lose', async () => {
  const report = await playMoving({ version: '2.15', seed: 5, kills: 0, ways: ['same'], naive: true });
  expect(report.faults.length).toBeGreaterThan(0);
}, 120_000);
