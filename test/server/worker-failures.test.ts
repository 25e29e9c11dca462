import { expect, test } from '@jest/globals';
import { readFailure, readFailures } from '../../src/lib/ledger/failure.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getMessage } from '../../src/lib/nats/messages.ts';
import { headerValue, parseHeaders, printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { showDeadLetter } from '../../src/lib/operations/dlq/show.ts';
import { contextFor } from '../support/context.ts';
import { until } from '../support/until.ts';
import { BACKOFF_MS, HASTY, makeSystem, sendRequests, startWorker, stateOf, work } from '../support/worker.ts';
import { describeWorkers, handler, nats, response, server } from './worker-bench.ts';

const own = { consumer: 'request-worker' };
const first = { ids: ['REQUESTS/request-worker/1'], filter: {} };

describeWorkers('what a worker cannot answer', () => {
  test('tries a failure again as the backoff says, keeps its reasons, and forgets them with the answer', async () => {
    await makeSystem(nats, HASTY);
    await sendRequests(nats, ['shaky']);
    const shaky = handler(
      'if (context.delivery < 3) throw new Error("try " + context.delivery); return [Date.now(), context.delivery];',
    );
    const started = Date.now();
    const worker = startWorker(server, { ...shaky, max: 3, idleExitMs: undefined });
    const message = (await getMessage(nats, 'REQUESTS', 1))!;
    await until(async () => (await readFailures(nats, message)).length === 2, 'two reasons are kept');
    expect(await readFailures(nats, message)).toMatchObject([
      { delivery: 1, reason: 'try 1', request_id: 'shaky', kind: 'failed', next_delivery_at: expect.any(String) },
      { delivery: 2, reason: 'try 2' },
    ]);
    // Where the server can, the reasons go by themselves: a dead letter that is replayed leaves them behind.
    const kept = (await getMessage(nats, 'KV_osapi_ops', 1))!;
    expect(headerValue(parseHeaders(kept.headers), 'Nats-TTL')).toBe('2592000s');
    const { report } = await worker.done;
    expect(report).toMatchObject({ taken: 3, failed: 2, answered: 1 });
    const [at, delivery] = JSON.parse((await response('shaky'))!);
    expect(delivery).toBe(3);
    expect(at - started).toBeGreaterThanOrEqual(BACKOFF_MS[0]! + BACKOFF_MS[1]! - 20);
    expect(await readFailure(nats, message, own)).toBeUndefined();
    expect((await stateOf(nats, 'KV_osapi_ops')).messages).toBe(0);
  });

  test('forgets with the answer what it wrote itself, and nothing of what another consumer’s workers did', async () => {
    await makeSystem(nats, HASTY);
    await sendRequests(nats, ['shaky']);
    const shaky = handler('if (context.delivery < 3) throw new Error("try " + context.delivery); return 1;');
    const worker = startWorker(server, { ...shaky, max: 3, idleExitMs: undefined });
    const message = (await getMessage(nats, 'REQUESTS', 1))!;
    await until(async () => (await readFailures(nats, message)).length === 1, 'a reason is kept');
    const [mine] = await readFailures(nats, message);
    const others = JSON.stringify({ ...mine, consumer: 'audit', reason: 'theirs' });
    await publish(nats, '$KV.osapi_ops.failure.REQUESTS.1', Buffer.from(others));
    expect((await worker.done).report).toMatchObject({ answered: 1 });
    expect(await readFailures(nats, message)).toMatchObject([{ consumer: 'audit', reason: 'theirs' }]);
  });

  test('keeps reasons in a ledger of an older make, which lets nothing go by itself', async () => {
    await nats.api('STREAM.CREATE.KV_osapi_ops', {
      name: 'KV_osapi_ops',
      subjects: ['$KV.osapi_ops.>'],
      allow_direct: true,
    });
    await sendRequests(nats, ['poison']);
    await work(server, { ...handler('throw new Error("no");'), max: 1 });
    const message = (await getMessage(nats, 'REQUESTS', 1))!;
    expect(await readFailure(nats, message, own)).toMatchObject({ reason: 'no' });
  });

  test('lets die what always fails, with the reason for dlq show', async () => {
    await makeSystem(nats, HASTY);
    await sendRequests(nats, ['poison']);
    const worker = startWorker(server, { ...handler('throw new TypeError("no such host");'), idleExitMs: undefined });
    await until(async () => (await stateOf(nats, 'requests_dlq')).messages === 1, 'the advisory is captured');
    worker.stop();
    expect((await worker.done).report).toMatchObject({ taken: 4, failed: 4 });
    const { letter } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({ state: 'replayable', request_id: 'poison', detail: 'TypeError: no such host' });
    expect(letter.timeline.flatMap(({ event, detail }) => (event === 'delivered' ? [detail] : []))).toEqual(
      [1, 2, 3, 4].map((delivery) => `delivery ${delivery} of 4 failed: TypeError: no such host`),
    );
  });

  test('keeps payload and headers of what can never be handled, then ends it', async () => {
    const headers = printHeaders([
      { name: 'Nats-Msg-Id', value: 'm1' },
      { name: 'Team', value: 'shop' },
    ]);
    const payload = Buffer.from([0xff, 0x00, 0x7b]);
    await publish(nats, 'requests.dns', payload, headers);
    await publish(nats, 'requests.dns', Buffer.from('{"query":"no id"}'));
    const { report, events } = await work(server);
    expect(report).toMatchObject({ taken: 2, rejected: 2, failed: 0 });
    expect(events.filter(({ event }) => event === 'rejects_not_kept')).toEqual([]);
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 0 });
    const { letter, payload: kept } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({
      reason: 'rejected',
      detail: expect.stringMatching(/^not JSON/),
      subject: 'requests.dns',
    });
    expect(letter.headers).toEqual({ 'Nats-Msg-Id': ['m1'], Team: ['shop'] });
    expect(Buffer.from(kept!)).toEqual(payload);
  });

  test('leaves what it can never handle in a queue whose DLQ keeps no payloads, dead and with its reason', async () => {
    await makeSystem(nats, { ...HASTY, handMade: true });
    await publish(nats, 'requests.dns', Buffer.from('{"query":"no id"}'));
    const worker = startWorker(server, { idleExitMs: undefined });
    await until(async () => (await stateOf(nats, 'requests_dlq')).messages === 1, 'the advisory is captured');
    worker.stop();
    const { report, events } = await worker.done;
    expect(report).toMatchObject({ rejected: 0, taken: 4 });
    expect(events.find(({ event }) => event === 'rejects_not_kept')?.level).toBe('warn');
    const { letter } = await showDeadLetter(contextFor(server), first);
    expect(letter).toMatchObject({ state: 'replayable', payload: '{"query":"no id"}', detail: 'no id' });
  });

  test('rejects a request whose response no server takes, and goes on', async () => {
    await sendRequests(nats, ['huge', 'small']);
    const { report } = await work(server, handler('return request.id === "huge" ? "x".repeat(2_000_000) : "ok";'));
    expect(report).toMatchObject({ answered: 1, rejected: 1 });
    expect(await response('small')).toBe('ok');
  });
});
