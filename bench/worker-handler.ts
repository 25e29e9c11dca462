import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nats } from '../src/lib/nats/connect.ts';
import { connectTo } from '../test/support/connected.ts';
import { startServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { makeSystem, sendRequests, stateOf } from '../test/support/worker.ts';
import { startDelay } from './delay.ts';
import { interleave, type Row, timeProcess } from './measure.ts';

/** BENCH_ROUNDS makes it quicker, BENCH_ONLY=16/50 takes one place, BENCH_BIN another build to compare with. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
/** What is subtracted from a whole process: its start, its connection, its first request. */
const FEW = 1;

interface Place {
  readonly concurrency: number;
  readonly requests: number;
  /** Of a round trip to the server. */
  readonly delayMs: number;
  /** The most that our time may be of the bare client's. */
  readonly limit: number;
}

const PLACES: readonly Place[] = [
  { concurrency: 1, requests: 4000, delayMs: 0, limit: 1.43 },
  { concurrency: 16, requests: 20_000, delayMs: 0, limit: 1.43 },
  { concurrency: 256, requests: 20_000, delayMs: 0, limit: 1.43 },
  { concurrency: 16, requests: 1000, delayMs: 50, limit: 1.11 },
  { concurrency: 256, requests: 10_000, delayMs: 50, limit: 1.11 },
];
const MEMORY_AT = 256;
const MEMORY_MB = 300;

let made = 0;
async function fill(nats: Nats, count: number): Promise<void> {
  await makeSystem(nats);
  await sendRequests(
    nats,
    Array.from({ length: count }, () => `bench-${made++}`),
  );
  await until(async () => (await stateOf(nats, 'REQUESTS')).messages === count, 'all are stored', 60_000);
}

const rate = (count: number, seconds: number): string => `${Math.round(count / seconds)}/s`;

/** `worker run --handler` against a bare client that does the handler's work itself; what both take to start is left out. */
export async function benchWorkerHandler(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-bench-handler-'));
  const handler = join(dir, 'handler.mjs');
  writeFileSync(handler, "export default async ({ id, query }) => ({ id, query, response: 'Success' });\n");
  const server = await startServer();
  const nats = await connectTo(server);
  const rows: Row[] = [];
  try {
    for (const { concurrency, requests, delayMs, limit } of PLACES) {
      if (process.env.BENCH_ONLY && process.env.BENCH_ONLY !== `${concurrency}/${delayMs}`) continue;
      const delay = await startDelay(server.port, delayMs);
      const url = delayMs > 0 ? delay.url : server.url;
      let memory = 0;
      const run = async (args: (count: number) => string[]): Promise<number> => {
        const seconds: number[] = [];
        for (const count of [FEW, requests]) {
          await fill(nats, count);
          const timing = await timeProcess({ command: process.execPath, args: args(count) }, true);
          if (args === ours) memory = Math.max(memory, timing.memory);
          seconds.push(timing.seconds);
        }
        return seconds[1]! - seconds[0]!;
      };
      const ours = (count: number) => [
        ...[process.env.BENCH_BIN ?? 'bin/run.js', 'worker', 'run', `--handler=${handler}`],
        ...[`--max=${count}`, `--concurrency=${concurrency}`, '--server', url, '--quiet'],
      ];
      const times = await interleave(ROUNDS, {
        ours: () => run(ours),
        bare: () => run((count) => ['bench/bare-worker.mjs', url, `${count}`, `${concurrency}`]),
      });
      delay.stop();
      const where = delayMs > 0 ? `, ${delayMs} ms away` : '';
      const what = `\`worker run --handler\`, ${requests} requests, ${concurrency} at once${where}`;
      const bare = `bare client ${rate(requests, times.bare)}`;
      rows.push({ what, ours: rate(requests, times.ours), theirs: bare, ratio: times.ours / times.bare, limit });
      const megabytes = memory / 1e6;
      if (concurrency === MEMORY_AT && delayMs === 0) {
        rows.push({
          what: `${what}, memory, MB`,
          ours: megabytes.toFixed(0),
          theirs: '',
          ratio: megabytes,
          limit: MEMORY_MB,
        });
      }
    }
  } finally {
    await nats.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  return rows;
}
