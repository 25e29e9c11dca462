// What a terminal shows after a program wrote to it: rows of text with their styles, as a terminal emulator sees them.
import headless from '@xterm/headless';

export interface Run {
  readonly column: number;
  readonly text: string;
  /** Class names of the picture's style sheet. */
  readonly style: string;
}

export type Row = readonly Run[];

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
/** More than any picture has; nothing scrolls away. */
const ROWS = 400;

type Cell = NonNullable<ReturnType<NonNullable<ReturnType<headless.IBuffer['getLine']>>['getCell']>>;

function styleOf(cell: Cell): string {
  const colour = cell.isFgPalette() ? COLOURS[cell.getFgColor() % COLOURS.length]! : '';
  return [colour, cell.isBold() && 'bold', cell.isDim() && 'dim', cell.isUnderline() && 'line']
    .filter(Boolean)
    .join(' ');
}

/** Lets an emulator of so many columns read it all. Rows end where their text does; empty ones at the end are left out. */
export async function screenOf(written: string, columns: number): Promise<readonly Row[]> {
  const terminal = new headless.Terminal({ cols: columns, rows: ROWS, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(written, resolve));
  const buffer = terminal.buffer.active;
  const rows = Array.from({ length: ROWS }, (_, row) => runsOf(buffer, row, columns));
  terminal.dispose();
  return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
}

function runsOf(buffer: headless.IBuffer, row: number, columns: number): Row {
  const runs: Run[] = [];
  for (let column = 0; column < columns; column++) {
    const cell = buffer.getLine(row)?.getCell(column);
    const text = cell?.getChars() || ' ';
    const style = cell ? styleOf(cell) : '';
    const last = runs.at(-1);
    if (last?.style === style) runs[runs.length - 1] = { ...last, text: last.text + text };
    else runs.push({ column, text, style });
  }
  const end = runs.findLastIndex(({ text }) => text.trim() !== '');
  return runs.slice(0, end + 1).map((run, index) => (index === end ? { ...run, text: run.text.trimEnd() } : run));
}
