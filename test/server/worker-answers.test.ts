import { expect, test } from '@jest/globals';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { HASTY, makeSystem, sendRequests, startWorker, stateOf, work } from '../support/worker.ts';
import { describeWorkers, handler, heard, heldHandler, nats, response, server } from './worker-bench.ts';

/** Takes a delivery as a worker does that then falls silent. */
async function takeOne(): Promise<void> {
  const inbox = `_INBOX.taker.${Date.now()}`;
  const sub = nats.nc.subscribe(inbox, { max: 1 });
  nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', '{"batch":1}', { reply: inbox });
  for await (const _ of sub) return;
}

describeWorkers('what a worker answers', () => {
  needing('the nats CLI').test(
    'answers what others send as the bash loop of the nats CLI does, and leaves nothing',
    async () => {
      const cli = findNatsCli()!;
      cli.run(server, 'pub', 'requests.dns', '{"id": "by-cli", "query": "example.com"}', '-H', 'Nats-Msg-Id:by-cli');
      const { report } = await work(server);
      expect(cli.run(server, 'kv', 'get', 'responses', 'by-cli', '--raw').trim()).toBe(
        '{"id": "by-cli", "query": "example.com", "response": "Success"}',
      );
      expect(report).toMatchObject({ taken: 1, answered: 1, ended_by: 'idle' });
      expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    },
  );

  test('answers thousands once each', async () => {
    const ids = Array.from({ length: 3000 }, (_, index) => `many-${index}`);
    await sendRequests(nats, ids);
    const { report } = await work(server, { concurrency: 64, max: 3000 });
    expect(report).toMatchObject({ taken: 3000, answered: 3000 });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    expect(await stateOf(nats, 'KV_responses')).toMatchObject({ messages: 3000, last_seq: 3000 });
  });

  test('acks the second delivery of an answered request, and does not do it again', async () => {
    await makeSystem(nats, HASTY);
    await sendRequests(nats, ['twice']);
    await takeOne();
    await nats.kv('responses').put('twice', 'by another worker');
    const { report } = await work(server, { max: 1, idleExitMs: undefined });
    expect(report).toMatchObject({ answered: 0, already_answered: 1 });
    expect(await response('twice')).toBe('by another worker');
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
  });

  test('lets the answer stand that another worker gave while it worked', async () => {
    await sendRequests(nats, ['raced']);
    const slow = heldHandler('return "late";');
    const worker = startWorker(server, slow);
    await heard(worker, 'begun');
    await nats.kv('responses').put('raced', 'first');
    slow.letGo();
    expect((await worker.done).report).toMatchObject({ answered: 0, already_answered: 1 });
    expect(await response('raced')).toBe('first');
  });

  test('answers a new request under an old id anew', async () => {
    await nats.kv('responses').put('again', 'of last week');
    await sendRequests(nats, ['again']);
    expect((await work(server)).report.answered).toBe(1);
    expect(await response('again')).toContain('"query": "of again"');
  });

  test('keeps the lease of long work: it is delivered once, though the ack wait is over many times', async () => {
    await makeSystem(nats, { consumer: { ack_wait: 2e9 } });
    await sendRequests(nats, ['long']);
    const slow = handler(`await new Promise((done) => setTimeout(done, 7000)); return { delivery: context.delivery };`);
    const { report } = await work(server, { ...slow, idleExitMs: 1000 });
    expect(report).toMatchObject({ taken: 1, answered: 1 });
    expect(await response('long')).toBe('{"delivery":1}');
  });

  test('keeps the lease of what waits for its turn, too', async () => {
    await makeSystem(nats, { consumer: { ack_wait: 2e9 } });
    await sendRequests(nats, ['a', 'b', 'c']);
    const slow = handler('await new Promise((done) => setTimeout(done, 1500)); return context.delivery;');
    const { report } = await work(server, { ...slow, concurrency: 1, prefetch: 2, idleExitMs: 1000 });
    expect(report).toMatchObject({ taken: 3, answered: 3 });
  });
});
