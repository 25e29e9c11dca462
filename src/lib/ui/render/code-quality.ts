import { createHash } from 'node:crypto';
import type { Problem } from '../../errors/ops-error.ts';
import { printJson } from '../../model/json.ts';
import { clean } from '../sanitize.ts';
import { type Checkout, inRepository, sentencesOf } from './annotations.ts';

/** GitLab's code quality report: JSON, one issue for each problem, shown beside its line in a merge request. */
export function renderCodeQuality(problems: readonly Problem[], checkout: Checkout): string {
  const issues = problems.map((problem) => {
    const { code, severity, message, path, file = '-', line = 1 } = problem;
    return {
      description: clean(sentencesOf(problem).join(' ')),
      check_name: code,
      severity: severity === 'warning' ? 'minor' : 'major',
      // Without the line: what only moved is not new.
      fingerprint: createHash('sha256').update([file, code, path, message].join('\n')).digest('hex'),
      location: { path: inRepository(file, checkout), lines: { begin: line } },
    };
  });
  return `${printJson(issues, 2)}\n`;
}
