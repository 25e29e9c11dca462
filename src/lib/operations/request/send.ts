import { randomBytes } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { scanEntries } from '../../dlq/scan.ts';
import type { QueueStanding } from '../../dlq/standing.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { systemReason } from '../../errors/system-error.ts';
import { isPlainSubject } from '../../facts/subjects.ts';
import { gatherPieces, readPieces } from '../../files/read.ts';
import type { Context } from '../../model/context.ts';
import { type Entry, TO_REPLAY } from '../../model/entry.ts';
import type { BulkJson, Fetched, SendFault, SentJson } from '../../model/request.ts';
import { toType } from '../../model/shell.ts';
import { answerOf, orElse, orThrow } from '../../nats/answer.ts';
import { getMessage } from '../../nats/messages.ts';
import { withTrace } from '../../nats/trace.ts';
import type { Places } from '../../places/places.ts';
import { withId } from '../../requests/body.ts';
import { sendBulk } from '../../requests/bulk.ts';
import { fetchResponse, readEntry } from '../../requests/fetch.ts';
import { followRequest, listenFor } from '../../requests/follow.ts';
import { parseHeader } from '../../requests/header.ts';
import { requireRequestId, uuidV7 } from '../../requests/id.ts';
import { LARGEST_PAYLOAD, readBulk } from '../../requests/lines.ts';
import { sendRequest } from '../../requests/send.ts';
import { chooseSubject } from '../../requests/subject.ts';
import { nobodyPulls, takersOf } from '../../requests/taker.ts';
import { type RequestChoice, standingFor, withRequests } from './scope.ts';

/** Where payloads come from. */
export interface Source {
  /** The argument itself; `-` is stdin. */
  readonly argument?: string;
  /** A file's name; `-` is stdin. */
  readonly input?: string;
  readonly stdin: AsyncIterable<Uint8Array>;
}

export interface SendOptions extends RequestChoice {
  readonly kind: string;
  readonly source: Source;
  readonly subject?: string;
  readonly headers: readonly string[];
}

export interface SendOneOptions extends SendOptions {
  readonly id?: string;
  readonly raw: boolean;
  /** How long to wait for the response, in milliseconds; absent: not at all. */
  readonly waitMs?: number;
}

export interface SendManyOptions extends SendOptions {
  /** A file for the lines that were not stored. */
  readonly rejects?: string;
  onId(id: string): Promise<void> | undefined;
}

/** A request that was stored, and what became of it where somebody waited for that. */
export interface Sent {
  readonly sent: SentJson;
  readonly fetched?: Fetched;
}

/** Random bytes of one id, and of how many are drawn at once: a draw costs more than the id. */
const DRAW = 10;
const DRAWS = 400;

function freshId(context: Context): () => string {
  let pool = randomBytes(0);
  return () => {
    if (pool.byteLength < DRAW) pool = randomBytes(DRAW * DRAWS);
    const random = pool.subarray(0, DRAW);
    pool = pool.subarray(DRAW);
    return uuidV7(context.now().getTime(), random);
  };
}

/**
 * Publishes one request, and waits for its fate where that is asked for.
 * @throws OpsError REQUEST_INVALID, REQUEST_UNKNOWN_KIND, REQUEST_QUEUE_FULL, REQUEST_TOO_LARGE, USAGE, SPEC_*, CONN_*,
 * DENIED_*, INTERRUPTED
 */
export async function sendOne(context: Context, options: SendOneOptions): Promise<Sent> {
  const headers = withTrace(options.headers.map(parseHeader), context.env);
  const { where, bytes } = await readSource(context, options.source);
  const { id, payload } = makePayload(context, options, bytes, where);
  return withRequests(context, options, async (places) => {
    const { nats } = places;
    const target = await chooseTarget(places, options);
    const { waitMs } = options;
    const isWaiting = waitMs !== undefined;
    const refs = isWaiting ? (await places.visible()).refs : [];
    const buckets = isWaiting ? await places.buckets() : [];
    if (isWaiting && buckets.length === 0) throw noBucket();
    // Listening begins before the request is out: no answer comes too early to be heard.
    const ear = isWaiting ? listenFor(nats, refs, buckets, id) : undefined;
    try {
      const seen = target.queue === undefined ? undefined : standingFor(places, target.queue);
      seen?.catch(() => {});
      // An id that somebody names may be known here, and dead: sent again, it would be there twice.
      const dead =
        options.id === undefined || target.queue === undefined
          ? undefined
          : await findDead(places, target.queue, id, context.now().getTime());
      const { stream, seq, duplicate } = dead
        ? { stream: dead.queue, seq: dead.seq, duplicate: true }
        : await sendRequest(nats, { id, subject: target.subject, payload, headers });
      const sent: SentJson = { id, queue: stream, seq, subject: dead?.subject ?? target.subject, duplicate };
      if (target.queue !== undefined && stream !== target.queue) {
        const text = `${target.subject} is stored in ${stream}, not in ${target.queue}`;
        context.io.tell({ type: 'warning', text });
      }
      if (dead) tellDead(context, id, dead);
      const isOver = dead !== undefined || (duplicate && (await warnOfEnd(context, places, sent)));
      if (!isOver) warnOfNobody(context, await seen, target.subject);
      if (!ear || waitMs === undefined) return { sent };
      const note = duplicate ? `${stream} had it already as ${seq}` : `stored in ${stream} as ${seq}`;
      context.io.tell({ type: 'note', text: `${id}: ${note}; waiting for its response` });
      const how = { buckets, ear, timeoutMs: waitMs, now: () => context.now().getTime() };
      return { sent, fetched: asSent(sent, await followRequest(nats, refs, id, how)) };
    } finally {
      ear?.close();
    }
  });
}

/**
 * Publishes a request for each line of an input.
 * @throws OpsError as `sendOne`, REQUEST_NOT_SENT; each with the figures as `result` once something was sent
 */
export async function sendMany(context: Context, options: SendManyOptions): Promise<BulkJson> {
  const headers = withTrace(options.headers.map(parseHeader), context.env);
  const { argument, input, stdin } = options.source;
  const name = input ?? argument ?? '-';
  if (argument !== undefined && argument !== '-') {
    throw new OpsError('USAGE', '--ndjson reads lines from a file or from stdin, not from the argument', {
      where: '--ndjson',
      hints: ['give --input FILE, or - for stdin'],
    });
  }
  const chunks = name === '-' ? stdin : openInput(name);
  return withRequests(context, options, async (places) => {
    const { subject } = await chooseTarget(places, options);
    const rejects = options.rejects === undefined ? undefined : await openRejects(options.rejects);
    const { result, error } = await sendBulk(places.nats, readBulk(chunks), {
      subject,
      headers,
      fresh: freshId(context),
      source: name === '-' ? 'stdin' : name,
      onId: options.onId,
      ...(rejects && { onReject: lineWriter(rejects) }),
      countsRest: name !== '-',
      onProgress: (done) => context.io.tell({ type: 'progress', title: 'sending', done }),
    }).finally(async () => {
      rejects?.end();
      if (rejects) await finished(rejects);
    });
    if (context.io.signal.aborted) throw interrupted(result);
    if (error || result.failed > 0) throw notSent(result, error, options.rejects);
    return result;
  });
}

function makePayload(
  context: Context,
  { raw, id }: SendOneOptions,
  bytes: Uint8Array,
  where: string,
): { id: string; payload: Uint8Array } {
  const fresh = freshId(context);
  if (raw) return { id: id === undefined ? fresh() : requireRequestId(id, '--id'), payload: bytes };
  const text = decode(bytes, where);
  const body = withId(text, { id, fresh, where });
  return { id: body.id, payload: Buffer.from(body.payload) };
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new OpsError('REQUEST_INVALID', 'the payload is not JSON', {
      where,
      why: 'It is not even UTF-8 text.',
      hints: ['give --raw to send any bytes as they are'],
      cause: error,
    });
  }
}

/** The subject to publish on, and the queue where it is known. A whole subject needs no look at the server. */
async function chooseTarget(
  places: Places,
  { kind, subject }: SendOptions,
): Promise<{ subject: string; queue?: string }> {
  if (subject === undefined) {
    const takes = await answerOf(places.takes());
    if (takes.is === 'denied') throw cannotLookUp(takes.error);
    return chooseSubject(await orThrow(takes), kind);
  }
  if (isPlainSubject(subject)) return { subject };
  throw new OpsError('USAGE', `--subject: ${JSON.stringify(subject)} is no subject to publish on`, {
    where: '--subject',
    hints: ['write it out, without * or > and without spaces'],
  });
}

/** What this user may not look for is not unknown: it was stored a moment ago. */
function asSent({ queue, seq, subject }: SentJson, { status, response }: Fetched): Fetched {
  if (status.state !== 'unknown') return { status, response };
  return { status: { ...status, queue, seq, subject, detail: 'stored, and not answered yet' } };
}

/**
 * The dead letter of an id, which the queue itself tells of only within its duplicate window. Where its DLQ was empty when
 * the queue was found, nothing more is asked: an orphan is not looked for at the price of a round trip for every request.
 */
async function findDead(places: Places, queue: string, id: string, now: number): Promise<Entry | undefined> {
  const { nats } = places;
  const read = async () => {
    const found = (await places.found()).find((one) => one.queue === queue);
    if (!found?.recorded) return undefined;
    const refs = (await places.queues()).filter((one) => one.queue === queue);
    const how = { order: 'newest', exact: false, asSeen: true, signal: nats.signal, now } as const;
    for await (const entry of scanEntries(nats, refs, { requestIds: [id], states: TO_REPLAY }, how)) return entry;
    return undefined;
  };
  return orElse(answerOf(read()), { missing: undefined, denied: undefined });
}

function tellDead(context: Context, id: string, { id: entry, died_at: diedAt }: Entry): void {
  const since = diedAt === null ? '' : ` since ${diedAt.slice(0, 19)}Z`;
  const text = `${id} is dead${since}, and was not sent again: replay it with \`${toType`osapi-ops dlq replay ${entry}`}\``;
  context.io.tell({ type: 'warning', text });
}

/** A queue remembers an id for its duplicate window, whatever became of the request: it may have been taken back. */
async function warnOfEnd(context: Context, places: Places, { id, queue, seq }: SentJson): Promise<boolean> {
  try {
    const [message, answered] = await Promise.all([
      getMessage(places.nats, queue, seq),
      fetchResponse(places.nats, await places.buckets(), id),
    ]);
    if (answered) return false;
    if (message) {
      const ref = (await places.queues()).find((each) => each.queue === queue);
      const entry = ref && (await readEntry(places.nats, { ref, message }));
      if (!entry || entry.state === 'gone') return false;
      tellDead(context, id, entry);
      return true;
    }
  } catch (error) {
    // Neither may this user look, nor is the bucket known: then it cannot be told.
    if (error instanceof OpsError && ['DENIED_SUBJECT', 'NOT_FOUND', 'USAGE'].includes(error.code)) return false;
    throw error;
  }
  context.io.tell({
    type: 'warning',
    text: `${queue} remembers ${id}, but has it no more, and no response: it was taken back, removed, or acked without one. Send it with another id, or after the queue's duplicate window.`,
  });
  return true;
}

/** Who may only publish needs to be told the subjects. */
const cannotLookUp = (error: OpsError): OpsError =>
  new OpsError(error.code, `${error.message}: which subject is meant cannot be looked up`, {
    where: error.where,
    why: error.why,
    hints: ['name the spec with -f FILE, or the whole subject with --subject', ...error.hints],
    cause: error,
  });

function warnOfNobody(context: Context, standing: QueueStanding | undefined, subject: string): void {
  if (!standing?.exists) return;
  const takers = takersOf(standing, subject);
  const name = takers.map((taker) => `${standing.queue}/${taker.name}`).join(', ');
  const text =
    takers.length === 0
      ? `no consumer of ${standing.queue} takes ${subject}: the request waits until one does`
      : takers.every(({ paused }) => paused)
        ? `${name} is paused: the request waits until it is resumed`
        : nobodyPulls(standing, subject)
          ? `no worker is pulling from ${name}: the request waits until one does`
          : undefined;
  if (text !== undefined) context.io.tell({ type: 'warning', text });
}

async function readSource(context: Context, source: Source): Promise<{ where: string; bytes: Uint8Array }> {
  const { argument, input, stdin } = source;
  if (argument !== undefined && input !== undefined) {
    throw new OpsError('USAGE', 'the payload is given twice: as argument, and with --input', {
      hints: ['give one of them'],
    });
  }
  if (argument !== undefined && argument !== '-') {
    return { where: 'argument JSON', bytes: Buffer.from(argument) };
  }
  if (argument === undefined && input === undefined) {
    throw new OpsError('USAGE', 'there is no payload', {
      hints: [`give it as argument: '{"query":"example.com"}'`, 'or a file with --input FILE, or - for stdin'],
    });
  }
  const isStdin = argument === '-' || input === '-';
  const where = isStdin ? 'stdin' : input!;
  const bytes = await gatherPieces(isStdin ? stdin : readPieces(where), LARGEST_PAYLOAD).catch(unreadable(where));
  context.io.signal.throwIfAborted();
  return { where, bytes };
}

async function* openInput(name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* readPieces(name);
  } catch (error) {
    unreadable(name)(error);
  }
}

const unreadable =
  (name: string) =>
  (error: unknown): never => {
    throw new OpsError('USAGE_FILE', `cannot read ${name}: ${systemReason(error)}`, {
      where: name,
      hints: ['check the name and its permissions'],
      cause: error,
    });
  };

function openRejects(name: string): Promise<WriteStream> {
  return new Promise((resolve, reject) => {
    // An earlier run's rejects are its input now, or somebody's only copy: they are never written over.
    const stream = createWriteStream(name, { flags: 'wx', mode: 0o600 });
    stream.once('open', () => resolve(stream));
    stream.once('error', (error) =>
      reject(
        new OpsError('USAGE_FILE', `cannot write ${name}: ${systemReason(error)}`, {
          where: '--rejects',
          hints: ['name a file that does not exist yet'],
          cause: error,
        }),
      ),
    );
  });
}

/** Writes lines; all that come while the stream is full wait for the same moment. */
function lineWriter(stream: WriteStream): (text: string) => Promise<void> | undefined {
  let full: Promise<void> | undefined;
  return (text) => {
    if (stream.write(`${text}\n`)) return undefined;
    full ??= new Promise<void>((resolve) => stream.once('drain', resolve)).finally(() => {
      full = undefined;
    });
    return full;
  };
}

const figures = ({ sent, duplicates, failed }: BulkJson): string =>
  `${sent} sent, ${duplicates} there already, ${failed} not stored`;

/** What nobody tried: a queue that takes no more ends a bulk. */
function restOf({ stopped, untried, lines }: BulkJson, rejects: string | undefined): string {
  if (!stopped || rejects !== undefined) return '';
  if (untried !== undefined) return `; the ${untried} after line ${lines} were not tried`;
  return `; what comes after line ${lines} was not tried`;
}

const interrupted = (result: BulkJson): OpsError =>
  new OpsError('INTERRUPTED', `interrupted: ${figures(result)}; the input was read up to line ${result.lines}`, {
    hints: ['send the lines after that again; where they carry their ids, sending all of them again is harmless'],
    result,
  });

/** Faults of the same kind in neighbouring lines are told as one. */
function gather(errors: readonly SendFault[]): string[] {
  const runs: { from: number; to: number; message: string }[] = [];
  for (const { line, message } of errors) {
    const run = runs.at(-1);
    if (run?.message === message && run.to === line - 1) run.to = line;
    else runs.push({ from: line, to: line, message });
  }
  return runs.map(({ from, to, message }) => `${from === to ? `line ${from}` : `lines ${from} to ${to}`}: ${message}`);
}

function notSent(result: BulkJson, error: OpsError | undefined, rejects: string | undefined): OpsError {
  const left = result.failed - result.errors.length;
  const listed = gather(result.errors);
  const more = left > 0 ? [`… and ${left} more`] : [];
  const isSingle = result.stopped && error !== undefined;
  return new OpsError(isSingle ? error.code : 'REQUEST_NOT_SENT', `${figures(result)}${restOf(result, rejects)}`, {
    where: isSingle ? error.where : undefined,
    why: [...(isSingle && error.why !== undefined ? [error.message, error.why] : []), ...listed, ...more].join('\n'),
    hints: [
      rejects === undefined
        ? 'with --rejects FILE the lines that were not stored are kept, ready to be sent again'
        : `what was not stored is in ${rejects}: mend it, or send it again when there is room`,
      ...(isSingle ? error.hints : []),
    ],
    result,
    cause: error,
  });
}

const noBucket = (): OpsError =>
  new OpsError('NOT_FOUND', 'there is no bucket to wait for a response in', {
    where: '--wait',
    why: 'Neither a spec nor the server tells where responses are stored. Nothing was sent.',
    hints: ['name it with --bucket'],
  });
