import { distance } from 'fastest-levenshtein';
import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { errorJson, renderBug, renderError } from './render/error.ts';
import { createTheme, wantsColour } from './theme.ts';

/** What oclif throws, always about the command line: our words are made from its message, its own drawing is not used. */
interface ParserError {
  readonly message: string;
  readonly oclif?: { readonly exit?: number };
  readonly code?: string;
}

const isParserError = (error: unknown): error is ParserError =>
  typeof error === 'object' && error !== null && 'oclif' in error && !(error instanceof OpsError);

/** The word nearest to what was typed, where one is near enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => ({ name, off: distance(word, name) })).sort((a, b) => a.off - b.off);
  return ranked[0] && ranked[0].off <= Math.max(2, Math.floor(word.length / 3)) ? ranked[0].name : undefined;
}

function usageError(error: ParserError, command: string): OpsError {
  const [first = ''] = error.message.split('\nSee more help');
  const message = first.replace(/\s*\n\s*/g, ' ').trim();
  return new OpsError('USAGE', message.charAt(0).toLowerCase() + message.slice(1), {
    where: `osapi-ops ${command.replaceAll(':', ' ')}`.trim(),
    hints: [`see \`osapi-ops ${command.replaceAll(':', ' ')} --help\``],
    cause: error,
  });
}

/**
 * Tells a failure: for people on stderr, under `--json` also as JSON on stdout.
 * @returns the exit code of the process
 */
export function reportFailure(error: unknown, run: { argv: readonly string[]; command: string }): number {
  if (isBrokenPipe(error)) return EXIT.done;
  const failure = isParserError(error) ? usageError(error, run.command) : error;
  const wantsJson = run.argv.includes('--json') || run.argv.includes('-j');
  const theme = createTheme({ colour: !run.argv.includes('--no-color') && wantsColour(process.env, process.stderr) });
  if (wantsJson) process.stdout.write(`${JSON.stringify(errorJson(failure), null, 2)}\n`);
  process.stderr.write(failure instanceof OpsError ? renderError(failure, theme) : renderBug(failure, theme));
  return failure instanceof OpsError ? failure.exitCode : EXIT.bug;
}

/** The reader of our output has gone, as `head` does: nothing is wrong. */
const isBrokenPipe = (error: unknown): boolean => (error as { code?: string } | undefined)?.code === 'EPIPE';
