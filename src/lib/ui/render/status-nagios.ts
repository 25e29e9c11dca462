import { checkCode } from '../../facts/check-pages.ts';
import { CHECKS, type CheckName, type CheckUnit } from '../../facts/checks.ts';
import type { Check, Health, StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { figuresLine, nameOfSystem, troubles } from './status.ts';

const WORDS: Readonly<Record<Health, string>> = {
  ok: 'OK',
  warn: 'WARNING',
  critical: 'CRITICAL',
  unknown: 'UNKNOWN',
};

/** The exit codes of a nagios plugin. */
export const NAGIOS_EXIT: Readonly<Record<Health, number>> = { ok: 0, warn: 1, critical: 2, unknown: 3 };

const UNITS: Readonly<Partial<Record<CheckUnit, string>>> = { milliseconds: 'ms', seconds: 's', percent: '%' };

/** A plugin ends its text at the bar; what follows is for machines. */
const text = (words: string): string => clean(words).replaceAll('|', '/');

/** One line: verdict, troubles, and after the bar the figures of every check. */
export function renderNagios(report: StatusReport): string {
  const bad = troubles(report.checks);
  const told =
    bad.length > 0
      ? bad.map(({ id, name, summary }) => `${id}: ${summary} (${checkCode(name)})`).join('; ')
      : report.queues.map((queue) => `${queue.name}: ${figuresLine(queue)}`).join('; ');
  const data = report.checks.flatMap(perfData);
  const head = `${nameOfSystem(report)} ${WORDS[report.health]}`;
  return `${text(`${head}: ${told || 'no queues'}`)}${data.length > 0 ? ` | ${data.join(' ')}` : ''}\n`;
}

function perfData({ id, name, value, threshold }: Check): string[] {
  if (value === undefined) return [];
  const fact: { doc: string; unit?: CheckUnit } = CHECKS[name as CheckName];
  const label = text(id).replaceAll("'", '').replaceAll('=', '-');
  const limits = threshold ? `;${threshold.warn ?? ''};${threshold.critical ?? ''}` : '';
  return [`'${label}'=${value}${(fact.unit && UNITS[fact.unit]) ?? ''}${limits}`];
}
