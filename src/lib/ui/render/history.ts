import { clean } from '../sanitize.ts';
import { flow, padEnd, secondOf, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';

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
  { title: 'WHEN', value: ({ at }) => secondOf(at) },
  { title: 'WHO', value: ({ who }) => who },
  { title: 'FROM', value: ({ ci, host }) => ci ?? host, leaves: 1 },
  { title: 'SYSTEM', value: ({ system }) => system, leaves: 2 },
  { title: 'VERB', value: ({ verb }) => verb },
  { title: 'WHAT', value: ({ summary }) => summary },
];
/** The last column, which goes on below where the terminal ends, has at least so many columns. */
const LEAST = 24;

/** A table, newest first. Who and where leave before a word of what was done needs a second line; none is cut. */
export function renderHistory(records: readonly Drawn[], { theme, width }: { theme: Theme; width: number }): string {
  const measure = (columns: readonly Column[]) => {
    const rows = records.map((record) => columns.map(({ value }) => clean(value(record))));
    const widths = columns.map(({ title }, index) =>
      Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index]!))),
    );
    return { columns, rows, widths, room: width - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0) };
  };
  const tries = [0, 1, 2].map((gone) => measure(COLUMNS.filter(({ leaves = 3 }) => leaves > gone)));
  const fits = ({ room, widths }: (typeof tries)[number]) => room >= widths.at(-1)!;
  const { columns, rows, widths, room } = tries.find(fits) ?? tries.at(-1)!;
  const draw = (cells: readonly string[]) => {
    const before = cells.slice(0, -1).map((cell, index) => `${padEnd(cell, widths[index]!)}  `);
    const first = before.join('');
    return flow(cells.at(-1)!, { width: widthOf(first) + Math.max(LEAST, room), first }).trimEnd();
  };
  return `${[theme.strong(draw(columns.map(({ title }) => title))), ...rows.map(draw)].join('\n')}\n`;
}
