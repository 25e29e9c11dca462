import { REPLAY_HEADER } from '../facts/names.ts';
import type { FailureRecord } from '../ledger/failure.ts';
import type { LifeEvent } from '../model/dead-letter.ts';
import type { DlqRecord, Entry } from '../model/entry.ts';
import { printDuration } from '../model/units.ts';
import { fromHeaderValue, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { tellsRemoval } from './advisory.ts';
import type { ConsumerStanding } from './standing.ts';
import { compareTimes } from './time.ts';

/** Deliveries beyond so many are told as one. */
const MOST = 12;

/** The wait after the n-th delivery, counted from 1, in nanoseconds: the last of the list goes for all that follow. */
const waitAfter = (waits: readonly number[], delivery: number): number =>
  waits[Math.min(delivery, waits.length) - 1] ?? 0;

/**
 * What happened to a dead letter, in order. The server records when it was published and when it died; deliveries
 * between are computed from the consumer's waits as they are now: without a nak the earliest they can have been.
 */
export function lifeOf(
  entry: Entry,
  consumer: ConsumerStanding | undefined,
  failures: readonly Failed[] = [],
): LifeEvent[] {
  const events: LifeEvent[] = [];
  const { detail } = entry;
  const { message, records, cause } = entry.inner;
  if (message && entry.replays > 0) {
    const lines = parseHeaders(message.headers);
    const of = headerValue(lines, REPLAY_HEADER.of);
    const from = of === undefined ? '' : `, last as a copy of ${fromHeaderValue(of)}`;
    events.push({ at: null, event: 'replayed', detail: `replayed ${entry.replays}× before${from}` });
  }
  if (entry.published_at !== null) {
    const what = entry.replays > 0 ? 'this copy was published' : 'published';
    events.push({ at: entry.published_at, event: 'published', detail: `${what} on ${entry.subject}` });
  }
  events.push(...deliveriesOf(entry, consumer, failures));
  for (const record of deathsOf(records)) {
    const detail = tellsRemoval(record)
      ? 'not there any more while a worker had it: acked just before a restart, taken back, or dropped by a limit'
      : wordsOf(record.reason, record.deliveries, record.detail);
    events.push({ at: record.time, event: tellsRemoval(record) ? 'removed' : 'died', detail });
  }
  if (records.length === 0) {
    events.push({ at: null, event: 'died', detail: 'died without an advisory: nobody knows when' });
  }
  if (cause && !detail)
    events.push({ at: null, event: 'died', detail: `the original is not there: ${cause.replaceAll('_', ' ')}` });
  return events;
}

/**
 * Records of one death are one: an import adds one that carries the message to the server's own, and a worker that
 * rejects one writes down why before it has the server terminate it.
 */
export const deathsOf = (records: readonly DlqRecord[]): DlqRecord[] =>
  records.filter(
    (record, index) =>
      !(record.reason === 'terminated' && records.some(({ reason }) => reason === 'rejected')) &&
      !records
        .slice(0, index)
        .some(({ reason, time }) => reason === record.reason && compareTimes(time, record.time) === 0),
  );

/** What a worker wrote down of a delivery. */
type Failed = Pick<FailureRecord, 'at' | 'delivery' | 'reason' | 'next_delivery_at'>;

/**
 * When each delivery was at the earliest, without end, in milliseconds since 1970: by the consumer's waits, from
 * publishing on, and anew from each failure that was noted. None is before one with a lower number.
 */
export function* deliveryTimes<F extends Omit<Failed, 'reason'>>(
  published: string,
  waits: readonly number[],
  failures: readonly F[],
): Generator<{ readonly delivery: number; readonly at: number; readonly failed?: F }, never> {
  const noted = new Map(failures.map((failed) => [failed.delivery, failed]));
  let at = Date.parse(published);
  for (let delivery = 1; ; delivery++) {
    const failed = noted.get(delivery);
    if (failed) at = Math.max(at, Date.parse(failed.at));
    yield { delivery, at, ...(failed && { failed }) };
    at = failed
      ? Math.max(at, Date.parse(failed.next_delivery_at ?? failed.at))
      : at + waitAfter(waits, delivery) / 1e6;
  }
}

function deliveriesOf(entry: Entry, consumer: ConsumerStanding | undefined, failures: readonly Failed[]): LifeEvent[] {
  if (entry.published_at === null || !entry.deliveries || !consumer || entry.reason !== 'max_deliveries') return [];
  const events: LifeEvent[] = [];
  for (const { delivery, at, failed } of deliveryTimes(entry.published_at, consumer.waits, failures)) {
    if (delivery > entry.deliveries) break;
    if (failed) {
      const detail = `delivery ${delivery} of ${entry.deliveries} failed: ${failed.reason}`;
      events.push({ at: failed.at, event: 'delivered', detail });
    } else if (delivery < MOST || delivery === entry.deliveries) {
      const wait = waitAfter(consumer.waits, delivery);
      events.push({
        at: new Date(at).toISOString(),
        event: 'delivered',
        // The server tells neither; who nak'd without a word of why left nothing to read.
        detail: `delivery ${delivery} of ${entry.deliveries}, no ack within ${printDuration(wait)}, or a nak`,
        computed: true,
      });
    }
  }
  return events;
}

function wordsOf(reason: string, deliveries: number | null, detail: string | undefined): string {
  const times = deliveries === null ? '' : deliveries === 1 ? ' after 1 delivery' : ` after ${deliveries} deliveries`;
  const why = detail === undefined ? '' : `: ${detail}`;
  if (reason === 'rejected') return `rejected by the worker${times}${why}`;
  if (reason === 'terminated') return `terminated by the worker${times}${why}`;
  return `given up${times}${why}`;
}
