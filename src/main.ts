import { Config, run } from '@oclif/core';
import { OpsError } from './lib/errors/ops-error.ts';
import { nearest, reportFailure } from './lib/ui/report.ts';

/** Runs the CLI. `root` is the package's folder, where package.json and oclif.manifest.json are. */
export async function main(argv: string[], root: string): Promise<void> {
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
  if (words.length === 0 || words[0] === 'help') return;
  const known = (id: string) => Boolean(config.findCommand(id) ?? config.findTopic(id));
  if (known(words[0]!)) {
    const isTopicOnly = !config.findCommand(words[0]!);
    if (!isTopicOnly || words.length === 1 || known(words.slice(0, 2).join(':'))) return;
  }
  const typed = words.slice(0, known(words[0]!) ? 2 : 1);
  const ids = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const guess = nearest(typed.join(' '), ids);
  throw new OpsError('USAGE', `there is no command \`${typed.join(' ')}\``, {
    where: 'osapi-ops',
    hints: [guess ? `did you mean \`osapi-ops ${guess}\`?` : 'see `osapi-ops --help`'],
  });
}
