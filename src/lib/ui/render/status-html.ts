import { checkCode } from '../../facts/check-pages.ts';
import { keyOf } from '../../model/resource.ts';
import { isLine } from '../../model/shell.ts';
import type { QueueFigures, StatusReport } from '../../model/verdict.ts';
import { barSvg, html, htmlPage, htmlTable, type Part } from './html.ts';
import { figuresLine, nameOfSystem, troubles, VERDICTS } from './status.ts';
import { serverOf } from './words.ts';

/** What a queue holds, as a bar; the rest of what it may hold is free. */
function capacity({ ready, in_flight: flight, redelivered, dead, dead_least: least, stored }: QueueFigures): string {
  if (ready === null || flight === null) return '';
  const retrying = redelivered ?? 0;
  const parts: Part[] = [
    { fill: 'waiting', word: 'waiting', count: ready },
    { fill: 'flight', word: 'in flight', count: Math.max(0, flight - retrying) },
    { fill: 'warn', word: 'retrying', count: retrying },
    { fill: 'dead', word: dead === null ? 'dead at least' : 'dead', count: dead ?? least ?? 0 },
  ];
  const used = parts.reduce((sum, { count }) => sum + count, 0);
  const most = stored?.max_messages ?? null;
  const free =
    most === null ? [] : [{ fill: 'free' as const, word: 'free', count: Math.max(0, most - (stored?.messages ?? 0)) }];
  const shown = [...parts, ...free].filter(({ count }) => count > 0);
  return barSvg(shown, Math.max(used + (free[0]?.count ?? 0), 1));
}

const figureOf = (value: number | null): string => (value === null ? 'unknown' : String(value));

function section(report: StatusReport): string {
  const { health, checks, queues, drift, target, at } = report;
  const bad = troubles(checks);
  const findings = bad.map(({ id, name, status, summary, next }) => [
    `<b class="${status}">${{ critical: '✖ critical', warn: '▲ warning', unknown: '? unknown', ok: '' }[status]}</b>`,
    html(id),
    `${html(summary)}${next === undefined ? '' : `<br>${isLine(next) ? `<code>${html(next)}</code>` : html(next)}`}`,
    html(checkCode(name)),
  ]);
  const drawn = queues.map(
    (queue) => `<h2>${html(queue.name)}</h2>\n${capacity(queue)}\n<p>${html(figuresLine(queue))}</p>`,
  );
  const changes = drift.map((change) => [
    html(change.action),
    html(keyOf(change)),
    change.fields
      .map(({ path, from, to }) => `${html(path)}: ${html(JSON.stringify(from))} → ${html(JSON.stringify(to))}`)
      .join('<br>'),
  ]);
  const figures = queues.map(({ name, ready, in_flight, dead, redelivered, oldest_seconds, responses }) => [
    html(name),
    ...[ready, in_flight, redelivered, dead, oldest_seconds, responses].map(figureOf),
  ]);
  return [
    `<h1>${html(nameOfSystem(report))} is <span class="${health}">${VERDICTS[health]}</span></h1>`,
    `<p class="muted">${target ? `${html(target.url)}, ${html(serverOf(target))}, ` : ''}${html(at)}</p>`,
    bad.length > 0
      ? htmlTable(['', 'what', 'why, and what to type', 'code'], findings, new Set())
      : '<p class="ok">✔ Nothing is wrong.</p>',
    ...drawn,
    queues.length > 0
      ? `<h2>Figures</h2>\n${htmlTable(['queue', 'waiting', 'in flight', 'retrying', 'dead', 'oldest, s', 'responses'], figures, new Set([1, 2, 3, 4, 5, 6]))}`
      : '',
    changes.length > 0
      ? `<h2>Differs from the spec</h2>\n${htmlTable(['', 'what', 'field: is → declared'], changes, new Set())}`
      : '',
  ]
    .filter(Boolean)
    .join('\n');
}

/** A report as one file to keep or to send. */
export const renderStatusHtml = (reports: readonly StatusReport[]): string => {
  const names = reports.map((report) => `${nameOfSystem(report)}: ${VERDICTS[report.health]}`).join(', ');
  return htmlPage(`osapi-ops status: ${names}`, reports.map(section).join('\n<hr>\n'));
};
