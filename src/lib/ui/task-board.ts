import type { Event } from '../model/io.ts';
import { cutTo } from './text.ts';
import { createTheme, type Theme } from './theme.ts';

type TaskEvent = Extract<Event, { type: 'task' }>;

/** A list of tasks on the terminal, drawn again and again until it ends. */
export interface TaskBoard {
  tell(event: TaskEvent): void;
  /** Something else is written above it. */
  above(write: () => void): void;
  /** Draws it a last time and gives the cursor back. */
  end(): void;
}

export interface BoardOptions {
  readonly title: string;
  readonly tasks: readonly string[];
  readonly colour: boolean;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

interface Row {
  readonly name: string;
  state: TaskEvent['state'] | 'waiting';
  detail?: string;
}

/** What the board shows; `spinner` turns while it is drawn, and is undefined the last time. */
type Draw = (spinner: string | undefined) => readonly string[];

const FRAMES = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
const FRAME_MS = 100;
const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

/** Starts drawing. A list longer than the screen is drawn as one counting line, since a terminal cannot scroll back to redraw. */
export function startTaskBoard({ title, tasks, colour, stderr, signal }: BoardOptions): TaskBoard {
  const theme = createTheme({ colour });
  const rows = tasks.map((name): Row => ({ name, state: 'waiting' }));
  const fits = tasks.length < (stderr.rows ?? 24) - 3;
  if (fits) stderr.write(`${theme.strong(title)}\n`);
  const board = drawOn(stderr, fits ? drawList(rows, theme) : drawCount(title, rows, theme));
  // The terminal is given back before the interruption is told, whoever forgets to end the list.
  signal.addEventListener('abort', board.end, { once: true });
  return {
    above: board.above,
    tell({ index, state, detail }) {
      const row = rows[index];
      if (!row) return;
      Object.assign(row, { state, detail });
      if (!fits && state === 'failed') board.above(() => stderr.write(`${row.name}: ${detail ?? 'failed'}\n`));
    },
    end() {
      signal.removeEventListener('abort', board.end);
      board.end();
    },
  };
}

/** For a task that the list ended without. */
const UNDONE = { waiting: 'not reached', started: 'interrupted', skipped: 'skipped' } as const;

const drawList =
  (rows: readonly Row[], theme: Theme): Draw =>
  (spinner) =>
    rows.flatMap(({ name, state, detail }) => {
      if (state === 'done') return `${theme.good('✔')} ${name}${detail ? `: ${detail}` : ''}`;
      if (state === 'failed') return [`${theme.refuse('✖')} ${name}`, theme.refuse(`  › ${detail ?? 'failed'}`)];
      if (state === 'skipped' || spinner === undefined) return `${theme.warn('↓')} ${name}: ${detail ?? UNDONE[state]}`;
      return `${theme.warn(spinner)} ${state === 'started' ? name : theme.faint(name)}`;
    });

const drawCount =
  (title: string, rows: readonly Row[], theme: Theme): Draw =>
  (spinner) => {
    const count = (state: Row['state']) => rows.filter((row) => row.state === state).length;
    const others = (['failed', 'skipped'] as const).filter((state) => count(state) > 0);
    const end = count('failed') > 0 ? theme.refuse('✖') : theme.good('✔');
    const told = others.map((state) => `, ${count(state)} ${state}`).join('');
    return [`${spinner ? theme.warn(spinner) : end} ${title}: ${count('done')} of ${rows.length} done${told}`];
  };

/** Draws where the cursor is, over what was drawn before. */
function drawOn(stderr: NodeJS.WriteStream, draw: Draw): { above: TaskBoard['above']; end(): void } {
  let drawn = 0;
  let frame = 0;
  let isEnded = false;
  const back = () => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '');
  const redraw = () => {
    const spinner = isEnded ? undefined : FRAMES[frame++ % FRAMES.length]!;
    // A line longer than the terminal would leave its second half behind; the last time all of it may be read.
    const lines = draw(spinner).map((line) => (isEnded ? line : cutTo(line, (stderr.columns ?? 80) - 1)));
    stderr.write(`${back()}${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
  };
  const show = () => stderr.write(SHOW);
  stderr.write(HIDE);
  process.once('exit', show);
  redraw();
  const timer = setInterval(redraw, FRAME_MS).unref();
  return {
    above(write) {
      if (!isEnded) stderr.write(back());
      drawn = 0;
      write();
      if (!isEnded) redraw();
    },
    end() {
      if (isEnded) return;
      isEnded = true;
      clearInterval(timer);
      process.off('exit', show);
      redraw();
      show();
    },
  };
}
