import { readStanding } from '../dlq/collect.ts';
import { scanEntries } from '../dlq/scan.ts';
import type { SeenQueue } from '../dlq/standing.ts';
import { isBy, readFailures } from '../ledger/failure.ts';
import { type Entry, TO_REPLAY } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Fetched } from '../model/request.ts';
import type { Nats } from '../nats/connect.ts';
import { inTurn } from '../nats/pipeline.ts';
import { isRequestId } from './id.ts';
import { findMessages } from './scan.ts';
import { type Seen, stateOfEntry, stateOfStored } from './state.ts';
import type { Facts } from './timeline.ts';

export interface FetchOptions {
  /** The buckets where a response may be. */
  readonly buckets: readonly string[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Hears how many messages were read, of how many, where a queue or the dead letters have to be searched. */
  onProgress?(what: string, read: number, total: number): void;
  /** Only what was published since is searched, in milliseconds since 1970; all of it where left out. */
  readonly since?: number | undefined;
  /** Queues may be searched as they stood when they were found. */
  readonly asSeen?: boolean;
  /** The buckets were just asked. */
  readonly isUnanswered?: boolean;
  /** The queues were just searched: it is stored in none of them. */
  readonly isUnstored?: boolean;
}

/** The newest response under an id, of whichever bucket has one. */
export async function fetchResponse(nats: Nats, buckets: readonly string[], id: string): Promise<Fetched | undefined> {
  if (!isRequestId(id)) return undefined;
  const entries = await Promise.all(buckets.map((bucket) => nats.kv(bucket).get(id)));
  const at = entries.findIndex((entry) => entry !== undefined);
  const entry = entries[at];
  if (!entry) return undefined;
  const { revision, created, value } = entry;
  const status = { id, state: 'answered', bucket: buckets[at]!, revision, answered_at: created } as const;
  return { status, response: value };
}

/** Where a message of a queue was found. */
export interface Found {
  readonly ref: SeenQueue;
  readonly message: StoredMessage;
}

/** Searches all queues for a request. */
export async function findRequest(
  nats: Nats,
  refs: readonly SeenQueue[],
  id: string,
  { onProgress, since, asSeen }: Pick<FetchOptions, 'onProgress' | 'since' | 'asSeen'> = {},
): Promise<Found | undefined> {
  for (const ref of refs) {
    const standing = (asSeen && ref.seen?.standing) || (await readStanding(nats, ref));
    const how = { since, onProgress: (...read: [number, number]) => onProgress?.(ref.queue, ...read) };
    const message = (await findMessages(nats, standing, [id], how)).get(id);
    if (message) return { ref, message };
  }
  return undefined;
}

/** The dead letter of a request that is stored in no queue: a DLQ, or the journal of a replay, has a copy of it. */
export async function findCarried(
  nats: Nats,
  refs: readonly SeenQueue[],
  id: string,
  { onProgress, since }: Pick<FetchOptions, 'onProgress' | 'since'>,
): Promise<Entry | undefined> {
  const carried = { requestIds: [id], states: TO_REPLAY, limit: 1, ...(since !== undefined && { since }) };
  const onRead = (read: number, total: number) => onProgress?.('the dead letters', read, total);
  const how = { order: 'newest', exact: false, unstored: true, signal: nats.signal, onRead } as const;
  for await (const entry of scanEntries(nats, refs, carried, how)) return entry;
  return undefined;
}

/** The dead letter that a stored message is; `undefined` where it waits or is in flight. */
export async function readEntry(nats: Nats, { ref, message }: Found): Promise<Entry | undefined> {
  const pattern = { text: `${ref.queue}/${message.seq}`, queue: ref.queue, seq: message.seq };
  for await (const entry of scanEntries(nats, [ref], { ids: [pattern] }, { signal: nats.signal, asSeen: true })) {
    if (entry.inner.original) return entry;
  }
  return undefined;
}

/** How a stored message stands now. The standing is read before the dead letters: what died since is seen there. */
export async function readRequestState(nats: Nats, id: string, found: Found, now: number): Promise<Fetched> {
  return { status: stateOfStored(id, await readStored(nats, found, now)) };
}

/** What tells the state of a stored message. */
export async function readStored(
  nats: Nats,
  { ref, message }: Found,
  now: number,
): Promise<Seen & Pick<Facts, 'failures'>> {
  const [standing, [entry, all]] = await inTurn(
    nats,
    () => readStanding(nats, ref),
    () => Promise.all([readEntry(nats, { ref, message }), readFailures(nats, message)]),
  );
  const failures = entry ? all.filter((record) => isBy(record, entry)) : all;
  return { message, standing, now, entry, failure: failures.at(-1), failures };
}

/**
 * What became of a request: its response, else its place in a queue, else the copy that a DLQ keeps of it.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function fetchRequest(
  nats: Nats,
  refs: readonly SeenQueue[],
  id: string,
  { buckets, now, isUnanswered, isUnstored, ...how }: FetchOptions,
): Promise<Fetched> {
  const answered = isUnanswered ? undefined : await fetchResponse(nats, buckets, id);
  if (answered) return answered;
  const found = isUnstored ? undefined : await findRequest(nats, refs, id, how);
  if (found) {
    const state = await readRequestState(nats, id, found, now());
    // A worker may have answered while we looked.
    return (await fetchResponse(nats, buckets, id)) ?? state;
  }
  const entry = await findCarried(nats, refs, id, how);
  if (entry) return { status: stateOfEntry(id, entry) };
  return (await fetchResponse(nats, buckets, id)) ?? { status: { id, state: 'unknown' } };
}
