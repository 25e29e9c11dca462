import { OpsError } from '../errors/ops-error.ts';
import { bucketStream, journalSubject, journalSubjects, LEDGER_BUCKET } from '../facts/names.ts';
import { isSeq, isStreamName } from '../facts/tokens.ts';
import { asBuffer } from '../model/bytes.ts';
import { isObject, jsonIn, numberOf, objectOf, textOf } from '../model/json.ts';
import type { Seen, StoredMessage } from '../model/message.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { Copy } from '../nats/copies.ts';
import { publish } from '../nats/message-writes.ts';
import { getRange } from '../nats/messages.ts';
import type { ReadOptions } from '../nats/port.ts';
import { fromHeaderValue, headerValue, parseHeaders, printHeaders } from '../nats/raw-headers.ts';
import {
  deniesDeletes,
  type Look,
  type Removable,
  removeKeyed,
  removeMessage,
  removeNothing,
} from '../nats/removal.ts';
import { lookAtOwn, type Own, purgeOwn, putOwn } from './bucket.ts';
import { toToken } from './key.ts';
import { withRoom, writeLedger } from './room.ts';

const STREAM = bucketStream(LEDGER_BUCKET);

/** The stream that gets copies, as it was before the first of them: a copy has a higher sequence. */
export interface Mark {
  readonly stream: string;
  /** RFC 3339; empty where nobody wrote it down. */
  readonly created: string;
  readonly after: number;
}

/** A message that left its stream before its copy was in: everything needed to finish, or to put it back by hand. */
export interface Journalled extends Copy {
  /** The entry's id. */
  readonly id: string;
  /** Stable for this replay of this message, whoever carries it out and however often. */
  readonly msgId: string;
  readonly original: Seen;
  /** What goes of the DLQ streams when the entry goes. */
  readonly records: readonly Seen[];
  readonly requestId?: string;
  readonly target: Mark;
  /** The run that wrote it, by its id among the replays. */
  readonly run?: string;
}

/** A journalled message as the ledger keeps it. */
export interface JournalEntry extends Journalled {
  /** Its messages in the ledger's stream, oldest first: one that was written again has several. */
  readonly stored: readonly Removable[];
  /** RFC 3339, when it was written. */
  readonly written: string;
}

/** How many bytes of the message are facts, and how many behind them are the copy's header block. */
const HEADER = 'Osapi-Journal';

/** What was written down of a message; `undefined` where a sequence or a time is missing: then nothing is known of it. */
function parseSeen(value: unknown, created?: string): Seen | undefined {
  if (!isObject(value) || !isStreamName(value.stream) || typeof value.time !== 'string') return undefined;
  if (!isSeq(value.seq) || value.time === '') return undefined;
  return { stream: value.stream, created: created ?? textOf(value.created), seq: value.seq, time: value.time };
}

const parseAllSeen = (value: unknown): Seen[] =>
  Array.isArray(value) ? value.flatMap((one: unknown) => parseSeen(one) ?? []) : [];

function parseMark(value: unknown): Mark | undefined {
  if (!isObject(value) || !isStreamName(value.stream)) return undefined;
  const { stream, created, after } = value;
  return { stream, created: textOf(created), after: isSeq(after) ? after : 0 };
}

/**
 * Writes a message down before its original goes. The copy's header block travels in front of the payload: as headers
 * of this message the server would obey them.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function writeJournal(nats: Nats, entry: Journalled): Promise<Removable> {
  const { id, msgId, subject, kind, original, records, requestId, target, run } = entry;
  const facts = Buffer.from(JSON.stringify({ id, msgId, subject, kind, original, records, requestId, target, run }));
  const body = Buffer.concat([facts, entry.headers, entry.payload]);
  const value = `${facts.byteLength} ${entry.headers.byteLength}`;
  const key = journalSubject(original.stream, original.seq, original.time);
  const headers = printHeaders([{ name: HEADER, value }]);
  const { stream, seq } = await withRoom(nats, () => publish(nats, key, body, headers));
  if (stream !== STREAM) throw notInLedger(key, stream);
  return { stream, created: '', seq, time: '', subject: key };
}

const notInLedger = (key: string, stream: string): OpsError =>
  new OpsError('SERVER_REFUSED', `stream ${stream} took what is the ledger's`, {
    where: key,
    why: `Only the bucket ${LEDGER_BUCKET} may hold it: the message would be found by nobody. Its original was kept.`,
    hints: [`take the subjects of the bucket ${LEDGER_BUCKET} from that stream`],
  });

/** The facts of a journal message and where they end; up to 0.1.0 they stood in its header. */
function factsOf({ headers, payload }: StoredMessage): { facts: unknown; from: number; headerBytes: number } {
  const line = fromHeaderValue(headerValue(parseHeaders(headers), HEADER) ?? '');
  const [, factBytes, headerBytes] = /^(\d{1,10}) (\d{1,10})$/.exec(line) ?? [];
  if (factBytes === undefined) {
    const facts: unknown = JSON.parse(line);
    return { facts, from: 0, headerBytes: numberOf(objectOf(facts).headerBytes) };
  }
  const from = Number(factBytes);
  const facts: unknown = JSON.parse(asBuffer(payload.subarray(0, from)).toString('utf8'));
  return { facts, from, headerBytes: Number(headerBytes) };
}

/** What a stored journal message says; `undefined` for one that is not of this form. */
export function parseJournal(message: StoredMessage): JournalEntry | undefined {
  try {
    const { facts, from, headerBytes } = factsOf(message);
    if (!isObject(facts)) return undefined;
    const original = parseSeen(facts.original);
    const { id, msgId, subject, kind, requestId, run } = facts;
    if (!original || typeof id !== 'string' || typeof msgId !== 'string' || typeof subject !== 'string')
      return undefined;
    // The journal of a queue holds what was taken out of that queue.
    if (!message.subject.startsWith(journalSubjects(original.stream).slice(0, -1))) return undefined;
    return {
      id,
      msgId,
      subject,
      kind: kind === 'named' ? kind : 'stored',
      original,
      records: parseAllSeen(facts.records),
      ...(typeof requestId === 'string' && { requestId }),
      ...(typeof run === 'string' && { run }),
      target: parseMark(facts.target) ?? { stream: original.stream, created: '', after: numberOf(facts.after) },
      headers: message.payload.subarray(from, from + headerBytes),
      payload: message.payload.subarray(from + headerBytes),
      stored: [{ stream: message.stream, created: '', seq: message.seq, time: message.time, subject: message.subject }],
      written: message.time,
    };
  } catch {
    return undefined;
  }
}

/** The journalled messages of a queue, oldest first. None where there is no ledger. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readJournal(nats: Nats, stream: string, how: ReadOptions = {}): Promise<JournalEntry[]> {
  const read = async () => {
    const entries: JournalEntry[] = [];
    for await (const message of getRange(nats, STREAM, 1, { subject: journalSubjects(stream), ...how })) {
      const entry = parseJournal(message);
      if (entry) entries.push(entry);
    }
    return entries;
  };
  const found = await orElse(answerOf(read()), { missing: [] });
  const byOriginal = Map.groupBy(found, ({ original: { seq, time } }) => `${seq} ${time}`);
  return [...byOriginal.values()].map((all) => ({ ...all.at(-1)!, stored: all.flatMap(({ stored }) => stored) }));
}

/**
 * Forgets one journalled message, by its messages in the ledger. A purge of its key would do, but 2.10 may undo one that
 * it confirmed when it is killed (measured: 64 of 32,260 were back, of deletes none), and the message would be published
 * once more.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function forgetJournal(nats: Nats, stored: readonly Removable[], look?: Promise<Look>): Promise<void> {
  try {
    for (const one of stored) await removeMessage(nats, one, look);
  } catch (error) {
    // A bucket that somebody made by hand denies deletes of single messages.
    if (!deniesDeletes(error)) throw error;
    for (const { subject } of stored) if (subject !== undefined) await removeKeyed(nats, STREAM, { subject });
  }
}

/** Removes from the ledger what is not there, in both ways. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function forgetNothing(nats: Nats): Promise<void> {
  const removing = removeNothing(nats, STREAM).catch((error: unknown) => {
    if (!deniesDeletes(error) && !isMissing(error)) throw error;
  });
  await Promise.all([removeKeyed(nats, STREAM, { subject: `$KV.${LEDGER_BUCKET}.intent` }), removing]);
}

/** One message of an intent: what a later run needs to find out how far it came. */
export interface Intended {
  readonly msgId: string;
  readonly original?: Seen;
  readonly records: readonly Seen[];
  readonly requestId?: string;
}

/** A run by its id among the replays, and how many it had moved when it wrote an intent. */
export interface IntentRun {
  readonly id: string;
  readonly moved: number;
}

/** The page of messages that a run is about to publish, written down before the first of them. */
export interface Intent {
  readonly moves: readonly Intended[];
  readonly target: Mark;
  readonly run?: IntentRun;
}

/** An intent as the ledger keeps it. */
export interface LeftIntent extends Intent {
  /** RFC 3339 by the server's clock. */
  readonly written: string;
  readonly stored: Own;
}

const intentKey = (stream: string): string => `intent.${toToken(stream)}`;

/** An intent as it is stored: when each stream was made stands there once. */
export function printIntent({ moves, target, run }: Intent): string {
  const created = new Map<string, string>();
  const plain = (seen: Seen) => {
    created.set(seen.stream, seen.created);
    return { stream: seen.stream, seq: seen.seq, time: seen.time };
  };
  const all = moves.map(({ msgId, original, records, requestId }) => ({
    msgId,
    ...(original && { original: plain(original) }),
    records: records.map(plain),
    ...(requestId !== undefined && { requestId }),
  }));
  return JSON.stringify({ moves: all, target, created: Object.fromEntries(created), run });
}

/** What an intent says; `undefined` for a text that is none. Up to 0.1.0 it named the streams of the copies only. */
export function parseIntent(text: string): Intent | undefined {
  const value = jsonIn(text);
  if (!isObject(value) || !Array.isArray(value.moves)) return undefined;
  const created = new Map(Object.entries(objectOf(value.created)));
  const [stream, after] = Object.entries(objectOf(value.after))[0] ?? [];
  const target = parseMark(value.target === undefined ? { stream, after } : value.target);
  if (!target) return undefined;
  const run = objectOf(value.run);
  const seen = (one: unknown) => parseSeen(one, textOf(created.get(textOf(objectOf(one).stream))));
  return {
    moves: value.moves.filter(isObject).flatMap(({ msgId, original, records, requestId }): Intended[] => {
      if (typeof msgId !== 'string') return [];
      const from = seen(original);
      return [
        {
          msgId,
          ...(from && { original: from }),
          records: Array.isArray(records) ? records.flatMap((one: unknown) => seen(one) ?? []) : [],
          ...(typeof requestId === 'string' && { requestId }),
        },
      ];
    }),
    target,
    ...(typeof run.id === 'string' && { run: { id: run.id, moved: numberOf(run.moved) } }),
  };
}

/** Writes down what is about to be published; gives its revision. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export function writeIntent(nats: Nats, stream: string, intent: Intent): Promise<Own> {
  const text = printIntent(intent);
  return writeLedger(nats, undefined, () => putOwn(nats, intentKey(stream), text));
}

/** The intent that a run left behind; `undefined` where it came to its end. */
export async function readIntent(nats: Nats, stream: string): Promise<LeftIntent | undefined> {
  const entry = await nats.kv(LEDGER_BUCKET).get(intentKey(stream), { fromLeader: true });
  if (!entry) return undefined;
  const text = new TextDecoder().decode(entry.value);
  const intent = parseIntent(text);
  return intent && { ...intent, written: entry.created, stored: { revision: entry.revision, text } };
}

/** Looks whether it is still there, for who will forget it; what fails then is told there. */
export const lookAtIntent = (nats: Nats, stream: string, own: Own): Promise<Own> =>
  lookAtOwn(nats, intentKey(stream), own).then(
    (seen) => seen ?? own,
    () => own,
  );

/** Forgets an intent, and those before it: everything in them is done, or is where it was. */
export const forgetIntent = (nats: Nats, stream: string, own: Own): Promise<void> =>
  purgeOwn(nats, intentKey(stream), own);
