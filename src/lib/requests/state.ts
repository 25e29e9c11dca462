import type { QueueStanding } from '../dlq/standing.ts';
import type { FailureRecord } from '../ledger/failure.ts';
import type { Entry } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import type { RequestStatus } from '../model/request.ts';
import { printDuration } from '../model/units.ts';
import { replaysOf } from './identify.ts';
import { isWaiting, nobodyPulls, takersOf } from './taker.ts';

export interface Seen {
  readonly message: StoredMessage;
  readonly standing: QueueStanding;
  /** The dead letter it is, where it is one. */
  readonly entry?: Entry;
  /** The last one that a worker noted. */
  readonly failure?: FailureRecord;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const placeOf = ({ stream, seq, subject, time }: StoredMessage) => ({
  queue: stream,
  seq,
  subject,
  published_at: time,
});

/** The state of a request that is still stored in its queue. */
export function stateOfStored(id: string, { message, standing, entry, failure, now }: Seen): RequestStatus {
  const replays = replaysOf(message);
  const takers = takersOf(standing, message.subject);
  const base = {
    id,
    ...placeOf(message),
    ...(takers[0] && { consumer: takers[0].name }),
    ...(replays > 0 && { replays }),
  };
  if (entry) return { ...base, ...deadPart(entry), detail: entry.detail ?? failure?.reason };
  if (isWaiting(standing, message)) return { ...base, state: 'queued', ...whyWaiting(standing, message) };
  if (!failure) return { ...base, state: 'in_flight', detail: whyInFlight(standing, message) };
  const told = { deliveries: failure.delivery, detail: failure.reason };
  const next = failure.next_delivery_at;
  // Overdue and somebody pulls: a worker has it again.
  const isHeld = next === undefined || (Date.parse(next) <= now && takers.some(({ waiting }) => waiting > 0));
  return isHeld
    ? { ...base, state: 'in_flight', ...told }
    : { ...base, state: 'retry', ...told, next_delivery_at: next };
}

function deadPart({ id, consumer, died_at, reason, deliveries, detail, inner }: Entry): Omit<RequestStatus, 'id'> {
  return {
    state: 'dead',
    consumer,
    reason,
    entry: id,
    ...(died_at !== null && { died_at }),
    ...(deliveries !== null && { deliveries }),
    detail: inner.journalled ? 'an unfinished replay holds it in its journal' : (detail ?? undefined),
  };
}

/** The state of a request of which only the DLQ keeps a copy. */
export const stateOfEntry = (id: string, entry: Entry): RequestStatus => ({
  id,
  queue: entry.queue,
  seq: entry.seq,
  ...(entry.subject !== null && { subject: entry.subject }),
  ...(entry.published_at !== null && { published_at: entry.published_at }),
  ...(entry.replays > 0 && { replays: entry.replays }),
  ...deadPart(entry),
});

function whyWaiting(standing: QueueStanding, { subject }: StoredMessage): { detail?: string } {
  const takers = takersOf(standing, subject);
  if (takers.length === 0) return { detail: `no consumer of ${standing.queue} takes ${subject}` };
  if (takers.every(({ paused }) => paused)) return { detail: `${takers[0]!.name} is paused` };
  return nobodyPulls(standing, subject) ? { detail: `nobody is pulling from ${takers[0]!.name}` } : {};
}

function whyInFlight(standing: QueueStanding, { subject }: StoredMessage): string {
  const taker = takersOf(standing, subject)[0];
  if (!taker) return 'delivered, and not answered yet';
  const longest = printDuration(Math.max(...taker.waits));
  const next = `without an answer it is delivered again within ${longest}, or dies`;
  return taker.waiting > 0 ? next : `${next}, once a worker pulls from ${taker.name}`;
}
