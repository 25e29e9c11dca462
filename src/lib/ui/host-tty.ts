import type { Answer, Event, Io, Question } from '../model/io.ts';
import { createPlainHost } from './host-plain.ts';
import { clean } from './sanitize.ts';
import type { TaskBoard } from './task-board.ts';

export interface TtyHostOptions {
  readonly quiet: boolean;
  readonly colour: boolean;
  /** Whether stdin is a terminal too, so that questions can be answered. */
  readonly interactive: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  /** What the command prints, where that may be on the same terminal. */
  readonly stdout?: NodeJS.WriteStream | undefined;
  readonly signal: AbortSignal;
  /** Whether nothing may be drawn by itself now: somebody else has the terminal, or what is waited for may never come. */
  isHeld?(): boolean;
}

/** Redraw a progress line at most this often, in milliseconds. */
const PROGRESS_EVERY = 100;
/** After so many milliseconds without a word a line says that there is work going on; looked at so often. */
const SILENCE = 400;
const LOOK_EVERY = 100;

/** Has something done before whatever anybody writes; gives how to write without that. */
function beforeWrites(stream: NodeJS.WriteStream, act: () => void): (text: string) => boolean {
  const write = stream.write.bind(stream) as NodeJS.WriteStream['write'];
  stream.write = ((...words: Parameters<typeof write>) => {
    act();
    return write(...words);
  }) as typeof write;
  return write;
}

/** Draws tasks and asks questions on the terminal, all on stderr. listr2 and the prompts are loaded when first needed. */
export function createTtyHost(options: TtyHostOptions): Io {
  const { quiet, colour, interactive, stderr, stdout, signal, isHeld = () => false } = options;
  const plain = createPlainHost({ ...options, now: () => performance.now() });
  let board: Promise<TaskBoard> | undefined;
  let isBoardShown = false;
  let isAsking = false;
  /** The line that the next words take away: how far something is, or only that it goes on. */
  let shown: 'progress' | 'life' | undefined;
  let lastProgress = 0;
  let title = 'Working';
  let lastTold = performance.now();
  let lastDrawn = lastTold;

  const clear = () => {
    if (shown) draw('\r\u001b[K');
    shown = undefined;
    lastDrawn = lastTold = performance.now();
    title = 'Working';
  };
  const draw = beforeWrites(stderr, clear);
  if (stdout?.isTTY) beforeWrites(stdout, clear);
  // A line longer than the terminal would leave its first half behind at the next redraw.
  const drawLine = (text: string) => draw(text.slice(0, (stderr.columns ?? 80) - 1));
  const showLife = () => {
    const now = performance.now();
    if (quiet || isBoardShown || isAsking || now - lastDrawn < SILENCE || isHeld()) return;
    const seconds = Math.floor((now - lastTold) / 1000);
    if (shown) draw('\r\u001b[K');
    drawLine(seconds === 0 ? `${title}…` : `${title}… ${seconds}s`);
    shown ??= 'life';
    lastDrawn = now;
  };
  setInterval(showLife, LOOK_EVERY).unref();
  // Where the process is ended at once, the prompt of the shell begins a line of its own.
  process.once('exit', () => {
    if (shown === 'progress') draw('\n');
    else clear();
  });

  const tellProgress = ({ title: what, done, total }: Extract<Event, { type: 'progress' }>) => {
    const isLast = total !== undefined && done >= total;
    const now = performance.now();
    if (quiet || (!isLast && shown === 'progress' && now - lastProgress < PROGRESS_EVERY)) return;
    lastProgress = now;
    clear();
    const text = `${clean(what)}: ${done}${total === undefined ? '' : ` of ${total}`}`;
    if (isLast) return draw(`${text}\n`);
    drawLine(text);
    title = text;
    shown = 'progress';
  };

  const startBoard = (event: Extract<Event, { type: 'tasks' }>) => {
    const title = clean(event.title);
    const tasks = event.tasks.map((task) => clean(task));
    isBoardShown = true;
    board = import('./task-board.ts').then(({ startTaskBoard }) =>
      startTaskBoard({ title, tasks, colour, stderr, signal }),
    );
  };

  return {
    interactive,
    signal,
    tell(event) {
      if (event.type === 'progress') {
        tellProgress(event);
        return;
      }
      clear();
      if (quiet || event.type === 'note' || event.type === 'warning') plain.tell(event);
      else if (event.type === 'tasks') startBoard(event);
      else if (event.type === 'task')
        board?.then((running) => running.tell({ ...event, detail: event.detail && clean(event.detail) }));
      else {
        isBoardShown = false;
        board?.then((running) => running.end());
      }
    },
    async ask<Q extends Question>(question: Q): Promise<Answer<Q>> {
      if (!interactive) return question.fallback as Answer<Q>;
      clear();
      await board?.then((running) => running.end());
      signal.throwIfAborted();
      // The prompts colour by the environment alone.
      if (!colour) process.env.NO_COLOR = '1';
      const { askPerson } = await import('./prompts.ts');
      isAsking = true;
      try {
        return await askPerson(question, { input: options.stdin, output: stderr, signal });
      } finally {
        isAsking = false;
        clear();
      }
    },
  };
}
