import { createHash } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';
import { isConsumerName, isSeq, isStreamName } from '../facts/tokens.ts';
import { asBuffer } from '../model/bytes.ts';
import { type Entry, type EntryJson, entryJson, type RecordKind } from '../model/entry.ts';
import { isObject, jsonIn } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';

export const ARCHIVE_VERSION = 1;

/** A stored message in an archive: its bytes in base64, so that they come back as they were. */
export interface ArchivedMessage {
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  /** RFC 3339; empty where nobody knew it. */
  readonly time: string;
  /** The header block, in base64; empty where there was none. */
  readonly headers: string;
  readonly payload: string;
}

/** One line of an archive: all that there was of one dead letter. */
export interface ArchiveLine {
  readonly version: typeof ARCHIVE_VERSION;
  readonly entry: EntryJson;
  /** When the queue's stream was made, RFC 3339. */
  readonly stream_created: string;
  /** What lay in the DLQ streams, oldest first: advisories, rejects. */
  readonly records: readonly (ArchivedMessage & { readonly kind: RecordKind })[];
  /** What a replay would have published; null for an entry that was gone. */
  readonly original: ArchivedMessage | null;
  /** Whether it lay in the queue's stream, or was a copy in the DLQ. */
  readonly original_in: 'stream' | 'record' | null;
  /** SHA-256 over all the above, in hex. */
  readonly digest: string;
}

const base64 = (bytes: Uint8Array): string => asBuffer(bytes).toString('base64');

const archived = ({ stream, seq, subject, time, headers, payload }: StoredMessage): ArchivedMessage => ({
  stream,
  seq,
  subject,
  time,
  headers: base64(headers),
  payload: base64(payload),
});

/** The message that was archived, byte for byte. */
export const restored = ({ headers, payload, ...rest }: ArchivedMessage): StoredMessage => ({
  ...rest,
  headers: Buffer.from(headers, 'base64'),
  payload: Buffer.from(payload, 'base64'),
});

const lineDigest = (content: Omit<ArchiveLine, 'digest'>): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** An entry as a line of an archive, without its end of line. Its records must have been read with `raw`. */
export function printArchiveLine(entry: Entry): string {
  const { records, message, original, streamCreated } = entry.inner;
  const content: Omit<ArchiveLine, 'digest'> = {
    version: ARCHIVE_VERSION,
    entry: entryJson(entry),
    stream_created: streamCreated,
    records: records.flatMap(({ raw, kind }) => (raw ? [{ ...archived(raw), kind }] : [])),
    original: message ? archived(message) : null,
    original_in: message ? (original ? 'stream' : 'record') : null,
  };
  return JSON.stringify({ ...content, digest: lineDigest(content) });
}

const unreadable = (where: string, why: string, hint: string): OpsError =>
  new OpsError('USAGE_FILE', 'this is no line of an archive of dead letters', { where, why, hints: [hint] });

/**
 * Reads a line of an archive; `where` is for the message of a fault, as `dead.ndjson:17`.
 * @throws OpsError USAGE_FILE where it is none, was written by a newer version, or was changed
 */
export function parseArchiveLine(text: string, where: string): ArchiveLine {
  const broken = (why: string) =>
    unreadable(where, why, 'check that the file is whole; `dlq export` and `dlq purge` write it');
  const line = jsonIn(text);
  if (line === undefined) throw broken('It is not JSON.');
  if (!isObject(line)) throw broken('It is not a JSON object.');
  if (line.version !== ARCHIVE_VERSION) {
    throw unreadable(
      where,
      `Its version is ${JSON.stringify(line.version ?? null).slice(0, 20)}, not ${ARCHIVE_VERSION}.`,
      'update osapi-ops',
    );
  }
  const { digest, ...content } = line as unknown as ArchiveLine;
  if (lineDigest(content) !== digest) throw broken('Its digest does not fit its content: it was changed, or cut.');
  const { entry, records, original } = content;
  const isWhole =
    isEntry(entry) &&
    typeof content.stream_created === 'string' &&
    Array.isArray(records) &&
    records.every((record: unknown) => isArchived(record) && 'kind' in record && typeof record.kind === 'string') &&
    (original === null || isArchived(original));
  if (!isWhole) throw broken('It lacks what every line has.');
  return line as unknown as ArchiveLine;
}

/** A line has a digest that anybody can make: what it names must be what can have such a name. */
function isEntry(value: unknown): value is EntryJson {
  if (!isObject(value) || !isStreamName(value.queue) || !isConsumerName(value.consumer) || !isSeq(value.seq))
    return false;
  const isText = (key: string) => typeof value[key] === 'string';
  const mayBe = (key: string, type: string) => value[key] === null || typeof value[key] === type;
  return (
    ['id', 'state', 'reason'].every(isText) &&
    // Up to 0.1.0 it was not archived.
    (value.detail === undefined || mayBe('detail', 'string')) &&
    ['subject', 'request_id', 'died_at', 'published_at'].every((key) => mayBe(key, 'string')) &&
    ['deliveries', 'size'].every((key) => mayBe(key, 'number')) &&
    typeof value.replays === 'number'
  );
}

const isArchived = (value: unknown): value is ArchivedMessage =>
  isObject(value) &&
  ['stream', 'subject', 'time'].every((key) => typeof value[key] === 'string') &&
  ['headers', 'payload'].every((key) => isBase64(value[key])) &&
  isSeq(value.seq);

/** Base64 to the letter: what is none is read by Node as other bytes. */
const isBase64 = (value: unknown): boolean =>
  typeof value === 'string' && value.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(value.replace(/={1,2}$/, ''));
