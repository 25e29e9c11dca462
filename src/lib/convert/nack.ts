import { bucketFields } from '../facts/bucket-fields.ts';
import { consumerFields } from '../facts/consumer-fields.ts';
import { streamFields } from '../facts/stream-fields.ts';
import { type Config, isObject, type Json } from '../model/json.ts';
import type { Found, LeftOut, Reading } from './found.ts';
import { ownerOf } from './nats-cli.ts';
import { takeFields } from './take-fields.ts';

const GROUP = 'jetstream.nats.io/';

/** Why a manifest's own settings have no place. A spec has one connection, and apply asks for what deletes. */
const NO_PLACE: Readonly<Record<string, string>> = {
  preventDelete: 'a spec never deletes what is not asked for: `destroy` and `--prune` do',
  preventUpdate: 'apply changes what the plan shows; there is no lock on one resource',
  account: 'a spec has one `connection`, or takes a context or flags',
  creds: 'a spec has one `connection`, or takes a context or flags',
  nkey: 'a spec has one `connection`, or takes a context or flags',
  servers: 'a spec has one `connection`, or takes a context or flags',
  tls: 'a spec has one `connection`, or takes a context or flags',
  tlsFirst: 'a spec has one `connection`, or takes a context or flags',
  jsDomain: 'a spec has one `connection`, or takes a context or flags',
};

const KINDS: Readonly<Record<string, string>> = {
  ObjectStore: 'a spec has streams, consumers and buckets; object stores have no place',
  Account: 'a spec has one `connection`, or takes a context or flags',
  StreamTemplate: 'servers have no stream templates any more',
};

/** Words that the manifests spell in a way of their own. */
const RENAMED: Readonly<Record<string, string>> = {
  heartbeatInterval: 'idle_heartbeat',
  pinnedTtl: 'priority_timeout',
  firstSequence: 'first_seq',
};

export const isManifest = (value: Config): boolean =>
  typeof value.apiVersion === 'string' && typeof value.kind === 'string';

/** Reads one Kubernetes object: a Stream, Consumer or KeyValue of the NACK controller, or a list of them. */
export function readNack(manifest: Config, file: string): Reading {
  const kind = String(manifest.kind);
  const metadata = isObject(manifest.metadata) ? manifest.metadata : {};
  const path = `${kind}/${String(metadata.name ?? '?')}`;
  if (Array.isArray(manifest.items)) return readList(manifest.items, file);
  const refuse = (why: string): Reading => ({ found: [], leftOut: [{ file, path, why }] });
  if (!String(manifest.apiVersion).startsWith(GROUP)) return refuse('no manifest of the NACK controller');
  if (KINDS[kind]) return refuse(KINDS[kind]);
  if (!isObject(manifest.spec)) return refuse('this manifest has no spec');
  switch (kind) {
    case 'Stream':
      return readStream(manifest.spec, { file, path });
    case 'Consumer':
      return readConsumer(manifest.spec, { file, path });
    case 'KeyValue':
      return readKeyValue(manifest.spec, { file, path });
    default:
      return refuse('a spec has no place for this kind');
  }
}

function readList(items: readonly Json[], file: string): Reading {
  const readings = items.filter(isObject).map((item) => readNack(item, file));
  return {
    found: readings.flatMap(({ found }) => found),
    leftOut: readings.flatMap(({ leftOut }) => leftOut),
  };
}

interface Place {
  readonly file: string;
  /** `Stream/orders`. */
  readonly path: string;
}

/** The controller takes an empty text, a zero and a false for "not set", as Go does. */
const isWritten = (value: Json): boolean =>
  value !== '' && value !== 0 && value !== false && !(Array.isArray(value) && value.length === 0);

/** Parts the settings of the controller from the fields, and gives the fields the names that the tables know. */
function prepare(spec: Config, { file, path }: Place): { fields: Config; leftOut: LeftOut[] } {
  const entries = Object.entries(spec).filter(([, value]) => isWritten(value));
  const leftOut = entries.flatMap(([name]) =>
    NO_PLACE[name] ? [{ file, path: `${path} spec.${name}`, why: NO_PLACE[name] }] : [],
  );
  const fields = entries
    .filter(([name]) => !NO_PLACE[name])
    .map(([name, value]) => [RENAMED[name] ?? name, reshape(name, value)] as const);
  return { fields: Object.fromEntries(fields), leftOut };
}

function reshape(name: string, value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? reshape(name, item) : item));
  if (!isObject(value) || name === 'metadata') return value;
  const { externalApiPrefix, externalDeliverPrefix, source, destination, ...others } = value;
  const external = {
    ...(externalApiPrefix ? { api: externalApiPrefix } : {}),
    ...(externalDeliverPrefix ? { deliver: externalDeliverPrefix } : {}),
  };
  return {
    ...Object.fromEntries(
      Object.entries(others)
        .filter(([, part]) => isWritten(part))
        .map(([key, part]) => [key, reshape(key, part)]),
    ),
    ...(source === undefined ? {} : { src: source }),
    ...(destination === undefined ? {} : { dest: destination }),
    ...(Object.keys(external).length > 0 ? { external } : {}),
  };
}

const rowsOf = (rest: readonly { path: string; why: string }[], { file, path }: Place): LeftOut[] =>
  rest.map((row) => ({ file, path: `${path} ${row.path}`, why: row.why }));

const nameless = (what: string, { file, path }: Place): Reading => ({
  found: [],
  leftOut: [{ file, path, why: `spec.${what} is missing` }],
});

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';

function readStream(spec: Config, place: Place): Reading {
  const { fields, leftOut } = prepare(spec, place);
  const { name, ...others } = fields;
  if (!isName(name)) return nameless('name', place);
  const { config, rest } = takeFields(streamFields, others, 'spec');
  // The manifest's own defaults where the server's, or a queue's, are different.
  const exact = { storage: 'memory', allow_direct: false, ...config };
  return give({ kind: 'stream', name, config: exact, ...place, ...ownerOf(spec) }, [
    ...leftOut,
    ...rowsOf(rest, place),
  ]);
}

function readConsumer(spec: Config, place: Place): Reading {
  const { fields, leftOut } = prepare(spec, place);
  const { durableName, streamName, ...others } = fields;
  if (!isName(durableName)) return nameless('durableName', place);
  if (!isName(streamName)) return nameless('streamName', place);
  const { config, rest } = takeFields(consumerFields, others, 'spec');
  const found: Found = {
    kind: 'consumer',
    name: durableName,
    stream: streamName,
    config: { ack_policy: 'none', ...config },
    ...place,
    ...ownerOf(spec),
  };
  const isHasty = found.config.ack_policy !== 'none' && !('ack_wait' in config) && !('backoff' in config);
  const haste = {
    ...place,
    path: `${place.path} spec.ackWait`,
    why: 'left out, the manifest means 1ns, which redelivers at once; the server’s 30s are taken',
  };
  return give(found, [...leftOut, ...rowsOf(rest, place), ...(isHasty ? [haste] : [])]);
}

function readKeyValue(spec: Config, place: Place): Reading {
  const { fields, leftOut } = prepare(spec, place);
  const { bucket, compression, ...others } = fields;
  if (!isName(bucket)) return nameless('bucket', place);
  const written = compression === true ? { ...others, compression: 's2' } : others;
  const { config, rest } = takeFields(bucketFields, written, 'spec');
  return give({ kind: 'bucket', name: bucket, config, ...place, ...ownerOf(spec) }, [
    ...leftOut,
    ...rowsOf(rest, place),
  ]);
}

const give = (found: Found, leftOut: readonly LeftOut[]): Reading => ({ found: [found], leftOut });
