import type { Problem } from '../../errors/ops-error.ts';
import { clean } from '../sanitize.ts';
import type { Theme } from '../theme.ts';
import { renderProblems } from './error.ts';

interface Validated {
  readonly valid: boolean;
  readonly sources: readonly string[];
  readonly systems: readonly { readonly spec: { readonly name: string; readonly queues: object } }[];
  readonly problems: readonly Problem[];
  readonly fixed: readonly Problem[];
}

const placeOf = ({ file, line, column }: Problem): string => `${file ?? ''}:${line ?? 1}:${column ?? 1}`;

/** What was mended, then what stands; one calm line where nothing does. */
export function renderValidated(result: Validated, theme: Theme): string {
  const mended = result.fixed.map((each) => `${theme.good('mended')} ${clean(`${placeOf(each)} ${each.message}`)}`);
  const rest = renderProblems(result.problems, theme);
  const names = result.sources.map((source) => (source === '-' ? 'the spec on standard input' : source)).join(', ');
  const calm = result.problems.length === 0 ? `${clean(names)}: valid, no warnings.\n` : '';
  return [...mended.map((line) => `${line}\n`), ...(mended.length > 0 && rest ? ['\n'] : []), rest, calm].join('');
}
