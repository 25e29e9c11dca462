import type { EntryJson } from './entry.ts';

/** What a list of dead letters can be sorted by. */
export const ENTRY_ORDERS = {
  // The sequences of one consumer as numbers, which comes of itself.
  id: ({ queue, consumer }) => `${queue}/${consumer}`,
  state: ({ state }) => state,
  reason: ({ reason }) => reason,
  died: ({ died_at: died }) => (died === null ? null : Date.parse(died)),
  tries: ({ deliveries }) => deliveries,
  subject: ({ subject }) => subject,
  request: ({ request_id: id }) => id,
  why: ({ detail }) => detail,
  // By its name in JSON.
  detail: ({ detail }) => detail,
  published: ({ published_at: published }) => (published === null ? null : Date.parse(published)),
  size: ({ size }) => size,
  replays: ({ replays }) => replays,
} as const satisfies Readonly<Record<string, (entry: EntryJson) => string | number | null>>;

export type EntryOrder = keyof typeof ENTRY_ORDERS;

/** By a key, the smallest first, what has none last; those that are alike by their ids, in the order of their sequences. */
export const byOrder =
  (order: EntryOrder) =>
  (a: EntryJson, b: EntryJson): number =>
    compare(ENTRY_ORDERS[order](a), ENTRY_ORDERS[order](b)) || compare(a.queue, b.queue) || a.seq - b.seq;

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}
