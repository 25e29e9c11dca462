import { OpsError } from '../errors/ops-error.ts';
import { callWords } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { DeadLetter } from '../model/dead-letter.ts';
import { entryJson } from '../model/entry.ts';
import type { Io } from '../model/io.ts';
import type { WaitingJson } from '../model/request.ts';
import type { Answers, Envelope, RequestBodies, ShownLetter } from '../model/wire.ts';
import { findLived } from '../operations/dlq/alike.ts';
import { listDeadLetters } from '../operations/dlq/ls.ts';
import { overviewOfDeadLetters } from '../operations/dlq/overview.ts';
import { listReplays } from '../operations/dlq/replays/ls.ts';
import { showReplay } from '../operations/dlq/replays/show.ts';
import { showDeadLetter } from '../operations/dlq/show.ts';
import { historyOperation } from '../operations/history.ts';
import { getRequest, unansweredError } from '../operations/request/get.ts';
import { listWaiting } from '../operations/request/ls.ts';
import { showRequest } from '../operations/request/show.ts';
import { historyFlags, pageFlags } from '../ui/page-flags.ts';
import { bytesJson } from '../ui/render/request.ts';
import { requestFlags } from '../ui/request-flags.ts';
import { momentFlag } from '../ui/spec-flags.ts';
import { cutBytes, cutText, SHOWN_BYTES } from './cut.ts';
import { but, type Given, readChoice, readFlags } from './query.ts';
import type { Views } from './views.ts';

/** What a question is answered with, beside what was told meanwhile. */
export interface Looked<E extends Envelope<unknown>> {
  readonly result: E['result'];
  /** The words of the line that does the same. */
  readonly argv: readonly string[];
  /** As the CLI would have ended; 0 where left out. */
  readonly exit?: number;
  readonly more: Omit<E, keyof Envelope<unknown>>;
}

/** What a question works with. */
export interface Asked {
  /** With the port of the one who asks. */
  readonly context: Context;
  readonly given: Given;
  /** The spec that was named at the start, where it is one. */
  readonly file: string | undefined;
  readonly views: Views;
}

type Look<E extends Envelope<unknown>> = (asked: Asked) => Promise<Looked<E>>;

/** What is asked of operations as it is; the others are of the host's own. */
type Looks = Omit<Answers, '/api/about' | '/api/queues' | '/api/plan' | '/api/runs' | '/api/runs/*'>;

/** Rows of one page at the most. */
const LARGEST_PAGE = 1000;
const PAGE = 200;

const one = (given: Given, name: string): string | undefined => given.get(name)?.[0];

/** @throws OpsError USAGE */
function need(given: Given, name: string): string {
  const value = one(given, name);
  if (value !== undefined) return value;
  throw new OpsError('USAGE', `which ${name} is not said`, { where: name });
}

const only = (given: Given, names: readonly string[]): Given =>
  new Map([...given].filter(([name]) => names.includes(name)));

/** How many rows a page has, as a flag of the CLI. */
const rowsOf = (given: Given): Given => new Map([...only(given, ['rows'])].map(([, rows]) => ['limit', rows]));

/** How the line begins, for the same server and spec. */
const words = ({ context, file }: Pick<Asked, 'context' | 'file'>, ...command: string[]): string[] =>
  callWords(context.connection, file, ...command);

/** A letter as `dlq show --json` prints it, but for what is too long of its payload. */
const cutLetter = (letter: DeadLetter, size: number | undefined): ShownLetter => {
  const { payload, payload_base64, ...rest } = letter;
  return {
    ...rest,
    ...(payload !== undefined && cutText('payload', payload, size)),
    ...(payload_base64 !== undefined && cutBytes('payload', payload_base64, size)),
  };
};

export const LOOKS: { readonly [P in keyof Looks]: Look<Looks[P]> } = {
  '/api/dlq/overview': async (asked) => {
    const { context, file, given } = asked;
    const by = given.get('by') ?? ['detail'];
    const read = { now: context.now(), file };
    const { choice, words: typed } = await readChoice('dlq stats', but(given, ['by']), read);
    const { stats, ...more } = await overviewOfDeadLetters(context, { ...choice, by });
    const argv = [...words(asked, 'dlq', 'stats'), ...by.flatMap((each) => ['--by', each]), ...typed];
    return { result: stats, argv, more: { ...more, looked_at: read.now.toISOString() } };
  },

  '/api/dlq/ls': async (asked) => {
    const { context, file, given, views } = asked;
    const { choice, words: typed } = await readChoice('dlq ls', but(given, ['cursor', 'rows']), {
      now: context.now(),
      file,
    });
    // A limit is one of the filters: of what is shown at once nothing is left out.
    const { flags } = await readFlags<{ limit: number }>('dlq ls', pageFlags(PAGE, LARGEST_PAGE), rowsOf(given));
    const page = await views.page(
      (looked, { signal, tell }, onRow) => {
        const io: Io = { ...context.io, signal, tell };
        const chosen = looked ? { filter: {}, ...(file !== undefined && { file }), looked } : choice;
        return listDeadLetters({ ...context, io }, chosen, (entry) => onRow(entryJson(entry)));
      },
      one(given, 'cursor'),
      flags.limit,
    );
    for (const event of page.told) context.io.tell(event);
    return {
      result: page.rows,
      argv: [...words(asked, 'dlq', 'ls'), ...typed],
      more: { next: page.next, from: page.from },
    };
  },

  '/api/dlq/show': async (asked) => {
    const { context, file, given } = asked;
    const id = need(given, 'id');
    const { choice } = await readChoice('dlq show', only(given, ['id']), { now: context.now(), file });
    const { letter, payload } = await showDeadLetter(context, choice);
    return { result: cutLetter(letter, payload?.byteLength), argv: [...words(asked, 'dlq', 'show'), id], more: {} };
  },

  '/api/dlq/alike': async (asked) => {
    const { context, file, given } = asked;
    const id = need(given, 'id');
    const { lived, why } = await findLived(context, { id, file });
    return { result: lived, argv: [...words(asked, 'dlq', 'show'), id], more: why === undefined ? {} : { why } };
  },

  '/api/dlq/replays': async (asked) => {
    const { context, file, given } = asked;
    const { flags } = await readFlags<{ limit: number }>('dlq replays ls', pageFlags(20, 100), given);
    return {
      result: await listReplays(context, { file, ...flags }),
      argv: words(asked, 'dlq', 'replays', 'ls'),
      more: {},
    };
  },

  '/api/dlq/replays/*': async (asked) => {
    const { context, file, given } = asked;
    const id = need(given, '*');
    return {
      result: await showReplay(context, { file, id }),
      argv: [...words(asked, 'dlq', 'replays', 'show'), id],
      more: {},
    };
  },

  '/api/request/show': async (asked) => {
    const { context, file, given } = asked;
    const [id, queue] = [need(given, 'id'), one(given, 'queue')];
    const { shown, status, payload, response } = await showRequest(context, { id, file, queue });
    const failure = status.state === 'unknown' ? unansweredError({ status }, shown) : undefined;
    if (failure) throw failure;
    const result = { ...shown, ...shortJson('payload', payload), ...shortJson('response', response) };
    return { result, argv: [...words(asked, 'request', 'show'), id], more: {} };
  },

  '/api/request/get': async (asked) => {
    const { context, file, given } = asked;
    const [id, queue] = [need(given, 'id'), one(given, 'queue')];
    const fetched = await getRequest(context, { id, file, queue });
    const { response, ...rest } = fetched;
    const result = { ...rest.status, ...shortJson('response', response) };
    const failure = unansweredError(fetched, result);
    if (failure) throw failure;
    return {
      result,
      argv: [...words(asked, 'request', 'get'), id],
      exit: fetched.status.state === 'answered' ? 0 : 2,
      more: {},
    };
  },

  '/api/request/ls': async (asked) => {
    const { context, file, given } = asked;
    const { flags, words: typed } = await readFlags<{ queue?: string; limit: number }>(
      'request ls',
      { queue: requestFlags.queue, ...pageFlags(100, LARGEST_PAGE) },
      given,
    );
    const rows: WaitingJson[] = [];
    const { more } = await listWaiting(context, { file, ...flags }, (row) => void rows.push(row));
    return { result: rows, argv: [...words(asked, 'request', 'ls'), ...typed], more: { more } };
  },

  '/api/history': async (asked) => {
    const { context, file, given } = asked;
    const { flags, words: typed } = await readFlags<{
      system?: string;
      since?: string;
      verb?: string[];
      limit: number;
    }>('history', { ...historyFlags, ...pageFlags(50, 5000) }, given);
    const { system, since, verb, limit } = flags;
    const result = await historyOperation(context, {
      file,
      system,
      ...(since !== undefined && { since: momentFlag('--since', since, context.now()) }),
      verbs: verb,
      limit,
    });
    return { result, argv: [...words(asked, 'history'), ...typed], more: {} };
  },
};

/** A request's bytes as the CLI prints them; what is long is cut, and then it is text. */
const shortJson = (name: 'payload' | 'response', bytes: Uint8Array | undefined): RequestBodies => {
  if (!bytes) return {};
  const shape = bytesJson(name, bytes);
  if (bytes.byteLength <= SHOWN_BYTES) return shape;
  const base64 = shape[`${name}_base64`];
  return typeof base64 === 'string'
    ? cutBytes(name, base64, bytes.byteLength)
    : cutText(name, new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES)), bytes.byteLength);
};
