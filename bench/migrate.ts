import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, headers } from '@nats-io/transport-node';
import { executeMigration } from '../src/lib/migrate/execute.ts';
import { planMigration } from '../src/lib/migrate/plan.ts';
import type { Config } from '../src/lib/model/json.ts';
import { orThrow } from '../src/lib/nats/answer.ts';
import type { Nats } from '../src/lib/nats/connect.ts';
import { listConsumers, writeConsumer } from '../src/lib/nats/consumers.ts';
import { readStream, streamNames, writeStream } from '../src/lib/nats/streams.ts';
import { connectTo } from '../test/support/connected.ts';
import { startServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { interleave, type Row } from './measure.ts';

/** BENCH_MIGRATE=1000000 is the long form. */
const COUNT = Number(process.env.BENCH_MIGRATE ?? 200_000);
const ROUNDS = 3;
const GAPS = 5;
/** Ids are remembered so long: it is waited for, and is no part of what is compared. */
const WINDOW_MS = 100;

const config = (name: string): Config => ({
  name,
  subjects: ['requests.*'],
  retention: 'workqueue',
  discard: 'new',
  duplicate_window: WINDOW_MS * 1e6,
});
const worker: Config = { durable_name: 'w', name: 'w', ack_policy: 'explicit' };

async function fill(nats: Nats, count: number): Promise<void> {
  await writeStream(nats, 'create', 'REQUESTS', config('REQUESTS'));
  await writeConsumer(nats, 'create', { stream: 'REQUESTS', consumer: 'w' }, worker);
  const body = 'x'.repeat(200);
  for (let index = 1; index <= count; index++) {
    nats.nc.publish('requests.dns', body);
    if (index % 5000 === 0) await nats.nc.flush();
  }
  const stored = async () => (await orThrow(readStream(nats, 'REQUESTS'))).figures.messages === count;
  await until(stored, 'all are stored', 300_000);
}

async function move(nats: Nats, name: string, from: string): Promise<void> {
  const stream = await orThrow(readStream(nats, from));
  const planned = planMigration({
    kind: 'stream',
    name,
    from,
    fields: ['name'],
    version: nats.target.server.version,
    clustered: false,
    stream,
    after: config(name),
    consumers: await orThrow(listConsumers(nats, from)),
    dlqs: [],
    others: [],
    streams: await orThrow(streamNames(nats)),
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  const { signal } = new AbortController();
  const actor = { who: 'bench', host: 'here', pid: process.pid };
  await executeMigration(nats, planned.migration, { io: { tell() {} }, signal, actor, now: new Date() });
}

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};

async function benchTime(): Promise<Row> {
  const server = await startServer();
  const nats = await connectTo(server, { timeout: '30s' });
  let name = 'REQUESTS';
  try {
    await fill(nats, COUNT);
    const times = await interleave(ROUNDS, {
      async mirror() {
        const time = await seconds(async () => {
          await writeStream(nats, 'create', 'COPY', { name: 'COPY', mirror: { name } });
          for (;;) {
            if ((await orThrow(readStream(nats, 'COPY'))).figures.messages === COUNT) break;
            await sleep(20);
          }
        });
        await nats.api('STREAM.DELETE.COPY');
        // What the copy did not confirm yet would be kept for it.
        await sleep(2500);
        return time;
      },
      async ours() {
        const to = name === 'REQUESTS' ? 'OTHER' : 'REQUESTS';
        const time = await seconds(() => move(nats, to, name));
        name = to;
        return time - WINDOW_MS / 1000;
      },
    });
    const { figures } = await orThrow(readStream(nats, name));
    if (figures.messages !== COUNT) throw new Error(`not moved: ${JSON.stringify(figures)}`);
    const count = COUNT.toLocaleString('en-US');
    return {
      what: `a queue of ${count} requests moved to another name`,
      ours: `${times.ours.toFixed(2)} s`,
      theirs: `${times.mirror.toFixed(2)} s, the server's own mirror of it`,
      ratio: times.ours / times.mirror,
      ...(COUNT >= 200_000 && { limit: 1.3 }),
    };
  } finally {
    await nats.close();
    await server.stop();
  }
}

/** Brings bytes over half a round trip later, both ways. */
async function farAway(port: number, halfMs: number): Promise<{ url: string; server: Server }> {
  const pipe = (from: Socket, to: Socket) => {
    from.setNoDelay(true);
    from.on('data', (data) => setTimeout(() => to.write(data), halfMs));
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer((socket) => {
    const behind = dial(port, '127.0.0.1');
    pipe(socket, behind);
    pipe(behind, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as { port: number };
  return { url: `nats://127.0.0.1:${own}`, server };
}

/** Longest time between two requests that are taken, of one publisher beside the server, while whoever moves is far away. */
async function benchGap(rttMs: number): Promise<Row> {
  const server = await startServer();
  const proxy = await farAway(server.port, rttMs / 2);
  const nats = await connectTo(rttMs > 0 ? proxy : server, { timeout: '30s' });
  const publisher = await connect({ servers: server.url });
  const gaps: number[] = [];
  try {
    await fill(nats, 1000);
    let name = 'REQUESTS';
    for (let round = 0; round < GAPS; round++) {
      let isMoving = true;
      const longest = (async () => {
        let [gap, last] = [0, performance.now()];
        for (let index = 0; isMoving; index++) {
          const hdrs = headers();
          hdrs.set('Nats-Msg-Id', `${round}-${index}`);
          const taken = await publisher.request('requests.dns', 'x', { headers: hdrs, timeout: 500 }).then(
            () => true,
            () => false,
          );
          if (!taken) {
            await sleep(1);
            continue;
          }
          const now = performance.now();
          gap = Math.max(gap, now - last);
          last = now;
          await sleep(1);
        }
        return gap;
      })();
      const to = name === 'REQUESTS' ? 'OTHER' : 'REQUESTS';
      await move(nats, to, name);
      name = to;
      isMoving = false;
      gaps.push(await longest);
    }
    gaps.sort((a, b) => a - b);
    const median = gaps[Math.floor(gaps.length / 2)]!;
    return {
      what: `publishers find no stream while it is moved, from ${rttMs} ms away`,
      ours: `${median.toFixed(0)} ms`,
      theirs: `at the most ${gaps.at(-1)!.toFixed(0)} ms of ${GAPS}`,
      ratio: median,
    };
  } finally {
    await publisher.close();
    await nats.close();
    proxy.server.close();
    await server.stop();
  }
}

export const benchMigrate = async (): Promise<Row[]> => [await benchTime(), await benchGap(0), await benchGap(50)];
