import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createInbox } from '@nats-io/transport-node';
import { scanEntries } from '../../src/lib/dlq/scan.ts';
import { dlqSubjects } from '../../src/lib/facts/names.ts';
import { writeIntent } from '../../src/lib/ledger/journal.ts';
import { mirrorConfig } from '../../src/lib/migrate/configs.ts';
import { executeMigration, undoMigration } from '../../src/lib/migrate/execute.ts';
import { planMigration } from '../../src/lib/migrate/plan.ts';
import { findUnfinished } from '../../src/lib/migrate/read.ts';
import type { Moving } from '../../src/lib/migrate/run.ts';
import type { Config } from '../../src/lib/model/json.ts';
import type { Migration } from '../../src/lib/model/migration.ts';
import { orThrow, orUndefined } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { listConsumers, readConsumer, writeConsumer } from '../../src/lib/nats/consumers.ts';
import { removeFromCopy, removeKeyed } from '../../src/lib/nats/removal.ts';
import { readStream, streamNames, writeStream } from '../../src/lib/nats/streams.ts';
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
  for (const name of await orThrow(streamNames(nats))) await nats.api(`STREAM.DELETE.${name}`).catch(() => {});
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

/** The same connection, whose requests to the API go through this. */
const asking = (api: Nats['api']): Nats =>
  new Proxy(nats, { get: (all, key) => (key === 'api' ? api : Reflect.get(all, key)) });

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
    // A copy that only gets some of it.
    const mirror = { name: 'JOBS', filter_subject: 'jobs.*' };
    await writeStream(nats, 'create', hop!.to, { ...mirrorConfig(migration, hop!), mirror });
    await expect(executeMigration(nats, migration, moving())).rejects.toMatchObject({ code: 'MIGRATE_REFUSED' });
    expect((await publish('r9')).json()).toMatchObject({ stream: 'JOBS' });
    await undoMigration(nats, migration, moving());
    expect(await figures()).toMatchObject({ messages: 6 });
  });
});

/** Takes what waits, so many, and acks it. */
async function answer(count: number, queue = 'JOBS'): Promise<string[]> {
  const inbox = createInbox();
  const sub = nats.nc.subscribe(inbox, { max: count });
  nats.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${queue}.w`, JSON.stringify({ batch: count }), { reply: inbox });
  const ids: string[] = [];
  for await (const message of sub) {
    ids.push(message.json<{ id: string }>().id);
    await nats.request(message.reply!, '+ACK');
  }
  return ids;
}

describe('a stream that somebody makes anew under a name of the move', () => {
  const others: readonly [string, RegExp, string][] = [
    ['copying', /copying JOBS to/, 'JOBS_moving'],
    ['copying', /copying JOBS to/, 'JOBS'],
    ['parked', /JOBS is closed/, 'JOBS_moving'],
    ['parked', /JOBS is closed/, 'JOBS'],
    ['promoted', /JOBS_moving is open, JOBS is still/, 'JOBS_moving'],
    ['promoted', /JOBS_moving is open, JOBS is still/, 'JOBS'],
    ['dropped', /JOBS is gone/, 'JOBS'],
    ['dropped', /JOBS is gone/, 'JOBS_moving'],
    ['recopying', /copying JOBS_moving to/, 'JOBS'],
    ['recopying', /copying JOBS_moving to/, 'JOBS_moving'],
    ['reparked', /JOBS_moving is closed/, 'JOBS'],
    ['reparked', /JOBS_moving is closed/, 'JOBS_moving'],
    ['repromoted', /JOBS is open, JOBS_moving/, 'JOBS'],
    ['repromoted', /JOBS is open, JOBS_moving/, 'JOBS_moving'],
  ];
  test.each(others)('at %s (%s) is refused and named as %s, and left as it is', async (_step, at, name) => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(at))).rejects.toThrow();
    const was = await orUndefined(readStream(nats, name));
    const parked = was ? was.config.subjects : undefined;
    await nats.api(`STREAM.DELETE.${name}`).catch(() => {});
    // As it was, as far as that can be had: open where the old one was, or as ours is in the gap.
    const like = { name, subjects: parked ?? [`elsewhere.${name}`], storage: 'memory' as const };
    await writeStream(nats, 'create', name, like);
    const before = await orThrow(readStream(nats, name));
    for (const go of [executeMigration, undoMigration]) {
      await expect(go(nats, migration, moving())).rejects.toMatchObject({
        code: 'MIGRATE_REFUSED',
        message: expect.stringContaining(`stream ${name} is not of the migration of JOBS`),
      });
    }
    const { now: _, told: __, ...after } = await orThrow(readStream(nats, name));
    const { now: ___, told: ____, ...then } = before;
    expect(after).toEqual(then);
    const [unfinished] = await findUnfinished(nats);
    expect(unfinished).toMatchObject({ step: 'unknown', canUndo: false, where: expect.stringContaining(name) });
  });

  test('before anything was copied is left as it is, and the way back is open', async () => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/intended/))).rejects.toThrow();
    await writeStream(nats, 'create', 'JOBS_moving', { name: 'JOBS_moving', subjects: ['elsewhere'] });
    await expect(executeMigration(nats, migration, moving())).rejects.toMatchObject({
      code: 'MIGRATE_REFUSED',
      message: expect.stringContaining('JOBS_moving'),
    });
    await undoMigration(nats, migration, moving());
    expect(await orThrow(streamNames(nats))).toContain('JOBS_moving');
    expect([await findUnfinished(nats), (await publish('r9')).json()]).toMatchObject([[], { stream: 'JOBS' }]);
  });

  test('a copy that was made, and not written down before its maker died, is known by its label', async () => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/intended/))).rejects.toThrow();
    await writeStream(nats, 'create', 'JOBS_moving', mirrorConfig(migration, migration.hops[0]!));
    expect(await stepNow()).toEqual([['copying', true]]);
    await executeMigration(nats, migration, moving());
    expect(await figures()).toMatchObject({ messages: 5 });
    expect((await orThrow(readStream(nats, 'JOBS'))).config.metadata ?? {}).not.toHaveProperty('osapi-ops.moving');
  });
});

test.each([
  ['the first gap', /JOBS is closed/],
  ['the second gap', /JOBS_moving is closed/],
])(
  'a copy that forgot its ids in %s, as where its server was restarted, has nothing that was answered',
  async (_gap, at) => {
    expect(await answer(2)).toEqual(['r0', 'r1']);
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/copying JOBS to/))).rejects.toThrow();
    await until(async () => (await figures('JOBS_moving')).messages === 3, 'all is copied');
    // The copy has these still when they are answered, and keeps them for their ids.
    expect(await answer(1)).toEqual(['r2']);
    // Whoever moves dies when it is closed.
    let isDead = false;
    const assertHeld = () => {
      if (isDead) throw new Error('killed');
    };
    const tell = ({ type, text }: { type: string; text?: string }) => {
      isDead ||= type === 'note' && at.test(text ?? '');
    };
    await expect(
      executeMigration(nats.behind({ assertHeld }), migration, {
        ...moving(),
        io: { tell: tell as Moving['io']['tell'] },
      }),
    ).rejects.toThrow('killed');
    const { to } = migration.hops.find(({ from }) => at.source.includes(`${from} `))!;
    const { config: copy } = await orThrow(readStream(nats, to));
    expect(copy.mirror).toBeDefined();
    const { duplicate_window: _, ...forgetful } = copy;
    await writeStream(nats, 'update', to, forgetful);
    await executeMigration(nats, migration, moving());
    expect(await answer(2)).toEqual(['r3', 'r4']);
    expect(await figures()).toMatchObject({ messages: 0 });
  },
);

describe('a copy that is removed while workers answer', () => {
  const entries = async () => {
    const found: (string | null)[][] = [];
    const ref = { queue: 'JOBS', dlq: 'dlq', dlqs: ['dlq'], consumers: ['w'] };
    for await (const { request_id, state, detail } of scanEntries(nats, [ref], {})) {
      if (state !== 'gone') found.push([request_id, state, detail]);
    }
    return found.sort();
  };
  const doubt = expect.stringContaining('unknown: answered, or dead');
  const copied = async () => {
    const migration = await plan();
    await expect(executeMigration(nats, migration, moving(/copying JOBS to/))).rejects.toThrow();
    await until(async () => (await figures('JOBS_moving')).messages === 5, 'all is copied');
    // What the copy has not confirmed stays stored: that comes after a second in which nothing does.
    expect(await answer(2)).toEqual(['r0', 'r1']);
    return migration;
  };
  const begin = async () => {
    const migration = await copied();
    await nats.api('STREAM.DELETE.JOBS_moving');
    expect(await figures()).toMatchObject({ messages: 5 });
    const [unfinished] = await findUnfinished(nats);
    expect(unfinished).toMatchObject({
      step: 'intended',
      canUndo: true,
      meanwhile: expect.stringContaining('not to be told from what died unheard'),
    });
    return migration;
  };

  /** What the copy kept for itself is in the DLQ alone, and the others are worked on. */
  const isLeftInDoubt = async () => {
    expect(await figures()).toMatchObject({ messages: 3 });
    expect(await entries()).toEqual([
      ['r0', 'replayable', doubt],
      ['r1', 'replayable', doubt],
    ]);
    expect(await answer(3)).toEqual(['r2', 'r3', 'r4']);
  };

  test('leaves what it kept as unknown, and given to nobody, when it is made again', async () => {
    await executeMigration(nats, await begin(), moving());
    await isLeftInDoubt();
  });

  test('leaves the same when that is taken back', async () => {
    await undoMigration(nats, await begin(), moving());
    await isLeftInDoubt();
  });

  test.each([
    ['before', '[["intended",true]]'],
    ['after', '[["copying",true]]'],
  ])(
    'leaves the same when whoever makes it again is killed %s it is there, and that is taken back',
    async (when, at) => {
      const migration = await begin();
      const api: Nats['api'] = async (subject, ...rest) => {
        const isCopy = subject === 'STREAM.CREATE.JOBS_moving';
        if (isCopy && when === 'after') await nats.api(subject, ...rest);
        if (isCopy) throw new Error('killed');
        return nats.api(subject, ...rest);
      };
      const dying = asking(api);
      await expect(executeMigration(dying, migration, moving())).rejects.toThrow('killed');
      expect(JSON.stringify(await stepNow())).toBe(at);
      await undoMigration(nats, migration, moving());
      await isLeftInDoubt();
      expect(await findUnfinished(nats)).toEqual([]);
    },
  );

  test('leaves the same when it has stopped, and we remove it', async () => {
    const migration = await copied();
    const info = 'STREAM.INFO.JOBS_moving';
    const api: Nats['api'] = async (subject, ...rest) => {
      const answer = await nats.api(subject, ...rest);
      const { mirror } = answer;
      return subject === info
        ? { ...answer, mirror: { ...Object(mirror), error: { description: 'stopped' } } }
        : answer;
    };
    const stopped = asking(api);
    await undoMigration(stopped, migration, moving());
    await isLeftInDoubt();
    expect(await findUnfinished(nats)).toEqual([]);
  });
});

describe('a stream that keeps all, and is to be a work queue', () => {
  beforeEach(async () => {
    await nats.api('STREAM.DELETE.JOBS');
    await writeStream(nats, 'create', 'JOBS', { ...config, retention: 'limits' });
    const failing = { ...worker, ack_wait: 300e6, max_deliver: 3 };
    await writeConsumer(nats, 'create', { stream: 'JOBS', consumer: 'w' }, failing);
    for (let index = 0; index < 6; index++) await publish(`r${index}`);
  });
  const toQueue = () => plan({ retention: 'workqueue' });

  test('is moved while workers fail: what fails is tried again until it is dead', async () => {
    const working = new AbortController();
    const answered: string[] = [];
    const work = (async () => {
      while (!working.signal.aborted) {
        const inbox = createInbox();
        const sub = nats.nc.subscribe(inbox);
        const timer = setTimeout(() => sub.unsubscribe(), 500);
        nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.JOBS.w', JSON.stringify({ batch: 4, expires: 3e8 }), {
          reply: inbox,
        });
        let left = 4;
        for await (const message of sub) {
          if (message.headers?.code) break;
          const { id } = message.json<{ id: string }>();
          if (/^r[14]$/.test(id)) message.respond('-NAK {"delay": 400000000}');
          else {
            await nats.request(message.reply!, '+ACK');
            answered.push(id);
          }
          if (--left === 0) break;
        }
        clearTimeout(timer);
        sub.unsubscribe();
        await sleep(20);
      }
    })();
    try {
      await until(() => answered.length > 0, 'workers are at work');
      await executeMigration(nats, await toQueue(), moving());
      await publish('r9');
      await until(() => answered.includes('r9'), 'they go on');
    } finally {
      working.abort();
      await work;
    }
    expect(answered.sort()).toEqual(['r0', 'r2', 'r3', 'r5', 'r9']);
    expect((await orThrow(readStream(nats, 'JOBS'))).config.retention).toBe('workqueue');
    const dead: (string | null)[] = [];
    const ref = { queue: 'JOBS', dlq: 'dlq', dlqs: ['dlq'], consumers: ['w'] };
    for await (const entry of scanEntries(nats, [ref], { states: ['replayable'] })) dead.push(entry.request_id);
    expect([dead.sort(), (await figures()).messages]).toEqual([['r1', 'r4'], 0]);
  });

  test('is moved where a worker was lost with all that it got since what it answered', async () => {
    expect(await answer(2)).toEqual(['r0', 'r1']);
    const inbox = createInbox();
    const sub = nats.nc.subscribe(inbox, { max: 2 });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.JOBS.w', JSON.stringify({ batch: 2 }), { reply: inbox });
    for await (const _ of sub);
    await executeMigration(nats, await toQueue(), moving());
    expect(await answer(4)).toEqual(['r2', 'r3', 'r4', 'r5']);
    expect(await figures()).toMatchObject({ messages: 0 });
  });

  test('is refused, with what to do, where nobody can tell what was answered from what is in hand', async () => {
    const inbox = createInbox();
    const sub = nats.nc.subscribe(inbox, { max: 3 });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.JOBS.w', JSON.stringify({ batch: 3 }), { reply: inbox });
    for await (const message of sub) if (message.json<{ id: string }>().id === 'r1') message.respond('+ACK');
    await expect(executeMigration(nats, await toQueue(), moving())).rejects.toMatchObject({
      code: 'MIGRATE_REFUSED',
      message: '2 of JOBS are in hand, and not answered in time',
      hints: [expect.stringContaining('max_deliver'), expect.any(String)],
    });
    const { config: now, figures: told } = await orThrow(readConsumer(nats, 'JOBS', 'w'));
    expect([told.paused, now.max_ack_pending]).toEqual([false, 50]);
    await undoMigration(nats, await toQueue().catch(async () => (await findUnfinished(nats))[0]!.migration), moving());
  });
});

test('a copy with holes of which nothing waits, whose clearing was killed, stays empty when our marker is taken out of it', async () => {
  await writeStream(nats, 'create', 'HOLES', { name: 'HOLES', subjects: ['holes.*'], storage: 'memory' });
  for (let index = 1; index <= 20; index++) await nats.request('holes.a', `${index}`);
  for (const seq of [4, 5, 9]) await nats.api('STREAM.MSG.DELETE.HOLES', { seq });
  const { created } = await writeStream(nats, 'create', 'COPY', { name: 'COPY', mirror: { name: 'HOLES' } });
  await until(async () => (await figures('COPY')).last_seq === 20, 'all is copied');
  // What is left by who was killed behind the purge.
  await nats.api('STREAM.PURGE.COPY', { seq: 20 });
  expect(await figures('COPY')).toMatchObject({ messages: 1 });
  await removeFromCopy(nats, { stream: 'COPY', created }, 20, []);
  expect(await figures('COPY')).toMatchObject({ messages: 0 });
  await nats.request('holes.marker', '');
  await until(async () => (await figures('COPY')).last_seq === 21, 'the marker is copied');
  await removeKeyed(nats, 'COPY', { subject: 'holes.marker' });
  expect(await figures('COPY')).toMatchObject({ messages: 0 });
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
  const report = await playMoving({
    version: '2.15',
    seed: 5,
    kills: 6,
    kinds: ['client'],
    ways: ['storage', 'rename'],
  });
  expect(report.faults).toEqual([]);
  expect(report.dead).toBeGreaterThan(0);
});

test('what anybody would try is seen to double, or to lose', async () => {
  const report = await playMoving({ version: '2.15', seed: 5, kills: 0, ways: ['storage'], naive: true });
  expect(report.faults.length).toBeGreaterThan(0);
});
