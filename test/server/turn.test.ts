import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { holdQueues, withQueueLocks } from '../../src/lib/dlq/lock.ts';
import { LEASE } from '../../src/lib/ledger/turn.ts';
import type { Question } from '../../src/lib/model/io.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { type ApplyOptions, applyOperation } from '../../src/lib/operations/apply.ts';
import { destroyOperation } from '../../src/lib/operations/destroy.ts';
import { importDeadLetters } from '../../src/lib/operations/dlq/import.ts';
import { purgeDeadLetters } from '../../src/lib/operations/dlq/purge.ts';
import { rebuildEntries } from '../../src/lib/operations/dlq/rebuild.ts';
import { replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { withLock } from '../support/lock.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let nats: Nats;
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-turn-'));
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats?.close();
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => wipe(nats));

const count = async (stream: string): Promise<number> =>
  ((await nats.api(`STREAM.INFO.${stream}`)) as unknown as { state: { messages: number } }).state.messages;

/** A person who does something before each answer. */
function personAt(stdin: string, answer: (question: Question, asked: number) => unknown) {
  const context = contextFor(server, stdin);
  const asked: string[] = [];
  const ask = async (question: Question) => {
    asked.push(question.text);
    return answer(question, asked.length);
  };
  return { asked, context: { ...context, io: { ...context.io, interactive: true, ask: ask as never } } };
}

const replayOptions = {
  filter: {},
  wishes: { maxInFlight: 64, maxReplays: 3, wait: false, waitMs: 1000 },
  dryRun: false,
  edit: false,
  lockWaitMs: 0,
  keepEntries: true,
};
const replay = (more: Partial<typeof replayOptions> & { ids?: string[] } = {}) =>
  replayDeadLetters(contextFor(server), { ...replayOptions, ...more });

let archives = 0;
const purgeOptions = () => ({
  filter: {},
  archive: join(dir, `archive-${archives++}.ndjson`),
  yes: false,
  dryRun: false,
  lockWaitMs: 0,
});

const SPEC = (more = '') =>
  `version: 1\nname: shop\nqueues:\n  REQUESTS:\n    subjects: ["requests.*"]\n    consumers: {request-worker: {max_deliver: 3}}\n    dlq: {stream: REQUESTS_dlq}\n${more}`;
const applyOptions = (more: Partial<ApplyOptions> = {}): ApplyOptions => ({
  specs: ['-'],
  given: new Set(),
  yes: false,
  dryRun: false,
  lockWaitMs: 0,
  show() {},
  ...more,
});
/** Fails at once where somebody holds the lock. */
const lockIsFree = (name: string) =>
  withLock(nats, name, { actor, waitMs: 0, io: contextFor(server).io, verb: 'test' }, async () => {});
const actor = { who: 'ada', host: 'build-7', pid: 4711 };

test('a question about a purge names the queue and what chose its dead letters', async () => {
  await makeQueue(nats);
  await makeDead(nats, 2);
  const filter = { queues: ['REQUESTS'], subjects: ['requests.*'] };
  const { context, asked } = personAt('', async () => false);
  await expect(purgeDeadLetters(context, { ...purgeOptions(), filter })).rejects.toMatchObject({
    code: 'NOT_CONFIRMED',
  });
  expect(asked).toEqual([
    expect.stringContaining("2 dead letters of REQUESTS (--queue REQUESTS --subject 'requests.*') with"),
  ]);
});

describe('a person who thinks at a question holds nobody up', () => {
  test('purge asks first, then takes the lock, and deletes what was shown and is still there', async () => {
    await makeQueue(nats);
    await makeDead(nats, 4);
    const options = purgeOptions();
    const { context, asked } = personAt('', async () => {
      expect(existsSync(options.archive)).toBe(false);
      expect(await replay({ ids: ['REQUESTS/request-worker/2'] })).toMatchObject({ replayed: 1 });
      await put(nats, 'requests.dns', 'new');
      return true;
    });
    expect(await purgeDeadLetters(context, options)).toMatchObject({ purged: 3, originals: 3 });
    expect(asked).toEqual([expect.stringContaining('Delete 4 dead letters of REQUESTS with their messages')]);
    expect(context.io.events).toContainEqual({
      type: 'note',
      text: '1 of 4 were replayed, purged or changed while you were asked: they are left alone',
    });
    const archived = readFileSync(options.archive, 'utf8').trim().split('\n');
    expect(archived.map((line) => JSON.parse(line).entry.seq).sort()).toEqual([1, 3, 4]);
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([2, 0]);
  });

  test('purge leaves nothing behind where it is not agreed to, or where all of it went meanwhile', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    const options = purgeOptions();
    const no = personAt('', () => false);
    await expect(purgeDeadLetters(no.context, options)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
    const late = personAt('', async () => (await replay()).replayed === 2);
    expect(await purgeDeadLetters(late.context, options)).toEqual({ purged: 0, originals: 0 });
    expect(existsSync(options.archive)).toBe(false);
    expect(await count('REQUESTS')).toBe(2);
  });

  test('apply asks again, without the lock, when the server moved since the plan was shown', async () => {
    const shown: string[][] = [];
    const { context, asked } = personAt(SPEC(), async (_, times) => {
      await lockIsFree('shop');
      if (times === 1) await nats.api('STREAM.CREATE.REQUESTS_dlq', { name: 'REQUESTS_dlq', subjects: ['other'] });
      if (times === 2) await nats.api('STREAM.DELETE.REQUESTS_dlq');
      return times < 3;
    });
    const show: ApplyOptions['show'] = (plans) =>
      void shown.push(plans.flatMap(({ changes }) => changes.map(({ action, name }) => `${action} ${name}`)));
    const given = new Set(['adopt'] as const);
    await expect(applyOperation(context, applyOptions({ show, given }))).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
    });
    expect(asked).toHaveLength(3);
    expect(shown.map((changes) => changes.find((change) => change.endsWith('REQUESTS_dlq')))).toEqual([
      'create REQUESTS_dlq',
      'update REQUESTS_dlq',
      'create REQUESTS_dlq',
    ]);
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['KV_osapi_ops']);
  });

  test('destroy asks again, without the lock, when more would go than was shown', async () => {
    await applyOperation(contextFor(server, SPEC()), applyOptions());
    const { context, asked } = personAt(SPEC(), async (question, times) => {
      await lockIsFree('shop');
      const metadata = { 'osapi-ops.owner': 'shop' };
      if (times === 1) await nats.api('STREAM.CREATE.MORE', { name: 'MORE', subjects: ['more'], metadata });
      return times < 2 && question.type === 'typed-name' ? question.name : '';
    });
    const options = { specs: ['-'], yes: false, dryRun: false, lockWaitMs: 0, show() {} };
    await expect(destroyOperation(context, options)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
    expect(asked).toEqual([expect.stringContaining('3 resources'), expect.stringContaining('4 resources')]);
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['KV_osapi_ops', 'MORE', 'REQUESTS', 'REQUESTS_dlq']);
  });

  test('dry runs of all that takes the lock take none', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    const options = purgeOptions();
    await purgeDeadLetters(contextFor(server), { ...options, yes: true });
    await makeDead(nats, 2);
    const choice = { filter: {}, dryRun: true, lockWaitMs: 0 };
    const work = { verb: 'replay', lockWaitMs: 0 } as const;
    await withQueueLocks(contextFor(server), nats, ['REQUESTS'], work, async () => {
      await expect(replay()).rejects.toMatchObject({ code: 'LOCK_HELD' });
      expect(await replay({ dryRun: true })).toMatchObject({ entries: [{}, {}], dry_run: true });
      const unwritten = purgeOptions();
      expect(await purgeDeadLetters(contextFor(server), { ...unwritten, dryRun: true })).toMatchObject({ purged: 2 });
      expect(existsSync(unwritten.archive)).toBe(false);
      expect(await rebuildEntries(contextFor(server), choice)).toMatchObject({ rebuilt: 0, dry_run: true });
      expect(await importDeadLetters(contextFor(server), { ...choice, archive: options.archive })).toMatchObject({
        imported: 2,
        dry_run: true,
      });
    });
    expect(await count('REQUESTS_dlq')).toBe(2);
  });
});

describe('what replaces or removes a queue waits for whoever moves its dead letters', () => {
  test.each([
    ['the queue', SPEC('    storage: memory\n')],
    ['its DLQ', SPEC().replace('{stream: REQUESTS_dlq}', '{stream: REQUESTS_dlq, storage: memory}')],
  ])('apply --allow-replace of %s', async (_, changed) => {
    await applyOperation(contextFor(server, SPEC()), applyOptions());
    const given = new Set(['allow-replace', 'allow-data-loss'] as const);
    const created = async () => {
      const infos = await Promise.all(['REQUESTS', 'REQUESTS_dlq'].map((name) => nats.api(`STREAM.INFO.${name}`)));
      return infos.map((info) => info.created);
    };
    const before = await created();
    const work = { verb: 'replay', lockWaitMs: 0 } as const;
    await withQueueLocks(contextFor(server), nats, ['REQUESTS'], work, async () => {
      await expect(applyOperation(contextFor(server, changed), applyOptions({ given }))).rejects.toMatchObject({
        code: 'LOCK_HELD',
        message: expect.stringContaining('at work on the dead letters of REQUESTS (dlq replay)'),
      });
    });
    expect(await created()).toEqual(before);
    await applyOperation(contextFor(server, changed), applyOptions({ given }));
    expect(await created()).not.toEqual(before);
  });

  test('destroy', async () => {
    await applyOperation(contextFor(server, SPEC()), applyOptions());
    const options = { specs: ['-'], yes: true, dryRun: false, lockWaitMs: 0, show() {} };
    const how = { verb: 'dlq purge', waitMs: 0 };
    await holdQueues(contextFor(server), nats, ['REQUESTS'], how, async () => {
      await expect(destroyOperation(contextFor(server, SPEC()), options)).rejects.toMatchObject({ code: 'LOCK_HELD' });
    });
    expect((await nats.api('STREAM.NAMES')).streams).toContain('REQUESTS');
    await destroyOperation(contextFor(server, SPEC()), options);
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['KV_osapi_ops']);
  });
});

describe('a turn that is lost half-way ends with what was done', () => {
  const { now } = Date;
  /** A host on which the clock jumps when so much is told to be done. */
  const jumpingAt = (done: number) => {
    const context = contextFor(server);
    const tell: typeof context.io.tell = (event) => {
      if (event.type === 'progress' && /^(?:Purging|Importing|Replaying)/.test(event.title) && event.done >= done)
        Date.now = () => now() + LEASE.giveUpMs;
    };
    return { ...context, io: { ...context.io, tell } };
  };
  const restore = () => {
    Date.now = now;
  };

  test('purge, then import: nothing more is written, and the next run does the rest', async () => {
    await makeQueue(nats);
    await makeDead(nats, 1200);
    const options = { ...purgeOptions(), yes: true };
    await expect(purgeDeadLetters(jumpingAt(1000), options).finally(restore)).rejects.toMatchObject({
      code: 'LOCK_HELD',
      exitCode: 75,
      message: expect.stringMatching(
        /was lost while at work: 1000 of 1200 purged; the archive .* holds all 1200, 200 of them not purged/,
      ),
      result: { purged: 1000, originals: 1000, archive: options.archive },
    });
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([200, 200]);
    const rest = { ...purgeOptions(), yes: true, lockWaitMs: 20_000 };
    expect(await purgeDeadLetters(contextFor(server), rest)).toMatchObject({ purged: 200 });

    const choice = { filter: {}, dryRun: false, lockWaitMs: 20_000, archive: options.archive };
    await expect(importDeadLetters(jumpingAt(500), choice).finally(restore)).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining('; 500 imported so far'),
      result: { imported: 500 },
    });
    const imported = await count('REQUESTS_dlq');
    expect(imported).toBe(1000);
    expect(await importDeadLetters(contextFor(server), choice)).toMatchObject({ imported: 700, skipped: 500 });
  });

  test('replay counts what it moved and what remains', async () => {
    await makeQueue(nats);
    await makeDead(nats, 30);
    const wishes = { ...replayOptions.wishes, rate: 10 };
    await expect(replayDeadLetters(jumpingAt(10), { ...replayOptions, wishes }).finally(restore)).rejects.toMatchObject(
      {
        code: 'LOCK_HELD',
        message: expect.stringMatching(/was lost while at work: 10 replayed, 20 remain$/),
        result: { replayed: 10 },
      },
    );
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([30, 20]);
    expect(await replay({ lockWaitMs: 20_000 })).toMatchObject({ replayed: 20, remaining: 0 });
  });
});

test('what was handed to the client and not to the socket when the turn ran out stays here', async () => {
  const { now } = Date;
  await makeQueue(nats);
  const second = await connectTo(server);
  const lock = { actor, waitMs: 0, io: contextFor(server).io, verb: 'test' };
  const working = withLock(second, 'x', lock, async (_, held) => {
    const published = publish(held, 'requests.dns', Buffer.from('late'));
    Date.now = () => now() + LEASE.giveUpMs;
    await published;
  });
  await expect(
    working.finally(() => {
      Date.now = now;
    }),
  ).rejects.toMatchObject({ code: 'LOCK_HELD' });
  await second.close();
  expect(await count('REQUESTS')).toBe(0);
});
