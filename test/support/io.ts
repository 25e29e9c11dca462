import type { Answer, Event, Io, Question } from '../../src/lib/model/io.ts';

/** A host that records what it is told and answers with what the test wants, else with the fallback. */
export function recordingIo(answers: Readonly<Record<string, unknown>> = {}): Io & { readonly events: Event[] } {
  const events: Event[] = [];
  return {
    interactive: Object.keys(answers).length > 0,
    events,
    tell: (event) => void events.push(event),
    ask: async <Q extends Question>(question: Q) =>
      (Object.entries(answers).find(([part]) => question.text.includes(part))?.[1] ?? question.fallback) as Answer<Q>,
    signal: new AbortController().signal,
  };
}
