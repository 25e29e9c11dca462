import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../test/support/server.ts';
import { interleave, median, milliseconds, type Row, timeProcess } from './measure.ts';

/** A spec of `queues` queues: four resources each. */
export function manyQueues(queues: number): string {
  const lines = ['version: 1', 'name: many', 'queues:'];
  for (let index = 0; index < queues; index += 1) {
    const id = String(index).padStart(4, '0');
    lines.push(
      `  Q${id}:`,
      `    subjects: ["q${id}.*"]`,
      '    discard: new',
      '    max_msgs: 100000',
      '    storage: memory',
      '    consumers:',
      '      worker:',
      `        filter_subject: "q${id}.*"`,
      '        max_deliver: 10',
      '        backoff: [5s, 10s, 15s]',
      '    dlq:',
      `      stream: q${id}_dlq`,
      '      storage: memory',
      '    responses:',
      `      bucket: q${id}_responses`,
      '      storage: memory',
    );
  }
  return `${lines.join('\n')}\n`;
}

/** `plan` against a server that has it all, against the bare client listing the same configurations. */
export async function benchPlan(): Promise<Row[]> {
  const node = process.execPath;
  const cost: Record<number, number> = {};
  const rows: Row[] = [];
  for (const queues of [3, 50, 500]) {
    const server = await startServer();
    try {
      const spec = join(server.dir, 'many.yaml');
      writeFileSync(spec, manyQueues(queues));
      const at = ['--server', server.url];
      await timeProcess({ command: node, args: ['bin/run.js', 'apply', spec, ...at] });
      const memory: number[] = [];
      const result = await interleave(7, {
        empty: async () => (await timeProcess({ command: node, args: ['bin/run.js', '--version'] })).seconds,
        ours: async () => {
          const run = await timeProcess({ command: node, args: ['bin/run.js', 'plan', spec, ...at] }, true);
          memory.push(run.memory);
          return run.seconds;
        },
        theirs: async () => (await timeProcess({ command: node, args: ['bench/bare-list.mjs', server.url] })).seconds,
      });
      cost[queues * 4] = (result.ours / (queues * 4)) * 1000;
      rows.push({
        what: `\`plan\` of ${queues * 4} resources, nothing to change`,
        ours: milliseconds(result.ours),
        theirs: `bare client listing them ${milliseconds(result.theirs)}`,
        ratio: result.ours / result.theirs,
        ...(queues === 500 ? { limit: 3 } : {}),
      });
      if (queues === 500) {
        const megabytes = median(memory) / 1e6;
        rows.push({
          what: '`plan` of 2000 resources, memory, MB',
          ours: megabytes.toFixed(0),
          theirs: '',
          ratio: megabytes,
          limit: 300,
        });
      }
    } finally {
      await server.stop();
    }
  }
  const each = Object.entries(cost).map(([count, ms]) => `${count}: ${ms.toFixed(2)} ms`);
  rows.push({ what: '`plan` for each resource', ours: each.join(', '), theirs: '', ratio: cost[2000]! / cost[200]! });
  return rows;
}
