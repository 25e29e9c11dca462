import { bucketStream, LEDGER_BUCKET, REPLAY_HEADER } from '../facts/names.ts';
import type { JournalEntry } from '../ledger/journal.ts';
import { asBuffer } from '../model/bytes.ts';
import { type DlqRecord, type Entry, type EntryInner, entryId, MOST_REPLAYS } from '../model/entry.ts';
import { jsonIn, objectOf, parseExact } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { fromHeaderValue, type HeaderLine, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { type Death, UNNAMED } from './death.ts';
import type { Fate } from './fate.ts';
import type { QueueStanding } from './standing.ts';

/** Payloads beyond this many bytes are not parsed for an id: a request is small. */
const LARGEST_PARSED = 256 * 1024;
const LONGEST_ID = 512;

/** The entry that records of one message and its fate make. The newest record speaks, a reject before all others. */
export function toEntry(
  death: Death,
  records: readonly DlqRecord[],
  fate: Exclude<Fate, { fate: 'alive' }>,
  standing: QueueStanding,
): Entry {
  const message = fate.fate === 'replayable' ? fate.message : undefined;
  const speaking = records.findLast(({ kind }) => kind === 'rejected') ?? death.record;
  const described = describe(message);
  const detail = speaking.detail ?? records.findLast((record) => record.detail !== undefined)?.detail;
  return {
    id: death.id,
    queue: death.queue,
    consumer: death.consumer,
    seq: death.seq,
    ...described,
    state: fate.fate === 'replayable' ? stateOf(described) : fate.fate,
    reason: speaking.reason,
    detail: detail ?? null,
    deliveries: speaking.deliveries ?? death.record.deliveries,
    died_at: death.record.time,
    inner: {
      records,
      ...(fate.fate === 'replayable' && fate.original && { original: fate.original }),
      message,
      ...(fate.fate === 'gone' && { cause: fate.cause }),
      streamCreated: standing.created,
      ...(fate.fate === 'replayable' &&
        fate.untaken && { untaken: true, ...(isGone(death, standing) && { ownerless: true }) }),
      ...(death.inDoubt && { inDoubt: true }),
    },
  };
}

const isGone = ({ consumer }: Death, { consumers }: QueueStanding): boolean =>
  consumer !== UNNAMED && !consumers.some(({ name }) => name === consumer);

/** The entry of a dead message that no record speaks of. */
export function orphanEntry(message: StoredMessage, consumer: string, maxDeliver: number, created: string): Entry {
  const inner: EntryInner = { records: [], original: message, message, streamCreated: created };
  return {
    id: entryId(message.stream, consumer, message.seq),
    queue: message.stream,
    consumer,
    seq: message.seq,
    ...describe(message),
    state: 'orphan',
    reason: 'max_deliveries',
    detail: null,
    deliveries: maxDeliver > 0 ? maxDeliver : null,
    died_at: null,
    inner,
  };
}

/** The same entry once its response is there. What is stored of it goes with it when it is purged. */
export function answeredEntry({ inner: { untaken: _, ownerless: __, ...inner }, ...entry }: Entry): Entry {
  return { ...entry, state: 'gone', inner: { ...inner, cause: 'answered' } };
}

/** Whether a replay took a message out of another stream than the queue's of now, which counts from 1 again. */
export const isOfAnother = ({ original }: Pick<JournalEntry, 'original'>, created: string): boolean =>
  original.created !== '' && created !== '' && original.created !== created;

/** By what a message in the journal goes: by its place there where its number may be another message's by now. */
export function journalledId({ id, original, stored }: JournalEntry, created: string): string {
  const place = isOfAnother({ original }, created) ? stored.at(-1) : undefined;
  return place ? `${JOURNAL_PLACE}${place.seq}` : id;
}

const JOURNAL_PLACE = `${bucketStream(LEDGER_BUCKET)}/-/`;

/** Whether an id is the place of a message in the journal. */
export const isJournalPlace = (id: string): boolean => id.startsWith(JOURNAL_PLACE);

/** What a replay has taken out of a queue: the message of that sequence still. */
export const journalledMessage = ({ original, subject, headers, payload }: JournalEntry): StoredMessage => ({
  ...original,
  subject,
  headers,
  payload,
});

/** An entry whose message a replay holds in its journal, on its way into a full queue; an orphan where no record tells of it. */
export function journalledEntry(entry: Entry | undefined, journalled: JournalEntry, created = ''): Entry {
  const { original, target } = journalled;
  const now = entry?.inner.streamCreated ?? created;
  const id = journalledId(journalled, now);
  const isStale = target.stream === original.stream && target.created !== '' && now !== '' && now !== target.created;
  const message = journalledMessage(journalled);
  const inner: EntryInner = {
    ...(entry?.inner ?? { records: [], streamCreated: created }),
    message,
    journalled: true,
    ...(isStale && { stale: true }),
  };
  const { cause: _cause, ...rest } = inner;
  const described = describe(message);
  // The journal holds the copy, which counts the replay that is under way.
  const replays = Math.max(0, described.replays - 1);
  if (entry) return { ...entry, id, ...described, replays, state: stateOf({ replays }), inner: rest };
  const [consumer = '-'] = journalled.id.split('/').slice(-2);
  return {
    id,
    queue: original.stream,
    consumer,
    seq: original.seq,
    ...described,
    replays,
    state: 'orphan',
    reason: 'max_deliveries',
    detail: null,
    deliveries: null,
    died_at: null,
    inner: rest,
  };
}

/** An entry as a replay's journal tells of it: what is gone from the queue may be on its way back. */
export const withJournal = (entry: Entry, journalled: JournalEntry | undefined): Entry =>
  entry.state === 'gone' && journalled?.id === entry.id ? journalledEntry(entry, journalled) : entry;

const stateOf = ({ replays }: Pick<Entry, 'replays'>): 'parked' | 'replayable' =>
  replays >= MOST_REPLAYS ? 'parked' : 'replayable';

type Described = Pick<Entry, 'subject' | 'request_id' | 'published_at' | 'size' | 'replays'>;

function describe(message: StoredMessage | undefined): Described {
  if (!message) return { subject: null, request_id: null, published_at: null, size: null, replays: 0 };
  const lines = parseHeaders(message.headers);
  const header = (name: string): string | undefined => {
    const value = headerValue(lines, name);
    return value ? fromHeaderValue(value).slice(0, LONGEST_ID).toWellFormed() : undefined;
  };
  return {
    subject: message.subject,
    request_id: requestIdOf(message.payload) ?? header(REPLAY_HEADER.originalMsgId) ?? header('Nats-Msg-Id') ?? null,
    published_at: message.time || null,
    size: message.payload.byteLength,
    replays: replayCount(lines),
  };
}

const LARGEST_COUNT = 1_000_000;

/** How often a message was replayed before, by its header; 0 where it says nothing sensible. */
export function replayCount(lines: readonly HeaderLine[]): number {
  const text = headerValue(lines, REPLAY_HEADER.count) ?? '';
  return /^\d{1,7}$/.test(text) ? Math.min(Number(text), LARGEST_COUNT) : 0;
}

/** The `id` of a request's JSON; a reader of responses looks under it. */
export function requestIdOf(payload: Uint8Array): string | undefined {
  if (payload.byteLength > LARGEST_PARSED) return undefined;
  const text = asBuffer(payload).toString();
  if (!text.includes('"id"')) return undefined;
  const body = objectOf(jsonIn(text, parseExact));
  const id = typeof body.id === 'number' ? String(body.id) : body.id;
  return typeof id === 'string' && id !== '' ? id.slice(0, LONGEST_ID).toWellFormed() : undefined;
}
