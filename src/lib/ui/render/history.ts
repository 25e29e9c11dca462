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

const COLUMNS: readonly { readonly title: string; readonly value: (record: Drawn) => string }[] = [
  { title: 'WHEN', value: ({ at }) => `${at.slice(0, 10)} ${at.slice(11, 19)}Z` },
  { title: 'WHO', value: ({ who }) => who },
  { title: 'FROM', value: ({ ci, host }) => ci ?? host },
  { title: 'SYSTEM', value: ({ system }) => system },
  { title: 'VERB', value: ({ verb }) => verb },
  { title: 'WHAT', value: ({ summary }) => summary },
];
/** The last column, which is cut where the terminal ends, has at least so many columns. */
const LEAST = 30;

/** A table, newest first. */
export function renderHistory(records: readonly Drawn[], { theme, width }: { theme: Theme; width: number }): string {
  const rows = records.map((record) => COLUMNS.map(({ value }) => clean(value(record))));
  const widths = COLUMNS.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index]!))),
  );
  const room = Math.max(LEAST, width - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0));
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        if (index < cells.length - 1) return padEnd(cell, widths[index]!);
        return widthOf(cell) > room ? shorten(cell, room) : cell;
      })
      .join('  ')
      .trimEnd();
  return `${[theme.strong(draw(COLUMNS.map(({ title }) => title))), ...rows.map(draw)].join('\n')}\n`;
}
