import type { ConsumerStanding } from '../dlq/standing.ts';
import { deathsOf, deliveryTimes } from '../dlq/timeline.ts';
import { REPLAY_HEADER } from '../facts/names.ts';
import type { FailureRecord } from '../ledger/failure.ts';
import type { Entry } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Moment, RequestStatus } from '../model/request.ts';
import { fromHeaderValue, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { timeOfId } from './id.ts';
import { replaysOf } from './identify.ts';

/** All that was found out about one request. */
export interface Facts {
  readonly status: RequestStatus;
  readonly message?: StoredMessage;
  readonly entry?: Entry;
  readonly failures: readonly FailureRecord[];
  /** The consumer that delivers the message. */
  readonly taker?: ConsumerStanding;
  /** Size of the response, in bytes. */
  readonly responseSize?: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** More deliveries than these are not listed one by one: the first ones and the last one. */
const LISTED = 12;

/** The life of a request in the order of time. What nobody recorded is computed, and says so. */
export function timelineOf(facts: Facts): Moment[] {
  const { status, message } = facts;
  const moments: Moment[] = [];
  const made = timeOfId(status.id);
  if (made !== undefined) {
    moments.push({ at: new Date(made).toISOString(), event: 'made', detail: 'the id was made', computed: true });
  }
  if (message) moments.push(publishedMoment(message));
  moments.push(...deliveries(facts), ...failed(facts), ...deaths(facts.entry));
  if (status.next_delivery_at !== undefined) {
    moments.push({ at: status.next_delivery_at, event: 'next', detail: 'is delivered again, if a worker pulls' });
  }
  if (status.answered_at !== undefined) {
    const size = facts.responseSize === undefined ? '' : `, ${facts.responseSize} bytes`;
    const detail = `bucket ${status.bucket}, revision ${status.revision}${size}`;
    moments.push({ at: status.answered_at, event: 'answered', detail });
  }
  // Equal times keep the order above: what was published is delivered after that.
  return moments
    .map((moment, index) => ({ moment, index, at: Date.parse(moment.at) }))
    .sort((a, b) => a.at - b.at || a.index - b.index)
    .map(({ moment }) => moment);
}

function publishedMoment(message: StoredMessage): Moment {
  const { stream, seq, subject, time, headers } = message;
  const place = `${subject}, stored in ${stream} as ${seq}`;
  const count = replaysOf(message);
  if (count === 0) return { at: time, event: 'published', detail: place };
  const of = headerValue(parseHeaders(headers), REPLAY_HEADER.of);
  const source = of === undefined ? '' : ` of ${fromHeaderValue(of)}`;
  return { at: time, event: 'replayed', detail: `${place}: replay ${count}${source}` };
}

/** When a message was delivered if a worker took it as soon as it could: nothing on the server records it. */
function deliveries({ status, message, taker, entry, failures: noted, now }: Facts): Moment[] {
  if (!message || !taker || status.state === 'queued' || message.seq > taker.delivered) return [];
  const end = entry?.died_at ? Date.parse(entry.died_at) : now;
  // What waits for a retry was delivered as often as its worker noted: the next one is told as such.
  const known = entry?.deliveries ?? (status.state === 'retry' ? status.deliveries : undefined);
  const most = taker.maxDeliver > 0 ? taker.maxDeliver : Number.POSITIVE_INFINITY;
  const of = entry?.deliveries ?? most;
  const times: number[] = [];
  for (const { delivery, at } of deliveryTimes(message.time, taker.waits, noted)) {
    if (delivery > Math.min(known ?? most, 10_000) || at > end) break;
    times.push(at);
  }
  const told = new Set(noted.map(({ delivery }) => delivery));
  return times.flatMap((time, index): Moment[] => {
    // A failure that was noted says more than a computed time.
    if (told.has(index + 1)) return [];
    const isLast = index === times.length - 1;
    if (index >= LISTED && !isLast) return [];
    const left = isLast && index > LISTED ? `; ${index - LISTED} before it are not listed` : '';
    const detail = `delivery ${index + 1}${Number.isFinite(of) ? ` of ${of}` : ''} at the earliest${left}`;
    return [{ at: new Date(time).toISOString(), event: 'delivered', detail, computed: true }];
  });
}

const failed = ({ failures }: Facts): Moment[] =>
  failures.map(({ at, delivery, reason }) => ({ at, event: 'failed', detail: `delivery ${delivery}: ${reason}` }));

const CAUSES = { max_deliveries: 'used up its deliveries', terminated: 'terminated', rejected: 'rejected' } as const;

function deaths(entry: Entry | undefined): Moment[] {
  return deathsOf(entry?.inner.records ?? []).map(({ time, reason, deliveries: count, detail, stream, seq }) => {
    const after = count === null ? '' : ` after ${count === 1 ? '1 delivery' : `${count} deliveries`}`;
    return {
      at: time,
      event: 'died',
      detail: `${CAUSES[reason]}${after}${detail ? `: ${detail}` : ''} (${stream} ${seq})`,
    };
  });
}
