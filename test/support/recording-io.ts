import type { Answer, Event, Io, Question } from '../../src/lib/model/io.ts';

export interface RecordingIo extends Io {
  readonly events: Event[];
  readonly questions: Question[];
  /** Notes and warnings, in order. */
  readonly lines: () => string[];
}

/** A host that writes down what it is told and asked; `answer` plays the person, and makes it interactive. */
export function createRecordingIo({
  answer,
  signal = new AbortController().signal,
}: {
  answer?: (question: Question) => string | boolean;
  signal?: AbortSignal;
} = {}): RecordingIo {
  const events: Event[] = [];
  const questions: Question[] = [];
  return {
    events,
    questions,
    lines: () => events.flatMap((event) => (event.type === 'note' || event.type === 'warning' ? [event.text] : [])),
    interactive: answer !== undefined,
    signal,
    tell: (event) => void events.push(event),
    ask: async <Q extends Question>(question: Q) => {
      questions.push(question);
      return (answer ? answer(question) : question.fallback) as Answer<Q>;
    },
  };
}
