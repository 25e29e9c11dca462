import { hoistCommand } from './hoist.ts';
import type { ArgEntry, CommandEntry, FlagEntry, Table } from './table.ts';

/** What can be typed under the cursor. */
export type Wanted =
  /** A word of a command, after these. */
  | { readonly type: 'command'; readonly after: readonly string[] }
  | { readonly type: 'flag'; readonly flags: readonly FlagEntry[] }
  /** The value of a flag: of a command, by its id, or of whichever will follow, where that is empty. */
  | { readonly type: 'value'; readonly of: string; readonly flag: FlagEntry }
  | {
      readonly type: 'argument';
      readonly command: CommandEntry;
      readonly arg: ArgEntry;
      /** True where a subcommand may be meant as well, as after `dev`. */
      readonly orCommand: boolean;
    }
  | { readonly type: 'nothing' };

export interface Situation {
  readonly wanted: Wanted;
  /** What of the word under the cursor stands before the value: `--state=`. */
  readonly stem: string;
  /** What is typed of the value. */
  readonly partial: string;
  /** Flags that are complete, with their values; those without one have `true`. */
  readonly given: ReadonlyMap<string, readonly (string | true)[]>;
  /** Arguments that are complete. */
  readonly args: readonly string[];
}

/** Reads a command line, without the program's name, and says what the word under the cursor can be. */
export function readSituation(table: Table, typed: readonly string[], current: string): Situation {
  const { path: named, flags, rest } = hoistCommand(table, typed);
  const words = [...named, ...flags, ...rest];
  const depth = pathLength(table, words);
  const path = words.slice(0, depth);
  const command = table.commands.find(({ words: own }) => isSame(own, path));
  const isBranch = table.commands.some(({ words: own }) => own.length > depth && isSame(own.slice(0, depth), path));
  const known = command?.flags ?? commonFlags(table);
  const line = readRest(command?.flags ?? table.commands.flatMap(({ flags: every }) => every), words.slice(depth));
  const at = (wanted: Wanted, stem = ''): Situation => ({
    wanted,
    stem,
    partial: current.slice(stem.length),
    given: line.given,
    args: line.args,
  });
  const isBare = rest.length === 0 && named.length === depth;
  const of = command?.id ?? '';
  if (!command && !isBare) return at({ type: 'nothing' });
  const valueAt = (name: string, stem = '') => {
    const flag = known.find((one) => one.name === name && one.takesValue);
    return at(flag ? { type: 'value', of, flag } : { type: 'nothing' }, flag && stem);
  };
  if (line.open) return valueAt(line.open.name);
  if (!line.ended) {
    const [, name] = /^--([^=]+)=/.exec(current) ?? [];
    if (name !== undefined) return valueAt(name, `--${name}=`);
    if (current.startsWith('-')) {
      const left = known.filter((one) => one.multiple || !line.given.has(one.name));
      return at({ type: 'flag', flags: [...(command || depth === 0 ? left : []), HELP] });
    }
  }
  if (!command) return at({ type: 'command', after: path });
  const arg = command.args[line.args.length] ?? command.args.findLast(({ multiple }) => multiple);
  if (arg) return at({ type: 'argument', command, arg, orCommand: isBranch && isBare });
  if (isBranch && isBare) return at({ type: 'command', after: path });
  // Nothing but flags can follow.
  const left = command.flags.filter((one) => one.multiple || !line.given.has(one.name));
  return line.ended || current !== '' ? at({ type: 'nothing' }) : at({ type: 'flag', flags: left });
}

const HELP: FlagEntry = {
  name: 'help',
  summary: 'what it does, with examples',
  takesValue: false,
  multiple: false,
  options: [],
};

/** Flags that most commands have: what somebody may write before the command. */
function commonFlags({ commands }: Table): readonly FlagEntry[] {
  const all = new Map(commands.flatMap(({ flags }) => flags.map((flag) => [flag.name, flag] as const)));
  const has = (name: string) => commands.filter(({ flags }) => flags.some((flag) => flag.name === name)).length;
  return [...all.values()].filter(({ name }) => has(name) > commands.length / 2);
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((word, index) => word === b[index]);

/** How many words lead into the tree of commands. */
function pathLength({ commands }: Table, words: readonly string[]): number {
  let depth = 0;
  while (
    depth < words.length &&
    commands.some(({ words: own }) => isSame(own.slice(0, depth + 1), words.slice(0, depth + 1)))
  )
    depth += 1;
  return depth;
}

interface Rest {
  readonly given: Map<string, (string | true)[]>;
  readonly args: string[];
  /** The flag whose value comes next. */
  readonly open?: FlagEntry;
  /** After `--` everything is an argument. */
  readonly ended: boolean;
}

function readRest(flags: readonly FlagEntry[], words: readonly string[]): Rest {
  const given = new Map<string, (string | true)[]>();
  const args: string[] = [];
  const add = ({ name }: FlagEntry, value: string | true) => given.set(name, [...(given.get(name) ?? []), value]);
  let open: FlagEntry | undefined;
  let ended = false;
  for (const word of words) {
    if (open) {
      add(open, word);
      open = undefined;
    } else if (ended || word === '-' || !word.startsWith('-')) args.push(word);
    else if (word === '--') ended = true;
    else {
      const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      const [, char, rest] = /^-([^-])(.*)$/s.exec(word) ?? [];
      const flag = flags.find((one) => one.name === name || (char !== undefined && one.char === char));
      const text = value ?? (rest || undefined);
      if (!flag) continue;
      if (!flag.takesValue) add(flag, true);
      else if (text === undefined) open = flag;
      else add(flag, text.replace(/^=/, ''));
    }
  }
  return { given, args, ended, open };
}
