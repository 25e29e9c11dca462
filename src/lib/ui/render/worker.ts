import { concealAll } from '../../errors/conceal.ts';
import { printJson } from '../../model/json.ts';
import { tookMs } from '../../model/units.ts';
import type { WorkerEvent, WorkerReport } from '../../model/worker.ts';
import { clean, cleanLine } from '../sanitize.ts';
import { counted } from '../text.ts';
import type { Theme } from '../theme.ts';

export type LogForm = 'text' | 'json';

/** One line of a worker's log, for people or, one JSON object a line, for machines. */
export function renderLogLine(event: WorkerEvent, form: LogForm, { now, theme }: { now: Date; theme: Theme }): string {
  const { level, event: name, message, ...facts } = concealAll(event);
  const time = now.toISOString();
  if (form === 'json') return `${printJson({ time, level, event: name, message, ...facts })}\n`;
  const style = { debug: theme.faint, info: theme.faint, warn: theme.warn, error: theme.refuse }[level];
  const { reason, request_id: id, seq, delivery, ms, retry_in_ms: wait } = facts;
  const said = [
    id !== undefined && `request ${clean(id)}`,
    id === undefined && seq !== undefined && `message ${seq}`,
    cleanLine(message),
  ];
  const figures = [
    delivery !== undefined && delivery > 1 && `delivery ${delivery}`,
    ms !== undefined && theme.faint(`after ${tookMs(ms)}`),
    wait !== undefined && `again in ${tookMs(wait)}`,
  ];
  const words = [theme.faint(time), style(level.padEnd(5)), ...said].filter(Boolean).join(' ');
  // The reason comes last, without brackets: it has some of its own.
  const why = reason === undefined ? '' : `: ${cleanLine(reason)}`;
  return `${[words, ...figures.filter(Boolean)].join(', ')}${why}\n`;
}

const ROWS: readonly (readonly [keyof WorkerReport, string])[] = [
  ['answered', 'answered'],
  ['already_answered', 'answered before'],
  ['failed', 'failed'],
  ['retried', 'put off'],
  ['rejected', 'rejected'],
  ['unstored', 'not stored'],
  ['returned', 'given back'],
];

/** What a worker did, in a line. */
export function renderWorkerReport(report: WorkerReport, theme: Theme): string {
  const told = ROWS.filter(([key]) => key === 'answered' || report[key] !== 0).map(
    ([key, word]) => `${report[key]} ${word}`,
  );
  const rate =
    report.seconds >= 1 && report.answered > 0 ? `, ${Math.round(report.answered / report.seconds)} answered/s` : '';
  const taken = `${counted(report.taken, 'delivery', 'deliveries')} in ${tookMs(report.seconds * 1000)}${rate}`;
  return `${theme.strong(`${told.join(', ')}`)}: ${taken}\n`;
}
