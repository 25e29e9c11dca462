import type { FlagEntry, Table } from './table.ts';

/** A command line in its parts. */
export interface Hoisted {
  /** The words that name the command, or what stands where they would. */
  readonly path: readonly string[];
  /** Flags that stood before or among them, with their values. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
  /** The first of those flags that the command does not have, without its value. */
  readonly unknown?: string;
}

type Flag = Pick<FlagEntry, 'name' | 'char' | 'takesValue'>;
const HELP: Flag = { name: 'help', char: 'h', takesValue: false };

/**
 * Finds the command in a line where flags may stand before it: `-s URL dlq --json ls x`. Which words are values only the
 * command knows (`--wait` takes one in `status`, none in `request send`): so each is tried, and one that has all the
 * flags counts before one that has not, a longer one before its topic.
 */
export function hoistCommand({ commands }: Table, argv: readonly string[]): Hoisted {
  const tries = commands.flatMap(({ words, flags }) => {
    const tried = takeWords(argv, flags, words.length);
    return words.every((word, at) => tried.path[at] === word) ? [tried] : [];
  });
  const [found] = tries.sort(
    (a, b) => Number(a.unknown !== undefined) - Number(b.unknown !== undefined) || b.path.length - a.path.length,
  );
  if (found) return found;
  // No command, perhaps for a typing error: what takes a value in some command is read so.
  const all = commands.flatMap(({ flags }) => flags).sort((a, b) => Number(b.takesValue) - Number(a.takesValue));
  const [first] = takeWords(argv, all, 1).path;
  return takeWords(argv, all, commands.some(({ words }) => words.length > 1 && words[0] === first) ? 2 : 1);
}

/** Takes the first words that are no flags, at most so many; what stands after `--` is never one. */
function takeWords(argv: readonly string[], known: readonly Flag[], most: number): Hoisted {
  const path: string[] = [];
  const flags: string[] = [];
  let unknown: string | undefined;
  let at = 0;
  for (; at < argv.length && path.length < most && argv[at] !== '--'; at++) {
    const word = argv[at]!;
    if (!word.startsWith('-') || word === '-') {
      path.push(word);
      continue;
    }
    const flag = readFlag(word, known);
    unknown ??= flag.unknown;
    flags.push(...argv.slice(at, at + (flag.needsNext ? 2 : 1)));
    if (flag.needsNext) at += 1;
  }
  return { path, flags, rest: argv.slice(at), unknown };
}

/** A flag as it may be shown: what stands behind its name may be a secret. */
export const flagName = (word: string): string => /^(?:--[\w-]+|-\w?)/.exec(word)?.[0] ?? '--';

/** `--name`, `--name=value`, `-n`, `-nvalue`, and short ones that take none in a row: whether the next word is its value. */
function readFlag(word: string, known: readonly Flag[]): { readonly needsNext: boolean; readonly unknown?: string } {
  const find = (is: (flag: Flag) => boolean) => [...known, HELP].find(is);
  const [, name, value] = /^--([^=]+)(=.*)?$/s.exec(word) ?? [];
  if (name !== undefined) {
    const flag = find((one) => one.name === name);
    return flag ? { needsNext: flag.takesValue && value === undefined } : { needsNext: false, unknown: flagName(word) };
  }
  for (let at = 1; at < word.length; at++) {
    const flag = find((one) => one.char === word[at]);
    if (!flag) return { needsNext: false, unknown: `-${word[at]}` };
    if (flag.takesValue) return { needsNext: at === word.length - 1 };
  }
  return { needsNext: false };
}
