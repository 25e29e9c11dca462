import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config, type Interfaces, Plugin, run } from '@oclif/core';
import { OpsError } from './lib/errors/ops-error.ts';
import { likelyCommands, reportFailure } from './lib/ui/report.ts';

/** Runs the CLI. `root` is the package's folder, where package.json and oclif.manifest.json are. */
export async function main(args: string[], root: string): Promise<void> {
  // `help apply` is what many type for `apply --help`.
  const argv = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  try {
    const config = await loadConfig(root, argv);
    refuseUnknownCommand(config, argv);
    await run(argv, config);
  } catch (error) {
    process.exitCode = reportFailure(error, { argv, command: '' });
  }
}

/**
 * The configuration that oclif would look up by itself, a file after the other. To run a command it needs only where
 * the commands are (dist/commands.json, written by the build); help needs all that is known of them.
 */
async function loadConfig(root: string, argv: readonly string[]): Promise<Config> {
  const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const wantsHelp = argv.length === 0 || argv.includes('--help') || argv.includes('-h');
  const pjson: Interfaces.PJSON = read('package.json');
  const plugin = new Plugin({ root, pjson, isRoot: true });
  // A topic alone shows its help, too.
  const isTopic = argv.length === 1;
  const manifest = read(wantsHelp || isTopic ? 'oclif.manifest.json' : join('dist', 'commands.json'));
  Object.assign(plugin, { _manifest: async () => manifest });
  await plugin.load();
  return Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) });
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
  const guesses = likelyCommands(typed.join(' '), ids).map((guess) => `\`osapi-ops ${guess}\``);
  throw new OpsError('USAGE', `there is no command \`${typed.join(' ')}\``, {
    where: 'osapi-ops',
    hints: [guesses.length > 0 ? `did you mean ${guesses.join(' or ')}?` : 'see `osapi-ops --help`'],
  });
}
