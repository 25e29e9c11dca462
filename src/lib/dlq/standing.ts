import { isServersOwn } from '../facts/names.ts';
import { consumerFilters, subjectsOverlap } from '../facts/subjects.ts';
import type { QueueRef } from '../model/entry.ts';
import { numberOf, textOf, textsOf } from '../model/json.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';

/** How far a consumer has come. */
export interface ConsumerStanding {
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  /** Empty: all subjects. May hold wildcards. */
  readonly filters: readonly string[];
  /** The highest sequence it has delivered, and the one up to which all is settled. */
  readonly delivered: number;
  readonly ackFloor: number;
  readonly pending: number;
  readonly ackPending: number;
  readonly redelivered: number;
  /** Pull requests waiting. */
  readonly waiting: number;
  /** RFC 3339; absent where it never delivered. */
  readonly lastActive?: string;
  /** -1: without end. */
  readonly maxDeliver: number;
  /** What it waits for an ack after each delivery, in nanoseconds; the last one goes for all that follow. */
  readonly waits: readonly number[];
  readonly paused: boolean;
  /** RFC 3339; absent where nobody ever paused it. */
  readonly pauseUntil?: string;
  readonly acks: boolean;
  /** The server's clock when it told this: RFC 3339. */
  readonly told?: string;
}

/** A queue's stream and its consumers at one moment: what the fate of a dead letter is judged by. */
export interface QueueStanding {
  readonly queue: string;
  readonly exists: boolean;
  /** RFC 3339; the zero time where it does not exist. */
  readonly created: string;
  readonly retention: string;
  /** Nanoseconds; 0: for ever. */
  readonly maxAge: number;
  readonly subjects: readonly string[];
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** When the first that is stored came: RFC 3339. */
  readonly firstTime?: string;
  /** Those that a worker can be bound to. */
  readonly consumers: readonly ConsumerStanding[];
  /** The server's own, by which mirrors and sources read: what they have not acked yet stays stored. */
  readonly copies: readonly ConsumerStanding[];
  /** When it was read, in milliseconds of the process's own clock. */
  readonly readAt: number;
  /** The server's clock when it told of the stream: RFC 3339. */
  readonly told?: string;
}

/** A stream, as far as who reads it has to know it. */
export type SeenStream = Pick<StreamInfo, 'name' | 'config' | 'figures' | 'created'>;

/** A queue with what was seen of it when it was found: whoever only looks need not ask for that again. */
export interface SeenQueue extends QueueRef {
  /** Its stream is not there: only its DLQ streams, or a spec, speak of it. */
  readonly isGone?: true;
  readonly seen?: {
    readonly standing: QueueStanding;
    /** Its DLQ streams. */
    readonly dlqs: readonly SeenStream[];
    /** How many of its messages the journal of a replay holds, where that was counted. */
    readonly journalled?: number;
  };
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** A consumer's standing from what the server tells of it. */
export function toConsumerStanding(info: ConsumerInfo): ConsumerStanding {
  const { name, created, config, figures, lastDelivered, told } = info;
  const backoff = Array.isArray(config.backoff) ? config.backoff.map((wait) => numberOf(wait)) : [];
  return {
    name,
    created,
    filters: consumerFilters(config),
    delivered: figures.delivered_stream_seq,
    ackFloor: figures.ack_floor_stream_seq,
    pending: figures.num_pending,
    ackPending: figures.num_ack_pending,
    redelivered: figures.num_redelivered,
    waiting: figures.num_waiting,
    lastActive: lastDelivered,
    maxDeliver: numberOf(config.max_deliver) || -1,
    waits: backoff.length > 0 ? backoff : [numberOf(config.ack_wait)],
    paused: figures.paused,
    ...(textOf(config.pause_until) && { pauseUntil: textOf(config.pause_until) }),
    acks: textOf(config.ack_policy) !== 'none',
    told,
  };
}

/** Whether a consumer is the server's own. */
export const isCopy = ({ name, config }: ConsumerInfo): boolean => isServersOwn(name, config);

/** The same of a stream with its consumers; without one, a stream that does not exist. */
export function toStanding(
  queue: string,
  info: StreamInfo | undefined,
  consumers: readonly ConsumerInfo[],
  readAt: number,
): QueueStanding {
  return {
    queue,
    exists: info !== undefined,
    created: info?.created ?? ZERO_TIME,
    retention: textOf(info?.config.retention),
    maxAge: numberOf(info?.config.max_age),
    subjects: textsOf(info?.config.subjects),
    messages: info?.figures.messages ?? 0,
    bytes: info?.figures.bytes ?? 0,
    firstSeq: info?.figures.first_seq ?? 0,
    lastSeq: info?.figures.last_seq ?? 0,
    ...(info && { firstTime: info.figures.first_ts }),
    consumers: consumers.filter((one) => !isCopy(one)).map(toConsumerStanding),
    copies: consumers.filter(isCopy).map(toConsumerStanding),
    readAt,
    told: info?.told,
  };
}

/** Whether a consumer is for messages of this subject. */
export const covers = ({ filters }: ConsumerStanding, subject: string): boolean =>
  filters.length === 0 || filters.some((filter) => subjectsOverlap(filter, subject));

/** How far a copy of the queue has come: above it, what workers acked may still be stored. Infinite where none lags. */
export const copiedTo = ({ copies }: QueueStanding): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...copies.filter(({ pending, ackPending }) => pending + ackPending > 0).map(({ ackFloor }) => ackFloor),
  );

/** At most so many messages are stored only because a copy has not taken them yet. */
export const heldFor = ({ copies }: QueueStanding): number =>
  Math.max(0, ...copies.map(({ pending, ackPending }) => pending + ackPending));
