import { clean } from '../sanitize.ts';
import { padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { shorten } from './dlq.ts';

/** A record as far as it is drawn. */
interface Drawn {
  readonly at: string;
  readonly who: string;
  readonly host: string;
  readonly ci?: string;
  readonly system: string;
  readonly verb: string;
  readonly summary: string;
}

interface Column {
  readonly title: string;
  readonly value: (record: Drawn) => string;
  /** The first to go where the terminal is narrow: 1, then 2. */
  readonly leaves?: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'WHEN', value: ({ at }) => `${at.slice(0, 10)} ${at.slice(11, 19)}Z` },
  { title: 'WHO', value: ({ who }) => who },
  { title: 'FROM', value: ({ ci, host }) => ci ?? host, leaves: 1 },
  { title: 'SYSTEM', value: ({ system }) => system, leaves: 2 },
  { title: 'VERB', value: ({ verb }) => verb },
  { title: 'WHAT', value: ({ summary }) => summary },
];
/** The last column, which is cut where the terminal ends, has at least so many columns. */
const LEAST = 24;

/** A table, newest first. */
export function renderHistory(records: readonly Drawn[], { theme, width }: { theme: Theme; width: number }): string {
  const measure = (columns: readonly Column[]) => {
    const rows = records.map((record) => columns.map(({ value }) => clean(value(record))));
    const widths = columns.map(({ title }, index) =>
      Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index]!))),
    );
    return { columns, rows, widths, room: width - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0) };
  };
  const tries = [0, 1, 2].map((gone) => measure(COLUMNS.filter(({ leaves = 3 }) => leaves > gone)));
  const { columns, rows, widths, room: left } = tries.find(({ room }) => room >= LEAST) ?? tries.at(-1)!;
  const room = Math.max(LEAST, left);
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        if (index < cells.length - 1) return padEnd(cell, widths[index]!);
        return widthOf(cell) > room ? shorten(cell, room) : cell;
      })
      .join('  ')
      .trimEnd();
  return `${[theme.strong(draw(columns.map(({ title }) => title))), ...rows.map(draw)].join('\n')}\n`;
}
