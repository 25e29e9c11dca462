import { availableParallelism } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import type { WorkerEvent } from '../../src/lib/model/worker.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { parseHeaders } from '../../src/lib/nats/raw-headers.ts';
import { sendRequests, work } from '../support/worker.ts';
import { describeWorkers, handler, nats, server } from './worker-bench.ts';

describeWorkers('what a handler does to a worker', () => {
  test('a handler that throws, exits or eats memory takes no other request with it', async () => {
    const queries = ['ok', 'exit', 'heap', 'buffers', 'late', 'rejection', 'null', 'nothing', 'ok'];
    queries.forEach((query, index) => {
      nats.nc.publish('requests.x', JSON.stringify({ id: `${query}-${index}`, query }));
    });
    await nats.nc.flush();
    const bad = handler(`
      console.log('to nobody');
      switch (request.query) {
        case 'exit': process.exit(3);
        case 'heap': { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }
        case 'buffers': { const all = []; for (;;) all.push(Buffer.alloc(3e7, 1)); }
        case 'late': setTimeout(() => { throw new Error('too late'); }, 1); await new Promise((done) => setTimeout(done, 500));
        case 'rejection': Promise.reject(new Error('unhandled')); await new Promise((done) => setTimeout(done, 500));
        case 'null': throw null;
        case 'nothing': return undefined;
      }
      return 'fine';`);
    await makeOneDelivery();
    const { report, events } = await work(server, {
      ...bad,
      handlerTimeoutMs: 20_000,
      max: queries.length,
      idleExitMs: undefined,
      concurrency: queries.length,
    });
    expect(report).toMatchObject({ taken: 9, answered: 2, failed: 7 });
    const reasons = events
      .filter(({ event }) => event === 'failed')
      .map(({ request_id, reason }) => [request_id!.split('-')[0], reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      exit: 'the handler ended its process (exit code 3)',
      heap: 'used more than 128MiB of memory (--handler-memory)',
      buffers: 'used more than 128MiB of memory (--handler-memory)',
      late: 'outside of its own call it threw Error: too late',
      rejection: 'outside of its own call it threw Error: unhandled',
      null: 'threw null',
      nothing: 'the handler returned nothing; return null for an empty response',
    });
  });

  test('one that hangs is given up, and takes no other request with it', async () => {
    await sendRequests(nats, ['hangs', 'ok']);
    await makeOneDelivery();
    const { report, events } = await work(server, {
      ...handler("if (request.id === 'hangs') for (;;); return 'fine';"),
      handlerTimeoutMs: 1500,
      max: 2,
      idleExitMs: undefined,
    });
    expect(report).toMatchObject({ taken: 2, answered: 1, failed: 1 });
    expect(events.find(({ event }) => event === 'failed')).toMatchObject({
      request_id: 'hangs',
      reason: 'took longer than 1.5s',
    });
  });

  describe('in a thread that others share', () => {
    /** What a handler says of the requests that it began. */
    const beganOf = (events: readonly WorkerEvent[]) =>
      events.filter(({ message }) => message === 'begun').map(({ request_id }) => request_id!);
    const reasonsOf = (events: readonly WorkerEvent[]) =>
      Object.fromEntries(
        events.flatMap(({ event, request_id, reason }) => (event === 'failed' ? [[request_id, reason]] : [])),
      );
    const PAUSE = 'const pause = (ms) => new Promise((done) => setTimeout(done, ms)); console.log("begun");';
    const among = async (ids: string[], body: string, handlerTimeoutMs = 20_000) => {
      await sendRequests(nats, ids);
      await makeOneDelivery();
      const options = { handlerTimeoutMs, max: ids.length, idleExitMs: undefined, concurrency: 64 };
      return work(server, { ...handler(`${PAUSE}\n${body}`), ...options });
    };

    test('many are worked on at once, in no more threads than there are processors', async () => {
      const ids = Array.from({ length: 64 }, (_, index) => `many-${index}`);
      const { report, events } = await among(
        ids,
        "const { threadId } = await import('node:worker_threads'); await pause(300); console.log('in ' + threadId); return 'fine';",
      );
      expect(report).toMatchObject({ taken: 64, answered: 64 });
      expect(new Set(beganOf(events))).toEqual(new Set(ids));
      const threads = new Set(events.flatMap(({ message }) => (message?.startsWith('in ') ? [message] : [])));
      expect(threads.size).toBeLessThanOrEqual(availableParallelism());
    });

    test('one that exits, throws late or never ends is told apart, and the others are not run again', async () => {
      const { report, events } = await among(
        ['exits', 'late', 'rejects', 'endless', 'ok', 'slow'],
        `await pause(50);
        switch (request.id) {
          case 'exits': try { process.exit(4); } catch { await pause(100); process.exit(5); }
          case 'late': setTimeout(() => { throw new RangeError('too late'); }, 1); await pause(60_000);
          case 'rejects': Promise.reject(new Error('unhandled')); await pause(60_000);
          case 'endless': await pause(60_000);
          case 'slow': await pause(1000);
        }
        return 'fine';`,
        3000,
      );
      expect(report).toMatchObject({ taken: 6, answered: 2, failed: 4 });
      expect(reasonsOf(events)).toEqual({
        exits: 'the handler ended its process (exit code 4)',
        late: 'outside of its own call it threw RangeError: too late',
        rejects: 'outside of its own call it threw Error: unhandled',
        endless: 'took longer than 3s',
      });
      expect(beganOf(events).sort()).toEqual(['endless', 'exits', 'late', 'ok', 'rejects', 'slow']);
    });

    test.each([
      { name: 'hangs', body: 'for (;;);', timeoutMs: 2000, reason: 'took longer than 2s' },
      {
        name: 'eats memory',
        body: 'const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()));',
        timeoutMs: 20_000,
        reason: 'used more than 128MiB of memory (--handler-memory)',
      },
    ])('one that $name in the middle of its work takes no other with it', async ({ body, timeoutMs, reason }) => {
      const run = `await pause(200); if (request.id === 'bad') { ${body} } await pause(200); return 'fine';`;
      const { report, events } = await among(['a', 'bad', 'b'], run, timeoutMs);
      expect(report).toMatchObject({ taken: 3, answered: 2, failed: 1 });
      expect(reasonsOf(events)).toEqual({ bad: reason });
    });

    test('those that keep the processor busy for long do not wait for each other, and are not run twice', async () => {
      // A thread that sleeps in the middle of its work answers as little as one that computes.
      const busy = `console.log('from ' + Date.now());
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
        console.log('to ' + Date.now());
        return 'fine';`;
      const { report, events } = await among(['a', 'b', 'c', 'd'], busy);
      expect(report).toMatchObject({ taken: 4, answered: 4 });
      expect(beganOf(events).sort()).toEqual(['a', 'b', 'c', 'd']);
      const times = (word: string) =>
        events.flatMap(({ message }) => (message?.startsWith(`${word} `) ? [Number(message.split(' ')[1])] : []));
      const [from, to] = [times('from').sort(), times('to').sort()];
      expect([from.length, to.length]).toEqual([4, 4]);
      // One after the other each would begin when the one before has ended.
      expect(from[3]!).toBeLessThan(to[0]! + 3000);
    });
  });

  const makeOneDelivery = () =>
    nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
      stream_name: 'REQUESTS',
      action: '',
      config: { durable_name: 'request-worker', ack_policy: 'explicit', deliver_policy: 'all', max_deliver: 1 },
    });

  test('what a handler asks for is done: a later delivery, a reject', async () => {
    await sendRequests(nats, ['later', 'never']);
    const asks = handler(`
      if (request.id === 'never') context.reject('we do not do this');
      if (context.delivery === 1) context.retry('not yet', { delayMs: 50 });
      return new Uint8Array([1, 2, 255]);`);
    const { report } = await work(server, asks);
    expect(report).toMatchObject({ retried: 1, rejected: 1, answered: 1 });
    expect((await nats.kv('responses').get('later'))!.value).toEqual(Buffer.from([1, 2, 255]));
    const deaths: string[] = [];
    for await (const { headers } of getRange(nats, 'requests_dlq', 1, { subject: 'osapi-ops.rejected.>' })) {
      deaths.push(
        ...parseHeaders(headers)
          .filter(({ name }) => name === 'Osapi-Reject-Reason')
          .map(({ value }) => value),
      );
    }
    expect(deaths).toEqual(['we do not do this']);
  });
});
