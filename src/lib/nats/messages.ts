import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import type { StoredMessage } from '../model/message.ts';
import { type Answer, answerOf, orElse } from './answer.ts';
import { ApiError, isApiError } from './api-error.ts';
import { askBatch } from './batches.ts';
import { isNoRespondersError } from './errors.ts';
import { failure, notJetStream, readAnswer, retried } from './exchange.ts';
import { answersDirect, learnWays } from './learn-ways.ts';
import { pipelined } from './pipeline.ts';
import type { Nats, ReadOptions } from './port.ts';
import { parseApiMessage, parseStored, replyStatus } from './stored.ts';
import { isOwnWord, waysOf } from './ways.ts';
import { type RawReply, wireOf } from './wire.ts';

/** How many requests are under way at once where each message takes one. */
export const IN_FLIGHT = 1024;
/** The most messages, and bytes, that one batch asks for. */
const BATCH = 1024;
const BATCH_BYTES = 8 * 1024 * 1024;

/** How a read is to be answered. */
type Wanted =
  | { readonly seq: number }
  | { readonly seq: number; readonly next_by_subj: string }
  | { readonly last_by_subj: string };

/** One message through a direct get, else through the API; `undefined` where there is none. */
async function getOne(
  nats: Nats,
  stream: string,
  wanted: Wanted,
  options: ReadOptions,
): Promise<StoredMessage | undefined> {
  const message = await getAny(nats, stream, wanted, options);
  if (message && 'seq' in wanted) mustFollow(stream, message.seq, wanted.seq);
  return message;
}

/** Who reads on behind what was answered would never end where that goes back. */
function mustFollow(stream: string, seq: number, from: number): void {
  if (!(seq >= from))
    throw notJetStream(`stream ${stream}`, `It gives message ${seq}, asked for those from ${from} on.`);
}

async function getAny(
  nats: Nats,
  stream: string,
  wanted: Wanted,
  { fromLeader = false }: ReadOptions,
): Promise<StoredMessage | undefined> {
  const way = waysOf(nats, stream);
  const { apiPrefix, timeoutMs } = nats.settings;
  const subject = `${apiPrefix}.DIRECT.GET.${stream}`;
  if (way.direct && !fromLeader) {
    // Of a subject's newest it is asked for along with it: mostly there is none.
    const own = 'last_by_subj' in wanted && !isOwnWord(nats, stream) ? askItself(nats, stream, wanted) : undefined;
    try {
      const reply = await wireOf(nats).ask(subject, JSON.stringify(wanted), { timeoutMs });
      const message = readMessage(stream, subject, reply);
      if (message !== ANOTHERS) return message ?? (await confirmNone(nats, stream, wanted, own));
      way.direct = false;
    } catch (error) {
      const fault = isNoRespondersError(error) ? error : failure(nats, error, subject);
      if (fault instanceof OpsError && fault.code !== 'DENIED_SUBJECT') throw error;
      if (fault instanceof OpsError || !(await answersDirect(nats, stream))) way.direct = false;
    }
  }
  return getThroughApi(nats, stream, wanted);
}

/** What the stream itself has. Who does not wait for it hears nothing of its failure. */
function askItself(nats: Nats, stream: string, wanted: Wanted): Promise<Answer<StoredMessage | undefined>> {
  const asked = getThroughApi(nats, stream, wanted).catch((error: unknown) => {
    const fault = failure(nats, error, stream);
    throw fault.code === 'DENIED_SUBJECT' ? fault : error;
  });
  const answer = answerOf(asked);
  answer.catch(() => {});
  return answer;
}

/** What a direct get did not have, from the stream itself where that one's word is not its own. */
async function confirmNone(
  nats: Nats,
  stream: string,
  wanted: Wanted,
  own?: ReturnType<typeof askItself>,
): Promise<StoredMessage | undefined> {
  if (isOwnWord(nats, stream)) return undefined;
  const answer = await (own ?? askItself(nats, stream, wanted));
  const way = waysOf(nats, stream);
  way.only = answer.is === 'denied';
  const message = await orElse(answer, { denied: undefined });
  if (message) way.direct = false;
  return message;
}

/** What came is a message, of another stream: a mirror answers direct gets of its origin, under its own name. */
export const ANOTHERS = 'of another stream';

/** The message in an answer, `undefined` for the server's word that there is none. */
export function readMessage(
  stream: string,
  subject: string,
  reply: RawReply,
): StoredMessage | undefined | typeof ANOTHERS {
  const message = parseStored(stream, reply);
  if (message) return message;
  const status = replyStatus(reply);
  if (status === 404) return undefined;
  if (status === 0) return ANOTHERS;
  throw noMessage(subject, status);
}

const noMessage = (subject: string, status: number): ApiError =>
  new ApiError(subject, { code: status, description: `answered with status ${status} and no message` });

async function getThroughApi(nats: Nats, stream: string, wanted: Wanted): Promise<StoredMessage | undefined> {
  const subject = `${nats.settings.apiPrefix}.STREAM.MSG.GET.${stream}`;
  const reply = await wireOf(nats).ask(subject, JSON.stringify(wanted), { timeoutMs: nats.settings.timeoutMs });
  try {
    return parseApiMessage(stream, subject, readAnswer(subject, reply));
  } catch (error) {
    if (isApiError(error, ERR.noMessage)) return undefined;
    throw error;
  }
}

/**
 * The message with that sequence, or `undefined` where the stream has none.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function getMessage(
  nats: Nats,
  stream: string,
  seq: number,
  options: ReadOptions = {},
): Promise<StoredMessage | undefined> {
  // The server takes 0 for "no sequence given" and rounds nothing.
  if (!Number.isSafeInteger(seq) || seq < 1) return undefined;
  await learnWays(nats, stream);
  return retried(nats, stream, () => getOne(nats, stream, { seq }, options));
}

/**
 * The first stored message from a sequence on, on any subject or on those that match; `undefined` past the last one. By
 * the API, whatever the stream would answer: who applies may ask that, and need not be allowed direct gets.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export const nextMessage = (
  nats: Nats,
  stream: string,
  seq: number,
  subject = '>',
): Promise<StoredMessage | undefined> =>
  retried(nats, stream, () => getThroughApi(nats, stream, { seq, next_by_subj: subject }));

/** The same by a direct get, where the stream answers those. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED */
export async function firstMessage(
  nats: Nats,
  stream: string,
  seq: number,
  subject = '>',
): Promise<StoredMessage | undefined> {
  await learnWays(nats, stream);
  return retried(nats, stream, () => getOne(nats, stream, { seq: Math.max(1, seq), next_by_subj: subject }, {}));
}

/** So many subjects one request may name, for the server answers at most 1,024; and so many of these are under way at once. */
const SUBJECTS = 1024;
const PARTS = 4;

/**
 * The newest message on each of these subjects, as far as there is one: from 2.11 on in a request for 1,024 of them, else
 * in one each. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function getLatest(nats: Nats, stream: string, subjects: readonly string[]): Promise<StoredMessage[]> {
  await learnWays(nats, stream);
  const parts = Array.from({ length: Math.ceil(subjects.length / SUBJECTS) }, (_, index) =>
    subjects.slice(index * SUBJECTS, (index + 1) * SUBJECTS),
  );
  return (await pipelined(parts, PARTS, (some) => getSomeLatest(nats, stream, some))).flat();
}

async function getSomeLatest(nats: Nats, stream: string, subjects: readonly string[]): Promise<StoredMessage[]> {
  const way = waysOf(nats, stream);
  const isMany = subjects.length > 1 && way.direct && way.batch;
  const batch = isMany ? await retried(nats, stream, () => readLatestBatch(nats, stream, subjects)) : undefined;
  if (batch) return batch;
  const each = await pipelined(subjects, IN_FLIGHT, (subject) =>
    retried(nats, stream, () => getOne(nats, stream, { last_by_subj: subject }, {})),
  );
  return each.filter((message) => message !== undefined);
}

/** As a batch; `undefined` where it comes to none. */
async function readLatestBatch(
  nats: Nats,
  stream: string,
  subjects: readonly string[],
): Promise<StoredMessage[] | undefined> {
  const answer = await askBatch(nats, stream, { multi_last: subjects, batch: subjects.length, max_bytes: BATCH_BYTES });
  if (!answer) return undefined;
  const { messages, isRefused } = answer;
  // More bytes than asked for: one by one.
  const isWhole = messages.reduce((sum, { payload }) => sum + payload.byteLength, 0) < BATCH_BYTES;
  if (!isWhole || isRefused) return undefined;
  // A mirror's messages bear its own name: only where it has none at all is its word taken for the stream's.
  const [first, ...rest] = messages.length === 0 ? subjects : [];
  const confirm = (subject: string) => confirmNone(nats, stream, { last_by_subj: subject });
  // Who may not ask the stream itself learns that from the first.
  if (first !== undefined && (await confirm(first))) return undefined;
  return (await pipelined(rest, IN_FLIGHT, confirm)).some(Boolean) ? undefined : messages;
}

export interface RangeOptions extends ReadOptions {
  /** The last sequence wanted; to the end of the stream where left out. */
  readonly untilSeq?: number;
  /** Only messages on subjects that match. */
  readonly subject?: string;
  /** Messages asked for at a time. */
  readonly batch?: number;
}

/**
 * The stored messages from a sequence on, in order. The next batch is asked for while the last one is worked on.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function* getRange(
  nats: Nats,
  stream: string,
  fromSeq: number,
  options: RangeOptions = {},
): AsyncGenerator<StoredMessage, void, undefined> {
  const { untilSeq = Number.MAX_SAFE_INTEGER, batch = BATCH } = options;
  const read = (from: number) => retried(nats, stream, () => readPage(nats, stream, from, { ...options, batch }));
  await learnWays(nats, stream);
  // A stream that never held a message says 0 for its first; a batch from there on is refused with 408.
  let next: Promise<Page> | undefined = fromSeq <= untilSeq ? read(Math.max(1, fromSeq)) : undefined;
  while (next) {
    const page: Page = await next;
    next = page.next === undefined || page.next > untilSeq ? undefined : read(page.next);
    // Whoever stops reading leaves this page behind; its failure is nobody's.
    next?.catch(() => {});
    for (const message of page.messages) {
      if (message.seq > untilSeq) return;
      yield message;
    }
  }
}

interface Page {
  readonly messages: StoredMessage[];
  /** Where to read on; absent at the end of the stream. */
  readonly next?: number;
}

async function readPage(
  nats: Nats,
  stream: string,
  from: number,
  options: RangeOptions & { readonly batch: number },
): Promise<Page> {
  const way = waysOf(nats, stream);
  if (way.direct && way.batch && !options.fromLeader) {
    const page = await readBatch(nats, stream, from, options);
    if (page) return page;
  }
  return options.subject === undefined
    ? readBySequence(nats, stream, from, options)
    : readOneByOne(nats, stream, from, options.subject, options);
}

/** A page by a batch direct get; `undefined` where it comes to none. */
async function readBatch(
  nats: Nats,
  stream: string,
  from: number,
  { batch, untilSeq, subject }: RangeOptions & { readonly batch: number },
): Promise<Page | undefined> {
  const count = Math.max(2, Math.min(batch, (untilSeq ?? Number.MAX_SAFE_INTEGER) - from + 1));
  const wanted = { seq: from, batch: count, max_bytes: BATCH_BYTES, ...(subject && { next_by_subj: subject }) };
  const answer = await askBatch(nats, stream, wanted);
  if (!answer) return undefined;
  const { messages, status, isRefused } = answer;
  if (isRefused) throw noMessage(`stream ${stream}`, status);
  if (messages.length === 0) {
    const own = await confirmNone(nats, stream, { seq: from, next_by_subj: subject ?? '>' });
    if (own) return undefined;
  }
  let next = from;
  for (const { seq } of messages) {
    mustFollow(stream, seq, next);
    next = seq + 1;
  }
  // What was not cut off by the number or the size of messages is all there is.
  const bytes = messages.reduce((sum, { payload, headers }) => sum + payload.byteLength + headers.byteLength, 0);
  const isCut = status === 204 && messages.length > 0 && (messages.length >= count || bytes >= BATCH_BYTES / 2);
  return isCut ? { messages, next } : { messages };
}

/**
 * Gets by sequence, many at once: all of a range that is no wider. In others, where most may be holes, the next stored
 * message is looked for first.
 */
async function readBySequence(
  nats: Nats,
  stream: string,
  from: number,
  { batch, untilSeq = Number.MAX_SAFE_INTEGER, ...how }: RangeOptions & { readonly batch: number },
): Promise<Page> {
  const isNarrow = untilSeq - from < Math.min(batch, IN_FLIGHT);
  const first = isNarrow ? undefined : await getOne(nats, stream, { seq: from, next_by_subj: '>' }, how);
  if (!isNarrow && (!first || first.seq > untilSeq)) return { messages: [] };
  const start = first ? first.seq + 1 : from;
  const count = Math.min(batch, IN_FLIGHT, untilSeq - start + 1);
  const seqs = Array.from({ length: count }, (_, index) => start + index);
  const rest = await Promise.all(seqs.map((seq) => getOne(nats, stream, { seq }, how)));
  return { messages: [first, ...rest].filter((message) => message !== undefined), next: start + count };
}

/** Each next message of a subject: the only way to read by subject where there are no batches. */
async function readOneByOne(
  nats: Nats,
  stream: string,
  from: number,
  subject: string,
  { batch, ...how }: RangeOptions & { readonly batch: number },
): Promise<Page> {
  const messages: StoredMessage[] = [];
  for (let seq = from; messages.length < Math.min(batch, IN_FLIGHT); ) {
    const message = await getOne(nats, stream, { seq, next_by_subj: subject }, how);
    if (!message) return { messages };
    messages.push(message);
    seq = message.seq + 1;
  }
  return { messages, next: messages.at(-1)!.seq + 1 };
}
