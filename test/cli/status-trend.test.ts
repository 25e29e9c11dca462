import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { runCli, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeQueue, pull, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-trend-'));
let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(cwd, { recursive: true });
});
beforeEach(() => wipe(nats));

/** Does something again and again until the end of the work. */
async function meanwhile<T>(each: () => void, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(each, 20);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

const publish = (count: number) => {
  for (let index = 0; index < count; index++) nats.nc.publish('requests.dns', '{"id":"x"}');
};

describe('where a queue is going', () => {
  test('is told of one that fills up, in every form', async () => {
    await makeQueue(nats, { config: { max_msgs: 1_000_000 }, maxDeliver: 5, ackWait: 60_000 });
    publish(2000);
    await nats.nc.flush();
    const told = (...args: string[]) =>
      meanwhile(
        () => publish(5),
        () => runCli(['status', ...args], { server, cwd }),
      );
    const { stdout } = await told();
    expect(stdout).toMatch(/\d+ waiting, .*; grows \d+\/s: full in [\dhm]+, then\s+publishers are refused\n/);
    const [{ trend }] = JSON.parse((await told('--json')).stdout).queues;
    expect(trend).toEqual({
      state: 'grows',
      per_second: expect.any(Number),
      seconds: expect.any(Number),
      summary: expect.stringMatching(/^grows/),
    });
    expect((await told('--output', 'prometheus')).stdout).toMatch(
      /osapi_ops_queue_full_in_seconds\{system="",queue="REQUESTS"\} \d+\n/,
    );
    expect((await told('--output', 'markdown')).stdout).toMatch(/- `REQUESTS` grows \d+/);
  });

  test('is told by --watch of one that is worked on, from look to look', async () => {
    await makeQueue(nats, { maxDeliver: 5, ackWait: 60_000 });
    publish(900);
    await nats.nc.flush();
    const watch = startCli(['status', '--watch', '--interval', '600ms'], { server, cwd });
    const work = () => void pull(nats, 'REQUESTS', 'request-worker', 2, 10).then((all) => all.map((m) => m.respond()));
    await meanwhile(work, () => watch.until('stdout', /clears in about \d+s/));
    watch.child.kill('SIGINT');
    expect((await watch.done).code).toBe(0);
  });

  test('is not told of one that nobody waits for, and costs no second look', async () => {
    await makeQueue(nats);
    publish(3);
    await nats.nc.flush();
    const { stdout } = await runCli(['status', '--json'], { server, cwd });
    expect(JSON.parse(stdout).queues[0]).not.toHaveProperty('trend');
  });
});
