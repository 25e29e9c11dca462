import { tableFor } from '../../../src/lib/facts/fields.ts';
import { OWNER_KEY } from '../../../src/lib/facts/names.ts';
import type { Config, Json } from '../../../src/lib/model/json.ts';
import {
  type ClusterFigures,
  type ConsumerFigures,
  type Desired,
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  type ResourceKind,
  type Role,
  type StreamFigures,
} from '../../../src/lib/model/resource.ts';
import { bucketWire, consumerWire, streamWire } from '../../../src/lib/plan/wire.ts';

type Fields = Record<string, Json>;
const ROLE = { stream: 'queue', consumer: 'worker', bucket: 'responses' } as const satisfies Record<ResourceKind, Role>;

/** A resource of the spec of system `osapi`, with its mark. */
export function want(key: ResourceKey, config: Fields = {}, role?: Role): DesiredResource {
  const [kind, name] = key.split(' ') as [ResourceKind, string];
  const metadata = { ...((config.metadata as Config | undefined) ?? {}), [OWNER_KEY]: 'osapi' };
  return { kind, name, role: role ?? ROLE[kind], config: { ...config, metadata } };
}

export interface LiveOptions {
  readonly owner?: string | null;
  readonly created?: string;
  readonly cluster?: ClusterFigures;
  readonly figures?: Partial<StreamFigures & ConsumerFigures>;
}

/** The same as a server would have it. */
export function live(key: ResourceKey, config: Fields = {}, options: LiveOptions = {}): ObservedResource {
  const { owner = 'osapi', created = '2026-01-01T00:00:00Z', figures = {}, cluster } = options;
  const { kind, name, config: wanted } = want(key, config);
  const metadata = { ...(wanted.metadata as Config), [OWNER_KEY]: owner ?? '' };
  const marked = { ...wanted, metadata };
  const base = { name, created, ...(cluster ? { cluster } : {}) };
  if (kind === 'consumer') {
    const none = { num_pending: 0, num_ack_pending: 0, num_redelivered: 0, num_waiting: 0 };
    const all = { ...none, delivered_stream_seq: 0, ack_floor_stream_seq: 0, paused: false, ...figures };
    return { ...base, kind, config: consumerWire(name, marked, tableFor(VERSION), {}), figures: all };
  }
  const wire = kind === 'bucket' ? bucketWire : streamWire;
  const empty = { messages: 0, bytes: 0, first_seq: 1, last_seq: 0, consumer_count: 0, num_subjects: 0 };
  const time = '2026-01-01T00:00:00Z';
  const all = { ...empty, first_ts: time, last_ts: time, ...figures };
  return { ...base, kind, config: wire(name, marked, tableFor(VERSION)), figures: all };
}

export const VERSION = '2.15.1';

export interface ServerOptions {
  readonly version?: string;
  readonly cluster?: string;
  readonly name?: string;
  readonly id?: string;
  readonly account?: string;
}

export function server(resources: readonly ObservedResource[], options: ServerOptions = {}): Observed {
  const { version = VERSION, cluster, name = 'n1', id = name.toUpperCase(), account = '$G' } = options;
  const identity = { name, id, version, jetstream: true, max_payload: 1_048_576 };
  return {
    target: {
      server: { ...identity, ...(cluster ? { cluster } : {}) },
      url: 'nats://127.0.0.1:4222',
      account,
      chosenBy: '--server',
    },
    resources: new Map(resources.map((resource) => [keyOf(resource), resource])),
  };
}

export const spec = (...resources: DesiredResource[]): Desired => ({ system: 'osapi', resources });
