import { bucketStream, KV_PREFIX } from '../facts/names.ts';
import { type Config, isObject, numberOf, objectOf, textOf } from '../model/json.ts';
import type {
  ClusterFigures,
  ConsumerFigures,
  ObservedResource,
  ResourceKey,
  StreamFigures,
} from '../model/resource.ts';

const NO_TIME = '0001-01-01T00:00:00Z';

function streamFigures(info: Config): StreamFigures {
  const state = objectOf(info.state);
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

function clusterFigures(info: Config): { cluster?: ClusterFigures } {
  if (!isObject(info.cluster)) return {};
  const { name, leader, replicas } = info.cluster;
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

/** The answer of STREAM.INFO (or one of STREAM.LIST) as a stream, or as the bucket whose stream it is. */
export function parseStream(info: Config, as: { kind: 'stream' | 'bucket'; name: string }): ObservedResource {
  return {
    ...as,
    config: objectOf(info.config),
    created: textOf(info.created, NO_TIME),
    ...clusterFigures(info),
    figures: streamFigures(info),
  };
}

/** The answer of CONSUMER.INFO (or one of CONSUMER.LIST). */
export function parseConsumer(info: Config, name: string): ObservedResource {
  return {
    kind: 'consumer',
    name,
    config: objectOf(info.config),
    created: textOf(info.created, NO_TIME),
    ...clusterFigures(info),
    figures: consumerFigures(info),
  };
}

/** What a listed stream is to us: a bucket where its name and its subjects are those of one. */
export function identifyStream(config: Config): { kind: 'stream' | 'bucket'; name: string } {
  const name = textOf(config.name);
  const subjects = Array.isArray(config.subjects) ? config.subjects : [];
  const isBucket = name.startsWith(KV_PREFIX) && subjects.every((subject) => textOf(subject).startsWith('$KV.'));
  return isBucket ? { kind: 'bucket', name: name.slice(KV_PREFIX.length) } : { kind: 'stream', name };
}

/** The API request that tells a resource's state, without the prefix. */
export function infoSubject(key: ResourceKey): string {
  const space = key.indexOf(' ');
  const kind = key.slice(0, space);
  const name = key.slice(space + 1);
  if (kind === 'bucket') return `STREAM.INFO.${bucketStream(name)}`;
  return kind === 'stream' ? `STREAM.INFO.${name}` : `CONSUMER.INFO.${name.replace('/', '.')}`;
}
