import { checkCode } from '../../facts/check-pages.ts';
import { isLine } from '../../model/shell.ts';
import { aboutMs } from '../../model/units.ts';
import type { Health, StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { counted } from '../text.ts';
import { nameOfSystem, troubles, VERDICTS } from './status.ts';
import { serverOf } from './words.ts';

const SIGNS: Readonly<Record<Health, string>> = { ok: '✅', warn: '⚠️', critical: '❌', unknown: '❔' };
/** A job's summary may have 1 MiB; a comment 65,536 characters. */
const ROWS = 100;

/** Text in a table's cell or a sentence: what Markdown or HTML would obey is escaped. */
const plain = (text: string): string => clean(text).replace(/[\\`*_{}[\]<>|#~]/g, (character) => `\\${character}`);
const code = (text: string): string => `\`${clean(text).replaceAll('`', 'ˋ').replaceAll('|', '\\|')}\``;
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const figure = (value: number | null): string => (value === null ? '–' : String(value));

/** For a pull request, or the summary of a job. */
export function renderStatusMarkdown(report: StatusReport): string {
  const { health, checks, queues, drift, target } = report;
  const bad = troubles(checks);
  const lines = [
    `### ${SIGNS[health]} ${plain(nameOfSystem(report))} is ${VERDICTS[health]}`,
    '',
    ...(target ? [`${plain(target.url)}, ${plain(serverOf(target))}`, ''] : []),
  ];
  if (queues.length > 0) {
    lines.push(row(['queue', 'waiting', 'in flight', 'dead', 'oldest waits', 'responses']));
    lines.push('| --- | --: | --: | --: | --: | --: |');
    for (const queue of queues.slice(0, ROWS)) {
      const { ready, in_flight, dead, dead_least: least, oldest_seconds: oldest, responses } = queue;
      const age = oldest === null ? '–' : aboutMs(oldest * 1000);
      const died = dead === null && ready !== null ? (least ? `≥ ${least}` : 'unknown') : figure(dead);
      lines.push(row([code(queue.name), figure(ready), figure(in_flight), died, age, figure(responses)]));
    }
    const trends = queues
      .slice(0, ROWS)
      .flatMap(({ name, trend }) => (trend ? [`- ${code(name)} ${plain(trend.summary)}`] : []));
    if (trends.length > 0) lines.push('', ...trends);
    if (queues.length > ROWS) lines.push('', `and ${counted(queues.length - ROWS, 'more queue')}`);
    lines.push('');
  }
  if (bad.length > 0) {
    lines.push(row(['', 'check', 'finding', 'next']), '| --- | --- | --- | --- |');
    for (const { status, id, name, summary, next } of bad.slice(0, ROWS)) {
      lines.push(
        row([
          SIGNS[status],
          code(id),
          `${plain(summary)} (${checkCode(name)})`,
          next === undefined ? '' : isLine(next) ? code(next) : plain(next),
        ]),
      );
    }
    if (bad.length > ROWS) lines.push('', `and ${bad.length - ROWS} more`);
    lines.push('');
  }
  const passed = checks.filter(({ status }) => status === 'ok').length;
  lines.push(
    `${passed} of ${counted(checks.length, 'check')} passed${drift.length > 0 ? `; ${counted(drift.length, 'change')} pending` : ''}.`,
  );
  return `${lines.join('\n')}\n`;
}
