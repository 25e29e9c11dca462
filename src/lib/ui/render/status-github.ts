import { checkCode } from '../../facts/check-pages.ts';
import type { Health, StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { type Annotation, renderAnnotations } from './annotations.ts';
import { figuresLine, nameOfSystem, troubles, VERDICTS } from './status.ts';

const LEVELS: Readonly<Record<Exclude<Health, 'ok'>, Annotation['level']>> = {
  critical: 'error',
  warn: 'warning',
  unknown: 'notice',
};

/** An annotation for each trouble, and the verdict. */
export function renderGithub(report: StatusReport): string {
  const name = nameOfSystem(report);
  const figures = report.queues.map((queue) => `${queue.name}: ${figuresLine(queue)}`).join('; ');
  const annotations = troubles(report.checks).map(
    ({ status, id, name: check, summary, next }): Annotation => ({
      level: LEVELS[status as keyof typeof LEVELS],
      title: `${name} ${id}`,
      text: `${summary}.${next === undefined ? '' : ` Next: ${next}.`} ${checkCode(check)}`,
    }),
  );
  const verdict = `${name} is ${VERDICTS[report.health]}${figures ? `: ${clean(figures)}` : ''}`;
  return `${[...renderAnnotations(annotations), verdict].join('\n')}\n`;
}
