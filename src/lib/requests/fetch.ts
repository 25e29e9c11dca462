import { readStanding } from '../dlq/collect.ts';
import { scanEntries } from '../dlq/scan.ts';
import type { QueueStanding } from '../dlq/standing.ts';
import { readFailures } from '../ledger/failure.ts';
import { type Entry, type QueueRef, TO_REPLAY } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Fetched } from '../model/request.ts';
import type { Nats } from '../nats/connect.ts';
import { isRequestId } from './id.ts';
import { findMessages } from './scan.ts';
import { stateOfEntry, stateOfStored } from './state.ts';

export interface FetchOptions {
  /** The buckets where a response may be. */
  readonly buckets: readonly string[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Hears how many messages were read, where a queue has to be searched. */
  onProgress?(queue: string, read: number): void;
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
  readonly ref: QueueRef;
  readonly message: StoredMessage;
}

/** Searches all queues for a request. */
export async function findRequest(
  nats: Nats,
  refs: readonly QueueRef[],
  id: string,
  onProgress?: FetchOptions['onProgress'],
): Promise<Found | undefined> {
  for (const ref of refs) {
    const standing = await readStanding(nats, ref);
    const message = (await findMessages(nats, standing, [id], (read) => onProgress?.(ref.queue, read))).get(id);
    if (message) return { ref, message };
  }
  return undefined;
}

/** The dead letter that a stored message is; `undefined` where it waits or is in flight. */
export async function readEntry(nats: Nats, { ref, message }: Found): Promise<Entry | undefined> {
  const pattern = { text: `${ref.queue}/${message.seq}`, queue: ref.queue, seq: message.seq };
  for await (const entry of scanEntries(nats, [ref], { ids: [pattern] }, { signal: nats.signal })) {
    if (entry.inner.original) return entry;
  }
  return undefined;
}

/** How a stored message stands now. The standing is read before the dead letters: what died since is seen there. */
export async function readRequestState(nats: Nats, id: string, found: Found, now: number): Promise<Fetched> {
  const standing: QueueStanding = await readStanding(nats, found.ref);
  const [entry, failures] = await Promise.all([readEntry(nats, found), readFailures(nats, found.message)]);
  const failure = failures.at(-1);
  const seen = { message: found.message, standing, now, entry, failure };
  return { status: stateOfStored(id, seen) };
}

/**
 * What became of a request: its response, else its place in a queue, else the copy that a DLQ keeps of it.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function fetchRequest(
  nats: Nats,
  refs: readonly QueueRef[],
  id: string,
  { buckets, now, onProgress }: FetchOptions,
): Promise<Fetched> {
  const answered = await fetchResponse(nats, buckets, id);
  if (answered) return answered;
  const found = await findRequest(nats, refs, id, onProgress);
  if (found) {
    const state = await readRequestState(nats, id, found, now());
    // A worker may have answered while we looked.
    return (await fetchResponse(nats, buckets, id)) ?? state;
  }
  const carried = { requestIds: [id], states: TO_REPLAY, limit: 1 };
  for await (const entry of scanEntries(nats, refs, carried, { order: 'newest', exact: false, signal: nats.signal })) {
    return { status: stateOfEntry(id, entry) };
  }
  return (await fetchResponse(nats, buckets, id)) ?? { status: { id, state: 'unknown' } };
}
