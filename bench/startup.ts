import { interleave, milliseconds, type Row, timeProcess } from './measure.ts';

const node = process.execPath;
const time = async (args: string[]) => (await timeProcess({ command: node, args })).seconds;

/** How long a person waits before the CLI says anything, against Node doing nothing. */
export async function benchStartup(): Promise<Row[]> {
  const result = await interleave(25, {
    node: () => time(['-e', '0']),
    version: () => time(['bin/run.js', '--version']),
    help: () => time(['bin/run.js', '--help']),
  });
  return (['version', 'help'] as const).map((name) => ({
    what: `\`osapi-ops --${name}\``,
    ours: milliseconds(result[name]),
    theirs: `\`node -e 0\` ${milliseconds(result.node)}`,
    ratio: result[name] / result.node,
    limit: 2.5,
  }));
}
