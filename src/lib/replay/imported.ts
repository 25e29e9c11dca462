import { createHash } from 'node:crypto';
import type { ArchivedMessage, ArchiveLine } from '../dlq/archive.ts';
import { restored } from '../dlq/archive.ts';
import {
  advisorySubject,
  IMPORT_HEADER,
  IMPORT_ID,
  REJECT_HEADER,
  REJECT_KEPT,
  rejectedSubject,
} from '../facts/names.ts';
import type { DlqRecord, EntryJson } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import {
  fitsHeader,
  type HeaderLine,
  headerValue,
  parseHeaderLines,
  printHeaders,
  toHeaderValue,
} from '../nats/raw-headers.ts';
import { isObeyed } from './copy.ts';

/** A message to be published into a DLQ stream. */
export interface ImportMessage {
  readonly subject: string;
  /** Where the DLQ does not take the first: an advisory's subject, which every DLQ takes. */
  readonly otherwise?: string;
  /** Its message id. */
  readonly id: string;
  /** The header block, with this message id. */
  headers(id: string): Uint8Array;
  readonly payload: Uint8Array;
}

const MSG_ID = 'Nats-Msg-Id';

/** The same for the same content, however often it is imported. */
const importId = (line: ArchiveLine, part: string): string => `${IMPORT_ID}${line.digest.slice(0, 32)}.${part}`;

/**
 * Names a record that tells no sequence: by what it is, without the id under which it was stored. Two that are alike have
 * the same name, and are two.
 */
export function contentOf({
  subject,
  headers,
  payload,
}: Pick<StoredMessage, 'subject' | 'headers' | 'payload'>): string {
  const lines = parseHeaderLines(headers).filter(({ name }) => !isObeyed(name) && name !== MSG_ID);
  return createHash('sha256')
    .update(JSON.stringify([subject, lines.map(({ name, value }) => [name, value])]))
    .update(payload)
    .digest('base64');
}

/**
 * Equal for the copies that several records carry of one stored message; `undefined` where a record does not tell when
 * it was published.
 */
export const twinKey = (message: Pick<StoredMessage, 'seq' | 'time' | 'subject' | 'headers' | 'payload'>) =>
  message.time === '' ? undefined : `${message.seq} ${message.time} ${contentOf(message)}`;

/** A record as it was: subject, payload and headers, and a message id where it had none. */
export function restoreRecord(line: ArchiveLine, record: ArchivedMessage, index: number): ImportMessage {
  const { subject, headers, payload } = restored(record);
  const lines = parseHeaderLines(headers).filter(({ name }) => !isObeyed(name));
  const id = headerValue(lines, MSG_ID) ?? importId(line, String(index));
  return { subject, id, headers: withId(lines), payload };
}

/** All that is to be published of a line: its records, and its message where none of them carries it. */
export function importMessages(line: ArchiveLine): ImportMessage[] {
  const carried = carryOriginal(line);
  return [...line.records.map((record, index) => restoreRecord(line, record, index)), ...(carried ? [carried] : [])];
}

/** On which subjects that is. */
export const importSubjects = (
  { queue, consumer }: Pick<EntryJson, 'queue' | 'consumer'>,
  records: readonly Pick<DlqRecord, 'subject' | 'kind'>[],
  hasMessage: boolean,
): Pick<ImportMessage, 'subject' | 'otherwise'>[] => [
  ...records.map(({ subject }) => ({ subject })),
  ...(hasMessage && carriesNone(records) ? [carriedOn({ queue, consumer })] : []),
];

const carriesNone = (records: readonly Pick<DlqRecord, 'kind'>[]): boolean =>
  records.every(({ kind }) => kind === 'advisory');

const carriedOn = ({ queue, consumer }: Pick<EntryJson, 'queue' | 'consumer'>) => ({
  subject: rejectedSubject(queue, consumer),
  otherwise: advisorySubject('max_deliveries', queue, consumer),
});

/** Makes the header block of a message id: where the lines have one, it takes its place. */
const withId =
  (lines: readonly HeaderLine[]) =>
  (id: string): Uint8Array => {
    if (headerValue(lines, MSG_ID) === id) return printHeaders(lines);
    const at = lines.findIndex(({ name }) => name === MSG_ID);
    const line = { name: MSG_ID, value: id };
    return printHeaders(at < 0 ? [...lines, line] : lines.with(at, line));
  };

/**
 * The dead message itself, as a dead letter that carries its payload, the way a worker's reject does. In the queue's
 * stream it would be work again: importing is not replaying.
 */
export function carryOriginal(line: ArchiveLine): ImportMessage | undefined {
  const { entry, original, records } = line;
  if (!original || !carriesNone(records)) return undefined;
  const { subject, headers, payload } = restored(original);
  const told: HeaderLine[] = Object.entries({
    // Up to 0.1.0 no worker's words were archived.
    ...(entry.detail && { [REJECT_HEADER.reason]: entry.detail }),
    ...(entry.detail && !fitsHeader(entry.detail) && { [IMPORT_HEADER.detail]: JSON.stringify(entry.detail) }),
    [REJECT_HEADER.stream]: entry.queue,
    [REJECT_HEADER.consumer]: entry.consumer,
    [REJECT_HEADER.seq]: String(entry.seq),
    [REJECT_HEADER.subject]: subject,
    [REJECT_HEADER.time]: entry.died_at ?? original.time,
    [REJECT_HEADER.deliveries]: String(entry.deliveries ?? 0),
    [IMPORT_HEADER.reason]: entry.reason,
    [IMPORT_HEADER.published]: original.time,
  }).map(([name, value]) => ({ name, value: toHeaderValue(value) }));
  // What the server would obey, or a reader take for ours, waits behind a prefix.
  const kept = parseHeaderLines(headers).map((line) =>
    /^(?:nats-|osapi-reject-|osapi-import-)/i.test(line.name) ? { ...line, name: `${REJECT_KEPT}${line.name}` } : line,
  );
  return {
    ...carriedOn(entry),
    id: importId(line, 'message'),
    headers: withId([...kept, ...told]),
    payload,
  };
}
