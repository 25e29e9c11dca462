import type { DeadStats } from '../../model/dead-stats.ts';
import { clean } from '../sanitize.ts';
import { widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf, shorten } from './dlq.ts';
import { renderColumns } from './dlq-show.ts';

/** Narrower than this no value is cut, in columns. */
const NARROWEST = 12;
/** As long as values have so many together, nothing goes for their sake. */
const READABLE = 40;

/**
 * Draws the groups as a table, the largest first, each with the line that replays it: behind it where there is room,
 * else below it. Empty where there are none. A line is never cut, since it is there to be copied.
 */
export function renderStats(
  stats: DeadStats,
  { theme, width, now }: { theme: Theme; width: number; now: Date },
): string {
  const first = stats.groups[0];
  if (!first) return '';
  const names = Object.keys(first.by);
  const table = (names: readonly string[], widest: number, without: number): string[] => {
    const cell = (text: string): string => (widthOf(text) > widest ? shorten(text, widest) : text);
    const rows = stats.groups.map(({ by, count, first_seen, last_seen, sample }) => [
      String(count),
      ...names.map((name) => cell(clean(by[name] ?? '-'))),
      ageOf(first_seen, now) || '-',
      ageOf(last_seen, now) || '-',
      clean(sample),
    ]);
    // `json:.n` and `json:.N` are two keys.
    const titles = names.map((name) => clean(name.includes(':') ? name : name.toUpperCase()));
    const header = ['COUNT', ...titles, 'FIRST', 'LAST', 'SAMPLE'];
    return renderColumns(
      [header, ...rows].map((row) => row.slice(0, row.length - without)),
      new Set([0]),
    );
  };
  const widest = (lines: readonly string[]): number => Math.max(...lines.map(widthOf));
  const others = stats.others ? [theme.faint(`${stats.others} more in other groups`)] : [];
  const lines = stats.groups.map(({ replay }) => clean(replay ?? '-'));

  const whole = table(names, Number.POSITIVE_INFINITY, 0);
  const column = widest(whole) + 2;
  if (column + widest(lines) <= width) {
    const [head, ...rows] = whole.map(
      (row, index) => `${row.padEnd(row.length + column - widthOf(row))}${index === 0 ? 'REPLAY' : lines[index - 1]}`,
    );
    return [theme.strong(head!), ...rows, ...others].join('\n');
  }
  // What is said elsewhere goes first where the terminal is narrow: values that all rows have, the sample, then the times;
  // then values are cut.
  const differing = names.filter((name) => stats.groups.some(({ by }) => by[name] !== first.by[name]));
  const left = widest(whole) <= width || differing.length === 0 ? names : differing;
  const [head, ...rows] = fitted(width, left.length, (...how) => table(left, ...how), widest);
  const pairs = rows.flatMap((row, index) =>
    stats.groups[index]!.replay === null ? [row] : [row, theme.faint(`       ${lines[index]}`)],
  );
  return [theme.strong(head!), ...pairs, ...others].join('\n');
}

function fitted(
  width: number,
  values: number,
  table: (widest: number, without: number) => string[],
  widest: (lines: readonly string[]) => number,
): string[] {
  const steps = [0, 1, 2, 3];
  const whole = steps
    .map((without) => table(Number.POSITIVE_INFINITY, without))
    .find((lines) => widest(lines) <= width);
  if (whole) return whole;
  const enough = Math.max(NARROWEST, Math.floor(READABLE / Math.max(1, values)));
  for (const without of steps) {
    const least = without < steps.at(-1)! ? enough : NARROWEST;
    for (let cells = Math.floor(width / Math.max(1, values)); cells >= least; cells--) {
      const cut = table(cells, without);
      if (widest(cut) <= width) return cut;
    }
  }
  return table(NARROWEST, steps.at(-1)!);
}
