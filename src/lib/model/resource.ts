import type { Config } from './json.ts';

export type ResourceKind = 'stream' | 'consumer' | 'bucket';

/** What a resource is for in the system; it decides the wording and which analyzers look at it. */
export type Role = 'queue' | 'worker' | 'dlq' | 'responses' | 'other';

/** `stream REQUESTS`, `consumer REQUESTS/request-worker`, `bucket responses`: unique within an account. */
export type ResourceKey = `${ResourceKind} ${string}`;

export const keyOf = (resource: { kind: ResourceKind; name: string }): ResourceKey =>
  `${resource.kind} ${resource.name}`;

/** The parts of a key. */
export function splitKey(key: ResourceKey): { kind: ResourceKind; name: string } {
  const space = key.indexOf(' ');
  return { kind: key.slice(0, space) as ResourceKind, name: key.slice(space + 1) };
}

/** A consumer's name is `<stream>/<consumer>`; neither part can hold a slash of its own. */
export function splitConsumerName(name: string): { stream: string; consumer: string } {
  const slash = name.indexOf('/');
  return { stream: name.slice(0, slash), consumer: name.slice(slash + 1) };
}

/** A place in a text: `line` and `column` count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A resource as the spec wants it: every field written out that the spec or the design decides. */
export interface DesiredResource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly role: Role;
  /** The queue's stream this belongs to; for `other`, absent. */
  readonly queue?: string;
  /** In the wire names and units of the JetStream API (a bucket: of facts/bucket-fields). Unwritten fields are absent. */
  readonly config: Config;
  /** The name it had before, as the spec says; a consumer's with its stream's before. */
  readonly movedFrom?: string;
  /** Where the spec declares it, or one of its fields. */
  readonly positionOf?: (field?: string) => Position | undefined;
}

/** Everything one spec declares, ready to be compared with a server. */
export interface Desired {
  readonly system: string;
  readonly resources: readonly DesiredResource[];
}

/** The figures of a stream (or a bucket's stream) that the plan needs to say what a change means. */
export interface StreamFigures {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
  /** RFC 3339, the zero time `0001-01-01T00:00:00Z` where the stream is empty. */
  readonly first_ts: string;
  readonly last_ts: string;
  readonly consumer_count: number;
  readonly num_subjects: number;
}

/** The figures of a consumer. `num_pending` waits undelivered, `num_ack_pending` is in flight. */
export interface ConsumerFigures {
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
  readonly num_waiting: number;
  readonly delivered_stream_seq: number;
  readonly ack_floor_stream_seq: number;
  readonly paused: boolean;
}

/** Raft facts of a replicated resource; absent on a single server. */
export interface ClusterFigures {
  readonly name?: string;
  readonly leader?: string;
  readonly replicas: readonly { name: string; current: boolean; offline: boolean; lag: number }[];
}

interface ObservedBase {
  readonly name: string;
  /** The configuration as the server answers it, untouched. A bucket's is its stream's. */
  readonly config: Config;
  /** RFC 3339. A re-created resource has a new one. */
  readonly created: string;
  readonly cluster?: ClusterFigures;
}

/** A resource as the server has it. */
export type ObservedResource =
  | (ObservedBase & { readonly kind: 'stream' | 'bucket'; readonly figures: StreamFigures })
  | (ObservedBase & { readonly kind: 'consumer'; readonly figures: ConsumerFigures });

export interface ServerIdentity {
  readonly name: string;
  /** As in `2.15.1`. */
  readonly version: string;
  readonly id: string;
  /** The cluster's name; absent on a single server. */
  readonly cluster?: string;
  readonly domain?: string;
  readonly jetstream: boolean;
  readonly max_payload: number;
}

/** What a run is about to touch, and which flag, variable or context chose it. */
export interface Target {
  readonly server: ServerIdentity;
  readonly url: string;
  readonly account: string;
  /** For a person: `--server`, `NATS_URL`, `context prod (NATS_CONTEXT)`, `connection.servers of config/prod.yaml`. */
  readonly chosenBy: string;
}

export interface Observed {
  readonly target: Target;
  readonly resources: ReadonlyMap<ResourceKey, ObservedResource>;
}
