import { OpsError } from '../errors/ops-error.ts';
import { isConsumerName, isSeq, isStreamName } from '../facts/tokens.ts';
import type { QueueRef } from '../model/entry.ts';
import type { IdPattern } from '../model/entry-filter.ts';
import { jsonIn, objectOf } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { shellWord, toType } from '../model/shell.ts';

/** Reads an id from its end, where the parts cannot hold a slash; `undefined` for what is none. */
export function parseId(text: string): IdPattern | undefined {
  const parts = text.trim().split('/');
  const last = parts.pop() ?? '';
  const seq = /^[1-9]\d{0,15}$/.test(last) ? Number(last) : 0;
  if (!isSeq(seq)) return undefined;
  const consumer = parts.pop();
  if (consumer === undefined) return { text, seq };
  if (!isConsumerName(consumer)) return undefined;
  if (parts.length === 0) return { text, consumer, seq };
  const queue = parts.join('/');
  return isStreamName(queue) ? { text, queue, consumer, seq } : undefined;
}

/** Whether an entry of this id is meant. */
export function matchesId(pattern: IdPattern, id: string): boolean {
  const slash = id.lastIndexOf('/');
  if (Number(id.slice(slash + 1)) !== pattern.seq) return false;
  if (pattern.consumer === undefined) return true;
  const before = id.slice(0, slash);
  return pattern.queue === undefined
    ? before.endsWith(`/${pattern.consumer}`)
    : before === `${pattern.queue}/${pattern.consumer}`;
}

/** The messages that ids can mean in these queues, each once. */
export function meantBy(patterns: readonly IdPattern[], queues: readonly QueueRef[]): { queue: string; seq: number }[] {
  const asked = queues.flatMap(({ queue }) =>
    patterns.filter((pattern) => (pattern.queue ?? queue) === queue).map(({ seq }) => ({ queue, seq })),
  );
  return [...new Map(asked.map((one) => [`${one.queue}/${one.seq}`, one])).values()];
}

/**
 * How far back records of ids can lie, in milliseconds since 1970: a record older than its original points at nothing.
 * `undefined` where an id does not name its queue, or its original is not there: then all are read.
 */
export function reachBack(patterns: readonly IdPattern[], originals: readonly StoredMessage[]): number | undefined {
  const isThere = patterns.every((pattern) =>
    originals.some(({ stream, seq }) => pattern.queue === stream && pattern.seq === seq),
  );
  return isThere ? Math.min(...originals.map(({ time }) => Date.parse(time))) - 1000 : undefined;
}

const bySeq = new WeakMap<readonly IdPattern[], ReadonlyMap<number, readonly IdPattern[]>>();

/** Whether an entry of this id is among those that are meant, however many they are. */
export function isAmong(patterns: readonly IdPattern[], id: string): boolean {
  const index = bySeq.get(patterns) ?? Map.groupBy(patterns, ({ seq }) => seq);
  bySeq.set(patterns, index);
  return (index.get(Number(id.slice(id.lastIndexOf('/') + 1))) ?? []).some((pattern) => matchesId(pattern, id));
}

/**
 * Reads ids of a file, one a line, or lines of JSON that have one, as `dlq ls --ndjson` prints them; `#` begins a comment.
 * @throws OpsError USAGE with the line of what is none
 */
export function idsIn(text: string, file: string): IdPattern[] {
  return text.split('\n').flatMap((line, index) => {
    const word = line.trim();
    if (word === '' || word.startsWith('#')) return [];
    const id = word.startsWith('{') ? idOfJson(word) : word;
    const pattern = id === undefined ? undefined : parseId(id);
    if (!pattern) throw noId(id ?? word, `${file}:${index + 1}`);
    return [pattern];
  });
}

function idOfJson(line: string): string | undefined {
  const { id } = objectOf(jsonIn(line));
  return typeof id === 'string' ? id : undefined;
}

/** So many characters of what is no id are quoted. */
const QUOTED = 60;

/** What a request is called is an id as well, and what people have at hand. */
const ofRequest = (id: string): readonly string[] => [
  `where it is the id of a request: \`${toType`osapi-ops request show ${id}`}\` tells its life`,
  `\`${toType`osapi-ops dlq ls --request-id ${id}`}\` finds its dead letter`,
];

function noId(text: string, where: string): OpsError {
  const quoted = text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;
  return new OpsError('USAGE', `"${quoted}" is no id of a dead letter`, {
    where,
    why: 'An id is stream/consumer/sequence; where that is clear, consumer/sequence or the sequence alone will do.',
    hints: [
      /\s/.test(text.trim()) && where !== 'ID'
        ? 'write an id a line, or save what `osapi-ops dlq ls --ndjson` prints: a table holds more than ids'
        : '`osapi-ops dlq ls` prints the ids',
      ...(where === 'ID' && /^[^\s/]+$/.test(text) ? ofRequest(text) : []),
    ],
  });
}

/**
 * Ids as people write them. `where`: the conditions beside them, whose last may go on in what is no id.
 * @throws OpsError USAGE
 */
export function parseIds(texts: readonly string[], where: readonly string[] = []): IdPattern[] {
  return texts.map((text) => {
    const pattern = parseId(text);
    if (pattern) return pattern;
    const cut = where.at(-1);
    if (cut === undefined) throw noId(text, 'ID');
    const whole = shellWord([cut, ...texts].join(' '));
    throw noId(text, 'ID').with({ hints: [`quote a value that has blanks: --where ${whole}`] });
  });
}

/** A dead letter that was named, and is not in the queues that were looked at: all there are, or those of `--queue`. */
const noSuchLetter = ({ text, queue }: IdPattern, queues: readonly string[] = []): OpsError => {
  if (queues.length > 0 && (queue === undefined || !queues.includes(queue))) {
    return new OpsError('NOT_FOUND', `there is no dead letter ${text} in ${queues.join(', ')}`, {
      where: text,
      why: 'No other queue was looked at.',
      hints: ['leave --queue out, or name the queue of the id'],
    });
  }
  return new OpsError('NOT_FOUND', `there is no dead letter ${text}`, {
    where: text,
    why: 'No advisory and no dead message goes by it: it was replayed, purged or answered, or never died.',
    hints: ['`osapi-ops dlq ls` lists what is there'],
  });
};

/**
 * Checks what was found in these queues against what was asked for: every id names one entry, a shorthand not several.
 * @throws OpsError NOT_FOUND, USAGE
 */
export function requireIds(patterns: readonly IdPattern[], ids: readonly string[], queues?: readonly string[]): void {
  const found = Map.groupBy(ids, (id) => Number(id.slice(id.lastIndexOf('/') + 1)));
  for (const pattern of patterns) {
    const ids = (found.get(pattern.seq) ?? []).filter((id) => matchesId(pattern, id));
    if (ids.length === 0) throw noSuchLetter(pattern, queues);
    if (ids.length > 1) {
      throw new OpsError('USAGE', `${pattern.text} could be ${ids.length} dead letters`, {
        where: pattern.text,
        why: `They are ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}.`,
        hints: ['name the whole id'],
      });
    }
  }
}
