import type { DeadStats } from '../../model/dead-stats.ts';
import { clean } from '../sanitize.ts';
import { widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf, shorten } from './dlq.ts';
import { renderColumns } from './dlq-show.ts';

const WIDEST = 48;

/** Draws the groups as a table, the largest first. */
export function renderStats(
  stats: DeadStats,
  { theme, width, now }: { theme: Theme; width: number; now: Date },
): string {
  const first = stats.groups[0];
  if (!first) return 'no dead letters';
  const names = Object.keys(first.by);
  const cell = (text: string): string => (text.length > WIDEST ? shorten(text, WIDEST) : text);
  const rows = stats.groups.map(({ by, count, first_seen, last_seen, sample }) => [
    String(count),
    ...names.map((name) => cell(clean(by[name] ?? '-'))),
    ageOf(first_seen, now) || '-',
    ageOf(last_seen, now) || '-',
    clean(sample),
  ]);
  const header = ['COUNT', ...names.map((name) => clean(name.toUpperCase())), 'FIRST', 'LAST', 'SAMPLE'];
  const draw = (without: number) =>
    renderColumns(
      [header, ...rows].map((row) => row.slice(0, row.length - without)),
      new Set([0]),
    );
  // What is said elsewhere goes where the terminal is narrow: the sample, then the times.
  const fits = (lines: readonly string[]) => lines.every((line) => widthOf(line) <= width);
  const [head, ...lines] = [0, 1, 2].map(draw).find(fits) ?? draw(3);
  const others = stats.others ? [theme.faint(`${stats.others} more in other groups`)] : [];
  return [theme.strong(head!), ...lines, ...others].join('\n');
}
