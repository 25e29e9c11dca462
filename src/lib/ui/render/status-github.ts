import { checkCode } from '../../facts/check-pages.ts';
import { failsBy, type Health, type StatusReport } from '../../model/verdict.ts';
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
  const annotations = troubles(report.checks).map((check): Annotation => {
    const { id, summary, next } = check;
    const status = check.status === 'unknown' && failsBy(report, check, 'critical') ? 'critical' : check.status;
    return {
      level: LEVELS[status as keyof typeof LEVELS],
      title: `${name} ${id}`,
      text: `${summary}.${next === undefined ? '' : ` Next: ${next}.`} ${checkCode(check.name)}`,
    };
  });
  const verdict = `${name} is ${VERDICTS[report.health]}${figures ? `: ${clean(figures)}` : ''}`;
  return `${[...renderAnnotations(annotations), verdict].join('\n')}\n`;
}
