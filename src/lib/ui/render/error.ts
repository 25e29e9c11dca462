import { conceal } from '../../errors/conceal.ts';
import { OpsError, type Problem } from '../../errors/ops-error.ts';
import { isObject } from '../../model/json.ts';
import { clean } from '../sanitize.ts';
import { counted } from '../text.ts';
import type { Theme } from '../theme.ts';

/** Lines of untrusted text, each after the indent. Never wrapped: paths and subjects stay whole in CI logs. */
const indented = (text: string, indent: string): string =>
  clean(text.trimEnd(), { newlines: true })
    .split('\n')
    .map((line) => `${indent}${line}`)
    .join('\n');

/** `config/prod.yaml:24:5 (queues.REQUESTS.max_age)`, with the parts that are known. */
function placeOf(problem: Problem): string {
  const file = problem.file ?? '';
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column ?? 1}`;
  if (!problem.path) return place;
  return place ? `${place} (${problem.path})` : problem.path;
}

function renderProblem(problem: Problem, theme: Theme): string {
  const isWarning = problem.severity === 'warning';
  const word = isWarning ? theme.warn('warning') : theme.refuse('error');
  const place = placeOf(problem);
  return [
    `${word} ${theme.strong(clean(problem.message))}`,
    ...(place ? [theme.faint(indented(`at ${place}`, '  '))] : []),
    ...(problem.why ? [indented(problem.why, '  ')] : []),
    ...(problem.hint ? [indented(`Try: ${problem.hint}`, '  ')] : []),
    theme.faint(`  Code: ${theme.code(clean(problem.code))}`),
  ].join('\n');
}

/** `2 errors, 1 warning`. */
function countProblems(problems: readonly Problem[]): string {
  const warnings = problems.filter((problem) => problem.severity === 'warning').length;
  const errors = problems.length - warnings;
  return [...(errors ? [counted(errors, 'error')] : []), ...(warnings ? [counted(warnings, 'warning')] : [])].join(
    ', ',
  );
}

/** Every problem in the order given, a blank line between, and a counted summary. Empty text where there is none. */
export const renderProblems = (problems: readonly Problem[], theme: Theme): string =>
  problems.length === 0 ? '' : `${listProblems(problems, theme)}${theme.strong(`${countProblems(problems)}.`)}\n`;

const listProblems = (problems: readonly Problem[], theme: Theme): string =>
  problems.map((problem) => `${renderProblem(problem, theme)}\n\n`).join('');

/** Their problems are told already: by the plan that is drawn on stdout just before, or by the message. */
const TOLD_ALREADY: readonly string[] = ['RISK_REFUSED', 'PLAN_REFUSED', 'PLAN_STALE'];

/** An error for a person: what, where, why, what to do, code, in this order; the problems of a spec, which it counts, before it. */
export function renderError(error: OpsError, theme: Theme): string {
  const isItself = ({ code, message }: Problem) => code === error.code && message === error.message;
  const problems = TOLD_ALREADY.includes(error.code) ? [] : error.problems.filter((problem) => !isItself(problem));
  const parts = [
    `${theme.refuse('Error:')} ${theme.strong(indented(error.message, '  ').trimStart())}`,
    ...(error.where ? [theme.faint(indented(`at ${error.where}`, '  '))] : []),
    ...(error.why ? [indented(error.why, '  ')] : []),
    ...error.hints.map((hint) => indented(`Try: ${hint}`, '  ')),
    theme.faint(`  Code: ${theme.code(error.code)}`),
  ];
  return `${listProblems(problems, theme)}${parts.join('\n')}\n`;
}

export interface ErrorJson {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly problems?: readonly {
      readonly code: string;
      readonly message: string;
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
      readonly hint?: string;
    }[];
  };
}

/**
 * What scripts get of a failure: the allowed fields and nothing else, since an error can carry connection options.
 * A half-way result, such as the changes of an apply that failed, stands beside `error`.
 */
export function errorJson(error: unknown): ErrorJson & Record<string, unknown> {
  if (!(error instanceof OpsError)) {
    return { error: { code: 'BUG', message: messageOf(error), hint: 'this is a fault of osapi-ops: report it' } };
  }
  const problems = error.problems.map(({ code, message, file, line, column, hint }) => ({
    code,
    message,
    file,
    line,
    column,
    hint,
  }));
  return {
    ...(isObject(error.result) ? error.result : {}),
    error: {
      code: error.code,
      message: error.message,
      ...(error.hints.length > 0 ? { hint: error.hints.join('; ') } : {}),
      ...(problems.length > 0 ? { problems } : {}),
    },
  };
}

const messageOf = (error: unknown): string => conceal(error instanceof Error ? error.message : String(error));

/** A failure that is ours: one line and how to report it; the stack where OSAPI_OPS_DEBUG or DEBUG asks for it. */
export function renderBug(error: unknown, theme: Theme, env: Readonly<Record<string, string | undefined>>): string {
  const wantsStack = Boolean(env.OSAPI_OPS_DEBUG || env.DEBUG);
  const stack = conceal(error instanceof Error && error.stack ? error.stack : String(error));
  return `${[
    `${theme.refuse('Error:')} ${theme.strong(indented(messageOf(error), '  ').trimStart())}`,
    '  This is a fault of osapi-ops, not of your input: nothing here is known to be your mistake.',
    wantsStack
      ? indented(stack, '  ')
      : '  Try: run it again with OSAPI_OPS_DEBUG=1, and report what it prints together with the command.',
    theme.faint(`  Code: ${theme.code('BUG')}`),
  ].join('\n')}\n`;
}
