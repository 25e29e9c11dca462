import { distance } from 'fastest-levenshtein';
import { flagName } from '../complete/hoist.ts';
import { EXIT } from '../errors/codes.ts';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import { isYes, variableOf } from '../model/variables.ts';
import { annotationOf, renderAnnotations } from './render/annotations.ts';
import { errorJson, renderBug, renderError } from './render/error.ts';
import { createTheme, wantsColour } from './theme.ts';

/** What oclif throws, always about the command line: our words are made from it, its own drawing is not used. */
interface ParserError {
  readonly message: string;
  readonly oclif?: { readonly exit?: number };
  readonly code?: string;
  /** As typed, where there are no such flags. */
  readonly flags?: readonly string[];
  /** The arguments that are missing, or what was typed and is none. */
  readonly args?: readonly (string | { readonly name: string; readonly description?: string })[];
}

/** What was run, as far as it is known. */
export interface Run {
  readonly argv: readonly string[];
  /** The id of the command; empty where there is none. */
  readonly command: string;
  /** The names of its flags, for a guess at what was meant. */
  readonly flags?: readonly string[];
}

const isParserError = (error: unknown): error is ParserError =>
  typeof error === 'object' && error !== null && 'oclif' in error && !(error instanceof OpsError);

/** The word nearest to what was typed, where one is near enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => ({ name, off: distance(word, name) })).sort((a, b) => a.off - b.off);
  return ranked[0] && ranked[0].off <= Math.max(2, Math.floor(word.length / 3)) ? ranked[0].name : undefined;
}

/** Commands that may be meant: those whose last word was typed without its topic, as `replay`, else the nearest one. */
export function likelyCommands(typed: string, commands: readonly string[]): readonly string[] {
  const bare = commands.filter((name) => name.endsWith(` ${typed}`));
  const near = nearest(typed, commands);
  return bare.length > 0 ? bare : near === undefined ? [] : [near];
}

/** The parser's error in our words: what is wrong with the line, and what may be meant. */
function saidOf({ message, flags, args = [] }: ParserError, known: readonly string[]): [string, readonly string[]] {
  if (flags) {
    const names = flags.map(flagName);
    const long = names.filter((name) => name.startsWith('--'));
    const guesses = long.map((name) => nearest(name.slice(2), known));
    return [
      `there is no flag ${names.join(', ')}`,
      guesses.flatMap((guess) => (guess === undefined ? [] : [`did you mean --${guess}?`])),
    ];
  }
  const missing = args.flatMap((arg) => (typeof arg === 'string' ? [] : [arg]));
  if (missing.length > 0) {
    const named = missing.map(
      ({ name, description }) => `${name.toUpperCase()}${description ? ` (${description})` : ''}`,
    );
    return [`missing: ${named.join(', ')}`, []];
  }
  const strays = args.filter((arg) => typeof arg === 'string');
  // It may be half of a password with a blank in it, or the value of a flag that takes none.
  if (strays.length > 0)
    return [strays.length === 1 ? 'an argument too many' : `${strays.length} arguments too many`, []];
  const [first = ''] = message.split('\nSee more help');
  const text = first.replace(/\s*\n\s*/g, ' ').trim();
  return [text.charAt(0).toLowerCase() + text.slice(1), []];
}

function usageError(error: ParserError, { command, flags = [] }: Run): OpsError {
  const typed = `osapi-ops ${command.replaceAll(':', ' ')}`.trim();
  const [message, guesses] = saidOf(error, flags);
  return new OpsError('USAGE', message, {
    where: typed,
    hints: [...guesses, `see \`${typed} --help\``],
    cause: error,
  });
}

/** Whether a flag is set on the line or by its variable, looked up by hand: the line may be what could not be read. */
function isSet({ argv }: Run, flag: string, short?: string): boolean {
  const end = argv.indexOf('--');
  const line = end < 0 ? argv : argv.slice(0, end);
  return line.some((word) => word === `--${flag}` || word === short) || isYes(process.env[variableOf(flag)]);
}

/**
 * Tells a failure: for people on stderr, under `--json` also as JSON on stdout.
 * @returns the exit code of the process
 */
export function reportFailure(error: unknown, run: Run): number {
  if (isBrokenPipe(error)) return EXIT.done;
  const failure = isParserError(error) ? usageError(error, run) : error;
  const colour = !isSet(run, 'no-color') && wantsColour(process.env, process.stderr);
  const theme = createTheme({ colour });
  if (isSet(run, 'json', '-j')) process.stdout.write(`${JSON.stringify(errorJson(failure), null, 2)}\n`);
  process.stderr.write(
    failure instanceof OpsError ? renderError(failure, theme) : renderBug(failure, theme, process.env),
  );
  annotate(failure instanceof OpsError ? faultsOf(failure) : []);
  return failure instanceof OpsError ? failure.exitCode : EXIT.bug;
}

/** Each problem that has a place in a file, else the failure itself. */
function faultsOf(failure: OpsError): Problem[] {
  const placed = failure.problems.filter(({ file }) => file !== undefined);
  const { code, message, why, hints } = failure;
  return placed.length > 0 ? placed : [{ code, message, why, hint: hints.join('\nTry: ') }];
}

/** In a job of GitHub Actions, or where `always`: marks problems in the files of the pull request. Goes to stderr. */
export function annotate(problems: readonly Problem[], { always = false } = {}): void {
  const { env } = process;
  if (!always && env.GITHUB_ACTIONS !== 'true') return;
  const checkout = { cwd: process.cwd(), workspace: env.GITHUB_WORKSPACE };
  const lines = renderAnnotations(problems.map((problem) => annotationOf(problem, checkout)));
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
}

/** The reader of our output has gone, as `head` does: nothing is wrong. */
const isBrokenPipe = (error: unknown): boolean => (error as { code?: string } | undefined)?.code === 'EPIPE';
