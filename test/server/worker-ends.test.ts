import { expect, test } from '@jest/globals';
import type { OpsError } from '../../src/lib/errors/ops-error.ts';
import { createPuller } from '../../src/lib/nats/consume.ts';
import { until } from '../support/until.ts';
import { HASTY, makeSystem, sendRequests, startWorker, stateOf, work } from '../support/worker.ts';
import { describeWorkers, handler, heard, heldHandler, nats, response, server } from './worker-bench.ts';

describeWorkers('a worker that ends, or has to wait', () => {
  test('takes no more than it is to take', async () => {
    await sendRequests(nats, ['a', 'b', 'c', 'd', 'e']);
    const { report } = await work(server, { max: 2, idleExitMs: undefined });
    expect(report).toMatchObject({ taken: 2, answered: 2, ended_by: 'max', returned: 0 });
    const info = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
    expect(info).toMatchObject({ num_pending: 3, num_ack_pending: 0, num_redelivered: 0 });
  });

  test('finishes what is in hand when told to stop, and gives back the rest at once', async () => {
    await sendRequests(nats, ['a', 'b', 'c', 'd']);
    const slow = heldHandler('return "done";');
    const worker = startWorker(server, { ...slow, concurrency: 2, prefetch: 2, idleExitMs: undefined });
    await heard(worker, 'begun', 2);
    const inHand = async () => (await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).num_ack_pending;
    await until(async () => (await inHand()) === 4, 'it has four in hand');
    worker.stop();
    slow.letGo();
    const { report } = await worker.done;
    expect(report).toMatchObject({ ended_by: 'signal', taken: 4, answered: 2, returned: 2, cut_short: 0 });
    // Others get it now, and not after the ack wait of half a minute.
    expect((await work(server)).report).toMatchObject({ answered: 2 });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });

  test('gives back what is not done when the grace is over', async () => {
    await sendRequests(nats, ['a']);
    const endless = handler("context.log('begun'); for (;;);");
    const worker = startWorker(server, { ...endless, graceMs: 200, idleExitMs: undefined });
    await heard(worker, 'begun');
    worker.stop();
    expect((await worker.done).report).toMatchObject({ returned: 1, cut_short: 1, answered: 0 });
    expect((await work(server)).report).toMatchObject({ answered: 1 });
  });

  test('waits out a restart of the server with the work done, and stores it then', async () => {
    await sendRequests(nats, ['patient']);
    const slow = heldHandler("context.log('done'); return context.delivery;");
    const worker = startWorker(server, { ...slow, idleExitMs: 3000 });
    await heard(worker, 'begun');
    await server.kill('SIGKILL');
    slow.letGo();
    await heard(worker, 'done');
    await server.restart();
    const { report } = await worker.done;
    expect(report.answered + report.already_answered).toBeGreaterThanOrEqual(1);
    expect(await response('patient')).toMatch(/^[12]$/);
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });

  test('waits for a consumer that is made again, each time from the start, and ends for one that is gone for good', async () => {
    const [taken, troubles, faults]: [number[], string[], OpsError[]] = [[], [], []];
    const start = (goneMs: number) => {
      const puller = createPuller(nats, {
        stream: 'REQUESTS',
        consumer: 'request-worker',
        wanted: (outstanding) => 8 - outstanding,
        onDelivery: ({ seq }) => void taken.push(seq),
        onTrouble: (what) => void troubles.push(what),
        onFatal: (error) => void faults.push(error),
        patience: { tellMs: 500, goneMs },
      });
      puller.pull();
      return puller;
    };
    const remove = () => nats.api('CONSUMER.DELETE.REQUESTS.request-worker');
    const fromTheStart = /^there is no consumer REQUESTS\/request-worker: it is waited for, (?:5\d|60|1m)s? more$/;
    const patient = start(60_000);
    try {
      for (const id of ['a', 'b']) {
        await remove();
        await until(() => troubles.some((told) => fromTheStart.test(told)), 'it tells', 30_000);
        await makeSystem(nats);
        await sendRequests(nats, [id]);
        await until(() => taken.splice(0).length > 0, 'it goes on', 30_000);
        troubles.splice(0);
      }
    } finally {
      await patient.stop();
    }
    expect(faults).toEqual([]);

    const brief = start(1500);
    try {
      await remove();
      await until(() => faults.length > 0, 'it ends', 60_000);
    } finally {
      await brief.stop();
    }
    expect(faults[0]).toMatchObject({
      code: 'NOT_FOUND',
      message: 'consumer REQUESTS/request-worker is gone: nothing comes any more',
    });
    expect(troubles).not.toEqual([]);
  });

  test('gives back what it cannot answer, and ends, when the bucket is gone', async () => {
    const gone = startWorker(server, { max: 1, idleExitMs: undefined });
    await until(() => gone.events.some(({ event }) => event === 'started'), 'it has started');
    await nats.api('STREAM.DELETE.KV_responses');
    await sendRequests(nats, ['homeless']);
    await expect(gone.done).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'bucket responses is gone: no response can be stored',
    });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 1 });
  });

  test('never acks away a response that a full bucket does not take', async () => {
    await makeSystem(nats, { bucket: { max_bytes: 100 }, consumer: { ...HASTY.consumer, max_deliver: 2 } });
    await sendRequests(nats, ['full']);
    const { report, events } = await work(server, { max: 2, idleExitMs: undefined });
    expect(report).toMatchObject({ answered: 0, unstored: 2 });
    expect(events.filter(({ event }) => event === 'unstored')[0]).toMatchObject({
      reason: expect.stringMatching(/maximum bytes/),
    });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 1 });
  });
});
