import { type QueueState, recordsOf } from './snapshot.ts';

/** What looking into the dead of queues takes. */
export interface Cost {
  readonly messages: number;
  readonly bytes: number;
  readonly requests: number;
}

/** A probe each minute may read so much in one look: well within 1 MB and 20 requests with all else that it asks. */
const MOST: Cost = { messages: 2000, bytes: 600_000, requests: 10 };
/** One batch of a server from 2.11 on. */
const BATCH = 1024;
/** What the server adds to a message that it hands out. */
const OVERHEAD = 200;

export const sumOf = (a: Cost, b: Cost): Cost => ({
  messages: a.messages + b.messages,
  bytes: a.bytes + b.bytes,
  requests: a.requests + b.requests,
});

export const fits = ({ messages, bytes, requests }: Cost): boolean =>
  messages <= MOST.messages && bytes <= MOST.bytes && requests <= MOST.requests;

/**
 * Which of several are looked into: all of them share one bound, and those that take least come first, so that as many
 * as can be are. Of each that is not, whether it would take more than the bound by itself.
 */
export function affordable<T>(costs: ReadonlyMap<T, Cost>): {
  readonly within: ReadonlySet<T>;
  isTooMuch(one: T): boolean;
} {
  const within = new Set<T>();
  let sum: Cost = { messages: 0, bytes: 0, requests: 0 };
  for (const [one, cost] of [...costs].sort(([, a], [, b]) => a.requests - b.requests || a.bytes - b.bytes)) {
    const next = sumOf(sum, cost);
    if (!fits(next)) continue;
    within.add(one);
    sum = next;
  }
  return { within, isTooMuch: (one) => !fits(costs.get(one)!) };
}

/**
 * What it takes to read every record of a queue, and every original that one of them may speak of: at most as many as
 * are dead, or as there are records, and never more than are stored. Where they lie apart each takes a request of its own.
 */
export function costOf({ stream, dlqs, deadState, consumers }: QueueState, hasBatches: boolean): Cost {
  const records = recordsOf({ dlqs });
  const stored = stream?.figures.messages ?? 0;
  // Without a consumer the figures of a work queue tell nothing of its dead.
  const isQueue = stream?.config.retention === 'workqueue' && consumers.length > 0;
  const wanted = Math.min(stored, isQueue ? (deadState?.dead ?? 0) : records * Math.max(1, consumers.length));
  const each = stored === 0 ? 0 : (stream?.figures.bytes ?? 0) / stored;
  // Read as a range, what lies between them comes along.
  const delivered = Math.max(0, ...consumers.map((consumer) => consumer.delivered));
  const span = Math.min(stored, Math.max(wanted, delivered - (stream?.figures.first_seq ?? 0) + 1));
  const isRange = hasBatches && span <= wanted * 4;
  const originals = isRange ? span : wanted;
  return {
    messages: records + originals,
    bytes:
      dlqs.reduce((sum, { figures }) => sum + figures.bytes, 0) + originals * each + (records + originals) * OVERHEAD,
    requests: (hasBatches ? Math.ceil(records / BATCH) : records) + (isRange ? Math.ceil(span / BATCH) : wanted),
  };
}
