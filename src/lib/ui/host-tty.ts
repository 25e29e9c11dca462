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
  readonly signal: AbortSignal;
}

/** Redraw a progress line at most this often, in milliseconds. */
const PROGRESS_EVERY = 100;

/** Draws tasks and asks questions on the terminal, all on stderr. listr2 and the prompts are loaded when first needed. */
export function createTtyHost(options: TtyHostOptions): Io {
  const { quiet, colour, interactive, stderr, signal } = options;
  const plain = createPlainHost({ ...options, now: () => performance.now() });
  let board: Promise<TaskBoard> | undefined;
  let isProgressShown = false;
  let lastProgress = 0;

  const clearProgress = () => {
    if (isProgressShown) stderr.write('\r\u001b[K');
    isProgressShown = false;
  };

  const tellProgress = ({ title, done, total }: Extract<Event, { type: 'progress' }>) => {
    const isLast = total !== undefined && done >= total;
    const now = performance.now();
    if (quiet || (!isLast && isProgressShown && now - lastProgress < PROGRESS_EVERY)) return;
    lastProgress = now;
    clearProgress();
    if (isLast) return stderr.write(`${clean(title)}: ${done} of ${total}\n`);
    const text = `${clean(title)}: ${done}${total === undefined ? '' : ` of ${total}`}`;
    // A line longer than the terminal would leave its first half behind at the next redraw.
    stderr.write(text.slice(0, (stderr.columns ?? 80) - 1));
    isProgressShown = true;
  };

  const startBoard = (event: Extract<Event, { type: 'tasks' }>) => {
    const title = clean(event.title);
    const tasks = event.tasks.map((task) => clean(task));
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
      clearProgress();
      if (quiet || event.type === 'note' || event.type === 'warning') plain.tell(event);
      else if (event.type === 'tasks') startBoard(event);
      else if (event.type === 'task')
        board?.then((running) => running.tell({ ...event, detail: event.detail && clean(event.detail) }));
      else board?.then((running) => running.end());
    },
    async ask<Q extends Question>(question: Q): Promise<Answer<Q>> {
      if (!interactive) return question.fallback as Answer<Q>;
      clearProgress();
      await board?.then((running) => running.end());
      signal.throwIfAborted();
      // The prompts colour by the environment alone.
      if (!colour) process.env.NO_COLOR = '1';
      const { askPerson } = await import('./prompts.ts');
      return askPerson(question, { input: options.stdin, output: stderr, signal });
    },
  };
}
