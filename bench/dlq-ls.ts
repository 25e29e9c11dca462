import { spawn } from 'node:child_process';
import { type DeadOrder, startWithDead } from './dead-store.ts';
import { startDelay } from './delay.ts';
import { interleave, median, milliseconds, type Row, timeProcess } from './measure.ts';

/** How many dead letters; BENCH_DEAD makes it quicker. */
const COUNT = Number(process.env.BENCH_DEAD ?? 1_000_000);
/** Seconds until the first line is out; the process is ended then. */
function timeFirstLine(args: readonly string[]): Promise<number> {
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => reject(new Error('it ended without a line')));
    child.stdout.once('data', () => {
      resolve(Number(process.hrtime.bigint() - started) / 1e9);
      child.kill('SIGKILL');
    });
  });
}

const memoryOf = (what: string, megabytes: number, limit: number): Row => ({
  what: `${what}, memory, MB`,
  ours: megabytes.toFixed(0),
  theirs: '',
  ratio: megabytes,
  limit,
});

/** `dlq ls --ndjson` of a million, against the bare client reading the same messages. */
export async function benchDlqLs(): Promise<Row[]> {
  const server = await startWithDead(COUNT, 'ordered');
  const scattered = await startWithDead(COUNT, 'scattered');
  const counted = await startDelay(server.port, 0);
  try {
    const memory: Record<DeadOrder, number> = { ordered: 0, scattered: 0 };
    const list = async (order: DeadOrder): Promise<number> => {
      const { url } = order === 'ordered' ? server : scattered;
      const args = ['bin/run.js', 'dlq', 'ls', '--ndjson', '--server', url];
      const run = await timeProcess({ command: process.execPath, args }, true);
      memory[order] = Math.max(memory[order], run.memory / 1e6);
      return run.seconds;
    };
    const firsts: number[] = [];
    for (let round = 0; round < 5; round++)
      firsts.push(await timeFirstLine(['bin/run.js', 'dlq', 'ls', '--ndjson', '--server', server.url]));
    const result = await interleave(3, {
      ours: () => list('ordered'),
      theirs: async () =>
        (await timeProcess({ command: process.execPath, args: ['bench/bare-dlq.mjs', server.url] })).seconds,
    });
    const orders = await interleave(2, {
      ordered: () => list('ordered'),
      scattered: () => list('scattered'),
    });
    const one = [
      'dlq',
      'show',
      `REQUESTS/request-worker/${Math.floor(COUNT / 2)}`,
      '--no-pager',
      '--server',
      counted.url,
    ];
    const shown: number[] = [];
    for (let round = 0; round < 5; round++) {
      shown.push((await timeProcess({ command: process.execPath, args: ['bin/run.js', ...one] })).seconds);
    }
    const bytes = counted.take() / 5 / 1e6;
    return [
      {
        what: `\`dlq ls --ndjson\` of ${COUNT} entries`,
        ours: `${result.ours.toFixed(1)} s`,
        theirs: `bare client reading them ${result.theirs.toFixed(1)} s`,
        ratio: result.ours / result.theirs,
        limit: 1.1,
      },
      {
        what: `\`dlq ls --ndjson\` of ${COUNT} that died at once, recorded in no order`,
        ours: `${orders.scattered.toFixed(1)} s`,
        theirs: `recorded in order ${orders.ordered.toFixed(1)} s`,
        ratio: orders.scattered / orders.ordered,
        limit: 1.3,
      },
      {
        what: `\`dlq show\` of one of ${COUNT}, s`,
        ours: milliseconds(median(shown)),
        theirs: '',
        ratio: median(shown),
        limit: 1,
      },
      { what: `the same, read from the server, MB`, ours: bytes.toFixed(1), theirs: '', ratio: bytes, limit: 5 },
      {
        what: '`dlq ls --ndjson`, first line, s',
        ours: milliseconds(median(firsts)),
        theirs: '',
        ratio: median(firsts),
        limit: 1,
      },
      memoryOf('`dlq ls --ndjson`', memory.ordered, 250),
      memoryOf('`dlq ls --ndjson` of what was recorded in no order', memory.scattered, 300),
    ];
  } finally {
    counted.stop();
    await scattered.stop();
    await server.stop();
  }
}
