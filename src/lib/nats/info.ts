import { OpsError } from '../errors/ops-error.ts';
import { isStreamName } from '../facts/tokens.ts';
import { type Config, isObject, numberOf, objectOf, textOf } from '../model/json.ts';
import type { ClusterFigures, ConsumerFigures, StreamFigures } from '../model/resource.ts';
import { notJetStream } from './exchange.ts';

/** A stream as the server tells of it. */
export interface StreamInfo {
  readonly name: string;
  readonly config: Config;
  /** RFC 3339. A stream made anew has a new one. */
  readonly created: string;
  readonly figures: StreamFigures;
  readonly cluster?: ClusterFigures;
  /** Of a mirror: how long ago it heard of what it copies, in milliseconds, -1 for never; and what keeps it from copying. */
  readonly mirror?: { readonly activeMs: number; readonly lag: number; readonly fault?: string };
  /** The server's clock when it answered, in milliseconds since 1970; NaN where it does not tell. */
  readonly now: number;
  /** The same as it was written, to the nanosecond. */
  readonly told?: string;
}

/** A consumer as the server tells of it. */
export interface ConsumerInfo {
  readonly name: string;
  readonly config: Config;
  /** RFC 3339. */
  readonly created: string;
  readonly figures: ConsumerFigures;
  readonly cluster?: ClusterFigures;
  /** RFC 3339; absent where nothing was delivered, or acked. */
  readonly lastDelivered?: string;
  readonly lastAcked?: string;
  /** Of a push consumer: whether somebody listens. */
  readonly bound: boolean;
  /** The server's clock when it answered: RFC 3339. */
  readonly told?: string;
}

const NO_TIME = '0001-01-01T00:00:00Z';

const time = (value: unknown): string | undefined => (/^(?!0001-)./.test(textOf(value)) ? textOf(value) : undefined);

/** A name that can stand in a subject: it is asked for again. @throws OpsError SERVER_REFUSED */
export function nameOf(subject: string, value: unknown): string {
  if (isStreamName(value)) return value;
  throw notJetStream(subject, 'It gives a name that nothing can have.');
}

function streamFigures(state: Config): StreamFigures {
  return {
    messages: numberOf(state.messages),
    bytes: numberOf(state.bytes),
    first_seq: numberOf(state.first_seq),
    last_seq: numberOf(state.last_seq),
    first_ts: textOf(state.first_ts, NO_TIME),
    last_ts: textOf(state.last_ts, NO_TIME),
    consumer_count: numberOf(state.consumer_count),
    num_subjects: numberOf(state.num_subjects),
  };
}

function consumerFigures(info: Config): ConsumerFigures {
  return {
    num_pending: numberOf(info.num_pending),
    num_ack_pending: numberOf(info.num_ack_pending),
    num_redelivered: numberOf(info.num_redelivered),
    num_waiting: numberOf(info.num_waiting),
    delivered_stream_seq: numberOf(objectOf(info.delivered).stream_seq),
    ack_floor_stream_seq: numberOf(objectOf(info.ack_floor).stream_seq),
    paused: info.paused === true,
  };
}

function clusterFigures({ cluster }: Config): { cluster?: ClusterFigures } {
  if (!isObject(cluster)) return {};
  const { name, leader, replicas } = cluster;
  return {
    cluster: {
      ...(typeof name === 'string' && { name }),
      ...(typeof leader === 'string' && leader !== '' && { leader }),
      replicas: (Array.isArray(replicas) ? replicas : []).map((replica) => {
        const { name: of, current, offline, lag } = objectOf(replica);
        return { name: textOf(of), current: current === true, offline: offline === true, lag: numberOf(lag) };
      }),
    },
  };
}

function mirrorFigures({ mirror }: Config): Pick<StreamInfo, 'mirror'> {
  if (!isObject(mirror)) return {};
  const { active, lag, error } = mirror;
  const fault = textOf(objectOf(error).description);
  const activeMs = numberOf(active, -1) < 0 ? -1 : numberOf(active) / 1e6;
  return { mirror: { activeMs, lag: numberOf(lag), ...(fault !== '' && { fault }) } };
}

/** A stream of an answer. @throws OpsError SERVER_REFUSED where it has no name */
export function parseStreamInfo(subject: string, answer: unknown): StreamInfo {
  const info = objectOf(answer);
  const config = objectOf(info.config);
  return {
    name: nameOf(subject, config.name),
    config,
    created: textOf(info.created, NO_TIME),
    figures: streamFigures(objectOf(info.state)),
    ...clusterFigures(info),
    ...mirrorFigures(info),
    now: Date.parse(textOf(info.ts)),
    told: time(info.ts),
  };
}

/**
 * The stream, where its sequences are what the server said: beyond 2^53 − 1 JSON is read to a neighbour, and what is
 * published or removed would be another message. The last one is the largest. A listing may hold such streams of others.
 * @throws OpsError SEQ_TOO_LARGE
 */
export function exactStream<T extends Pick<StreamInfo, 'name' | 'figures'>>(info: T): T {
  const { first_seq, last_seq } = info.figures;
  if (Math.max(first_seq, last_seq) <= Number.MAX_SAFE_INTEGER) return info;
  throw new OpsError('SEQ_TOO_LARGE', `stream ${info.name} has sequences beyond ${Number.MAX_SAFE_INTEGER}`, {
    where: info.name,
    why: 'Numbers of JSON are exact up to there: another message than the one that is meant would be shown, replayed or removed. Nothing was touched.',
    hints: [
      'work on this stream with the nats CLI, or make it anew with a smaller first_seq',
      'name other queues with --queue to work on them',
    ],
  });
}

/** The same of a consumer. */
export function parseConsumerInfo(subject: string, answer: unknown): ConsumerInfo {
  const info = objectOf(answer);
  const lastDelivered = time(objectOf(info.delivered).last_active);
  const lastAcked = time(objectOf(info.ack_floor).last_active);
  return {
    name: nameOf(subject, info.name),
    config: objectOf(info.config),
    created: textOf(info.created, NO_TIME),
    figures: consumerFigures(info),
    ...clusterFigures(info),
    lastDelivered,
    lastAcked,
    bound: info.push_bound === true,
    told: time(info.ts),
  };
}

/** How many messages each subject of a page has. */
export const parseSubjects = (answer: Config): [string, number][] =>
  Object.entries(objectOf(objectOf(answer.state).subjects)).map(([subject, messages]) => [subject, numberOf(messages)]);

/** Sequences of deleted messages, as far as they are told. */
export function parseDeleted(answer: Config): number[] {
  const { deleted } = objectOf(answer.state);
  return Array.isArray(deleted) ? deleted.map((seq) => numberOf(seq)) : [];
}
