import { ERR } from '../facts/err-codes.ts';
import { bucketStream, journalSubject, LEDGER_BUCKET } from '../facts/names.ts';
import { isObject } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { isApiError, isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { deleteMessage, publish, purgeUpTo } from '../nats/message-writes.ts';
import { getRange } from '../nats/messages.ts';
import type { ReadOptions } from '../nats/port.ts';
import { fromHeaderValue, headerValue, parseHeaders, printHeaders, toHeaderValue } from '../nats/raw-headers.ts';
import { toToken } from './key.ts';
import { writeLedger } from './room.ts';

const STREAM = bucketStream(LEDGER_BUCKET);

/** A message that left its stream before its copy was in: everything needed to finish, or to put it back by hand. */
export interface Journalled {
  readonly id: string;
  readonly msgId: string;
  /** Of the copy. */
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  readonly original: { readonly stream: string; readonly seq: number; readonly time: string };
  readonly records: readonly { readonly stream: string; readonly seq: number }[];
  readonly requestId?: string;
  /** The last sequence of the copy's stream before it could be published: a copy has a higher one. */
  readonly after: number;
}

/** A journalled message as the ledger keeps it. */
export interface JournalEntry extends Journalled {
  /** Sequences in the ledger's stream, oldest first: one that was written again has several. */
  readonly journalSeqs: readonly number[];
  /** RFC 3339, when it was written. */
  readonly written: string;
}

const HEADER = 'Osapi-Journal';

/**
 * Writes a message down before its original goes. The copy's header block travels in front of the payload: as headers
 * of this message the server would obey them.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function writeJournal(nats: Nats, entry: Journalled): Promise<number> {
  const { headers, payload, ...facts } = entry;
  const line = toHeaderValue(JSON.stringify({ ...facts, headerBytes: headers.byteLength }));
  const body = Buffer.concat([headers, payload]);
  const subject = journalSubject(entry.original.stream, entry.original.seq);
  const { seq } = await publish(nats, subject, body, printHeaders([{ name: HEADER, value: line }]));
  return seq;
}

/** What a stored journal message says; `undefined` for one that is not of this form. */
export function parseJournal(message: StoredMessage): JournalEntry | undefined {
  const line = headerValue(parseHeaders(message.headers), HEADER);
  if (line === undefined) return undefined;
  try {
    const { headerBytes, ...facts } = JSON.parse(fromHeaderValue(line)) as Journalled & { headerBytes: number };
    if (!isObject(facts.original) || typeof facts.msgId !== 'string' || !Array.isArray(facts.records)) return undefined;
    return {
      ...facts,
      headers: message.payload.subarray(0, headerBytes),
      payload: message.payload.subarray(headerBytes),
      journalSeqs: [message.seq],
      written: message.time,
    };
  } catch {
    return undefined;
  }
}

/** The journalled messages of a queue, oldest first. None where there is no ledger. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readJournal(nats: Nats, stream: string, how: ReadOptions = {}): Promise<JournalEntry[]> {
  const found: JournalEntry[] = [];
  try {
    for await (const message of getRange(nats, STREAM, 1, { subject: journalSubject(stream, '*'), ...how })) {
      const entry = parseJournal(message);
      if (entry) found.push(entry);
    }
  } catch (error) {
    if ((error as { code?: string }).code === 'NOT_FOUND') return [];
    throw error;
  }
  const byOriginal = Map.groupBy(found, ({ original }) => original.seq);
  return [...byOriginal.values()].map((all) => ({
    ...all.at(-1)!,
    journalSeqs: all.flatMap(({ journalSeqs }) => journalSeqs),
  }));
}

/**
 * Forgets one journalled message by its sequences in the ledger. A purge of its key would do, but 2.10 may undo one that
 * it confirmed when it is killed (measured: 64 of 32,260 were back, of deletes none), and the message would be published
 * once more.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function forgetJournal(
  nats: Nats,
  { stream, seq }: Journalled['original'],
  journalSeqs: readonly number[],
): Promise<void> {
  try {
    for (const journalSeq of journalSeqs) await deleteMessage(nats, STREAM, journalSeq);
  } catch (error) {
    // A bucket that somebody made by hand denies deletes of single messages.
    if (isMissing(error)) return;
    if (!isApiError(error, ERR.deleteFailed)) throw error;
    await purgeUpTo(nats, STREAM, { filter: journalSubject(stream, seq) });
  }
}

/** One message of an intent: what a later run needs to find out how far it came. */
export interface Intended {
  readonly msgId: string;
  readonly subject: string;
  readonly original?: { readonly stream: string; readonly seq: number; readonly time: string };
  readonly records: readonly { readonly stream: string; readonly seq: number }[];
  readonly requestId?: string;
}

/** The page of messages that a run is about to publish, written down before the first of them. */
export interface Intent {
  readonly moves: readonly Intended[];
  /** Last sequence of each stream that gets copies, before the first of them. */
  readonly after: Readonly<Record<string, number>>;
  /** RFC 3339 by the server's clock; set when read. */
  readonly written?: string;
}

const intentKey = (stream: string): string => `intent.${toToken(stream)}`;

/** Writes down what is about to be published. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function writeIntent(nats: Nats, stream: string, intent: Intent): Promise<void> {
  const text = JSON.stringify(intent);
  await writeLedger(nats, undefined, () => nats.kv(LEDGER_BUCKET).put(intentKey(stream), text, { finish: true }));
}

/** The intent that a run left behind; `undefined` where it came to its end. */
export async function readIntent(nats: Nats, stream: string): Promise<Intent | undefined> {
  const entry = await nats.kv(LEDGER_BUCKET).get(intentKey(stream), { fromLeader: true });
  if (!entry) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(entry.value));
    if (!isObject(value) || !Array.isArray(value.moves) || !isObject(value.after)) return undefined;
    return { ...(value as unknown as Intent), written: entry.created };
  } catch {
    return undefined;
  }
}

/** Forgets the intent: everything in it is done, or is where it was. */
export async function forgetIntent(nats: Nats, stream: string): Promise<void> {
  await purgeUpTo(nats, STREAM, { filter: `$KV.${LEDGER_BUCKET}.${intentKey(stream)}` });
}
