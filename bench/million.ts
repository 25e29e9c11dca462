import type { Nats } from '../src/lib/nats/connect.ts';
import { connectTo } from '../test/support/connected.ts';
import { startServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { makeSystem, stateOf } from '../test/support/worker.ts';
import { startWithDead } from './dead-store.ts';
import { startDelay } from './delay.ts';
import { type Row, timeProcess } from './measure.ts';

/** How many dead letters; BENCH_DEAD makes it quicker. */
const COUNT = Number(process.env.BENCH_DEAD ?? 1_000_000);
const MEMORY_MB = 300;

const LINES = [
  'dlq replay --dry-run',
  'dlq purge --dry-run',
  'dlq stats',
  'dlq ls --request-id nobody',
  'dlq ls --request-id nobody --since 1m',
  'dlq replay',
];

/** What goes through a million dead letters, once each: against the bare client reading them, and in how much memory. */
export async function benchMillion(): Promise<Row[]> {
  const server = await startWithDead(COUNT, 'ordered');
  const rows: Row[] = [];
  try {
    const node = process.execPath;
    const bare = (await timeProcess({ command: node, args: ['bench/bare-dlq.mjs', server.url] })).seconds;
    for (const line of LINES) {
      if (process.env.BENCH_ONLY && process.env.BENCH_ONLY !== line) continue;
      const args = ['bin/run.js', ...line.split(' '), '--quiet', '--server', server.url];
      const { seconds, memory } = await timeProcess({ command: node, args, codes: [0, 1] }, true);
      const megabytes = memory / 1e6;
      rows.push(
        {
          what: `\`${line}\` of ${COUNT}`,
          ours: `${seconds.toFixed(1)} s`,
          theirs: `bare client reading them ${bare.toFixed(1)} s`,
          ratio: seconds / bare,
        },
        {
          what: `\`${line}\` of ${COUNT}, memory, MB`,
          ours: megabytes.toFixed(0),
          theirs: '',
          ratio: megabytes,
          limit: MEMORY_MB,
        },
      );
    }
  } finally {
    await server.stop();
  }
  return rows;
}

const WAITING = 30_000;
const FAR_MS = 50;

async function fill(nats: Nats, count: number): Promise<void> {
  await makeSystem(nats, { consumer: { max_deliver: 1, ack_wait: 2e9, max_ack_pending: -1 } });
  for (let index = 1; index <= 2 * count; index++) {
    nats.nc.publish('requests.dns', JSON.stringify({ id: `request-${index}`, query: 'example.com' }));
    if (index % 5000 === 0) await nats.nc.flush();
  }
  await until(async () => (await stateOf(nats, 'REQUESTS')).messages === 2 * count, 'all are stored', 60_000);
  const subscription = nats.nc.subscribe('bench.pulled', { callback: () => {} });
  const pull = JSON.stringify({ batch: count, expires: 60e9 });
  nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', pull, { reply: 'bench.pulled' });
  await until(async () => (await stateOf(nats, 'requests_dlq')).messages === count, 'half have died', 120_000);
  subscription.unsubscribe();
}

/** An id that is gone, far away, among as many dead and as many waiting: all of it has to be read to know. */
export async function benchSearch(): Promise<Row[]> {
  const server = await startServer();
  const nats = await connectTo(server);
  const delay = await startDelay(server.port, FAR_MS);
  try {
    await fill(nats, WAITING);
    const time = async (...line: string[]): Promise<number> => {
      const args = ['bin/run.js', ...line, '--server', delay.url];
      return (await timeProcess({ command: process.execPath, args, codes: [0, 1] })).seconds;
    };
    const whole = await time('request', 'cancel', 'nobody', '--yes');
    const bounded = await time('request', 'cancel', 'nobody', '--yes', '--since', '1s');
    const behind = `${WAITING} dead and ${WAITING} waiting, ${FAR_MS} ms away`;
    return [
      {
        what: `\`request cancel\` of an id that is gone, ${behind}, s`,
        ours: whole.toFixed(1),
        theirs: '',
        ratio: whole,
        limit: 5,
      },
      { what: `the same with \`--since 1s\`, s`, ours: bounded.toFixed(1), theirs: '', ratio: bounded, limit: 1.5 },
    ];
  } finally {
    delay.stop();
    await nats.close();
    await server.stop();
  }
}
