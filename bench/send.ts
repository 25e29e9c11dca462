import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer } from '../test/support/server.ts';
import { interleave, type Row, timeProcess } from './measure.ts';

const COUNT = 200_000;
const ROUNDS = 5;

/** `request send --ndjson` against `nats bench js pub` of as many messages of the same size, ids on both sides. */
export async function benchSend(): Promise<Row[]> {
  const cli = findNatsCli();
  if (!cli) return [];
  const server = await startServer();
  try {
    const spec = join(server.dir, 'send.yaml');
    writeFileSync(spec, 'version: 1\nname: send\nqueues:\n  REQUESTS:\n    subjects: ["requests.*"]\n');
    const at = ['--server', server.url];
    const run = (command: string, ...args: string[]) => timeProcess({ command, args });
    const ours = (...args: string[]) => run(process.execPath, 'bin/run.js', ...args, ...at);
    const theirs = (...args: string[]) => run(cli.path, '--no-context', ...at, ...args);
    await ours('apply', spec);
    const query = (index: number) => JSON.stringify({ query: `host-${index}.example.com` });
    const input = join(server.dir, 'requests.ndjson');
    writeFileSync(input, Array.from({ length: COUNT }, (_, index) => `${query(index)}\n`).join(''));
    // What is sent carries the id as well.
    const size = query(COUNT - 1).length + '"id":"",'.length + 36;
    const empty = () => theirs('stream', 'purge', 'REQUESTS', '--force');
    const timed = async (work: () => Promise<{ readonly seconds: number }>): Promise<number> => {
      await empty();
      return (await work()).seconds;
    };
    const bench = ['bench', 'js', 'pub', 'async', 'requests.dns', '--stream', 'REQUESTS', '--dedup', '--no-progress'];
    const result = await interleave(ROUNDS, {
      ours: () => timed(() => ours('request', 'send', 'dns', '--ndjson', '--input', input, '--file', spec, '--json')),
      theirs: () => timed(() => theirs(...bench, '--msgs', String(COUNT), '--size', String(size))),
    });
    const rate = (seconds: number): string => `${Math.round(COUNT / seconds / 1000)},000/s`;
    return [
      {
        what: `\`request send --ndjson\` of ${COUNT} requests`,
        ours: rate(result.ours),
        theirs: `\`nats bench js pub async --dedup\` ${rate(result.theirs)}`,
        ratio: result.ours / result.theirs,
        limit: 2,
      },
    ];
  } finally {
    await server.stop();
  }
}
