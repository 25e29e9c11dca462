import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { scanEntries } from '../../src/lib/dlq/scan.ts';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import { REJECT_HEADER, rejectedSubject } from '../../src/lib/facts/names.ts';
import { writeJournal } from '../../src/lib/ledger/journal.ts';
import type { Entry } from '../../src/lib/model/entry.ts';
import type { StoredMessage } from '../../src/lib/model/message.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getMessage, getRange } from '../../src/lib/nats/messages.ts';
import { parseHeaders, printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { type ReplayOptions, replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import type { QueueJob } from '../../src/lib/replay/job.ts';
import { PROTOCOL, type Step } from '../../src/lib/replay/protocol.ts';
import { replayQueue } from '../../src/lib/replay/queue.ts';
import { Tally } from '../../src/lib/replay/tally.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { letDie, makeConsumer, makeDead, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const wishes: ReplayOptions['wishes'] = { maxInFlight: 256, maxReplays: 3, wait: false, waitMs: 5000 };

describe.each(availableVersions())('nats-server %s: a replay', (version) => {
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
  afterEach(() => wipe(nats));

  const replay = (change: Partial<ReplayOptions> = {}) =>
    replayDeadLetters(contextFor(server), {
      filter: {},
      dryRun: false,
      edit: false,
      lockWaitMs: 1000,
      keepEntries: true,
      ...change,
      wishes: { ...wishes, ...change.wishes },
    });
  /** The queue's part of it alone. */
  const run = (change: Partial<QueueJob> = {}) =>
    replayQueue({
      nats,
      ref: { queue: 'REQUESTS', dlq: 'REQUESTS_dlq', dlqs: ['REQUESTS_dlq'], consumers: ['request-worker'] },
      filter: {},
      wishes,
      tally: new Tally(false),
      signal: new AbortController().signal,
      now: Date.now(),
      onProgress() {},
      tellNote() {},
      tellWarning() {},
      ...change,
    });
  const count = async (stream: string): Promise<number> => {
    const info = (await nats.api(`STREAM.INFO.${stream}`)) as unknown as { state: { messages: number } };
    return info.state.messages;
  };
  const all = async (stream: string): Promise<StoredMessage[]> => {
    const found: StoredMessage[] = [];
    for await (const message of getRange(nats, stream, 1)) found.push(message);
    return found;
  };
  const drop = (stream: string, seq: number) => nats.api(`STREAM.MSG.DELETE.${stream}`, { seq });
  const payloads = async (): Promise<string[]> =>
    (await all('REQUESTS')).map(({ payload }) => Buffer.from(payload).toString('latin1')).sort();
  const entries = async (): Promise<Entry[]> => {
    const found: Entry[] = [];
    const ref = { queue: 'REQUESTS', dlq: 'REQUESTS_dlq', dlqs: ['REQUESTS_dlq'], consumers: ['request-worker'] };
    for await (const entry of scanEntries(nats, [ref], {})) found.push(entry);
    return found;
  };

  test('gives every dead letter back to the worker, byte for byte, and leaves nothing behind', async () => {
    await makeQueue(nats);
    const hostile = Buffer.from([0, 255, 27, 91, 50, 74, 13, 10]);
    const headers = [
      { name: 'Nats-Msg-Id', value: 'first' },
      { name: 'Nats-Expected-Last-Sequence', value: '0' },
      { name: 'X', value: '\xff\xfe' },
    ];
    await publish(nats, 'requests.dns', hostile, printHeaders(headers));
    await publish(nats, 'requests.tcp', new Uint8Array(0));
    await publish(nats, 'requests.udp', Buffer.alloc(1_000_000, 'x'));
    // The server takes 64 KiB of headers.
    const many = Array.from({ length: 10_000 }, (_, index) => ({ name: 'H', value: `${index % 10}` }));
    await publish(nats, 'requests.many', Buffer.from('{}'), printHeaders(many));
    await letDie(nats);
    expect(await replay()).toMatchObject({ replayed: 4, skipped: 0, failed: 0, remaining: 0 });
    const copies = await all('REQUESTS');
    const copyOf = (subject: string) => copies.filter((one) => one.subject === subject);
    expect(copyOf('requests.tcp').map(({ payload }) => payload.byteLength)).toEqual([0]);
    expect(copyOf('requests.udp').map(({ payload }) => payload.byteLength)).toEqual([1_000_000]);
    expect(parseHeaders(copyOf('requests.many')[0]!.headers).slice(0, 10_000)).toEqual(many);
    const copy = copies.find(({ subject }) => subject === 'requests.dns')!;
    expect(Buffer.from(copy.payload).equals(hostile)).toBe(true);
    expect(parseHeaders(copy.headers)).toEqual([
      { name: 'X', value: '\xff\xfe' },
      { name: 'Osapi-Original-Msg-Id', value: 'first' },
      { name: 'Nats-Msg-Id', value: expect.stringMatching(/^osapi-ops\.replay\.REQUESTS\.1\.\d+\.1$/) },
      { name: 'Osapi-Replay-Of', value: 'REQUESTS/request-worker/1' },
      { name: 'Osapi-Replay-Count', value: '1' },
      { name: 'Nats-Expected-Stream', value: 'REQUESTS' },
    ]);
    expect(await count('REQUESTS_dlq')).toBe(0);
    const again = await replay();
    expect(again).toMatchObject({ replayed: 0, skipped: 0, failed: 0, remaining: 0, entries: [] });
    expect((await pull(nats, 'REQUESTS', 'request-worker', 5)).length).toBe(4);
  });

  test("leaves where it is what fills the server's max_payload and has no room for its headers", async () => {
    await makeQueue(nats);
    await publish(nats, 'requests.dns', Buffer.alloc(nats.target.server.max_payload, 'x'));
    await letDie(nats);
    const error = (await replay().catch((thrown: unknown) => thrown)) as OpsError;
    expect(error).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 0, failed: 1, remaining: 0 } });
    expect(error.why).toContain('too large');
    expect(await entries()).toMatchObject([{ state: 'replayable', size: nats.target.server.max_payload }]);
  });

  test('holds while more than --max-pending wait, and goes on when they are taken', async () => {
    await makeQueue(nats);
    await makeDead(nats, 10);
    const pending = async () => Number((await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).num_pending);
    const going = replay({ wishes: { ...wishes, maxPending: 4 } });
    await until(async () => (await pending()) >= 4, 'four wait');
    // That no fifth follows is told by nothing but time: two looks of the replay at what waits.
    await sleep(600);
    expect(await pending()).toBe(4);
    let most = 0;
    let isOver = false;
    const working = (async () => {
      while (!isOver) {
        most = Math.max(most, await pending());
        for (const message of await pull(nats, 'REQUESTS', 'request-worker', 2, 50)) message.respond('+ACK');
      }
    })();
    expect(await going).toMatchObject({ replayed: 10, failed: 0, remaining: 0 });
    isOver = true;
    await working;
    expect(most).toBeLessThanOrEqual(4);
  });

  test('is not stopped by a full queue, nor by one that would drop a message for each publish', async () => {
    for (const discard of ['new', 'old']) {
      await makeQueue(nats, { config: { max_msgs: 20, discard } });
      await makeDead(nats, 20);
      const before = await payloads();
      expect(await replay()).toMatchObject({ replayed: 20, failed: 0, remaining: 0 });
      expect(await payloads()).toEqual(before);
      expect(await count('REQUESTS_dlq')).toBe(0);
      await wipe(nats);
    }
  });

  test('parks what was replayed three times and died again', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    for (let round = 0; round < 3; round++) {
      expect((await replay()).replayed).toBe(2);
      await letDie(nats);
    }
    expect(await replay()).toMatchObject({ replayed: 0, skipped: 2 });
    expect((await replay({ wishes: { ...wishes, maxReplays: 4 } })).replayed).toBe(2);
  });

  test('finds orphans too', async () => {
    await makeQueue(nats);
    await makeDead(nats, 5);
    await nats.api('STREAM.PURGE.REQUESTS_dlq');
    expect(await replay()).toMatchObject({ replayed: 5 });
  });

  test('finds orphans behind more than a page of others, which have left the queue by then', async () => {
    await makeQueue(nats);
    await makeDead(nats, 1100);
    for (let seq = 501; seq <= 505; seq++) await drop('REQUESTS_dlq', seq);
    expect(await replay()).toMatchObject({ replayed: 1100 });
  });

  test('of a reject publishes what the DLQ carries, then removes it', async () => {
    await makeQueue(nats);
    const told = {
      stream: 'REQUESTS',
      consumer: 'request-worker',
      seq: '99',
      subject: 'requests.dns',
      reason: 'no id',
      time: new Date().toISOString(),
      deliveries: '1',
    };
    const headers = Object.entries(told).map(([key, value]) => ({
      name: REJECT_HEADER[key as keyof typeof told],
      value,
    }));
    await publish(
      nats,
      rejectedSubject('REQUESTS', 'request-worker'),
      Buffer.from('not json'),
      printHeaders([{ name: 'Own', value: '1' }, ...headers]),
    );
    expect(await replay()).toMatchObject({ replayed: 1 });
    const [copy] = await all('REQUESTS');
    expect(Buffer.from(copy!.payload).toString()).toBe('not json');
    expect(parseHeaders(copy!.headers).map(({ name }) => name)).toEqual([
      'Own',
      'Nats-Msg-Id',
      'Osapi-Replay-Of',
      'Osapi-Replay-Count',
      'Nats-Expected-Stream',
    ]);
    expect(await count('REQUESTS_dlq')).toBe(0);
  });

  test('of a message that two consumers gave up publishes one copy', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'second' });
    await put(nats, 'requests.dns', 'once');
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'second');
    expect(await count('REQUESTS_dlq')).toBe(2);
    expect((await replay()).replayed).toBe(1);
    // Both get the copy in place of the original.
    expect(await payloads()).toEqual(['once']);
    expect(await count('REQUESTS_dlq')).toBe(0);
  });

  test('touches nothing that lives, whatever the DLQ says', async () => {
    await makeQueue(nats);
    const live = await put(nats, 'requests.dns', 'alive');
    for (const body of [
      '{',
      '[]',
      '{"stream":"REQUESTS"}',
      JSON.stringify({
        type: 'io.nats.jetstream.advisory.v1.max_deliver',
        stream: 'REQUESTS',
        consumer: 'request-worker',
        stream_seq: live,
        timestamp: new Date().toISOString(),
      }),
      JSON.stringify({
        type: 'io.nats.jetstream.advisory.v1.max_deliver',
        stream: 'REQUESTS',
        consumer: 'request-worker',
        stream_seq: 2 ** 60,
        timestamp: new Date().toISOString(),
      }),
      JSON.stringify({
        type: 'io.nats.jetstream.advisory.v1.max_deliver',
        stream: 'OTHER',
        consumer: 'request-worker',
        stream_seq: live,
      }),
    ]) {
      await put(nats, '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.request-worker', body);
    }
    expect((await replay()).replayed).toBe(0);
    expect((await getMessage(nats, 'REQUESTS', live))?.subject).toBe('requests.dns');
  });

  test('touches nothing of a stream that was made anew while it ran', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    let asked = 0;
    const edit = async ({ inner }: Entry) => {
      asked += 1;
      if (asked === 2) {
        await nats.api('STREAM.DELETE.REQUESTS');
        await makeQueue(nats, { dlq: null });
        for (let live = 0; live < 3; live++) await put(nats, 'requests.dns', 'live');
      }
      return { subject: 'requests.dns', headers: [], payload: inner.message!.payload };
    };
    await expect(run({ wishes: { ...wishes, edit } })).rejects.toMatchObject({ code: 'DLQ_MADE_ANEW' });
    expect(await payloads()).toEqual(['live', 'live', 'live']);
  });

  test('refuses a queue that lets nothing be deleted, before anything is published', async () => {
    await makeQueue(nats, { config: { deny_delete: true } });
    await makeDead(nats, 2);
    await expect(replay()).rejects.toMatchObject({ code: 'DLQ_CANNOT_REMOVE' });
    expect(await count('REQUESTS')).toBe(2);
  });

  test('goes where --to says, and refuses a subject that no stream takes', async () => {
    await makeQueue(nats);
    await nats.api('STREAM.CREATE.AUDIT', { name: 'AUDIT', subjects: ['audit.>'], storage: 'memory' });
    await makeDead(nats, 2);
    await expect(replay({ wishes: { ...wishes, to: 'nowhere.x' } })).rejects.toMatchObject({ code: 'USAGE' });
    expect((await replay({ wishes: { ...wishes, to: 'audit.dead' } })).replayed).toBe(2);
    expect([await count('AUDIT'), await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([2, 0, 0]);
  });

  test('leaves what the queue refuses where it is, and says so', async () => {
    await makeQueue(nats);
    await put(nats, 'requests.dns', 'x'.repeat(5000));
    await put(nats, 'requests.dns', 'small');
    await letDie(nats);
    const { config } = await nats.api('STREAM.INFO.REQUESTS');
    await nats.api('STREAM.UPDATE.REQUESTS', { ...(config as object), max_msg_size: 1000 });
    const error = (await replay().catch((thrown: unknown) => thrown)) as OpsError;
    expect(error).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 1, failed: 1, remaining: 0 } });
    expect(await entries()).toHaveLength(1);
  });

  test('two at once: the second waits for the lock or gives up, and nothing is doubled', async () => {
    await makeQueue(nats);
    await makeDead(nats, 200);
    const both = await Promise.allSettled([replay({ lockWaitMs: 10_000 }), replay({ lockWaitMs: 10_000 })]);
    const moved = both.map((one) => (one.status === 'fulfilled' ? one.value.replayed : 0)).sort((a, b) => a - b);
    expect(moved).toEqual([0, 200]);
    expect(new Set(await payloads()).size).toBe(200);
    expect(await count('REQUESTS')).toBe(200);
  });

  test('sends a canary ahead and stops where it dies again', async () => {
    await makeQueue(nats);
    await makeDead(nats, 10);
    let isOver = false;
    const dying = (async () => {
      while (!isOver) await pull(nats, 'REQUESTS', 'request-worker', 100, 50);
    })();
    const error = await replay({ wishes: { ...wishes, canary: 3 } }).catch((thrown: unknown) => thrown);
    isOver = true;
    await dying;
    expect(error).toMatchObject({
      code: 'DLQ_DIED_AGAIN',
      result: { replayed: 3, fates: { died: 3 }, deaths: { max_deliveries: 3 } },
    });
    expect(await entries()).toHaveLength(10);
    // Nothing was left half-way: the next run has nothing of this one to finish.
    const notes: string[] = [];
    await run({ tellNote: (text) => notes.push(text) });
    expect(notes).toEqual([]);
  });

  test('whose canary nobody settles is stopped as any other: it says nothing of those sent ahead', async () => {
    await makeQueue(nats);
    await makeDead(nats, 10);
    const stop = new AbortController();
    const context = contextFor(server);
    const tell: typeof context.io.tell = (event) => {
      if (event.type === 'note' && event.text.includes('sent ahead'))
        stop.abort(new OpsError('INTERRUPTED', 'stopped'));
    };
    const error = await replayDeadLetters(
      { ...context, io: { ...context.io, tell, signal: stop.signal } },
      {
        ...{ filter: {}, dryRun: false, edit: false, lockWaitMs: 1000, keepEntries: true },
        wishes: { ...wishes, canary: 3, waitMs: 60_000 },
      },
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'INTERRUPTED', result: { replayed: 3, remaining: 7 } });
    expect(await entries()).toHaveLength(7);
  });

  describe('that is followed', () => {
    const ref = {
      queue: 'REQUESTS',
      dlq: 'REQUESTS_dlq',
      dlqs: ['REQUESTS_dlq'],
      consumers: ['request-worker'],
      responses: 'responses',
    };
    /** A queue with so many dead, and a worker that answers r0, r3, … and acks r1, r4, …, until `end`. */
    const startWorking = async (dead: number) => {
      await makeQueue(nats);
      await nats.api('STREAM.CREATE.KV_responses', {
        name: 'KV_responses',
        subjects: ['$KV.responses.>'],
        max_msgs_per_subject: 1,
        storage: 'memory',
        allow_direct: true,
      });
      await makeDead(nats, dead);
      // What the worker takes now it acks in time, also where the machine is busy.
      const { config } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
      await nats.api('CONSUMER.DURABLE.CREATE.REQUESTS.request-worker', {
        stream_name: 'REQUESTS',
        config: { ...(config as object), ack_wait: 1.5e9 },
        action: 'update',
      });
      let isOver = false;
      const work = async () => {
        while (!isOver) {
          for (const message of await pull(nats, 'REQUESTS', 'request-worker', 10, 50)) {
            const { id } = message.json<{ id: string }>();
            const kind = Number(id.slice(1)) % 3;
            if (kind === 0) await put(nats, `$KV.responses.${id}`, '{}');
            if (kind !== 2) message.respond('+ACK');
          }
        }
      };
      const working = work();
      return async () => {
        isOver = true;
        await working;
      };
    };

    test('tells what was answered, acked and died again', async () => {
      const end = await startWorking(3);
      const tally = new Tally(true);
      await run({ ref, tally, wishes: { ...wishes, wait: true } });
      await end();
      expect(tally.result()).toMatchObject({
        fates: { answered: 1, acked: 1, died: 1, unknown: 0 },
        deaths: { max_deliveries: 1 },
        same_reason: 1,
      });
    });

    test('tells that while it goes on, and of those that had come to an end where it is stopped', async () => {
      const end = await startWorking(40);
      const tally = new Tally(true);
      const stop = new AbortController();
      const { signal } = stop;
      const running = run({ ref, tally, signal, wishes: { ...wishes, rate: 4, wait: true } });
      const { fates } = tally;
      await until(async () => Math.min(fates.answered, fates.acked, fates.died) > 0, 'one came to each end');
      stop.abort(new OpsError('INTERRUPTED', 'stopped'));
      await running;
      await end();
      const { replayed } = tally;
      expect(replayed).toBeLessThan(40);
      expect(fates.answered + fates.acked + fates.died + fates.unknown).toBe(replayed);
    });
  });

  describe('that ended after any step', () => {
    /** The steps up to the one after which the process "dies"; nothing of it runs any more. */
    const cut = (steps: readonly Step[], after: number): readonly Step[] =>
      Object.assign([...steps], {
        *[Symbol.iterator]() {
          for (const step of steps.slice(0, after)) yield step;
          throw new Error('killed');
        },
      });
    const cases = (['room', 'full'] as const).flatMap((path) =>
      PROTOCOL[path].map((step, index) => ({ path, step, after: index + 1 })),
    );
    test.each(cases)('is finished by the next, once and whole: $path, $step', async ({ path, after }) => {
      // The window is over before the next run begins: nothing rests on the server's memory of ids.
      const config = { duplicate_window: 100e6, ...(path === 'full' && { max_msgs: 8 }) };
      await makeQueue(nats, { config });
      await makeDead(nats, 8);
      const before = await payloads();
      const broken = { ...PROTOCOL, [path]: cut(PROTOCOL[path], after) };
      await expect(run({ protocol: broken })).rejects.toThrow('killed');
      await new Promise((resolve) => setTimeout(resolve, 150));
      const result = await replay();
      expect(result).toMatchObject({ failed: 0, remaining: 0 });
      expect(await payloads()).toEqual(before);
      expect((await all('REQUESTS')).every(({ headers }) => headers.byteLength > 0)).toBe(true);
      expect(await entries()).toEqual([]);
      expect(await count('REQUESTS_dlq')).toBe(0);
    });
  });

  test('lists what the journal holds as the dead letter it is, until it finds room', async () => {
    await makeQueue(nats, { config: { max_msgs: 1 } });
    await makeDead(nats, 1);
    await replay({ dryRun: true });
    const [dead] = await entries();
    const { original } = dead!.inner;
    await replay();
    await letDie(nats);
    const [second] = await entries();
    const message = second!.inner.original!;
    await writeJournal(nats, {
      id: second!.id,
      msgId: 'copy',
      subject: message.subject,
      headers: printHeaders([{ name: 'Nats-Msg-Id', value: 'copy' }]),
      payload: message.payload,
      kind: 'stored',
      original: { stream: 'REQUESTS', created: '', seq: message.seq, time: message.time },
      records: second!.inner.records.map(({ stream, seq, stored }) => ({ stream, created: '', seq, time: stored })),
      target: { stream: 'REQUESTS', created: '', after: original!.seq },
    });
    await drop('REQUESTS', message.seq);
    await put(nats, 'requests.dns', 'took the slot');
    expect(await entries()).toMatchObject([{ id: second!.id, state: 'replayable', inner: { journalled: true } }]);
    const taken = (await all('REQUESTS')).at(-1)!;
    await drop('REQUESTS', taken.seq);
    expect((await replay()).remaining).toBe(0);
    expect(await payloads()).toEqual([Buffer.from(message.payload).toString('latin1')]);
    expect(await entries()).toEqual([]);
  });
});
