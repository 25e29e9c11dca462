import type { Answer, Event, Io, Question } from '../model/io.ts';
import { clean } from './sanitize.ts';
import { createTheme } from './theme.ts';

export interface PlainHostOptions {
  readonly quiet: boolean;
  readonly colour: boolean;
  readonly stderr: { write(text: string): unknown };
  readonly signal: AbortSignal;
  /** Milliseconds of any clock that only goes forward. */
  now(): number;
}

/** A log is read later: a line of progress each five seconds is enough, in milliseconds. */
const PROGRESS_EVERY = 5000;

/** Plain lines on stderr, for CI and pipes. Asks nobody: every question gets its fallback. */
export function createPlainHost({ quiet, colour, stderr, signal, now }: PlainHostOptions): Io {
  const theme = createTheme({ colour });
  let tasks: readonly string[] = [];
  let lastProgress = Number.NEGATIVE_INFINITY;
  const line = (text: string) => stderr.write(`${text}\n`);

  const tellTask = (event: Extract<Event, { type: 'task' }>) => {
    if (event.state === 'started' || (quiet && event.state !== 'failed')) return;
    const style = event.state === 'failed' ? theme.refuse : event.state === 'done' ? theme.good : theme.faint;
    const detail = event.detail ? `: ${clean(event.detail)}` : '';
    line(`  ${style(event.state.padEnd(7))} ${clean(tasks[event.index] ?? '')}${detail}`);
  };

  const tellProgress = ({ title, done, total }: Extract<Event, { type: 'progress' }>) => {
    const isLast = total !== undefined && done >= total;
    if (quiet || (!isLast && now() - lastProgress < PROGRESS_EVERY)) return;
    lastProgress = isLast ? Number.NEGATIVE_INFINITY : now();
    line(`  ${clean(title)}: ${done}${total === undefined ? '' : ` of ${total}`}`);
  };

  return {
    interactive: false,
    signal,
    ask: async <Q extends Question>(question: Q) => question.fallback as Answer<Q>,
    tell(event) {
      switch (event.type) {
        case 'note':
          if (!quiet) line(clean(event.text, { newlines: true }));
          return;
        case 'warning':
          line(`${theme.warn('Warning:')} ${clean(event.text, { newlines: true })}`);
          return;
        case 'tasks':
          tasks = event.tasks;
          if (!quiet) line(theme.strong(clean(event.title)));
          return;
        case 'task':
          tellTask(event);
          return;
        case 'progress':
          tellProgress(event);
          return;
        case 'tasks-end':
          tasks = [];
      }
    },
  };
}
