import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/lib/errors/codes.ts';
import { isObject } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { pipelined } from '../../src/lib/nats/pipeline.ts';
import { printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { type CliProcess, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { makeSystem, stateOf } from '../support/worker.ts';

const newest = availableVersions().at(-1)!;
let server: TestServer;
let nats: Nats;
const workers = new Set<CliProcess>();

afterEach(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  workers.clear();
  await nats?.close();
  await server?.stop();
});

/** A worker that is started again where it found no server, as its supervisor would. */
function spawnWorker(): CliProcess {
  const args = ['worker', 'run', '--builtin', 'echo', '--concurrency', '16', '--queue=REQUESTS', '--log=json'];
  const worker = startCli([...args, '--consumer=request-worker', '--bucket=responses', '--json'], {
    env: { NATS_URL: server.urls.join(',') },
  });
  workers.add(worker);
  void worker.done.then(({ code }) => {
    if (workers.delete(worker) && code === EXIT.unavailable) spawnWorker();
  });
  return worker;
}
const atWork = (worker: CliProcess) => worker.until('stderr', /"started"/);

/** Sends requests until each is stored for sure: the id makes a second try harmless. */
const send = (ids: readonly string[], perSecond: number) => {
  const started = performance.now();
  return pipelined(ids, 64, async (id, index) => {
    await sleep(Math.max(0, started + (index / perSecond) * 1000 - performance.now()));
    const headers = printHeaders([{ name: 'Nats-Msg-Id', value: id }]);
    for (;;) {
      try {
        return await publish(nats, 'requests.x', Buffer.from(JSON.stringify({ id, query: id })), headers, {
          timeoutMs: 2000,
        });
      } catch {
        await sleep(100);
      }
    }
  });
};

const consumer = { max_deliver: 20, backoff: [1e9, 2e9] };

/** Waits until the queue is empty, and holds the answers against the requests. */
async function expectEachAnsweredOnce(ids: readonly string[]): Promise<void> {
  await until(
    async () => (await stateOf(nats, 'REQUESTS').catch(() => ({ messages: -1 }))).messages === 0,
    'the queue is empty',
  );
  expect(await nats.kv('responses').keys('>')).toEqual([...ids].sort());
  // Each write of the bucket has a sequence of its own: nothing was answered twice.
  expect(await stateOf(nats, 'KV_responses')).toEqual(
    expect.objectContaining({ messages: ids.length, last_seq: ids.length }),
  );
  const deaths: string[] = [];
  for await (const { payload } of getRange(nats, 'requests_dlq', 1)) {
    const text = Buffer.from(payload).toString();
    // A server that was killed has older news on the consumer than on the stream: what was acked meanwhile looks to it
    // like a message that somebody deleted in the middle of the work (measured on 2.15).
    if (!text.includes('Unacknowledged message was deleted')) deaths.push(text);
  }
  expect(deaths).toEqual([]);
}

describe('every request is answered exactly once', () => {
  test('while workers are killed with SIGKILL and the server is restarted', async () => {
    server = await startServer({ version: newest });
    nats = await connectTo(server, { timeout: '20s' });
    await makeSystem(nats, { consumer });
    const ids = Array.from({ length: 4000 }, (_, index) => `kill-${String(index).padStart(5, '0')}`);
    await Promise.all([1, 2, 3].map(() => atWork(spawnWorker())));
    const sent = send(ids, 500);
    for (let round = 0; round < 10; round++) {
      await sleep(700);
      const [victim] = [...workers];
      victim?.child.kill('SIGKILL');
      await atWork(spawnWorker());
      if (round === 4) {
        await server.kill('SIGKILL');
        await sleep(300);
        await server.restart();
      }
    }
    await sent;
    await expectEachAnsweredOnce(ids);
  });

  test('while a cluster of three loses the leaders of queue, consumer and bucket', async () => {
    server = await startServer({ version: newest, cluster: 3 });
    nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
    await makeSystem(nats, { consumer, replicas: 3 });
    const ids = Array.from({ length: 2000 }, (_, index) => `lead-${String(index).padStart(5, '0')}`);
    await Promise.all([1, 2].map(() => atWork(spawnWorker())));
    const sent = send(ids, 200);
    for (const subject of [
      'STREAM.INFO.REQUESTS',
      'CONSUMER.INFO.REQUESTS.request-worker',
      'STREAM.INFO.KV_responses',
    ]) {
      await sleep(1500);
      const { cluster } = await nats.api(subject);
      const leader = isObject(cluster) ? String(cluster.leader) : '';
      const node = Number(/\d+$/.exec(leader)?.[0]) - 1;
      await server.kill('SIGKILL', node);
      await sleep(1500);
      await server.restart();
    }
    await sent;
    await expectEachAnsweredOnce(ids);
  });
});
