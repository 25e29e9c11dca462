import { MONITOR, REPLICA_LAG } from '../facts/names.ts';
import { type Config, isObject } from '../model/json.ts';
import type { HealthSpec, QueueSpec, Spec, StreamSpec } from '../model/spec.ts';

/** A live replica is heard of every second; `status` tells at once that one is not current. */
const SILENT = '10s';

/**
 * What the nats CLI is to check a queue's consumer by, as labels. It has no warning level, and none of its other limits
 * means what one of `health` means: docs/status.md tells each.
 */
export const consumerMonitor = ({ backlog: { critical } }: HealthSpec): Config =>
  critical !== null && critical > 0 ? { [MONITOR.enabled]: 'true', [MONITOR.backlog]: String(critical) } : {};

/** What the nats CLI is to check a stream or a bucket by, as labels: the replicas, as `status` judges them. */
export const streamMonitor = ({ num_replicas: replicas = 1 }: Config): Config =>
  Number(replicas) > 1
    ? {
        [MONITOR.enabled]: 'true',
        [MONITOR.peers]: String(replicas),
        [MONITOR.lag]: String(REPLICA_LAG),
        [MONITOR.seen]: SILENT,
      }
    : {};

/**
 * A spec made from what is live, without the labels that `deriveDesired` writes anew. A threshold of `nats server check`
 * that all consumers of a queue share is the queue's own, unless the spec applied last wrote it as a label.
 */
export function withoutMonitor(spec: Spec, applied: Spec | undefined): Spec {
  return {
    ...spec,
    queues: each(spec.queues, (queue, name) => queueOf(queue, applied?.queues[name])),
    streams: each(spec.streams, (stream) => ({ ...stream, config: without(stream.config, streamMonitor) })),
    buckets: each(spec.buckets, (bucket) => without(bucket, streamMonitor)),
  };
}

function queueOf(queue: QueueSpec, applied: StreamSpec | undefined): QueueSpec {
  const critical = sharedLimit(queue, applied);
  const health =
    critical === undefined ? queue.health : { ...queue.health, backlog: { ...queue.health.backlog, critical } };
  const { config, dlq, responses, consumers } = queue;
  // What a DLQ or a bucket does not say of its replicas is as its queue.
  const beside = (own: Config) => streamMonitor({ num_replicas: config.num_replicas ?? 1, ...own });
  return {
    ...queue,
    health,
    config: without(config, streamMonitor),
    consumers: each(consumers, (consumer) => without(consumer, () => consumerMonitor(health))),
    ...(dlq && { dlq: { ...dlq, config: without(dlq.config, beside) } }),
    ...(responses && { responses: { ...responses, config: without(responses.config, beside) } }),
  };
}

function sharedLimit({ consumers }: QueueSpec, applied: StreamSpec | undefined): number | undefined {
  const own = Object.values(applied?.consumers ?? {}).some(({ metadata }) => labelOf(metadata) !== undefined);
  const limits = new Set(Object.values(consumers).map(({ metadata }) => labelOf(metadata)));
  const [limit] = limits;
  return !own && limits.size === 1 && limit !== undefined && /^[1-9]\d{0,14}$/.test(limit) ? Number(limit) : undefined;
}

const labelOf = (metadata: unknown): string | undefined =>
  isObject(metadata) && typeof metadata[MONITOR.backlog] === 'string' ? String(metadata[MONITOR.backlog]) : undefined;

function without(config: Config, derive: (config: Config) => Config): Config {
  const { metadata } = config;
  if (!isObject(metadata)) return config;
  const derived = derive(config);
  const kept = Object.entries(metadata).filter(([key, value]) => derived[key] !== value);
  return { ...config, metadata: Object.fromEntries(kept) };
}

const each = <T>(all: Readonly<Record<string, T>>, make: (one: T, name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, make(one, name)]));
