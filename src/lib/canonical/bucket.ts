import { bucketFields } from '../facts/bucket-fields.ts';
import type { FieldTable } from '../facts/fields.ts';
import { bucketStream, KV_PREFIX } from '../facts/names.ts';
import { type Config, equalJson, isObject, type Json } from '../model/json.ts';
import { canonicalStream } from './stream.ts';
import { canonicalFields, sortedGroups } from './value.ts';

/** `backing.<field>` in a bucket's canonical form: its stream deviates there from what a KV stream must be. */
export const BACKING = 'backing.';

const VIEWED = new Set(bucketFields.map((field) => field.stream));
// Clients differ in these, and neither can be taken back on a live stream: a bucket has them as it was made.
const KEPT = ['deny_delete', 'allow_msg_ttl', 'first_seq', 'template_owner'];

const bare = (name: string): string => (name.startsWith(KV_PREFIX) ? name.slice(KV_PREFIX.length) : name);
const listOf = (value: Json | undefined): readonly Config[] => (Array.isArray(value) ? (value as Config[]) : []);

/** The renaming of keys that the Go client and the nats CLI give to a source of another name or account. */
function keyTransforms(source: Config, bucket: string): readonly Config[] {
  const from = bare(String(source.name));
  const renamed = !isObject(source.external) || from !== bucket;
  return renamed ? [{ src: `$KV.${from}.>`, dest: `$KV.${bucket}.>` }] : [];
}

/** A source as a spec writes it: the bucket's own name, and no transform but one that differs from the usual. */
function sourceOfBucket(source: Config, bucket: string): Config {
  const { subject_transforms: transforms, ...rest } = source;
  const usual = transforms === undefined || equalJson(transforms, keyTransforms(source, bucket));
  return { ...rest, name: bare(String(source.name)), ...(usual ? {} : { subject_transforms: transforms! }) };
}

function sourceOfStream(source: Config, bucket: string): Config {
  const transforms = listOf(source.subject_transforms);
  const written = transforms.length > 0 ? transforms : keyTransforms(source, bucket);
  return {
    ...source,
    name: bucketStream(bare(String(source.name))),
    ...(written.length > 0 ? { subject_transforms: written } : {}),
  };
}

/** A bucket's configuration with every field filled, spelt in one way; `backing.*` entries are kept as they are. */
export function canonicalBucket(name: string, config: Config, table: FieldTable): Config {
  const result = canonicalFields(table, 'bucket', config);
  if (isObject(result.mirror) && result.mirror.name) {
    result.mirror = { ...result.mirror, name: bare(String(result.mirror.name)) };
  }
  result.sources = sortedGroups(
    listOf(result.sources).map((source) => sourceOfBucket(source, name)),
    'name',
  );
  for (const key of Object.keys(config)) if (key.startsWith(BACKING)) result[key] = config[key]!;
  return result;
}

/** The bucket that a stream `KV_<bucket>` holds, canonical, with a `backing.*` entry for each deviation. */
export function toBucket(stream: Config, table: FieldTable): Config {
  const name = bare(String(stream.name));
  const live = canonicalStream(stream, table);
  const config: Record<string, Json> = {};
  for (const field of table.bucket) config[field.name] = live[field.stream]!;
  const result: Record<string, Json> = { ...canonicalBucket(name, config, table) };
  const expected = canonicalStream(toBackingStream(name, result), table);
  for (const [field, value] of Object.entries(live)) {
    if (VIEWED.has(field) || KEPT.includes(field)) continue;
    // A key's values carry no Nats-Msg-Id; clients and servers with limits of their own differ in it.
    if (field === 'duplicate_window') continue;
    if (!equalJson(value, expected[field])) result[`${BACKING}${field}`] = value;
  }
  return result;
}

/**
 * The exact stream that holds a bucket, as the nats CLI and the clients make it. With `live` (the stream's present
 * configuration), what cannot be taken back on a live stream stays as it is.
 */
export function toBackingStream(bucket: string, config: Config, live?: Config): Config {
  const stream: Record<string, Json> = {
    name: bucketStream(bucket),
    retention: 'limits',
    discard: 'new',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
    max_msgs_per_subject: 1,
  };
  for (const field of bucketFields) {
    const value = config[field.name];
    if (value !== undefined && value !== null) stream[field.stream] = value;
  }
  // A stream reads 0 as no limit, a bucket keeps one value at least.
  if (!(Number(stream.max_msgs_per_subject) > 0)) stream.max_msgs_per_subject = 1;
  const mirror = isObject(config.mirror) && config.mirror.name ? config.mirror : undefined;
  const sources = listOf(config.sources);
  if (mirror) {
    stream.mirror = { ...mirror, name: bucketStream(bare(String(mirror.name))) };
    stream.mirror_direct = true;
  } else {
    delete stream.mirror;
    stream.subjects = [`$KV.${bucket}.>`];
  }
  if (sources.length > 0) stream.sources = sources.map((source) => sourceOfStream(source, bucket));
  else delete stream.sources;
  if (Number(config.limit_marker_ttl ?? 0) > 0) stream.allow_msg_ttl = true;
  if (live) for (const field of KEPT) if (live[field] !== undefined) stream[field] = live[field];
  return stream;
}
