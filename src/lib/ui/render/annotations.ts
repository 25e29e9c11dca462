import path from 'node:path';
import type { Problem } from '../../errors/ops-error.ts';
import { clean } from '../sanitize.ts';

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly text: string;
  /** Relative to the repository. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Where paths begin, and where the repository does: GITHUB_WORKSPACE. */
export interface Checkout {
  readonly cwd: string;
  readonly workspace: string | undefined;
}

const LEVELS = ['error', 'warning', 'notice'] as const;
/** GitHub shows so many annotations of a kind for each step and drops the rest without a word. */
const SHOWN = 10;

const data = (text: string): string =>
  clean(text, { newlines: true }).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(clean(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** Workflow commands of GitHub Actions, the worst first; what is beyond its limit is in the last one of its kind. */
export const renderAnnotations = (annotations: readonly Annotation[]): string[] =>
  LEVELS.flatMap((level) => {
    const mine = annotations.filter((annotation) => annotation.level === level);
    if (mine.length <= SHOWN) return mine.map(command);
    const rest = mine.slice(SHOWN - 1);
    const titles = rest.slice(0, 50).map(({ title }) => title);
    return [
      ...mine.slice(0, SHOWN - 1).map(command),
      command({ level, title: `${rest.length} more`, text: titles.join(', ') }),
    ];
  });

function command({ level, title, text, file, line, column }: Annotation): string {
  const properties = Object.entries({ file, line, col: column, title })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${level} ${properties.join(',')}::${data(text)}`;
}

/** What happened, why, and what to do. */
export const sentencesOf = ({ message, why, hint }: Problem): string[] => [
  message,
  ...(why ? [why] : []),
  // Some hints say themselves that they are one.
  ...(hint ? [/^the way round/i.test(hint) ? hint.replace(/^t/, 'T') : `Try: ${hint}`] : []),
];

/** The annotation of a problem, at its place in the repository where it has one. */
export function annotationOf(problem: Problem, checkout: Checkout): Annotation {
  const { code, severity = 'error', file, line, column } = problem;
  return {
    level: severity,
    title: code,
    text: sentencesOf(problem).join('\n'),
    ...(file !== undefined && file !== '-' && { file: inRepository(file, checkout) }),
    line,
    column,
  };
}

/** GitHub finds a file by its path from the root of the repository, wherever the command ran. */
export function inRepository(file: string, { cwd, workspace }: Checkout): string {
  const relative = path.relative(workspace || cwd, path.resolve(cwd, file));
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative.split(path.sep).join('/');
}
