import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import { type Nanos, parseDuration } from '../../model/units.ts';
import type { Answers } from '../../spec/starter.ts';

/** Answers as a person types them, in flags or at a prompt. */
export type WrittenAnswers = { readonly [A in keyof Answers]?: string };

interface Ask<T> {
  readonly text: string;
  readonly fallback: string;
  /** `undefined` where the text is no such value. */
  parse(text: string): T | undefined;
  readonly expected: string;
}

/** Words that leave an optional part out. */
const NONE = new Set(['', 'none', 'no', '-']);

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const some = (text: string): string | undefined => text.trim() || undefined;
const optional = (text: string): string => (NONE.has(text.trim().toLowerCase()) ? '' : text.trim());
const whole = (text: string): number | undefined => (/^\d+$/.test(text.trim()) ? Number(text) : undefined);
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '');

function durations(text: string): Nanos[] | undefined {
  const parsed = (NONE.has(text.trim().toLowerCase()) ? [] : words(text)).map((word) => parseDuration(word));
  return parsed.every((nanos): nanos is Nanos => nanos !== undefined && nanos > 0) ? parsed : undefined;
}

const duration = (text: string): Nanos | undefined => {
  const nanos = parseDuration(text);
  return nanos !== undefined && nanos > 0 ? nanos : undefined;
};

/**
 * One question after another: what a flag answers is not asked, and later defaults follow from earlier answers. Off a
 * terminal, and with `yes`, what is not answered takes its default. `folder` names the system where nobody does.
 * @throws OpsError USAGE for a flag whose text is no such value
 */
export async function askAnswers(
  context: Context,
  { answers, yes }: { answers: WrittenAnswers; yes: boolean },
  folder: string,
): Promise<Answers> {
  const put = async <T>(key: keyof Answers, ask: Ask<T>): Promise<T> => {
    const given = answers[key];
    if (given !== undefined) return need(ask.parse(given), key, given, ask.expected);
    if (yes || !context.io.interactive) return need(ask.parse(ask.fallback), key, ask.fallback, ask.expected);
    for (;;) {
      const typed = await context.io.ask({ type: 'text', text: ask.text, fallback: ask.fallback });
      const parsed = ask.parse(typed);
      if (parsed !== undefined) return parsed;
      context.io.tell({ type: 'warning', text: `"${typed}" is not ${ask.expected}` });
    }
  };
  const name = await put('name', {
    text: 'The system’s name (the owner mark):',
    fallback: slug(folder) || 'osapi',
    parse: some,
    expected: 'a name',
  });
  const queue = await put('queue', {
    text: 'The stream that keeps requests:',
    fallback: 'REQUESTS',
    parse: some,
    expected: 'a stream’s name',
  });
  const subjects = await put('subjects', {
    text: 'The subjects it takes, commas between:',
    fallback: `${slug(queue) || 'requests'}.*`,
    parse: (text) => (words(text).length > 0 ? words(text) : undefined),
    expected: 'a list of subjects',
  });
  const consumer = await put('consumer', {
    text: 'The consumer that workers pull from:',
    fallback: 'request-worker',
    parse: some,
    expected: 'a consumer’s name',
  });
  const maxDeliver = await put('maxDeliver', {
    text: 'How often a failing request is tried:',
    fallback: '10',
    parse: (text) => whole(text) || undefined,
    expected: 'a number of 1 or more',
  });
  const backoff = await put('backoff', {
    text: 'The waits between tries:',
    fallback: ['5s', '10s', '15s'].slice(0, maxDeliver).join(', '),
    parse: durations,
    expected: 'a list of durations such as 5s, 10s, 15s',
  });
  const maxMsgs = await put('maxMsgs', {
    text: 'How many requests may wait before publishers are refused:',
    fallback: '100000',
    parse: (text) => whole(text) || undefined,
    expected: 'a number of 1 or more',
  });
  const replicas = await put('replicas', {
    text: 'Copies in the cluster (1, 3 or 5; a single server takes 1):',
    fallback: '1',
    parse: (text) => (['1', '3', '5'].includes(text.trim()) ? Number(text) : undefined),
    expected: '1, 3 or 5',
  });
  const dlq = await put('dlq', {
    text: 'The stream that notes dead requests (none: no DLQ):',
    fallback: `${slug(queue).replaceAll('-', '_') || 'requests'}_dlq`,
    parse: optional,
    expected: 'a stream’s name',
  });
  const responses = await put('responses', {
    text: 'The bucket that keeps responses (none: no responses):',
    fallback: 'responses',
    parse: optional,
    expected: 'a bucket’s name',
  });
  const ttl = responses
    ? await put('ttl', {
        text: 'How long a response is kept:',
        fallback: '7d',
        parse: duration,
        expected: 'a duration such as 7d',
      })
    : (0 as Nanos);
  return { name, queue, subjects, consumer, maxDeliver, backoff, maxMsgs, replicas, dlq, responses, ttl };
}

function need<T>(value: T | undefined, key: string, text: string, expected: string): T {
  if (value !== undefined) return value;
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new OpsError('USAGE', `"${text}" for ${flag} is not ${expected}`, {
    where: 'osapi-ops init',
    hints: [`give ${flag} ${expected}.`],
  });
}
