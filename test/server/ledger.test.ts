import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { appendHistory, readHistory } from '../../src/lib/ledger/history.ts';
import { type LockOptions, withLocks } from '../../src/lib/ledger/lock.ts';
import {
  forgetApplied,
  listSystems,
  readAppliedSpec,
  readLastApplied,
  recordApplied,
} from '../../src/lib/ledger/store.ts';
import type { Spec } from '../../src/lib/model/spec.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { removeNothing } from '../../src/lib/nats/removal.ts';
import { connectTo } from '../support/connected.ts';
import { wipe } from '../support/dead-letters.ts';
import { recordingIo } from '../support/io.ts';
import { withLock } from '../support/lock.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
// Looks first, and so waits for a connection that a test has cut.
beforeEach(() => wipe(nats));

const actor = { who: 'ada', host: 'build-7', pid: 4711 };
const specOf = (name: string, description = ''): Spec => ({
  version: 1,
  name,
  description,
  connection: { password: 'geheim' },
  queues: {},
  streams: { S: { config: { subjects: ['s'] }, consumers: {} } },
  buckets: {},
});
const write = async (name: string, description?: string) =>
  recordApplied(nats, {
    system: name,
    spec: specOf(name, description),
    configs: { 'stream S': { subjects: ['s'] } },
    actor,
    at: new Date('2026-01-02T03:04:05Z'),
    tool: '1.2.3',
    before: await readLastApplied(nats, name),
  });

describe('what was applied', () => {
  test('is nothing on a server that was never touched', async () => {
    expect(await readLastApplied(nats, 'a')).toBeUndefined();
    expect(await listSystems(nats)).toEqual([]);
    await expect(readAppliedSpec(nats)).rejects.toMatchObject({ code: 'USAGE_NO_SPEC', exitCode: 64 });
  });

  test('reads back with who, when and which tool, without secrets', async () => {
    await write('a', 'first');
    expect(await readAppliedSpec(nats)).toMatchObject({
      system: 'a',
      who: 'ada',
      host: 'build-7',
      at: '2026-01-02T03:04:05.000Z',
      tool: '1.2.3',
      spec: { description: 'first', connection: {} },
      configs: { 'stream S': { subjects: ['s'] } },
    });
  });

  test('remembers earlier versions, newest first', async () => {
    for (const text of ['one', 'two', 'three']) await write('a', text);
    const { digest, previous } = (await readLastApplied(nats, 'a'))!;
    expect(previous).toHaveLength(2);
    expect(new Set([digest, ...previous.map((version) => version.digest)]).size).toBe(3);
  });

  test('of several systems is never guessed', async () => {
    await write('a');
    await write('b.c d');
    expect(await listSystems(nats)).toEqual(['a', 'b.c d']);
    await expect(readAppliedSpec(nats)).rejects.toMatchObject({ code: 'USAGE_AMBIGUOUS_SPEC' });
    expect((await readLastApplied(nats, 'b.c d'))?.system).toBe('b.c d');
    await forgetApplied(nats, 'a');
    expect((await readAppliedSpec(nats)).system).toBe('b.c d');
  });

  test('may be larger than a message; pieces that a killed run left behind go', async () => {
    const large = () => randomBytes(1_500_000).toString('base64');
    const first = large();
    await write('a', first);
    const parts = () => nats.kv('osapi_ops').keys('part.>');
    expect((await parts()).length).toBeGreaterThan(2);
    await nats.kv('osapi_ops').put('part.a.killed.0', 'orphan');
    expect((await readLastApplied(nats, 'a'))?.spec.description).toBe(first);
    const second = large();
    await write('a', second);
    expect((await readLastApplied(nats, 'a'))?.spec.description).toBe(second);
    expect(new Set((await parts()).map((key) => key.split('.')[2])).size).toBe(1);
  });

  test('that is damaged is said to be so', async () => {
    await write('a');
    await nats.kv('osapi_ops').put('applied.a', 'garbage');
    await expect(readLastApplied(nats, 'a')).rejects.toThrow('what the ledger has of a cannot be read');
  });
});

describe('the history', () => {
  const entry = (system: string, summary: string, at: string) =>
    appendHistory(nats, { system, verb: 'apply', actor, at: new Date(at), tool: '1', summary, detail: { n: 1 } });

  test('is read newest first, by system, time and number', async () => {
    await entry('a', 'one', '2026-01-01T00:00:00Z');
    await entry('b', 'two', '2026-01-02T00:00:00Z');
    await entry('a', 'three', '2026-01-03T00:00:00Z');
    const said = async (filter: Parameters<typeof readHistory>[1]) =>
      (await readHistory(nats, filter)).map(({ summary }) => summary);
    expect(await said({})).toEqual(['three', 'two', 'one']);
    expect(await said({ system: 'a' })).toEqual(['three', 'one']);
    expect(await said({ since: new Date('2026-01-02T00:00:00Z') })).toEqual(['three', 'two']);
    expect(await said({ limit: 1 })).toEqual(['three']);
  });
});

describe('the lock', () => {
  /** Renewed often, and never given up on a machine that is busy. */
  const lease = { lengthMs: 45_000, renewMs: 100, giveUpMs: 30_000 };
  const options = (waitMs: number, more: Partial<LockOptions> = {}): LockOptions => ({
    actor,
    waitMs,
    io: recordingIo(),
    verb: 'apply',
    lease,
    ...more,
  });

  const makeBucket = async (name: string) => {
    await nats.api(`STREAM.DELETE.KV_${name}`).catch(() => {});
    await nats.api(`STREAM.CREATE.KV_${name}`, { name: `KV_${name}`, subjects: [`$KV.${name}.>`], storage: 'memory' });
  };

  test('lets one work at a time; the other waits', async () => {
    const log: string[] = [];
    const io = recordingIo();
    const work = async () => {
      log.push('in');
      await until(() => io.events.some(({ type }) => type === 'note'), 'the other says that it waits');
      log.push('out');
    };
    const second = await connectTo(server);
    await Promise.all([nats, second].map((each) => withLock(each, 'x', options(40_000, { io }), work)));
    await second.close();
    expect(log).toEqual(['in', 'out', 'in', 'out']);
  });

  test('names the holder to whoever does not want to wait, though its lease was renewed many times', async () => {
    await withLock(nats, 'x', options(0), async () => {
      const renewed = async () => ((await nats.kv('osapi_ops').get('lock.x'))?.revision ?? 0) - first;
      const first = (await nats.kv('osapi_ops').get('lock.x'))!.revision;
      await until(async () => (await renewed()) >= 4, 'the lease is renewed');
      await expect(withLock(nats, 'x', options(100), async () => {})).rejects.toMatchObject({
        code: 'LOCK_HELD',
        where: expect.stringMatching(/^bucket osapi_ops, the lock of [^=]+$/),
        exitCode: 75,
        message: expect.stringContaining('ada on build-7 (pid 4711)'),
      });
    });
  });

  test('of a dead holder is taken over once it stood still for its length', async () => {
    await withLock(nats, 'x', options(0), async () => {});
    await nats.kv('osapi_ops').put('lock.x', JSON.stringify({ id: 'dead', verb: 'apply', since: 'then', ...actor }));
    const io = recordingIo();
    const start = performance.now();
    await withLock(nats, 'x', options(5000, { io, lease: { ...lease, lengthMs: 1500 } }), async () => {});
    expect(performance.now() - start).toBeGreaterThanOrEqual(1500);
    expect(io.events).toContainEqual({ type: 'warning', text: expect.stringContaining('left the lock behind') });
  });

  test('that a dead holder left behind with others is waited for together with them', async () => {
    await withLock(nats, 'x', options(0), async () => {});
    const left = JSON.stringify({ id: 'dead', verb: 'apply', since: 'then', ...actor });
    for (const name of ['x', 'y', 'z']) await nats.kv('osapi_ops').put(`lock.${name}`, left);
    const io = recordingIo();
    const start = performance.now();
    // Shorter than two lengths: whoever waited for one after the other would give up.
    const both = { ...lease, lengthMs: 4000 };
    await withLocks(nats, ['x', 'y', 'z'], options(7500, { io, lease: both }), async () => {});
    expect(performance.now() - start).toBeGreaterThanOrEqual(4000);
    expect(io.events.filter(({ type }) => type === 'warning')).toHaveLength(3);
    expect(io.events.filter(({ type }) => type === 'note')).toHaveLength(1);
  });

  test('that is taken away ends the work', async () => {
    await expect(
      withLock(nats, 'x', options(0), async (signal) => {
        await nats.kv('osapi_ops').put('lock.x', 'somebody else');
        await once(signal, 'abort');
        signal.throwIfAborted();
      }),
    ).rejects.toMatchObject({ code: 'LOCK_HELD', message: expect.stringContaining('was lost') });
  });

  test('that may be over by any clock lets no write go, ends the work, and drops the connection with what it holds', async () => {
    const { now } = Date;
    const second = await connectTo(server);
    await makeBucket('work');
    const cut: string[] = [];
    void (async () => {
      for await (const { type } of second.nc.status()) cut.push(type);
    })();
    try {
      const working = withLock(second, 'x', options(0), async (signal, held) => {
        await held.kv('work').put('a', '1');
        Date.now = () => now() + lease.giveUpMs;
        await expect(held.kv('work').put('b', '2')).rejects.toMatchObject({ code: 'LOCK_HELD', exitCode: 75 });
        await expect(removeNothing(held, 'KV_work')).rejects.toMatchObject({ code: 'LOCK_HELD' });
        await expect(publish(held, '$KV.work.c', Buffer.from('3'))).rejects.toMatchObject({ code: 'LOCK_HELD' });
        await expect(held.api('STREAM.PURGE.KV_work')).rejects.toMatchObject({ code: 'LOCK_HELD' });
        expect(signal.aborted).toBe(true);
        return 'as if nothing had happened';
      });
      await expect(working).rejects.toMatchObject({ code: 'LOCK_HELD', message: expect.stringContaining('was lost') });
    } finally {
      Date.now = now;
    }
    expect(await nats.kv('work').keys('>')).toEqual(['a']);
    await until(
      () => ['disconnect', 'reconnect'].every((each) => cut.includes(each)),
      'the connection was cut and is back',
    );
    await second.nc.flush();
    expect(await second.kv('work').keys('>')).toEqual(['a']);
    await second.close();
  });

  test('that may be over reads on', async () => {
    const { now } = Date;
    const working = withLock(nats, 'x', options(0), async (_, held) => {
      Date.now = () => now() + lease.giveUpMs;
      return held.api('STREAM.INFO.KV_osapi_ops');
    });
    await working.finally(() => {
      Date.now = now;
    });
    expect(await working).toMatchObject({ config: { name: 'KV_osapi_ops' } });
  });

  test('is taken and let go of in one request each, and nothing stays of it', async () => {
    await withLock(nats, 'x', options(0), async () => {});
    const subjects: string[] = [];
    const tap = await connectTo(server);
    tap.nc.subscribe('>', { callback: (_, { subject, reply }) => void (reply && subjects.push(subject)) });
    await tap.nc.flush();
    await withLock(nats, 'x', options(0), async () => {});
    await until(async () => subjects.length > 1, 'the tap heard of both');
    await tap.close();
    expect(subjects).toEqual(['$KV.osapi_ops.lock.x', '$JS.API.STREAM.PURGE.KV_osapi_ops']);
    expect(await nats.kv('osapi_ops').keys('lock.>')).toEqual([]);
  });

  test('does not remove the lock of whoever took it since', async () => {
    const working = withLock(nats, 'x', options(0), async () => {
      await nats.kv('osapi_ops').put('lock.x', 'somebody else');
    });
    await working;
    expect(Buffer.from((await nats.kv('osapi_ops').get('lock.x'))!.value).toString()).toBe('somebody else');
  });

  test('does not remove the lock of whoever took it in a ledger that was made anew, where numbers are lower', async () => {
    for (let value = 0; value < 20; value++) await withLock(nats, 'x', options(0), async () => {});
    const slow = options(0, { lease: { ...lease, renewMs: 20_000 } });
    await withLock(nats, 'x', slow, async () => {
      await nats.api('STREAM.DELETE.KV_osapi_ops');
      await makeBucket('osapi_ops');
      expect(await nats.kv('osapi_ops').put('lock.x', 'somebody else')).toBe(1);
      // Longer ago than what one was just told is believed.
      await sleep(1100);
    });
    expect(Buffer.from((await nats.kv('osapi_ops').get('lock.x'))!.value).toString()).toBe('somebody else');
  });

  test('of two places lets a write go only while both hold', async () => {
    const { now } = Date;
    await makeBucket('work');
    const inner = options(0, { lease: { ...lease, giveUpMs: 60_000, lengthMs: 70_000, renewMs: 20_000 } });
    const working = withLock(nats, 'x', options(0), (_, outer) =>
      withLock(outer, 'y', inner, async (__, held) => {
        Date.now = () => now() + lease.giveUpMs;
        await held.kv('work').put('b', '2');
      }),
    );
    await expect(working).rejects.toMatchObject({ message: 'the lock of x was lost while at work' });
    Date.now = now;
    expect(await nats.kv('work').keys('>')).toEqual([]);
  });

  test('is let go of when the work fails', async () => {
    const failing = withLock(nats, 'x', options(0), async () => {
      throw new TypeError('no');
    });
    await expect(failing).rejects.toThrow('no');
    await withLock(nats, 'x', options(0), async () => {});
  });
});
