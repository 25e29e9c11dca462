import { parseArchiveLine, printArchiveLine } from '../dlq/archive.ts';
import { isMarker } from '../dlq/filter.ts';
import { scanEntries } from '../dlq/scan.ts';
import { OpsError } from '../errors/ops-error.ts';
import { advisorySubject, REJECT_HEADER, rejectedSubject } from '../facts/names.ts';
import { asBuffer } from '../model/bytes.ts';
import type { DlqRecord, Entry, QueueRef } from '../model/entry.ts';
import { isObject } from '../model/json.ts';
import type { Seen, StoredMessage } from '../model/message.ts';
import type { Migration } from '../model/migration.ts';
import { orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { storeCopy } from '../nats/copies.ts';
import type { StreamInfo } from '../nats/info.ts';
import { notKept, type Room } from '../nats/keeps.ts';
import { pipelined } from '../nats/pipeline.ts';
import { fromHeaderValue, headerValue, parseHeaders, printHeaders, toHeaderValue } from '../nats/raw-headers.ts';
import { readRoom } from '../nats/room-in.ts';
import { readStream } from '../nats/streams.ts';
import { type DlqPlace, placeInDlq } from '../replay/dlq-place.ts';
import { carryOriginal, type ImportMessage, restoreRecord } from '../replay/imported.ts';
import { removeRecords } from '../replay/records.ts';

//   A consumer made anew is given what the one before it gave up, and a reset past that deletes it in a cluster. So the
//   dead leave the queue before it is moved: each with its payload into the DLQ, as `dlq import` writes it. Under the name
//   that it has: whoever goes back from there finds all as it was. Where it gets another name, what the DLQ has of them
//   is written under that once the way back is closed, and the old records go.

/** What a dead letter is called after the move. */
export interface Names {
  readonly stream: { readonly from: string; readonly to: string };
  /** Consumers that are called otherwise then, by what they are called now. */
  readonly consumers: ReadonlyMap<string, string>;
}

export function namesOf({ kind, hops, consumers, before }: Migration): Names {
  const from = hops[0]?.from ?? String(before.name);
  const to = kind === 'consumer' ? from : (hops.at(-1)?.to ?? from);
  return { stream: { from, to }, consumers: new Map(consumers.map((one) => [one.from, one.to])) };
}

/** The names as they are, until the way back is closed. */
export function oldNames(migration: Migration): Names {
  const { stream, consumers } = namesOf(migration);
  return {
    stream: { from: stream.from, to: stream.from },
    consumers: new Map([...consumers.keys()].map((name) => [name, name])),
  };
}

const isRenamed = ({ stream, consumers }: Names, consumer: string): boolean =>
  stream.from !== stream.to || (consumers.get(consumer) ?? consumer) !== consumer;

/** The queue as the reading of its dead letters wants it. */
export function refOf({ consumers, dlqs, before, responses }: Migration, stream: string): QueueRef {
  return {
    queue: stream,
    ...(Array.isArray(before.subjects) && { subjects: before.subjects as readonly string[] }),
    dlq: dlqs[0]?.stream,
    dlqs: dlqs.map((one) => one.stream),
    consumers: consumers.map(({ from }) => from),
    ...(responses !== undefined && { responses }),
  };
}

/** A record of a DLQ stream with the names after the move; `undefined` where it is of no form whose names we know. */
export function renameRecord(record: StoredMessage, names: Names, consumer: string): Omit<Written, 'id'> | undefined {
  const { stream } = names;
  const renamed = names.consumers.get(consumer) ?? consumer;
  const subject = record.subject
    .replace(/\.CONSUMER\.(MAX_DELIVERIES|MSG_TERMINATED)\.[^.]+\.[^.]+$/, `.CONSUMER.$1.${stream.to}.${renamed}`)
    .replace(rejectedSubject(stream.from, consumer), rejectedSubject(stream.to, renamed));
  const lines = parseHeaders(record.headers);
  if (lines.some(({ name }) => STREAM_HEADERS.has(name.toLowerCase()))) {
    const headers = lines.map((line) => {
      const name = line.name.toLowerCase();
      const value = fromHeaderValue(line.value).trim();
      if (STREAM_HEADERS.has(name) && value === stream.from) return { ...line, value: toHeaderValue(stream.to) };
      if (CONSUMER_HEADERS.has(name) && value === consumer) return { ...line, value: toHeaderValue(renamed) };
      return line;
    });
    return { subject, headers: printHeaders(headers), payload: record.payload };
  }
  let body: unknown;
  try {
    body = JSON.parse(asBuffer(record.payload).toString());
  } catch {
    return undefined;
  }
  if (!isObject(body) || body.stream !== stream.from) return undefined;
  const payload = Buffer.from(JSON.stringify({ ...body, stream: stream.to, consumer: renamed }));
  return { subject, headers: record.headers, payload };
}

const lower = (...names: readonly string[]): ReadonlySet<string> => new Set(names.map((name) => name.toLowerCase()));
const STREAM_HEADERS = lower(REJECT_HEADER.stream, 'X-DLQ-Original-Stream', 'x-original-stream');
const CONSUMER_HEADERS = lower(REJECT_HEADER.consumer, 'X-DLQ-Consumer', 'X-DLQ-Original-Consumer');

interface Written {
  readonly subject: string;
  readonly otherwise?: string;
  readonly id: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/** What is to be written of a dead letter, and which records it takes the place of. */
export interface Carried {
  /** Its sequence, where it is stored in the queue. */
  readonly seq?: number;
  readonly writes: readonly ImportMessage[];
  readonly replaces: readonly Seen[];
}

/** Pure: what becomes of an entry, whose records were read as stored. */
export function carry(entry: Entry, names: Names): Carried {
  const { original, records } = entry.inner;
  const to = { queue: names.stream.to, consumer: names.consumers.get(entry.consumer) ?? entry.consumer };
  const renamed = isRenamed(names, entry.consumer);
  const told = renamed
    ? records.flatMap((record) => {
        const written = record.raw && renameRecord(record.raw, names, entry.consumer);
        return written && record.raw ? [{ record, raw: record.raw, written }] : [];
      })
    : [];
  const line = parseArchiveLine(printArchiveLine(entry), entry.id);
  const own = original ? carryOriginal({ ...line, entry: { ...line.entry, ...to } }) : undefined;
  return {
    ...(original && { seq: original.seq }),
    writes: [
      ...told.map(({ raw, written }, index) => {
        const lines = parseHeaders(written.headers);
        const id = headerValue(lines, 'Nats-Msg-Id');
        const message = restoreRecord(
          line,
          {
            ...raw,
            subject: written.subject,
            headers: asBuffer(written.headers).toString('base64'),
            payload: asBuffer(written.payload).toString('base64'),
          },
          index,
        );
        // The stream knows the old one's id, and would take this for it.
        return { ...message, id: `${MOVED_ID}${to.queue}.${to.consumer}.${id ?? message.id}` };
      }),
      ...(own ? [own] : []),
    ],
    replaces: told.map(({ record }) => seenOf(record)),
  };
}

const MOVED_ID = 'osapi-ops.moved.';

/** Dead letters of a page are written together. */
const PAGE = 256;
const AT_ONCE = 64;

/**
 * Of what lies there with no record of its death while its copy is gone nobody can tell whether a worker answered it
 * (2.15.1: it stays stored): it is kept, so that nothing is lost, and says so, so that nobody replays it unawares.
 */
const inDoubt = (entry: Entry): Entry => ({
  ...entry,
  detail:
    'unknown: answered, or dead. It was stored without a record of its death when the copy of its queue was removed.',
});

/** The sequences of the dead that are stored in the queue, and of those of them that may as well be answered. */
export interface CarriedDead {
  readonly seqs: readonly number[];
  readonly doubtful: readonly number[];
}

/**
 * Writes the dead letters of a queue down with their payload, under these names; gives the sequences of those that are
 * stored in the queue, which nobody is to be given again. `isCopyLost`: somebody removed a copy that was reading it.
 * @throws OpsError MIGRATE_REFUSED where no DLQ takes them; NO_ROOM; CONN_*, DENIED_SUBJECT
 */
export async function carryDead(
  nats: Nats,
  migration: Migration,
  names: Names,
  signal: AbortSignal,
  isCopyLost = false,
): Promise<CarriedDead> {
  const ref = refOf(migration, names.stream.from);
  const found = await Promise.all(ref.dlqs.map((dlq) => orUndefined(readStream(nats, dlq, { finish: true }))));
  const dlqs = found.filter((dlq) => dlq !== undefined);
  const carriedDead = { seqs: [] as number[], doubtful: [] as number[] };
  let page: Carried[] = [];
  const flush = async () => {
    const rooms = new Map<string, Room>();
    const all = page.flatMap(({ writes }) => writes.map((message) => requirePlace(nats, dlqs, message)));
    for (const { dlq, id, copyFor } of all) {
      const room = rooms.get(dlq.name) ?? (await readRoom(nats, dlq.name));
      rooms.set(dlq.name, room);
      const why = room.take(copyFor(id));
      if (why) throw notKept(why);
    }
    await pipelined(all, AT_ONCE, ({ dlq, id, copyFor }) => storeCopy(nats, dlq, id, copyFor));
    await removeRecords(
      nats,
      page.flatMap(({ replaces }) => replaces),
    );
    page = [];
  };
  const moved = new Set(migration.consumers.map(({ from }) => from));
  for await (const entry of scanEntries(nats, [ref], {}, { raw: true, details: true, signal })) {
    if (migration.kind === 'consumer' && !moved.has(entry.consumer)) continue;
    const isDoubtful = isCopyLost && entry.state === 'orphan';
    const carried = carry(isDoubtful ? inDoubt(entry) : entry, names);
    if (carried.seq !== undefined) carriedDead.seqs.push(carried.seq);
    if (carried.seq !== undefined && isDoubtful) carriedDead.doubtful.push(carried.seq);
    if (carried.writes.length > 0) page.push(carried);
    if (page.length >= PAGE) await flush();
  }
  await flush();
  return carriedDead;
}

/** Removes what is recorded of our own markers in a stream: given out, they may have died, or been rejected. */
export async function forgetMarkers(
  nats: Nats,
  migration: Migration,
  stream: string,
  signal: AbortSignal,
): Promise<void> {
  const ref = { ...refOf(migration, stream), consumers: migration.consumers.flatMap(({ from, to }) => [from, to]) };
  const records: Seen[] = [];
  for await (const entry of scanEntries(nats, [ref], { markers: true }, { signal }))
    if (isMarker(entry)) records.push(...entry.inner.records.map(seenOf));
  await removeRecords(nats, records);
}

const seenOf = ({ stream, seq, stored: time }: DlqRecord): Seen => ({ stream, created: '', seq, time });

/** The DLQ that takes a record. @throws OpsError MIGRATE_REFUSED */
function requirePlace(nats: Nats, dlqs: readonly StreamInfo[], message: ImportMessage): DlqPlace {
  const place = placeInDlq(nats, dlqs, message);
  if (typeof place !== 'string') return place;
  throw new OpsError('MIGRATE_REFUSED', `a dead letter has no place to wait in: ${place}`, {
    where: advisorySubject('max_deliveries', '*'),
    why: 'A dead letter is carried out of the queue before that is moved, payload and all, so that nobody is given it again. Nothing was moved.',
    hints: ['give the queue a `dlq:` that takes rejects, or replay or purge its dead letters first'],
  });
}
