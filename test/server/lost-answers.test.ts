// What removes, or writes over what is there, is never sent twice without a look: the first may have been carried out though
// nobody heard, and something else stand there since.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { executePlan } from '../../src/lib/apply/execute.ts';
import { atLeast } from '../../src/lib/facts/versions.ts';
import { forgetIntent, type Intent, lookAtIntent, readIntent, writeIntent } from '../../src/lib/ledger/journal.ts';
import type { Seen } from '../../src/lib/model/message.ts';
import type { Plan } from '../../src/lib/model/plan.ts';
import type { Observed, ResourceKey } from '../../src/lib/model/resource.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { deleteConsumer, resetConsumer } from '../../src/lib/nats/consumers.ts';
import { openKv } from '../../src/lib/nats/kv.ts';
import type { Published } from '../../src/lib/nats/message-writes.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { openBulk } from '../../src/lib/nats/publish.ts';
import { printHeaders } from '../../src/lib/nats/raw-headers.ts';
import {
  confirmRemovals,
  removeFromCopy,
  removeKeyed,
  removeMessage,
  removeMessages,
} from '../../src/lib/nats/removal.ts';
import { deleteStream } from '../../src/lib/nats/streams.ts';
import { sendRequest } from '../../src/lib/requests/send.ts';
import { connectTo } from '../support/connected.ts';
import { put, wipe } from '../support/dead-letters.ts';
import { recordingIo } from '../support/io.ts';
import { withLock } from '../support/lock.ts';
import { type Lossy, startLossy } from '../support/lossy.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';

const PURGE = /STREAM\.PURGE/;
const DELETE = /STREAM\.MSG\.DELETE/;

describe.each(outermostVersions())('nats-server %s, whose answers get lost', (version) => {
  let server: TestServer;
  let lossy: Lossy;
  /** Who is told everything. */
  let nats: Nats;
  /** Who does not hear all of it. */
  let far: Nats;
  beforeAll(async () => {
    server = await startServer({ version });
    lossy = await startLossy(server.port);
    nats = await connectTo(server);
    far = await connectTo(lossy, { timeout: '2s' });
  });
  afterAll(async () => {
    await far?.close();
    lossy?.close();
    await nats?.close();
    await server?.stop();
  });
  afterEach(async () => {
    await confirmRemovals(far).catch(() => {});
    await wipe(nats);
  });

  const make = async (stream: string, count = 0, subject = `${stream}.x`) => {
    await nats.api(`STREAM.CREATE.${stream}`, { name: stream, subjects: [`${stream}.>`], storage: 'memory' });
    await fill(stream, count, subject);
  };
  const fill = async (stream: string, count: number, subject = `${stream}.x`) => {
    for (let index = 0; index < count; index++) await put(nats, subject, `${stream} ${index}`);
  };
  const makeAnew = async (stream: string, count: number) => {
    await nats.api(`STREAM.DELETE.${stream}`);
    await make(stream, count);
  };
  const seenIn = async (stream: string): Promise<Seen[]> => {
    const { created } = await nats.api(`STREAM.INFO.${stream}`);
    const seen: Seen[] = [];
    for await (const { seq, time } of getRange(nats, stream, 1))
      seen.push({ stream, created: String(created), seq, time });
    return seen;
  };
  const seqsOf = async (stream: string): Promise<number[]> => (await seenIn(stream)).map(({ seq }) => seq);
  const createdOf = async (name: string): Promise<string> => String((await nats.api(name)).created);

  describe('what removes is sent once,', () => {
    const names = ['STREAM.PURGE.S', 'STREAM.DELETE.S', 'STREAM.MSG.DELETE.S', 'CONSUMER.DELETE.S.c'];
    test.each(names)('%s', async (name) => {
      await make('S', 1);
      lossy.seen(/./);
      lossy.lose('answer', new RegExp(name));
      await expect(far.api(name, name.includes('MSG') ? { seq: 1 } : undefined)).rejects.toMatchObject({
        code: 'CONN_TIMEOUT',
      });
      expect(lossy.seen(new RegExp(name))).toBe(1);
    });

    test('a reset too', async () => {
      if (!atLeast(server.version, '2.14.0')) return;
      await make('S', 3);
      await nats.api('CONSUMER.CREATE.S.c', { stream_name: 'S', config: { name: 'c', ack_policy: 'explicit' } });
      lossy.seen(/./);
      lossy.lose('answer', /CONSUMER\.RESET/);
      await expect(resetConsumer(far, 'S', 'c', 2)).rejects.toMatchObject({ code: 'CONN_TIMEOUT' });
      expect(lossy.seen(/CONSUMER\.RESET/)).toBe(1);
    });
  });

  describe('and again only after a look:', () => {
    test('a message; the stream may be another by then', async () => {
      await make('S', 3);
      const [, second] = await seenIn('S');
      lossy.lose('answer', DELETE, () => makeAnew('S', 3));
      expect(await removeMessage(far, second!)).toBe('anew');
      expect(await seqsOf('S')).toEqual([1, 2, 3]);
    });

    test('the front of a stream', async () => {
      await make('S', 60);
      const seen = await seenIn('S');
      // 2.10 is never asked for a purge: it may undo one that it confirmed.
      const isPurged = atLeast(server.version, '2.12.0');
      lossy.lose('answer', isPurged ? PURGE : DELETE, () => makeAnew('S', 60));
      await removeMessages(far, seen);
      const left = await seqsOf('S');
      // One by one, the way between look and removal of others may be under way.
      if (isPurged) expect(left).toHaveLength(60);
      else await expect(confirmRemovals(far)).rejects.toMatchObject({ code: 'DLQ_MADE_ANEW' });
    });

    test('what lies under a subject: nothing of a stream that was made since', async () => {
      await make('S', 3);
      lossy.lose('answer', PURGE, () => makeAnew('S', 3));
      await removeKeyed(far, 'S', { subject: 'S.x' });
      expect(await seqsOf('S')).toEqual([1, 2, 3]);
    });

    test('nothing that was stored since', async () => {
      await make('S', 3);
      lossy.lose('answer', PURGE, () => fill('S', 2));
      await removeKeyed(far, 'S', { subject: 'S.x' });
      expect(await seqsOf('S')).toEqual([4, 5]);
    });

    test.each([
      { name: 'all of it but what came since', limits: {}, left: [4, 6] },
      { name: 'all but the newest', limits: { keep: 2 }, left: [4, 5, 6] },
      { name: 'up to a sequence', limits: { upTo: 2 }, left: [3, 4, 5, 6] },
    ])('$name, one by one, where the request did not come', async ({ limits, left }) => {
      await make('S', 3);
      await fill('S', 1, 'S.other');
      await fill('S', 1);
      // Until the server's clock is past the last one's time by more than a message takes.
      await sleep(50);
      lossy.lose('request', PURGE, () => fill('S', 1));
      await removeKeyed(far, 'S', { subject: 'S.x', ...limits });
      expect(await seqsOf('S')).toEqual(left);
    });

    test.each([
      { name: 'front', seqs: [], lost: PURGE },
      { name: 'single messages', seqs: [2], lost: DELETE },
    ])("a copy's $name: of one that was made anew nothing goes", async ({ seqs, lost }) => {
      await make('S', 5);
      const created = await createdOf('STREAM.INFO.S');
      lossy.lose('answer', lost, () => makeAnew('S', 5));
      const removing = removeFromCopy(far, { stream: 'S', created }, seqs.length > 0 ? 0 : 3, seqs);
      await expect(removing).rejects.toMatchObject({ code: 'DLQ_MADE_ANEW' });
      expect(await seqsOf('S')).toEqual([1, 2, 3, 4, 5]);
    });

    test.each(['answer', 'request'] as const)("a copy's, where only the %s is lost, all of it", async (what) => {
      await make('S', 6);
      const created = await createdOf('STREAM.INFO.S');
      lossy.lose(what, PURGE);
      await removeFromCopy(far, { stream: 'S', created }, 3, [5]);
      expect(await seqsOf('S')).toEqual([4, 6]);
    });

    test('a stream', async () => {
      await make('S', 1);
      const created = await createdOf('STREAM.INFO.S');
      lossy.lose('answer', /STREAM\.DELETE/, () => make('S', 2));
      expect((await deleteStream(far, { stream: 'S', created })).is).toBe('found');
      expect(await seqsOf('S')).toEqual([1, 2]);
      lossy.lose('request', /STREAM\.DELETE/);
      await deleteStream(far, { stream: 'S', created: await createdOf('STREAM.INFO.S') });
      await expect(nats.api('STREAM.INFO.S')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('a consumer', async () => {
      const config = { name: 'c', durable_name: 'c', ack_policy: 'explicit' };
      const makeOne = () => nats.api('CONSUMER.CREATE.S.c', { stream_name: 'S', config });
      await make('S');
      await makeOne();
      const created = await createdOf('CONSUMER.INFO.S.c');
      lossy.lose('answer', /CONSUMER\.DELETE/, makeOne);
      expect((await deleteConsumer(far, { stream: 'S', consumer: 'c', created })).is).toBe('found');
      expect(await createdOf('CONSUMER.INFO.S.c')).not.toBe(created);
      lossy.lose('request', /CONSUMER\.DELETE/);
      const now = await createdOf('CONSUMER.INFO.S.c');
      await deleteConsumer(far, { stream: 'S', consumer: 'c', created: now });
      await expect(nats.api('CONSUMER.INFO.S.c')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('a publish under an id is sent again', () => {
    const makeForgetful = (seconds: number) =>
      nats.api('STREAM.CREATE.S', {
        name: 'S',
        subjects: ['S.>'],
        storage: 'memory',
        duplicate_window: seconds * 1e9,
      });
    const sending = {
      one: () => sendRequest(far, { id: 'a', subject: 'S.x', payload: new Uint8Array(), headers: [] }),
      'one of many': () =>
        new Promise<Pick<Published, 'duplicate'>>((resolve, reject) => {
          const bulk = openBulk(far, {
            onStored: (_, duplicate) => resolve({ duplicate }),
            onFault: (_, e) => reject(e),
          });
          bulk.send(0, 'S.x', new Uint8Array(), printHeaders([{ name: 'Nats-Msg-Id', value: 'a' }]));
          void bulk.drain().then(() => bulk.close());
        }),
    };
    const ways = Object.entries(sending);

    test.each(ways)('while its stream knows that: %s', async (_, send) => {
      await makeForgetful(120);
      lossy.lose('answer', /^S\.x/);
      expect(await send()).toMatchObject({ duplicate: true });
      expect(await seqsOf('S')).toEqual([1]);
      lossy.lose('request', /^S\.x/);
      await nats.api('STREAM.DELETE.S');
      await makeForgetful(120);
      expect(await send()).toMatchObject({ duplicate: false });
      expect(await seqsOf('S')).toEqual([1]);
    });

    test.each(ways)('and not where it may have forgotten it: %s', async (_, send) => {
      await makeForgetful(1);
      lossy.seen(/./);
      lossy.lose('answer', /^S\.x/);
      await expect(send()).rejects.toMatchObject({ code: 'CONN_TIMEOUT' });
      expect(lossy.seen(/^S\.x/)).toBe(1);
      expect(await seqsOf('S')).toEqual([1]);
    });
  });

  test.each(['stream S', 'consumer S/c'] as const)(
    'a plan deletes the %s that it has seen, and none that was made since',
    async (resource: ResourceKey) => {
      await make('S', 1);
      const config = { name: 'c', durable_name: 'c', ack_policy: 'explicit' };
      await nats.api('CONSUMER.CREATE.S.c', { stream_name: 'S', config });
      const [kind, name] = resource.split(' ');
      const change = { action: 'delete', kind, name, fields: [] };
      const steps = [{ verb: 'delete', resource, change: 0, stage: 0, configs: [] }];
      const plan = { system: 's', changes: [change, change], steps } as unknown as Plan;
      const observed = { resources: new Map([[resource, { created: '2026-01-01T00:00:00Z' }]]) } as unknown as Observed;
      const late = {
        ...plan,
        steps: [{ ...steps[0]!, verb: 'migrate', migration: {}, along: [], change: 1 }, ...steps],
      };
      const { fault } = await executePlan(nats, late as unknown as Plan, {
        io: recordingIo(),
        signal: new AbortController().signal,
        observed,
        // What is done before takes longer than a look is believed.
        migrate: () => sleep(1100),
      });
      expect(fault).toMatchObject({ code: 'APPLY_FAILED', message: expect.stringContaining('was made anew') });
      expect(await seqsOf('S')).toEqual([1]);
    },
  );

  describe('a value of a bucket in a cluster', () => {
    /** A single server does not elect: there nothing is sent again. */
    const kv = () => {
      const { target } = far;
      const clustered = { ...far, target: { ...target, server: { ...target.server, cluster: 'c' } } };
      return openKv(clustered, 'b');
    };
    /** Longer than one try waits. */
    const PATIENT = { timeoutMs: 10_000 };
    const makeBucket = () =>
      nats.api('STREAM.CREATE.KV_b', {
        name: 'KV_b',
        subjects: ['$KV.b.>'],
        storage: 'memory',
        allow_rollup_hdrs: true,
        max_msgs_per_subject: 10,
      });
    const textOf = async (key: string) => Buffer.from((await nats.kv('b').get(key))?.value ?? []).toString();

    test('that is stored though nobody heard is not stored again, nor taken for somebody else', async () => {
      await makeBucket();
      lossy.lose('answer', /\$KV\.b\.k/);
      expect(await kv().put('k', 'mine', PATIENT)).toBe(1);
      lossy.lose('answer', /\$KV\.b\.k/);
      expect(await kv().update('k', 'again', 1, PATIENT)).toBe(2);
      lossy.lose('answer', /\$KV\.b\.k/);
      expect(await kv().delete('k', 2, PATIENT)).toBe(3);
      expect(await seqsOf('KV_b')).toEqual([1, 2, 3]);
    });

    test.each(['put', 'delete'] as const)('goes over what was seen, where its %s did not come', async (verb) => {
      await makeBucket();
      await nats.kv('b').put('k', 'before');
      lossy.lose('request', /\$KV\.b\.k/, () => nats.kv('b').put('k', 'meanwhile'));
      expect(await (verb === 'put' ? kv().put('k', 'mine', PATIENT) : kv().delete('k', undefined, PATIENT))).toBe(3);
      expect(await textOf('k')).toBe(verb === 'put' ? 'mine' : '');
    });

    test('is not written where it was to be another one', async () => {
      await makeBucket();
      await nats.kv('b').put('k', 'before');
      lossy.lose('request', /\$KV\.b\.k/, () => nats.kv('b').put('k', 'meanwhile'));
      expect(await kv().update('k', 'mine', 1, PATIENT)).toBeUndefined();
      expect(await textOf('k')).toBe('meanwhile');
    });
  });

  describe('in a ledger that is made anew, whose numbers are lower,', () => {
    const makeLedger = async () => {
      await nats.api('STREAM.DELETE.KV_osapi_ops').catch(() => {});
      const config = { name: 'KV_osapi_ops', subjects: ['$KV.osapi_ops.>'], storage: 'memory', allow_direct: true };
      await nats.api('STREAM.CREATE.KV_osapi_ops', config);
    };
    const textOf = async (key: string) => Buffer.from((await nats.kv('osapi_ops').get(key))?.value ?? []).toString();
    const grow = async () => {
      await makeLedger();
      for (let value = 0; value < 20; value++) await nats.kv('osapi_ops').put('grown', `${value}`);
    };
    const lock = {
      actor: { who: 'ada', host: 'build-7', pid: 4711 },
      waitMs: 0,
      io: recordingIo(),
      verb: 'replay',
      lease: { lengthMs: 45_000, renewMs: 20_000, giveUpMs: 30_000 },
    };
    /** Longer ago than a look is believed of a server that is near; within the second all the same. */
    const STALE_MS = 350;

    test.each(['writes', 'does not write'])('whoever %s leaves the lock of others, within the second', async (how) => {
      await grow();
      await withLock(nats, 'x', lock, async (_, held) => {
        if (how === 'writes') await held.kv('osapi_ops').put('work', '1');
        await makeLedger();
        await nats.kv('osapi_ops').put('lock.x', 'somebody else');
        await sleep(STALE_MS);
      });
      expect(await textOf('lock.x')).toBe('somebody else');
    });

    test('and the intent of another run, though it is about the same', async () => {
      const intent: Intent = { moves: [], target: { stream: 'REQUESTS', created: '2026-01-01T00:00:00Z', after: 7 } };
      await grow();
      const own = await writeIntent(nats, 'REQUESTS', { ...intent, run: { id: 'ours', moved: 0 } });
      await makeLedger();
      for (let value = 0; value < 30; value++) await nats.kv('osapi_ops').put('grown', `${value}`);
      await writeIntent(nats, 'REQUESTS', { ...intent, run: { id: 'another', moved: 0 } });
      await sleep(STALE_MS);
      await forgetIntent(nats, 'REQUESTS', await lookAtIntent(nats, 'REQUESTS', own));
      expect(await readIntent(nats, 'REQUESTS')).toMatchObject(intent);
    });

    test('a lock that may be over is left as it is: it runs out by itself', async () => {
      const { now } = Date;
      await grow();
      try {
        await withLock(nats, 'x', lock, async () => {
          await makeLedger();
          await nats.kv('osapi_ops').put('lock.x', 'somebody else');
          Date.now = () => now() + lock.lease.giveUpMs;
        });
      } finally {
        Date.now = now;
      }
      expect(await textOf('lock.x')).toBe('somebody else');
    });
  });
});
