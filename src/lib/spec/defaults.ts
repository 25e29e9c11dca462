import { tableFor } from '../facts/fields.ts';
import { dlqSubjects } from '../facts/names.ts';
import { type Config, equalJson, type Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { DlqSpec, QueueSpec, Spec, StreamSpec } from '../model/spec.ts';
import { CONSUMER_DEFAULTS, QUEUE_DEFAULTS } from './assemble.ts';

/**
 * The same spec without the fields that would be the same unwritten: what a server of this version fills in alike, and
 * what a DLQ or a bucket takes from its queue. For specs made from what is live, where every field is present.
 */
export function withoutDefaults(spec: Spec, version: string): Spec {
  const plain = (kind: ResourceKind, config: Config, own: Config = {}, stream?: Config): Config => {
    const context = { version, config, stream };
    const usual = new Map<string, Json>(
      tableFor(version)[kind].map(({ name, fill }) => [name, typeof fill === 'function' ? fill(context) : fill]),
    );
    for (const [name, value] of Object.entries(own)) usual.set(name, value);
    return Object.fromEntries(Object.entries(config).filter(([name, value]) => !equalJson(value, usual.get(name))));
  };
  const stream = ({ config, consumers }: StreamSpec, kept: Config = {}): StreamSpec => ({
    config: { ...plain('stream', config), ...pick(config, kept) },
    consumers: map(consumers, (consumer) => ({
      ...plain('consumer', consumer, {}, config),
      ...pick(consumer, CONSUMER_DEFAULTS),
    })),
  });
  const queue = (name: string, each: QueueSpec): QueueSpec => {
    const replicas = { num_replicas: each.config.num_replicas ?? 1 };
    const { dlq, responses } = each;
    // Queues of several numbers that share a DLQ say its own alike.
    const isAlike = Object.values(spec.queues).every(
      (other) => other.dlq?.stream !== dlq?.stream || (other.config.num_replicas ?? 1) === replicas.num_replicas,
    );
    const own: Config = { ...DLQ, num_replicas: isAlike ? replicas.num_replicas : null };
    return {
      ...each,
      ...stream(each, QUEUE_DEFAULTS),
      ...(dlq ? { dlq: { ...dlq, config: withSubjects(name, dlq, plain('stream', dlq.config, own)) } } : {}),
      ...(responses ? { responses: { ...responses, config: plain('bucket', responses.config, replicas) } } : {}),
    };
  };
  return {
    ...spec,
    queues: Object.fromEntries(Object.entries(spec.queues).map(([name, each]) => [name, queue(name, each)])),
    streams: map(spec.streams, (each) => stream(each)),
    buckets: map(spec.buckets, (bucket) => plain('bucket', bucket)),
  };
}

/** What a DLQ is unwritten. */
const DLQ: Config = { retention: 'limits', allow_direct: true };

/** Subjects that follow from the queue and `capture` are not written. */
function withSubjects(queue: string, { capture }: DlqSpec, config: Config): Config {
  const { subjects, ...rest } = config;
  const derived = dlqSubjects(queue, capture);
  const same = Array.isArray(subjects) && equalJson([...subjects].sort(), [...derived].sort());
  return same || subjects === undefined ? rest : config;
}

/** A default of ours that differs from the server's must stay, lest it be read as the other one. */
const pick = (config: Config, names: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([name]) => name in names));

const map = <T, R>(given: Readonly<Record<string, T>>, make: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, make(value)]));
