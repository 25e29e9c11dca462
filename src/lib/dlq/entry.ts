import { REPLAY_HEADER } from '../facts/names.ts';
import type { JournalEntry } from '../ledger/journal.ts';
import { asBuffer } from '../model/bytes.ts';
import { type DlqRecord, type Entry, type EntryInner, entryId } from '../model/entry.ts';
import { isObject, parseExact } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { fromHeaderValue, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import type { Death } from './death.ts';
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
  const detail = speaking.detail ?? records.findLast((record) => record.detail !== undefined)?.detail;
  return {
    id: death.id,
    queue: death.queue,
    consumer: death.consumer,
    seq: death.seq,
    ...describe(message),
    state: fate.fate,
    reason: speaking.reason,
    deliveries: speaking.deliveries ?? death.record.deliveries,
    died_at: death.record.time,
    inner: {
      records,
      ...(fate.fate === 'replayable' && fate.original && { original: fate.original }),
      message,
      ...(fate.fate === 'gone' && { cause: fate.cause }),
      detail,
      streamCreated: standing.created,
      certain: true,
    },
  };
}

/** The entry of a dead message that no record speaks of. */
export function orphanEntry(message: StoredMessage, consumer: string, maxDeliver: number, created: string): Entry {
  const inner: EntryInner = { records: [], original: message, message, streamCreated: created, certain: true };
  return {
    id: entryId(message.stream, consumer, message.seq),
    queue: message.stream,
    consumer,
    seq: message.seq,
    ...describe(message),
    state: 'orphan',
    reason: 'max_deliveries',
    deliveries: maxDeliver > 0 ? maxDeliver : null,
    died_at: null,
    inner,
  };
}

/** The same entry once its response is there. What is stored of it goes with it when it is purged. */
export const answeredEntry = (entry: Entry): Entry => ({
  ...entry,
  state: 'gone',
  inner: { ...entry.inner, cause: 'answered' },
});

/** An entry whose message a replay holds in its journal, on its way into a full queue; an orphan where no record tells of it. */
export function journalledEntry(entry: Entry | undefined, journalled: JournalEntry, created = ''): Entry {
  const { id, original, subject, headers, payload } = journalled;
  const message: StoredMessage = { ...original, subject, headers, payload };
  const inner: EntryInner = {
    ...(entry?.inner ?? { records: [], streamCreated: created, certain: true }),
    message,
    journalled: true,
  };
  const { cause: _cause, ...rest } = inner;
  const described = describe(message);
  // The journal holds the copy, which counts the replay that is under way.
  const replays = Math.max(0, described.replays - 1);
  if (entry) return { ...entry, ...described, replays, state: 'replayable', inner: rest };
  const [consumer = '-'] = id.split('/').slice(-2);
  return {
    id,
    queue: original.stream,
    consumer,
    seq: original.seq,
    ...described,
    replays,
    state: 'orphan',
    reason: 'max_deliveries',
    deliveries: null,
    died_at: null,
    inner: rest,
  };
}

type Described = Pick<Entry, 'subject' | 'request_id' | 'published_at' | 'size' | 'replays'>;

function describe(message: StoredMessage | undefined): Described {
  if (!message) return { subject: null, request_id: null, published_at: null, size: null, replays: 0 };
  const header = headerReader(message);
  const count = header(REPLAY_HEADER.count);
  return {
    subject: message.subject,
    request_id: requestIdOf(message.payload) ?? header(REPLAY_HEADER.originalMsgId) ?? header('Nats-Msg-Id') ?? null,
    published_at: message.time === '' ? null : message.time,
    size: message.payload.byteLength,
    replays: count !== undefined && /^\d{1,9}$/.test(count) ? Number(count) : 0,
  };
}

/** Reads single headers; a block without any of ours or the server's costs next to nothing. */
function headerReader({ headers }: StoredMessage): (name: string) => string | undefined {
  if (headers.byteLength === 0) return () => undefined;
  const lines = parseHeaders(headers);
  return (name) => {
    const value = headerValue(lines, name);
    return value === undefined || value === '' ? undefined : fromHeaderValue(value).slice(0, LONGEST_ID);
  };
}

/** The `id` of a request's JSON; a reader of responses looks under it. */
export function requestIdOf(payload: Uint8Array): string | undefined {
  if (payload.byteLength > LARGEST_PARSED || payload.byteLength < 7) return undefined;
  const bytes = asBuffer(payload);
  if (!bytes.includes('"id"')) return undefined;
  try {
    const body = parseExact(bytes.toString('utf8'));
    if (!isObject(body)) return undefined;
    const id = typeof body.id === 'number' ? String(body.id) : body.id;
    return typeof id === 'string' && id !== '' ? id.slice(0, LONGEST_ID) : undefined;
  } catch {
    return undefined;
  }
}
