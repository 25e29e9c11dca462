import { Document, Scalar, visit } from 'yaml';
import { camelCase } from '../facts/field.ts';
import type { Config, Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import { labelsOf, numbered, type Rendered, UNSEEN } from './rendered.ts';
import { type Dialect, type Outgoing, writeFields } from './write-fields.ts';

/** The controller's words that are not the server's in camel case; by path, and by name within groups. */
const WORDS: Readonly<Record<string, string>> = {
  'stream.num_replicas': 'replicas',
  'stream.first_seq': 'firstSequence',
  'stream.allow_rollup_hdrs': 'allowRollup',
  'stream.discard_new_per_subject': 'discardPerSubject',
  'stream.allow_atomic': 'allowAtomicPublish',
  'consumer.num_replicas': 'replicas',
  'consumer.idle_heartbeat': 'heartbeatInterval',
  'consumer.max_batch': 'maxRequestBatch',
  'consumer.max_expires': 'maxRequestExpires',
  'consumer.max_bytes': 'maxRequestMaxBytes',
  'consumer.priority_timeout': 'pinnedTtl',
  'bucket.num_replicas': 'replicas',
  'stream.republish.dest': 'destination',
  'bucket.republish.dest': 'destination',
};

const NO_WORD = [
  ...['sealed', 'allow_batched', 'template_owner'].map((field) => `stream.${field}`),
  ...['direct', 'sourcing'].map((field) => `consumer.${field}`),
  'bucket.metadata',
  ...['placement.preferred', 'republish.headers_only', 'mirror.consumer', 'sources.consumer'].flatMap((field) => [
    `stream.${field}`,
    `bucket.${field}`,
  ]),
];

/** github.com/nats-io/nack, its resource definitions of April 2026 (jetstream.nats.io/v1beta2). */
const NACK: Dialect = {
  cannot: new Set(NO_WORD),
  usual: {
    stream: { storage: 'memory' },
    // Left out, the manifest means 1ns, which redelivers at once.
    consumer: { ack_policy: 'none', ack_wait: null },
    bucket: {},
  },
  word: (path) => WORDS[path] ?? camelCase(path.endsWith('.src') ? 'source' : path.slice(path.lastIndexOf('.') + 1)),
  value: (type, value, path) => {
    if (path === 'bucket.compression') return value === 's2';
    if (path === 'consumer.deliver_policy') return camelCase(String(value));
    // The one duration that is a number: nanoseconds.
    if (path === 'bucket.limit_marker_ttl') return value;
    if (type.type === 'duration') return goDuration(Number(value));
    if (type.type === 'durations') return (value as number[]).map(goDuration);
    return value;
  },
  group: ({ external, ...parts }) => {
    const { api, deliver } = (external ?? {}) as Config;
    return {
      ...parts,
      ...(api === undefined ? {} : { externalApiPrefix: api }),
      ...(deliver === undefined ? {} : { externalDeliverPrefix: deliver }),
    };
  },
  isFlat: () => false,
};

const GO_UNITS = [
  ['h', 3600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
] as const;

/** Go has no days: the largest unit that comes out even. */
function goDuration(nanos: number): string {
  const unit = nanos === 0 ? undefined : GO_UNITS.find(([, size]) => nanos % size === 0);
  return nanos === 0 ? '0s' : unit ? `${nanos / unit[1]}${unit[0]}` : `${nanos}ns`;
}

const KINDS: Readonly<Record<ResourceKind, string>> = { stream: 'Stream', consumer: 'Consumer', bucket: 'KeyValue' };

const identity = ({ kind, name, stream }: Outgoing): Config =>
  kind === 'consumer'
    ? { durableName: name, streamName: stream ?? '' }
    : { [kind === 'stream' ? 'name' : 'bucket']: name };

/** Manifests of the NACK controller, a document each. */
export function toNack(resources: readonly Outgoing[], version: string): Rendered {
  // What Kubernetes takes for a name: small letters, digits, dashes, 253 of them.
  const label = labelsOf((text) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 240)
      .replace(/^-+|-+$/g, ''),
  );
  const written = resources.map((resource) => {
    const { fields, left } = writeFields(resource, NACK, version);
    const { kind, name, stream } = resource;
    const manifest: Config = {
      apiVersion: 'jetstream.nats.io/v1beta2',
      kind: KINDS[kind],
      metadata: { name: label(kind, kind === 'consumer' ? `${stream}-${name}` : name) },
      spec: { ...identity(resource), ...fields },
    };
    return { manifest, left: left.map((what) => ({ resource, what: `${what}, which NACK cannot express` })) };
  });
  const values = written.map(({ manifest }) => manifest);
  return { text: values.map(printYaml).join('---\n'), values, leftOut: written.flatMap(({ left }) => left) };
}

/** Kubernetes reads YAML 1.1, where `on` and `1_000` are no texts: whatever is a text has quotes where it may be another. */
function printYaml(value: Json): string {
  const document = new Document(value, { version: '1.1' });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && !/^[A-Za-z][\w./-]*$/.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0, directives: false }).replace(UNSEEN, numbered);
}
