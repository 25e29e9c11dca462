import { confirm, input, select } from '@inquirer/prompts';
import { OpsError } from '../errors/ops-error.ts';
import type { Answer, Question } from '../model/io.ts';
import { clean } from './sanitize.ts';
import { flow } from './text.ts';

export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

const interrupted = (): OpsError =>
  new OpsError('INTERRUPTED', 'interrupted by Ctrl-C at a question', {
    why: 'Nothing was done after the question.',
    hints: ['run it again to be asked again'],
  });

const noAnswer = (question: Question): OpsError =>
  new OpsError('NOT_CONFIRMED', 'standard input ended before the question was answered', {
    why: clean(question.text),
    hints: ['answer it, or pass the flag that answers it.'],
  });

/**
 * Asks one question on the terminal.
 * @throws OpsError INTERRUPTED for Ctrl-C and an aborted signal, NOT_CONFIRMED for Ctrl-D
 */
export async function askPerson<Q extends Question>(question: Q, terminal: Terminal): Promise<Answer<Q>> {
  // After Ctrl-D readline closes, which pauses its input, and the prompt never settles: Node would end quietly with
  // code 0, or wait for ever where a connection is open.
  const ended = new AbortController();
  const end = () => ended.abort();
  terminal.input.once('pause', end);
  const context = {
    input: terminal.input,
    output: terminal.output,
    signal: AbortSignal.any([terminal.signal, ended.signal]),
  };
  try {
    return (await put(question, context)) as Answer<Q>;
  } catch (error) {
    if (terminal.signal.aborted) throw terminal.signal.reason;
    // A prompt that settles pauses its input, too: which came first, the error says.
    const name = error instanceof Error ? error.name : '';
    if (name === 'AbortPromptError') throw noAnswer(question);
    throw name === 'ExitPromptError' ? interrupted() : error;
  } finally {
    terminal.input.removeListener('pause', end);
  }
}

/** What the prompts put before a question. */
const PREFIX = '? ';

function put(
  question: Question,
  context: Parameters<typeof confirm>[1] & Pick<Terminal, 'output'>,
): Promise<string | boolean> {
  // Broken at spaces: the prompts themselves break in the middle of a time, or of a path that is to be copied.
  const width = context.output.columns - ' (y/N) '.length;
  const message = flow(clean(question.text, { newlines: true }), { width, first: PREFIX }).slice(PREFIX.length);
  switch (question.type) {
    case 'confirm':
      return confirm({ message, default: question.fallback }, context);
    case 'typed-name':
      return input({ message }, context);
    case 'text':
      return input({ message, default: question.fallback }, context);
    case 'choice':
      return select(
        {
          message,
          default: question.fallback,
          choices: question.choices.map(({ value, label }) => ({ value, name: clean(label) })),
        },
        context,
      );
  }
}
