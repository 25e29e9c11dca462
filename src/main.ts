import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config, type Interfaces, Plugin } from '@oclif/core';
import { flagName, hoistCommand } from './lib/complete/hoist.ts';
import { readTable } from './lib/complete/table.ts';
import { OpsError } from './lib/errors/ops-error.ts';
import { commandHints, likelyCommands, likelyFlag } from './lib/ui/learned.ts';
import { reportFailure } from './lib/ui/report.ts';
import { watchOutput } from './lib/ui/stdout.ts';
import { keepTyped } from './lib/ui/typed-secrets.ts';

/** What it takes to find a command, by id (`dlq:ls`); dist/commands.json, written by the build. */
type Known = Readonly<Record<string, { readonly file: string; readonly takesArgs: boolean }>>;

/** What a line asks for: a command, or with no `id` the help of all or of a topic. */
interface Wanted {
  readonly id?: string;
  readonly rest: readonly string[];
}

/** Runs the CLI. `root` is the package's folder, where package.json and oclif.manifest.json are. */
export async function main(args: string[], known: Known, root: string): Promise<void> {
  // A key press of somebody who types a line: it needs no command, and no framework.
  if (args[0] === '__complete') return (await import('./complete.ts')).complete(args.slice(1), root);
  // `help apply` is what many type for `apply --help`.
  const asked = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  let argv: readonly string[] = asked;
  keepTyped(args, process.env);
  watchOutput(() => argv, root);
  try {
    argv = commandFirst(known, asked, root);
    const { id, rest } = findWanted(known, argv);
    if (id === undefined || asksForHelp(rest)) await showHelp(root, argv);
    else await runCommand(root, id, known[id]!.file, rest);
  } catch (error) {
    process.exitCode = reportFailure(error, { argv, command: '', root });
  }
}

const readPackage = (root: string): Interfaces.PJSON => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * The line with its command first: flags may stand before it, and between its words.
 * @throws OpsError USAGE for a flag there that no command has
 */
function commandFirst(known: Known, argv: readonly string[], root: string): readonly string[] {
  const first = argv.findIndex((word) => word.startsWith('-'));
  const isTopic = Object.keys(known).some((id) => id.startsWith(`${argv[0]}:`));
  if (first !== 0 && !(first === 1 && isTopic)) return argv;
  // What the flags of all commands are takes longer to read than most lines need.
  const table = readTable(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')), {});
  const { path, flags, rest, unknown } = hoistCommand(table, argv);
  const typed = path.join(' ');
  const ids = idsOf(known);
  const isFirst = (word: string) => ids.some((id) => id.split(' ')[0] === word);
  const taken = isFirst(path[0] ?? '')
    ? -1
    : flags.findIndex((word, at) => flags[at - 1]?.startsWith('-') && isFirst(word));
  if (unknown === undefined && taken > 0) {
    const flag = flagName(flags[taken - 1]!);
    throw unknownCommand(`${flag} has no value: the next word, ${flags[taken]}, was taken for it`, [
      `give ${flag} its value, or leave it out`,
    ]);
  }
  if (unknown === undefined || ids.includes(typed)) {
    // What follows the flags may be half of a password with a blank in it: it is shown where it is nearly a command.
    const isNear = likelyCommands(typed, ids).length > 0 || ids.some((id) => id.startsWith(`${typed} `));
    if (path.length > 0 && !isNear) throw unknownCommand('what stands after the flags is no command');
    return [...path, ...flags, ...rest];
  }
  const names = new Set(table.commands.flatMap((command) => command.flags.map(({ name }) => name)));
  const guess = likelyFlag(unknown.replace(/^-+/, ''), [...names, 'help']);
  throw new OpsError('USAGE', `there is no flag ${unknown}`, {
    where: 'osapi-ops',
    hints: [...(guess === undefined ? [] : [`did you mean --${guess}?`]), 'see `osapi-ops --help`'],
  });
}

const idsOf = (known: Known): string[] => Object.keys(known).map((id) => id.replaceAll(':', ' '));

const asksForHelp = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h');
};

/**
 * Finds the command that the first words name: `dlq ls` before `dlq`.
 * @throws OpsError USAGE for one that there is not, naming the nearest
 */
function findWanted(known: Known, argv: readonly string[]): Wanted {
  const words = argv.slice(0, argv.findIndex((word) => word.startsWith('-')) >>> 0);
  const [first, second] = words;
  if (first === undefined) {
    if (argv.length === 0 || asksForHelp(argv)) return { rest: [] };
    throw unknownCommand('the line names no command');
  }
  for (const length of [3, 2]) {
    const id = words.slice(0, length).join(':');
    if (words.length < length || !known[id]) continue;
    // `dlq replay stop`: no id of a dead letter looks like a command.
    const alike = `${id}s:${words[length]}`;
    if (!known[alike]) return { id, rest: argv.slice(length) };
    const [typed, meant] = [words.slice(0, length + 1).join(' '), alike.replaceAll(':', ' ')];
    throw unknownCommand(`there is no command \`${typed}\``, [`did you mean \`osapi-ops ${meant}\`?`]);
  }
  const isPrefix = (id: string) => Object.keys(known).some((one) => one.startsWith(`${id}:`));
  const isTopic = isPrefix(first);
  const isSubtopic = second !== undefined && isPrefix(`${first}:${second}`);
  const isAlone = second === undefined || known[first]?.takesArgs || !isTopic;
  if (known[first] && isAlone) return { id: first, rest: argv.slice(1) };
  if ((isTopic && second === undefined) || (isSubtopic && words.length === 2)) return { rest: [] };
  const typed = words.slice(0, isSubtopic ? 3 : isTopic ? 2 : 1).join(' ');
  throw unknownCommand(`there is no command \`${typed}\``, commandHints(typed, idsOf(known)));
}

const unknownCommand = (message: string, hints: readonly string[] = ['see `osapi-ops --help`']): OpsError =>
  new OpsError('USAGE', message, { where: 'osapi-ops', hints });

type Runnable = (new (argv: string[], config: Config) => { _run(): Promise<unknown> }) & { id: string };

/** The class of a command; `file` as in src/commands, without its ending. */
export const loadCommand = async (file: string): Promise<Runnable> =>
  ((await import(`./commands/${file}.ts`)) as { default: Runnable }).default;

/**
 * Runs a command without oclif's own start, which would look up, sort and load twice what all the commands are: a
 * command and its parser need no more of the configuration than this.
 */
async function runCommand(root: string, id: string, file: string, argv: readonly string[]): Promise<void> {
  const Runnable = await loadCommand(file);
  Runnable.id = id;
  const pjson = readPackage(root);
  const { name, version } = pjson;
  const rootPlugin = Object.assign(new Plugin({ root, pjson }), { name, hooks: {} });
  const config = Object.assign(new Config({ root }), { root, pjson, name, version, bin: pjson.oclif.bin, rootPlugin });
  await new Runnable([...argv], config)._run();
}

/** Help needs all that is known of the commands. */
async function showHelp(root: string, argv: readonly string[]): Promise<void> {
  const { OpsHelp, showPaged } = await import('./lib/ui/help.ts');
  const pjson = readPackage(root);
  const plugin = new Plugin({ root, pjson, isRoot: true });
  await plugin.load();
  const config = await Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) });
  const help = new OpsHelp(config);
  await help.showHelp(argv.filter((word) => word !== '-h'));
  await showPaged(help.text, process);
}
