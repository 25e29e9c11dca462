import { pagesOf } from '../dlq/pages.ts';
import type { QueueStanding } from '../dlq/standing.ts';
import { subjectCovers } from '../facts/subjects.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import { firstMessage, getRange } from '../nats/messages.ts';
import { timeOfId } from './id.ts';
import { createMatcher } from './identify.ts';
import { isWaiting } from './taker.ts';

/** What of a queue has to be known to look for a message in it. */
export type Place = Pick<QueueStanding, 'queue' | 'exists' | 'messages' | 'bytes' | 'firstSeq' | 'lastSeq'>;

/** The same by its stream alone. */
export const placeOf = ({ queue, stream }: FoundPlace): Place => ({
  queue,
  exists: stream !== undefined,
  messages: stream?.figures.messages ?? 0,
  bytes: stream?.figures.bytes ?? 0,
  firstSeq: stream?.figures.first_seq ?? 0,
  lastSeq: stream?.figures.last_seq ?? 0,
});

interface FoundPlace {
  readonly queue: string;
  readonly stream?: StreamInfo;
}

/** How far around the time of an id is looked, in milliseconds: clocks differ, and a publish may wait for its turn. */
const BEFORE_MS = 500;
const AFTER_MS = 2000;
/** A stream of fewer messages is read at once. */
const SMALL = 20_000;
/** So many places of a stream are looked at in one round trip, and so many messages are read where the search ends. */
const PLACES = 32;
const NEAR = 1000;

/**
 * The stored messages of these ids in one queue, the newest where an id has several. Ids that carry their time are
 * looked up around it; for the others, and for what was published again later, the stream is read from its end, back to
 * `since` where that is given (milliseconds since 1970). Memory does not grow with the stream.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function findMessages(
  nats: Nats,
  standing: Place,
  ids: readonly string[],
  { since = 0, onProgress }: { readonly since?: number; onProgress?(read: number, total: number): void } = {},
): Promise<Map<string, StoredMessage>> {
  const found = new Map<string, StoredMessage>();
  if (!standing.exists || standing.messages === 0) return found;
  let missing = [...new Set(ids)];
  for (const id of missing) {
    const message = await findByTime(nats, standing, id);
    if (message) found.set(id, message);
  }
  missing = missing.filter((id) => !found.has(id));
  if (missing.length === 0) return found;
  const match = createMatcher(missing);
  const read = (from: number, untilSeq: number) => getRange(nats, standing.queue, from, { untilSeq });
  let count = 0;
  const { firstSeq: first, lastSeq: last, messages, bytes } = standing;
  for await (const page of pagesOf(read, { first, last, messages, bytes }, 'newest')) {
    nats.signal.throwIfAborted();
    for (const message of page) {
      const id = match(message);
      if (id !== undefined && !found.has(id)) found.set(id, message);
    }
    count += page.length;
    onProgress?.(count, messages);
    if (missing.every((id) => found.has(id)) || Date.parse(page.at(-1)!.time) < since) break;
  }
  return found;
}

/** Looks around the time that an id was made at: a few gets to find the place, then what was stored about then. */
async function findByTime(nats: Nats, standing: Place, id: string): Promise<StoredMessage | undefined> {
  const made = timeOfId(id);
  if (made === undefined || standing.messages < SMALL) return undefined;
  const from = await seqAt(nats, standing, made - BEFORE_MS);
  const match = createMatcher([id]);
  for await (const message of getRange(nats, standing.queue, from, { untilSeq: standing.lastSeq })) {
    if (match(message) === id) return message;
    if (Date.parse(message.time) > made + AFTER_MS) return undefined;
  }
  return undefined;
}

/**
 * From where to read for what was stored at a time or later, in milliseconds since 1970: at most some messages before it.
 * Times of a stream only grow.
 */
async function seqAt(nats: Nats, standing: Place, time: number): Promise<number> {
  let [low, high] = [standing.firstSeq, standing.lastSeq + 1];
  while (high - low > NEAR) {
    const step = (high - low) / (PLACES + 1);
    const places = Array.from({ length: PLACES }, (_, index) => Math.floor(low + step * (index + 1)));
    const found = await Promise.all(places.map((place) => firstMessage(nats, standing.queue, place)));
    for (const [index, message] of found.entries()) {
      if (message && Date.parse(message.time) < time) low = Math.max(low, message.seq + 1);
      else {
        high = Math.min(high, places[index]!);
        break;
      }
    }
  }
  return low;
}

export interface WaitingFilter {
  /** May hold `*` and `>`. */
  readonly subjects?: readonly string[];
  /** Only what was published before, in milliseconds since 1970. */
  readonly before?: number;
}

/** Whether a filter lets a message in. */
export const isMeant = (
  { subject, time }: Pick<StoredMessage, 'subject' | 'time'>,
  { subjects, before }: WaitingFilter,
): boolean =>
  !(before !== undefined && Date.parse(time) >= before) &&
  (!subjects?.length || subjects.some((one) => subjectCovers(one, subject)));

/** What waits in a queue for its first delivery, oldest first. @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED */
export async function* scanWaiting(
  nats: Nats,
  standing: QueueStanding,
  { subjects, before }: WaitingFilter,
): AsyncGenerator<StoredMessage> {
  if (!standing.exists) return;
  const isTaken = (subject: string) =>
    standing.consumers.some(({ filters }) => !filters.length || filters.some((one) => subjectCovers(one, subject)));
  const uncovered = standing.consumers.length === 0 || !standing.subjects.every(isTaken);
  const delivered = standing.consumers.map((consumer) => consumer.delivered);
  const from = uncovered ? standing.firstSeq : Math.max(standing.firstSeq, Math.min(...delivered) + 1);
  const only = subjects?.length === 1 ? { subject: subjects[0]! } : {};
  for await (const message of getRange(nats, standing.queue, from, { untilSeq: standing.lastSeq, ...only })) {
    // Stored in the order of time: what follows is younger still.
    if (before !== undefined && Date.parse(message.time) >= before) return;
    if (isMeant(message, { subjects }) && isWaiting(standing, message)) yield message;
  }
}
