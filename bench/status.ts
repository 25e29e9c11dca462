import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer } from '../test/support/server.ts';
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

/** `status --json` against five commands of the nats CLI, and with 500 queues against the bare client asking the same. */
export async function benchStatus(): Promise<Row[]> {
  const node = process.execPath;
  const rows: Row[] = [];
  for (const queues of [1, 500]) {
    const server = await startServer();
    try {
      const spec = join(server.dir, 'many.yaml');
      writeFileSync(spec, manyQueues(queues));
      const at = ['--server', server.url];
      const time = async (command: string, args: string[]) => (await timeProcess({ command, args })).seconds;
      await time(node, ['bin/run.js', 'apply', spec, ...at]);
      // As pipelines call it: what was applied is on the server.
      const status = { command: node, args: ['bin/run.js', 'status', '--json', ...at] };
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
          what: `\`status --json\` of ${queues === 1 ? 'one queue' : `${queues} queues`}${which === 'cold' ? ', the first run on a machine' : ''}`,
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
