import type { Check, StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { figuresLine, nameOfSystem, troubles, VERDICTS } from './status.ts';

/** GitHub shows so many annotations of a kind for each step and drops the rest without a word. */
const SHOWN = 10;

const data = (text: string): string =>
  clean(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** Workflow commands: an annotation for each trouble, and what is beyond GitHub's limit in the last one. */
export function renderGithub(report: StatusReport): string {
  const name = nameOfSystem(report);
  const bad = troubles(report.checks);
  const figures = report.queues.map((queue) => `${queue.name}: ${figuresLine(queue)}`).join('; ');
  const lines = [
    ...annotations(
      'error',
      name,
      bad.filter(({ status }) => status === 'critical'),
    ),
    ...annotations(
      'warning',
      name,
      bad.filter(({ status }) => status === 'warn'),
    ),
    ...annotations(
      'notice',
      name,
      bad.filter(({ status }) => status === 'unknown'),
    ),
    `${name} is ${VERDICTS[report.health]}${figures ? `: ${clean(figures)}` : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}

function annotations(level: 'error' | 'warning' | 'notice', name: string, checks: readonly Check[]): string[] {
  const line = (title: string, text: string) => `::${level} title=${property(title)}::${data(text)}`;
  const told = (check: Check) =>
    line(`${name} ${check.id}`, check.next === undefined ? check.summary : `${check.summary}. Next: ${check.next}`);
  if (checks.length <= SHOWN) return checks.map(told);
  const rest = checks.slice(SHOWN - 1);
  const ids = rest
    .map(({ id }) => id)
    .slice(0, 50)
    .join(', ');
  return [...checks.slice(0, SHOWN - 1).map(told), line(`${name}: ${rest.length} more`, ids)];
}
