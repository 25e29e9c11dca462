import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeDead, makeQueue, pull, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';
import { makeSystem, sendRequests } from '../support/worker.ts';

const runCli = warmCli();

let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(() => wipe(nats));

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const json = async (args: string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await runCli([...args, '--json'], { server, env });
  return { code, stderr, value: JSON.parse(stdout) };
};

describe('a replay that is followed', () => {
  test.each([['--wait'], ['--canary', '3'], ['--canary', '5'], ['--canary', '5', '--wait']])(
    'fails where they die again, however many there were: %j',
    async (...flags) => {
      await makeQueue(nats);
      await makeDead(nats, 3);
      const replay = startCli(['dlq', 'replay', '--json', ...flags], { server });
      let isOver = false;
      void replay.done.then(() => {
        isOver = true;
      });
      while (!isOver) {
        await pull(nats, 'REQUESTS', 'request-worker', 10, 30);
        await sleep(20);
      }
      const { code, stdout } = await replay.done;
      expect({ code, value: JSON.parse(stdout) }).toMatchObject({
        code: 1,
        value: { replayed: 3, fates: { died: 3 } },
      });
      // What is looked up afterwards says the same: who runs it in a pipeline sees the exit code, and others these.
      expect((await json(['history'])).value[0]).toMatchObject({
        summary: 'REQUESTS: 3 replayed (3 died again), 0 skipped, 0 failed, 0 remaining',
        detail: { fates: { answered: 0, acked: 0, died: 3, unknown: 0 } },
      });
      expect((await json(['dlq', 'replays', 'ls'])).value[0]).toMatchObject({
        state: 'failed',
        died: 3,
        error: expect.stringContaining('3 died again'),
      });
    },
  );
});

test.each([['--wait'], ['--canary', '1']])(
  'without a spec, %s knows an answer in the bucket called responses',
  async (...flags) => {
    await makeSystem(nats, { consumer: { max_deliver: 1, ack_wait: 60e6 } });
    await sendRequests(nats, ['a']);
    await letDie(nats);
    const dead = async () => (await json(['dlq', 'ls'])).value.length;
    await until(async () => (await dead()) === 1, 'it died');
    const worker = startCli(['worker', 'run', '--builtin', 'echo'], { server });
    try {
      const { code, value } = await json(['dlq', 'replay', ...flags]);
      expect({ code, value }).toMatchObject({ code: 0, value: { replayed: 1, fates: { answered: 1, acked: 0 } } });
    } finally {
      worker.child.kill();
      await worker.done;
    }
  },
);

test('a canary that dies again says the cause in its worker’s words, and the history what was left', async () => {
  await makeSystem(nats, { consumer: { max_deliver: 1, ack_wait: 500e6 } });
  await sendRequests(nats, ['a', 'b', 'c']);
  const exec = 'echo "timeout after $(date +%N)ms" >&2; exit 1';
  const worker = startCli(['worker', 'run', '--shell', '--exec', exec], { server });
  try {
    const dead = async () => (await json(['dlq', 'ls'])).value.length;
    await until(async () => (await dead()) === 3, 'all died');
    const { code, value } = await json(['dlq', 'replay', '--canary', '2']);
    expect({ code, value }).toMatchObject({
      code: 1,
      value: {
        error: { code: 'DLQ_DIED_AGAIN' },
        replayed: 2,
        remaining: 1,
        same_reason: 2,
        deaths: { 'max_deliveries: timeout after #ms (the command exited 1)': 2 },
      },
    });
  } finally {
    worker.child.kill();
    await worker.done;
  }
  expect((await json(['history'])).value[0].summary).toBe(
    'REQUESTS: 2 replayed (2 died again), 0 skipped, 0 failed, 1 remaining',
  );
});

describe('a request', () => {
  test('that is dead is not said to wait when it is sent again: how to replay it is', async () => {
    await makeQueue(nats);
    const send = () => json(['request', 'send', 'dns', '{}', '--id', 'x']);
    expect((await send()).stderr).toContain('no worker is pulling');
    await letDie(nats);
    const again = await send();
    expect(again).toMatchObject({ code: 0, value: { duplicate: true } });
    expect(again.stderr).toMatch(
      /x is dead since .*: replay it with `osapi-ops dlq replay REQUESTS\/request-worker\/1`\n/,
    );
    expect(again.stderr).not.toContain('waits until');
  });

  test('that is dead is not stored a second time by its id, when the duplicate window is over too', async () => {
    await makeQueue(nats, { config: { duplicate_window: 100e6 } });
    const send = (id: string) => json(['request', 'send', 'dns', '{}', '--id', id]);
    await send('x');
    await letDie(nats);
    // Until the duplicate window is over.
    await sleep(300);
    const again = await send('x');
    expect(again).toMatchObject({ code: 0, value: { id: 'x', queue: 'REQUESTS', seq: 1, duplicate: true } });
    expect(again.stderr).toMatch(/x is dead since .*, and was not sent again: replay it with `osapi-ops dlq replay /);
    expect(await send('y')).toMatchObject({ code: 0, value: { seq: 2, duplicate: false } });
    await json(['dlq', 'replay', '1']);
    await nats.api('STREAM.PURGE.REQUESTS');
    expect((await send('x')).value).toMatchObject({ seq: 4, duplicate: false });
  });

  test('takes the trace of its sender along, and shows it wherever it is', async () => {
    await makeQueue(nats);
    await json(['request', 'send', 'dns', '{}', '--id', 't'], { TRACEPARENT: PARENT, TRACESTATE: 'a=1' });
    expect((await json(['request', 'show', 't'])).value).toMatchObject({ state: 'queued', traceparent: PARENT });
    await letDie(nats);
    expect((await json(['dlq', 'show', '1'])).value).toMatchObject({ traceparent: PARENT });
    expect((await runCli(['dlq', 'show', '1'], { server })).stdout).toContain(`trace       ${PARENT}`);
    await json(['dlq', 'replay']);
    await nats.api('STREAM.CREATE.KV_responses', {
      name: 'KV_responses',
      subjects: ['$KV.responses.>'],
      max_msgs_per_subject: 1,
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
    await json(['request', 'send', 'dns', '{}', '--id', 'u']);
    const worker = await runCli(['worker', 'run', '--exec', 'env', '--max', '2'], {
      server,
      env: { TRACEPARENT: PARENT.replace('0af', 'fff') },
    });
    expect(worker.code).toBe(0);
    const told = async (id: string) =>
      (await runCli(['request', 'get', id], { server })).stdout.match(/^TRACE.*$/gm)?.sort();
    expect([await told('t'), await told('u')]).toEqual([[`TRACEPARENT=${PARENT}`, 'TRACESTATE=a=1'], undefined]);
  });
});
