import type { DeadStats, DeathsOverTime } from '../../model/dead-stats.ts';
import { barSvg, columnsSvg, html, htmlPage, htmlTable, type Part, swatchSvg } from './html.ts';

/** The largest groups have a colour each; a letter tells them apart as well. */
const FILLS: readonly Part['fill'][] = ['dead', 'warn', 'waiting', 'flight', 'ok', 'other'];
const letterOf = (index: number): string => (index < FILLS.length ? String.fromCharCode(65 + index) : '·');
const fillOf = (index: number): Part['fill'] => FILLS[index] ?? 'muted';

/** A time to the second, as `history` has it. */
const moment = (at: string | null): string => (at === null ? '-' : html(`${at.slice(0, 10)} ${at.slice(11, 19)}Z`));

const nameOf = (by: Readonly<Record<string, string | null>>): string =>
  Object.entries(by)
    .map(([key, value]) => value ?? `no ${key}`)
    .join(', ');

/** Groups of dead letters, and when they died, as one file to keep or to send. */
export function renderStatsHtml(
  stats: DeadStats,
  timeline: DeathsOverTime,
  { line, at, server }: { readonly line: string; readonly at: string; readonly server: string },
): string {
  const { total, groups, others = 0 } = stats;
  const shown = groups.slice(0, FILLS.length);
  const rest = total - shown.reduce((sum, { count }) => sum + count, 0);
  const parts: Part[] = [
    ...shown.map(({ by, count }, index) => ({ fill: fillOf(index), word: `${letterOf(index)} ${nameOf(by)}`, count })),
    ...(rest > 0 ? [{ fill: 'muted' as const, word: 'others', count: rest }] : []),
  ];
  const series = timeline.groups.map(({ by, counts }) => {
    const index = by === undefined ? FILLS.length : shown.findIndex((group) => nameOf(group.by) === nameOf(by));
    const place = index < 0 ? FILLS.length : index;
    return { fill: fillOf(place), name: by === undefined ? 'others' : `${letterOf(place)} ${nameOf(by)}`, counts };
  });
  const rows = groups.map(({ by, count, first_seen, last_seen, sample, replay }, index) => [
    `${swatchSvg(fillOf(index))} ${letterOf(index)}`,
    String(count),
    ...Object.values(by).map((value) => (value === null ? '<span class="muted">none</span>' : html(value))),
    moment(first_seen),
    moment(last_seen),
    `${html(sample)}${replay === null ? '' : `<br><code>${html(replay)}</code>`}`,
  ]);
  const keys = Object.keys(groups[0]?.by ?? {});
  const body = [
    `<h1>${total === 1 ? '1 dead letter' : `${total} dead letters`}</h1>`,
    `<p class="muted">${html(server)}, ${moment(at)}</p>`,
    `<p class="muted"><code>${html(line)}</code></p>`,
    total > 0 ? barSvg(parts, total) : '<p class="ok">✔ Nothing is dead.</p>',
    timeline.from !== null && timeline.to !== null
      ? `<h2>Deaths in steps of ${timeline.step_seconds} s</h2>\n${columnsSvg(series, {
          label: `deaths from ${timeline.from} to ${timeline.to}, by group; the figures are in the table below`,
          from: moment(timeline.from),
          to: moment(timeline.to),
        })}`
      : '',
    total > 0
      ? htmlTable(
          ['', 'count', ...keys, 'first', 'last', 'sample, and the line that replays these'],
          rows,
          new Set([1]),
        )
      : '',
    others > 0 ? `<p class="muted">${others} more in other groups</p>` : '',
  ];
  return htmlPage(`osapi-ops dlq stats: ${total}`, body.filter(Boolean).join('\n'));
}
