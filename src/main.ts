import { Config, run } from '@oclif/core';
import { OpsError } from './lib/errors/ops-error.ts';
import { nearest, reportFailure } from './lib/ui/report.ts';

/** Runs the CLI. `root` is the package's folder, where package.json and oclif.manifest.json are. */
export async function main(args: string[], root: string): Promise<void> {
  // `help apply` is what many type for `apply --help`.
  const argv = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  try {
    const config = await Config.load({ root });
    refuseUnknownCommand(config, argv);
    await run(argv, config);
  } catch (error) {
    process.exitCode = reportFailure(error, { argv, command: '' });
  }
}

/** oclif would print its own text and exit code for an unknown command; ours names the nearest one and exits 64. */
function refuseUnknownCommand(config: Config, argv: readonly string[]): void {
  const words = argv.slice(0, argv.findIndex((word) => word.startsWith('-')) >>> 0);
  if (words.length === 0) return;
  const [first = '', second] = words;
  const command = config.findCommand(first);
  const topic = config.findTopic(first);
  const pair = `${first}:${second}`;
  if (second !== undefined && topic && (config.findCommand(pair) ?? config.findTopic(pair))) return;
  if (command && (second === undefined || Object.keys(command.args ?? {}).length > 0 || !topic)) return;
  if (topic && second === undefined) return;
  const typed = command || topic ? [first, second] : [first];
  const ids = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const guess = nearest(typed.join(' '), ids);
  throw new OpsError('USAGE', `there is no command \`${typed.join(' ')}\``, {
    where: 'osapi-ops',
    hints: [guess ? `did you mean \`osapi-ops ${guess}\`?` : 'see `osapi-ops --help`'],
  });
}
