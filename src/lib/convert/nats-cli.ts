import { bucketFields } from '../facts/bucket-fields.ts';
import { consumerFields } from '../facts/consumer-fields.ts';
import { KV_PREFIX, OWNER_KEY } from '../facts/names.ts';
import { streamFields } from '../facts/stream-fields.ts';
import { type Config, equalJson, isObject, type Json } from '../model/json.ts';
import type { LeftOut, Reading } from './found.ts';
import { takeFields } from './take-fields.ts';

/** Words that only a stream's, only a consumer's configuration has. */
const STREAM_WORDS = ['subjects', 'retention', 'max_msgs', 'num_replicas', 'discard', 'duplicate_window', 'sources'];
const CONSUMER_WORDS = [
  'durable_name',
  'ack_policy',
  'deliver_policy',
  'max_deliver',
  'filter_subject',
  'filter_subjects',
  'ack_wait',
  'deliver_subject',
];

const countOf = (words: readonly string[], value: Config): number => words.filter((word) => word in value).length;

/**
 * Reads what the nats CLI writes and takes as JSON: the info of a stream or consumer (`--json`), or the configuration
 * alone (`--config`), where a stream may have no name: then it is `named`. A stream `KV_…` is a bucket. `undefined`
 * where the value is none of these.
 */
export function readNatsCli(value: Config, file: string, named?: string): Reading | undefined {
  const info = isObject(value.config) ? value.config : undefined;
  const path = info ? 'config' : '';
  if (info && typeof value.stream_name === 'string') {
    return readConsumer(info, { file, path, stream: value.stream_name, name: value.name });
  }
  const config = info ?? value;
  const [asStream, asConsumer] = [countOf(STREAM_WORDS, config), countOf(CONSUMER_WORDS, config)];
  const isNamedStream = typeof config.name === 'string' && asConsumer === 0 && (info !== undefined || asStream > 0);
  if (isNamedStream || asStream > asConsumer) return readStream(config, { file, path }, named);
  return asConsumer > 0 ? readConsumer(config, { file, path }) : undefined;
}

/** The owner mark among the labels. */
export const ownerOf = (config: Config): { owner?: string } => {
  const owner = isObject(config.metadata) ? config.metadata[OWNER_KEY] : undefined;
  return typeof owner === 'string' && owner !== '' ? { owner } : {};
};

const nameless = (why: string, file: string, path: string): Reading => ({
  found: [],
  leftOut: [{ file, path, why }],
});

const rowsOf = (rest: readonly { path: string; why: string }[], file: string): LeftOut[] =>
  rest.map((row) => ({ file, ...row }));

function readStream(written: Config, { file, path }: { file: string; path: string }, named?: string): Reading {
  const { name: own, ...fields } = written;
  const name = own ?? named;
  if (typeof name !== 'string' || name === '')
    return nameless('this stream has no name; pass --stream NAME', file, path);
  const { config, rest } = takeFields(streamFields, fields, path);
  const leftOut = rowsOf(rest, file);
  if (!name.startsWith(KV_PREFIX)) {
    // What a queue would switch on by itself is said when the file did not have it.
    const exact = { allow_direct: false, ...config };
    return { found: [{ kind: 'stream', name, config: exact, file, path: '', ...ownerOf(written) }], leftOut };
  }
  const bucket = bucketOf(name.slice(KV_PREFIX.length), config);
  return {
    found: [
      { kind: 'bucket', name: name.slice(KV_PREFIX.length), config: bucket, file, path: '', ...ownerOf(written) },
    ],
    leftOut: [...leftOut, ...oddities(name, config, { file, path })],
  };
}

interface ConsumerContext {
  readonly file: string;
  readonly path: string;
  readonly stream?: string;
  readonly name?: unknown;
}

function readConsumer(written: Config, context: ConsumerContext): Reading {
  const { name, durable_name, ...fields } = written;
  const known = [context.name, durable_name, name].find((text) => typeof text === 'string' && text !== '');
  if (typeof known !== 'string') return nameless('this consumer has no name', context.file, context.path);
  const { config, rest } = takeFields(consumerFields, fields, context.path);
  const leftOut = rowsOf(rest, context.file);
  if (context.name !== undefined && !durable_name && Number(config.inactive_threshold ?? 0) > 0) {
    leftOut.push({
      file: context.file,
      path: context.path,
      why: `consumer ${known} is ephemeral: a spec keeps durable ones`,
    });
    return { found: [], leftOut };
  }
  return {
    found: [
      {
        kind: 'consumer',
        name: known,
        // Left out, the server takes none where a spec takes explicit.
        config: { ack_policy: 'none', ...config },
        file: context.file,
        path: '',
        stream: context.stream,
        ...ownerOf(written),
      },
    ],
    leftOut,
  };
}

/** What every KV client gives a bucket's stream. `undefined`: any value will do, the bucket's own fields decide it. */
const BACKING: Readonly<Record<string, Json | undefined>> = {
  retention: 'limits',
  discard: 'new',
  deny_delete: true,
  allow_rollup_hdrs: true,
  allow_direct: true,
  max_consumers: -1,
  max_msgs: -1,
  deny_purge: false,
  sealed: false,
  no_ack: false,
  discard_new_per_subject: false,
  allow_msg_ttl: undefined,
  mirror_direct: undefined,
  duplicate_window: undefined,
  subjects: undefined,
  consumer_limits: undefined,
};

const bucketFieldOf = new Map(bucketFields.map((field) => [field.stream, field.name]));

/** A KV bucket's fields out of its stream's; sources and mirrors lose the prefix that clients add. */
function bucketOf(bucket: string, stream: Config): Config {
  const entries = Object.entries(stream).flatMap(([name, value]) => {
    const field = bucketFieldOf.get(name);
    return field ? [[field, name === 'mirror' || name === 'sources' ? unprefixed(value, bucket) : value] as const] : [];
  });
  return Object.fromEntries(entries);
}

function unprefixed(value: Json, bucket: string): Json {
  if (Array.isArray(value)) return value.map((item) => unprefixed(item, bucket));
  if (!isObject(value)) return value;
  const { subject_transforms, ...source } = value;
  const name = String(source.name ?? '').replace(KV_PREFIX, '');
  const usual = [{ src: `$KV.${name}.>`, dest: `$KV.${bucket}.>` }];
  const isUsual = subject_transforms === undefined || equalJson(subject_transforms, usual);
  return { ...source, name, ...(isUsual ? {} : { subject_transforms }) };
}

function oddities(name: string, stream: Config, { file, path }: { file: string; path: string }): LeftOut[] {
  return Object.entries(stream)
    .filter(([field]) => !bucketFieldOf.has(field))
    .filter(
      ([field, value]) => !(field in BACKING) || (BACKING[field] !== undefined && !equalJson(BACKING[field], value)),
    )
    .map(([field, value]) => ({
      file,
      path: path ? `${path}.${field}` : field,
      why: `a bucket has no such field; stream ${name} has ${JSON.stringify(value)}`,
    }));
}
