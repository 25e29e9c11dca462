import { EXIT } from '../errors/codes.ts';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import { printJson } from '../model/json.ts';
import { isYes, variableOf } from '../model/variables.ts';
import { linkedPages } from './code-pages.ts';
import { isParserError, usageError } from './parser-error.ts';
import { annotationOf, renderAnnotations } from './render/annotations.ts';
import { errorJson, renderBug, renderError } from './render/error.ts';
import { createTheme, wantsColour } from './theme.ts';

/** What was run, as far as it is known. */
export interface Run {
  readonly argv: readonly string[];
  /** The id of the command; empty where there is none. */
  readonly command: string;
  /** The package's folder, where the pages of codes are. */
  readonly root?: string;
  /** The names of its flags, for a guess at what was meant. */
  readonly flags?: readonly string[];
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
  const failure = isParserError(error) ? usageError(error, run.command, run.flags) : error;
  const colour = !isSet(run, 'no-color') && wantsColour(process.env, process.stderr);
  const theme = createTheme({ colour, pageOf: linkedPages(run.root, process.stderr, { colour }) });
  if (isSet(run, 'json', '-j')) process.stdout.write(`${printJson(errorJson(failure), 2)}\n`);
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
