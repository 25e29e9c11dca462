import type { QueueStanding } from '../dlq/standing.ts';
import type { Entry } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import type { RequestStatus } from '../model/request.ts';
import { printDuration } from '../model/units.ts';
import { replaysOf } from './identify.ts';
import { isWaiting, takersOf } from './scan.ts';

/** What a worker wrote down of a delivery that failed. */
export interface Failure {
  readonly delivery: number;
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
  /** RFC 3339; absent where it was the last one. */
  readonly next?: string;
}

export interface Seen {
  readonly message: StoredMessage;
  readonly standing: QueueStanding;
  /** The dead letter it is, where it is one. */
  readonly entry?: Entry;
  readonly failure?: Failure;
}

const placeOf = ({ stream, seq, subject, time }: StoredMessage) => ({
  queue: stream,
  seq,
  subject,
  published_at: time,
});

/** The state of a request that is still stored in its queue. */
export function stateOfStored(id: string, { message, standing, entry, failure }: Seen): RequestStatus {
  const replays = replaysOf(message);
  const takers = takersOf(standing, message.subject);
  const base = {
    id,
    ...placeOf(message),
    ...(takers[0] && { consumer: takers[0].name }),
    ...(replays > 0 && { replays }),
  };
  if (entry) return { ...base, ...deadPart(entry) };
  if (isWaiting(standing, message)) return { ...base, state: 'queued', ...whyWaiting(standing, message) };
  const told = failure && { deliveries: failure.delivery, detail: failure.reason };
  if (failure?.next !== undefined) return { ...base, state: 'retry', ...told, next_delivery_at: failure.next };
  return { ...base, state: 'in_flight', detail: whyInFlight(standing, message), ...told };
}

function deadPart({ id, consumer, died_at, reason, deliveries, inner }: Entry): Omit<RequestStatus, 'id'> {
  return {
    state: 'dead',
    consumer,
    reason,
    entry: id,
    ...(died_at !== null && { died_at }),
    ...(deliveries !== null && { deliveries }),
    ...(inner.detail !== undefined && { detail: inner.detail }),
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

/** True where no pull waits and nothing is in flight: a worker that is busy has no pull waiting either. */
export function nobodyPulls(standing: QueueStanding, subject: string): boolean {
  const takers = takersOf(standing, subject);
  return takers.length > 0 && takers.every(({ waiting, ackPending }) => waiting === 0 && ackPending === 0);
}

function whyInFlight(standing: QueueStanding, { subject }: StoredMessage): string {
  const taker = takersOf(standing, subject)[0];
  if (!taker) return 'delivered, and not answered yet';
  const longest = printDuration(Math.max(...taker.waits));
  const next = `without an answer it is delivered again within ${longest}, or dies`;
  return taker.waiting > 0 ? next : `${next}, once a worker pulls from ${taker.name}`;
}
