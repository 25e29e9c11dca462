import { expect, test } from '@jest/globals';
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
