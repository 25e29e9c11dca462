import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectTo } from '../test/support/connected.ts';
import { letDie, put } from '../test/support/dead-letters.ts';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer, type TestServer } from '../test/support/server.ts';
import { interleave, milliseconds, type Row, timeCold, timeProcess } from './measure.ts';
import { manyQueues } from './plan.ts';

/** What gathers the same facts of one queue with the nats CLI. */
const GATHER = [
  ['account', 'info'],
  ['stream', 'info', 'Q0000', '--json'],
  ['consumer', 'info', 'Q0000', 'worker', '--json'],
  ['stream', 'info', 'q0000_dlq', '--json'],
  ['kv', 'info', 'q0000_responses'],
];

/** What lies on the server besides: nothing, a backlog (from its limit on status looks twice, a second apart), or dead letters. */
const CONDITIONS = [
  { queues: 1, name: 'one queue', dead: 0, waiting: 0 },
  { queues: 1, name: 'one queue with a backlog of 500', dead: 0, waiting: 500 },
  { queues: 1, name: 'one queue with 1000 dead', dead: 1000, waiting: 0 },
  { queues: 500, name: '500 queues', dead: 0, waiting: 0 },
];

/** Publishes so many requests of the first queue, and has them die where they are to. */
async function fill(server: TestServer, count: number, isDead: boolean): Promise<void> {
  if (count === 0) return;
  const nats = await connectTo(server);
  try {
    await Promise.all(
      Array.from({ length: count }, (_, index) => put(nats, 'q0000.x', JSON.stringify({ id: `r${index}` }))),
    );
    if (isDead) await letDie(nats, 'Q0000', 'worker');
  } finally {
    await nats.close();
  }
}

/** `status --json` against five commands of the nats CLI, and with 500 queues against the bare client asking the same. */
export async function benchStatus(): Promise<Row[]> {
  const node = process.execPath;
  const rows: Row[] = [];
  for (const { queues, name, dead, waiting } of CONDITIONS) {
    const server = await startServer();
    try {
      const spec = join(server.dir, 'many.yaml');
      const text = manyQueues(queues);
      const mortal = text
        .replace('max_deliver: 10', 'max_deliver: 1')
        .replace('backoff: [5s, 10s, 15s]', 'ack_wait: 60ms');
      writeFileSync(spec, dead > 0 ? mortal : text);
      const at = ['--server', server.url];
      const time = async (command: string, args: string[]) => (await timeProcess({ command, args })).seconds;
      await time(node, ['bin/run.js', 'apply', spec, ...at]);
      await fill(server, dead + waiting, dead > 0);
      // As pipelines call it: what was applied is on the server.
      const status = { command: node, args: ['bin/run.js', 'status', '--json', ...at], codes: [0, 2] };
      const ours = async () => (await timeProcess(status)).seconds;
      const cold = async () => (await timeCold(status)).seconds;
      const cli = queues === 1 ? findNatsCli() : undefined;
      if (queues === 1 && !cli) continue;
      const theirs = async () => {
        if (!cli) return time(node, ['bench/bare-list.mjs', server.url]);
        let all = 0;
        for (const command of GATHER) all += await time(cli.path, ['--no-context', ...at, ...command]);
        return all;
      };
      const result = await interleave(7, { ours, cold, theirs });
      for (const which of ['ours', 'cold'] as const) {
        rows.push({
          what: `\`status --json\` of ${name}${which === 'cold' ? ', the first run on a machine' : ''}`,
          ours: milliseconds(result[which]),
          theirs: `${cli ? 'five `nats` commands' : 'bare client listing them'} ${milliseconds(result.theirs)}`,
          ratio: result[which] / result.theirs,
          limit: cli ? 1 : 3,
        });
      }
    } finally {
      await server.stop();
    }
  }
  return rows;
}
