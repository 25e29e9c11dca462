import type { QueueFigures, StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { firstColumns, padEnd } from '../text.ts';
import { figuresLine, nameOfSystem, renderStatus, type StatusView, troubles } from './status.ts';
import { type DrawnSystem, renderSeveral } from './status-several.ts';

const BARS = '▁▂▃▄▅▆▇█';

/** A row of bars, the newest last; the highest value takes a whole one, and nothing is a low line. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(1, ...values);
  return values.map((value) => BARS[Math.min(BARS.length - 1, Math.ceil((value / top) * (BARS.length - 1)))]).join('');
}

const ROWS = [
  ['ready', 'waiting'],
  ['in_flight', 'in flight'],
  ['dead', 'dead'],
] as const;

/** A screen: the last look at all systems, and below it how each queue went. */
export function renderWatch(
  looks: readonly (readonly DrawnSystem[])[],
  view: StatusView & { readonly height: number },
): string {
  const last = looks.at(-1)!;
  const { theme, width, height } = view;
  const [only] = last;
  const text = last.length === 1 ? renderStatus(only!.report, view) : renderSeveral(last, view);
  const lines = text.trimEnd().split('\n');
  const room = Math.max(8, Math.min(60, width - 32));
  for (const [index, { report }] of last.entries()) {
    const { system } = report;
    // A system keeps its place; one that came since, or went, begins anew.
    const reports = looks.flatMap((look) => (look[index]?.report.system === system ? [look[index]!.report] : []));
    for (const { name } of report.queues) {
      lines.push('', theme.strong(clean(last.length === 1 ? name : `${nameOfSystem(report)}: ${name}`)));
      for (const [key, title] of ROWS) {
        const seen = reports.map(({ queues }) => queues.find((queue) => queue.name === name));
        const least = (queue: QueueFigures | undefined) => (key === 'dead' ? (queue?.dead_least ?? 0) : 0);
        const drawn = sparkline(seen.slice(-room).map((queue) => queue?.[key] ?? least(queue)));
        const now = seen.at(-1);
        const unknown = least(now) > 0 ? `at least ${least(now)}` : 'unknown';
        lines.push(`  ${padEnd(title, 10)} ${padEnd(String(now?.[key] ?? unknown), 14)} ${drawn}`);
      }
    }
  }
  lines.push('', theme.faint(`${only!.report.at}; Ctrl-C ends it`));
  // A line more than the screen has would scroll it away.
  return lines
    .slice(0, Math.max(1, height - 1))
    .map((line) => firstColumns(line, width))
    .join('\n');
}

/** One line for a log: time, verdict, figures, and the worst trouble. */
export function watchLine(report: StatusReport): string {
  const [worst] = troubles(report.checks);
  const figures = report.queues.map((queue) => `${queue.name}: ${figuresLine(queue)}`).join('; ');
  const trouble = worst ? ` (${worst.id}: ${worst.summary})` : '';
  return clean(`${report.at} ${nameOfSystem(report)} ${report.health}: ${figures}${trouble}`);
}
