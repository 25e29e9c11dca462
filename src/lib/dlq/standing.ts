import { subjectsOverlap } from '../facts/subjects.ts';
import { type Config, numberOf, objectOf, textOf, textsOf } from '../model/json.ts';

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
  readonly acks: boolean;
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
  readonly consumers: readonly ConsumerStanding[];
  /** When it was read, in milliseconds of the process's own clock. */
  readonly readAt: number;
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The answer of CONSUMER.INFO. */
export function parseConsumerStanding(info: Config): ConsumerStanding {
  const config = objectOf(info.config);
  const delivered = objectOf(info.delivered);
  const single = textOf(config.filter_subject);
  const backoff = Array.isArray(config.backoff) ? config.backoff.map((wait) => numberOf(wait)) : [];
  const active = textOf(delivered.last_active);
  return {
    name: textOf(info.name),
    created: textOf(info.created),
    filters: single ? [single] : textsOf(config.filter_subjects),
    delivered: numberOf(delivered.stream_seq),
    ackFloor: numberOf(objectOf(info.ack_floor).stream_seq),
    pending: numberOf(info.num_pending),
    ackPending: numberOf(info.num_ack_pending),
    redelivered: numberOf(info.num_redelivered),
    waiting: numberOf(info.num_waiting),
    ...(active && !active.startsWith('0001-') && { lastActive: active }),
    maxDeliver: numberOf(config.max_deliver) || -1,
    waits: backoff.length > 0 ? backoff : [numberOf(config.ack_wait)],
    paused: info.paused === true,
    acks: textOf(config.ack_policy) !== 'none',
  };
}

/** The answer of STREAM.INFO with those of its consumers; without one, a stream that does not exist. */
export function parseStanding(
  queue: string,
  info: Config | undefined,
  consumers: readonly Config[],
  readAt: number,
): QueueStanding {
  const config = objectOf(info?.config);
  const state = objectOf(info?.state);
  return {
    queue,
    exists: info !== undefined,
    created: textOf(info?.created) || ZERO_TIME,
    retention: textOf(config.retention),
    maxAge: numberOf(config.max_age),
    subjects: textsOf(config.subjects),
    messages: numberOf(state.messages),
    bytes: numberOf(state.bytes),
    firstSeq: numberOf(state.first_seq),
    lastSeq: numberOf(state.last_seq),
    consumers: consumers.map(parseConsumerStanding),
    readAt,
  };
}

/** Whether a consumer is for messages of this subject. */
export const covers = ({ filters }: ConsumerStanding, subject: string): boolean =>
  filters.length === 0 || filters.some((filter) => subjectsOverlap(filter, subject));
