import { flagName } from '../complete/hoist.ts';
import { OpsError } from '../errors/ops-error.ts';
import { likelyFlag } from './learned.ts';

/** What oclif throws, always about the command line: our words are made from it, its own are not used. */
export interface ParserError {
  readonly message: string;
  readonly oclif?: { readonly exit?: number };
  readonly code?: string;
  /** As typed, where there are no such flags. */
  readonly flags?: readonly string[];
  /** The arguments that are missing, or what was typed and is none. */
  readonly args?: readonly (string | { readonly name: string; readonly description?: string })[];
}

export const isParserError = (error: unknown): error is ParserError =>
  typeof error === 'object' && error !== null && 'oclif' in error && !(error instanceof OpsError);

interface Said {
  readonly message: string;
  /** The flag it is about. */
  readonly flag?: string;
  readonly hints?: readonly string[];
}

const either = (list: string): string => list.replace(/, (?=[^,]*$)/, ' or ');

/** What oclif 4 says of a value, and how we say it. */
const VALUES: readonly (readonly [RegExp, (...found: string[]) => Said])[] = [
  [
    /^Parsing (--\S+)\s+Expected an integer but received: (.*)$/s,
    (flag, value) => ({ flag, message: `${flag}: "${value}" is no whole number`, hints: [`write it as ${flag} 10`] }),
  ],
  [
    /^Parsing (--\S+)\s+Expected an integer greater than or equal to (\d+) but received: (.*)$/s,
    (flag, least, value) => ({
      flag,
      message: `${flag}: ${value} is too small`,
      hints: [`give ${least} or more${least === '1' ? ', or leave the flag out' : ''}`],
    }),
  ],
  [
    /^Parsing (--\S+)\s+Expected an integer less than or equal to (\d+) but received: (.*)$/s,
    (flag, most, value) => ({ flag, message: `${flag}: ${value} is too large`, hints: [`give ${most} or less`] }),
  ],
  [
    /^Expected (--[\w-]+)=(.*) to be one of: ([^:]*)$/s,
    (flag, value, all) => ({ flag, message: `${flag}: there is no "${value}"`, hints: [`give ${either(all)}`] }),
  ],
  [
    /^Expected (.*) to be one of: ([^:]*)$/s,
    (value, all) => ({ message: `there is no "${value}"`, hints: [`give ${either(all)}`] }),
  ],
  [
    /^Flag (--\S+) expects one of these values: (.*)$/s,
    (flag, all) => ({ flag, message: `${flag} has no value`, hints: [`give ${either(all)}`] }),
  ],
  [/^Flag (--\S+) expects a value$/, (flag) => ({ flag, message: `${flag} has no value` })],
  [/^Flag (--\S+) can only be specified once$/, (flag) => ({ flag, message: `${flag} is given twice` })],
  [
    /(--[\w-]+)(?:=.*)? cannot also be provided when using (--[\w-]+)/s,
    (flag, other) => ({ message: `${flag} and ${other} do not go together`, hints: ['give one of the two'] }),
  ],
  [
    /All of the following must be provided when using (--[\w-]+): (--[\w-]+)/,
    (flag, other) => ({ message: `${flag} needs ${other}`, hints: [`give ${other} as well, or leave ${flag} out`] }),
  ],
];

/** The parser's error in our words: what is wrong with the line, and what may be meant. */
function saidOf({ message, flags, args = [] }: ParserError, known: readonly string[]): Said {
  if (flags) {
    const names = flags.map(flagName);
    const guesses = names.map((name) => likelyFlag(name.replace(/^-+/, ''), known));
    return {
      message: `there is no flag ${names.join(', ')}`,
      hints: guesses.flatMap((guess) => (guess === undefined ? [] : [`did you mean --${guess}?`])),
    };
  }
  const missing = args.flatMap((arg) => (typeof arg === 'string' ? [] : [arg]));
  if (missing.length > 0) {
    const named = missing.map(
      ({ name, description }) => `${name.toUpperCase()}${description ? ` (${description})` : ''}`,
    );
    return { message: `missing: ${named.join(', ')}` };
  }
  const strays = args.filter((arg) => typeof arg === 'string');
  // It may be half of a password with a blank in it, or the value of a flag that takes none.
  if (strays.length > 0)
    return {
      message: strays.length === 1 ? 'an argument too many' : `${strays.length} arguments too many`,
      hints: ['put a value that has blanks in quotes'],
    };
  const text = message.split('\nSee more help')[0]!.trim();
  for (const [pattern, say] of VALUES) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  return { message: text.charAt(0).toLowerCase() + text.slice(1).replace(/\s*\n\s*/g, ' ') };
}

/** @param flags the names of the command's flags, for a guess at what was meant */
export function usageError(error: ParserError, command: string, flags: readonly string[] = []): OpsError {
  const typed = `osapi-ops ${command.replaceAll(':', ' ')}`.trim();
  const { message, flag, hints = [] } = saidOf(error, [...flags, 'help']);
  return new OpsError('USAGE', message, {
    where: flag ?? typed,
    hints: [...hints, `see \`${typed} --help\``],
    cause: error,
  });
}

/** As it is written behind a flag; no id looks so. */
const DURATION = /^\d+(?:ms|[smhd])$/;

interface FlagKind {
  readonly type: string;
  readonly char?: string | undefined;
}

/** What other tools take behind `-o`, and no name that somebody gives a file. */
const FORM = /^-o=?(json|ya?ml|ndjson|table|wide|text|name|markdown)$/;

/**
 * Refuses what the parser would read as something else: `-out=x` is to it `-o` with the value `ut=x`, `-o json` a file of
 * that name where `-o` is `--out`, and of `--yes=1` it makes an argument `1`.
 * @throws OpsError USAGE
 */
export function refuseMisread(argv: readonly string[], flags: Readonly<Record<string, FlagKind>>, typed: string): void {
  const end = argv.indexOf('--');
  for (const [index, word] of (end < 0 ? argv : argv.slice(0, end)).entries()) {
    const [, dashes, name = '', value] = /^(--?)([a-z][a-z-]+)(=.*)?$/s.exec(word) ?? [];
    const flag = Object.hasOwn(flags, name) ? flags[name]! : undefined;
    const hints = [`see \`${typed} --help\``];
    if (dashes === '-' && flag)
      throw new OpsError('USAGE', `-${name} has one dash`, { where: typed, hints: [`write --${name}`, ...hints] });
    const next = argv[index + 1] ?? '';
    const [, form] = FORM.exec(word === '-o' ? word + next : word) ?? [];
    if (form !== undefined && flags.out?.char === 'o')
      throw new OpsError('USAGE', `-o is --out: it would write a file called ${form}`, {
        where: typed,
        hints: [
          ...(form === 'json' ? ['did you mean --json?'] : []),
          `write -o ./${form} for a file of that name`,
          ...hints,
        ],
      });
    if (dashes === '--' && flag?.type === 'boolean' && Object.hasOwn(flags, `${name}-timeout`) && DURATION.test(next))
      throw new OpsError('USAGE', `--${name} takes no value`, {
        where: typed,
        hints: [`write --${name} --${name}-timeout ${next}`, ...hints],
      });
    if (dashes === '--' && flag?.type === 'boolean' && value !== undefined)
      throw new OpsError('USAGE', `--${name} takes no value`, {
        where: typed,
        hints: [`write --${name} alone, or leave it out`, ...hints],
      });
  }
}
