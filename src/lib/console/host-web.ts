import type { Event, Io, Question } from '../model/io.ts';

/** The port of two verbs for somebody who only looks: what is told is passed on, and nobody is asked. */
export const lookingIo = (signal: AbortSignal, tell: (event: Event) => void): Io => ({
  interactive: false,
  signal,
  tell,
  ask: async (question) => question.fallback as never,
});

/** The same for somebody who acts: a question waits for its answer, and takes its fallback where none comes. */
export const askingIo = (
  signal: AbortSignal,
  tell: (event: Event) => void,
  ask: (question: Question) => Promise<boolean | string>,
): Io => ({ interactive: true, signal, tell, ask: (question) => ask(question) as Promise<never> });
