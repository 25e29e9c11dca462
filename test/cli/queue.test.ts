import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

describe('queue and history', () => {
  let server: TestServer;
  let nats: Nats;
  const cli = (...args: string[]) => runCli(args, { server });
  beforeAll(async () => {
    server = await startServer();
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await wipe(nats);
    await makeQueue(nats);
  });

  test('pause stops delivery and resume starts it; the history tells who did it', async () => {
    const paused = await cli('queue', 'pause', 'REQUESTS', '--for', '1h', '--json');
    expect(paused.code).toBe(0);
    const [result] = JSON.parse(paused.stdout);
    expect(result).toMatchObject({ queue: 'REQUESTS', consumer: 'request-worker', paused: true, changed: true });
    expect(Date.parse(result.until) - Date.now()).toBeGreaterThan(3_500_000);
    await put(nats, 'requests.dns', '{}');
    expect(await pull(nats, 'REQUESTS', 'request-worker')).toHaveLength(0);
    expect((await cli('status')).stdout).toContain('REQUESTS/request-worker.paused: delivery is paused until');

    expect(await cli('queue', 'resume', 'REQUESTS/request-worker')).toMatchObject({
      code: 0,
      stdout: 'REQUESTS/request-worker is delivering again\n',
    });
    expect(await pull(nats, 'REQUESTS', 'request-worker')).toHaveLength(1);
    expect((await cli('queue', 'resume')).stdout).toBe('REQUESTS/request-worker was not paused\n');

    const history = JSON.parse((await cli('history', '--json')).stdout);
    expect(history.map(({ verb }: { verb: string }) => verb)).toEqual(['resume', 'pause']);
    expect(history[0]).toMatchObject({ system: 'REQUESTS', summary: 'resumed REQUESTS/request-worker' });
    const table = await cli('history', '--verb', 'pause', '--limit', '1');
    expect(table.stdout).toMatch(
      /^WHEN +WHO +FROM +SYSTEM +VERB +WHAT\n.* pause +asked to pause REQUESTS\/request-worker until/,
    );
    expect(JSON.parse((await cli('history', '--since', '2099-01-01', '--json')).stdout)).toEqual([]);
    for (const fraction of ['.123', '.120', '.000']) {
      await cli('queue', 'pause', 'REQUESTS', '--until', `2098-01-01T00:00:00${fraction}Z`);
      const [newest] = JSON.parse((await cli('history', '--verb', 'pause', '--limit', '1', '--json')).stdout);
      expect(newest.summary).toBe(`asked to pause REQUESTS/request-worker until 2098-01-01T00:00:00${fraction}Z`);
    }
    await cli('queue', 'resume');
  });

  test('a pause without end lasts until somebody resumes it', async () => {
    expect((await cli('queue', 'pause')).stdout).toContain('is paused until `osapi-ops queue resume');
  });

  test('what names nothing, or too much, is told', async () => {
    expect(await cli('queue', 'pause', 'NOPE')).toMatchObject({ code: 1 });
    expect(await cli('queue', 'pause', 'REQUESTS/nope')).toMatchObject({ code: 1 });
    expect(await cli('queue', 'pause', '--until', '2001-01-01')).toMatchObject({ code: 64 });
    await makeQueue(nats, { stream: 'OTHER', subjects: ['other.*'] });
    const several = await cli('queue', 'pause');
    expect(several).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('there are several queues: OTHER, REQUESTS'),
    });
  });

  test('drain waits for the workers, and says what is dead', async () => {
    await put(nats, 'requests.dns', '{}');
    const late = await cli('queue', 'drain', '--wait', '300ms');
    expect(late).toMatchObject({ code: 1, stdout: expect.stringMatching(/not drained after 0\.[3-9]s: 1 waiting/) });
    expect(late.stderr).toContain('no worker asks for messages');
    await letDie(nats);
    const drained = await cli('queue', 'drain', '--wait', '5s', '--json');
    expect(drained.code).toBe(0);
    expect(JSON.parse(drained.stdout)).toMatchObject({ drained: true, ready: 0, in_flight: 0, dead: 1 });
    expect((await cli('queue', 'drain')).stdout).toContain(
      '1 dead message remains: `osapi-ops dlq ls --queue REQUESTS`',
    );
  });
});

needing('nats-server 2.10').describe('pause on nats-server 2.10', () => {
  test('is refused with the version that can', async () => {
    const server = await startServer({ version: '2.10' });
    const nats = await connectTo(server);
    try {
      await makeQueue(nats);
      const refused = await runCli(['queue', 'pause'], { server });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/nats-server 2\.10\.\d+ cannot pause a consumer; 2\.11 and newer can/);
    } finally {
      await nats.close();
      await server.stop();
    }
  });
});
