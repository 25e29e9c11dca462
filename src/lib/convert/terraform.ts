import type { Field } from '../facts/field.ts';
import { FIELDS } from '../facts/fields.ts';
import { type Config, isObject, type Json, listOf, objectOf } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { LeftOut, Reading } from './found.ts';
import { ownerOf } from './nats-cli.ts';
import { takeFields } from './take-fields.ts';
import { DELIVER_SWITCHES, FLAT, PART_WORDS, RESOURCE_TYPES, streamId, WORDS } from './terraform-words.ts';

/** Why other resources of the provider have no place. */
const NO_PLACE: Readonly<Record<string, string>> = {
  jetstream_kv_entry: 'a spec has buckets; the values in them are data',
  jetstream_obj_bucket: 'a spec has streams, consumers and buckets; object stores have no place',
};

const KINDS = new Map(Object.entries(RESOURCE_TYPES).map(([kind, type]) => [type, kind as ResourceKind]));

/** What `terraform show -json` writes, of a state or of a plan. */
export const isTerraform = (value: Config): boolean =>
  typeof value.format_version === 'string' && typeof value.apiVersion !== 'string';

/** Reads the streams, consumers and buckets of a state, or of what a plan comes to. */
export function readTerraform(show: Config, file: string): Reading {
  const root = objectOf(objectOf(show.values ?? show.planned_values).root_module);
  const resources = resourcesOf(root);
  const ours = resources.filter(({ type }) => String(type).startsWith('jetstream_'));
  const readings = ours.map((resource) => readResource(resource, file));
  const others = resources.length - ours.length;
  const why = `${others === 1 ? '1 resource' : `${others} resources`} of other providers`;
  return {
    found: readings.flatMap(({ found }) => found),
    leftOut: [...readings.flatMap(({ leftOut }) => leftOut), ...(others > 0 ? [{ file, path: '', why }] : [])],
  };
}

const resourcesOf = (module: Config): Config[] => [
  ...listOf(module.resources).filter(isObject),
  ...listOf(module.child_modules).filter(isObject).flatMap(resourcesOf),
];

function readResource(resource: Config, file: string): Reading {
  const type = String(resource.type);
  const path = typeof resource.address === 'string' ? resource.address : type;
  const refuse = (why: string): Reading => ({ found: [], leftOut: [{ file, path, why }] });
  const kind = KINDS.get(type);
  if (!kind) return refuse(NO_PLACE[type] ?? 'a spec has no place for this kind');
  const values = objectOf(resource.values);
  const { id: _, name: bare, durable_name, stream_id, ...fields } = values;
  const name = kind === 'consumer' ? durable_name : bare;
  if (typeof name !== 'string' || name === '') return refuse('its name is not in the file');
  const { config, rest } = takeFields(FIELDS[kind], translated(kind, fields), path);
  const leftOut: LeftOut[] = rest.map((row) => ({ file, ...row }));
  const base = { name, file, path, ...ownerOf(values) };
  if (kind === 'bucket') return { found: [{ ...base, kind, config }], leftOut };
  // What a queue would switch on by itself is said where an older provider did not know it.
  if (kind === 'stream') return { found: [{ ...base, kind, config: { allow_direct: false, ...config } }], leftOut };
  const id = String(stream_id ?? '');
  // A stream that is not made yet has no id in a plan.
  const stream = id.startsWith(streamId('')) ? id.slice(streamId('').length) : undefined;
  return { found: [{ ...base, kind, ...(stream ? { stream } : {}), config }], leftOut };
}

/** Providers write an empty value for "not set". */
const isUnset = (value: Json): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);

const turned = (words: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(words).map(([name, word]) => [word, name]));

const TURNED = {
  stream: turned(WORDS.stream),
  consumer: turned(WORDS.consumer),
  bucket: turned(WORDS.bucket),
  part: turned(PART_WORDS),
};

/** The provider's values under the server's names and in its units. */
function translated(kind: ResourceKind, values: Config): Config {
  const written = Object.entries(values).filter(([, value]) => !isUnset(value));
  const groups: Record<string, Record<string, Json>> = {};
  const result: Record<string, Json> = {};
  for (const [word, value] of written) {
    const home = kind === 'consumer' ? undefined : flatHome(word);
    if (home) groups[home.group] = { ...groups[home.group], [home.part]: flatValue(home.part, value) };
    else if (kind === 'stream' && word === 'ack') result.no_ack = value === false;
    else if (kind === 'consumer' && word in DELIVER_SWITCHES) {
      if (value === true) result.deliver_policy = DELIVER_SWITCHES[word]!;
    } else {
      const name = TURNED[kind].get(word) ?? word;
      const field = FIELDS[kind].find((each) => each.name === name);
      result[field ? name : word] = field ? inUnits(field, value) : value;
    }
  }
  for (const [group, parts] of Object.entries(groups)) {
    // False and 0 are how a state writes that there is no such part.
    const said = Object.entries(parts).filter(([, value]) => Boolean(value));
    if (said.length > 0) result[group] = Object.fromEntries(said);
  }
  return kind === 'consumer' ? asConsumer(result) : result;
}

const FLAT_HOMES = new Map(
  Object.entries(FLAT).flatMap(([group, parts]) =>
    Object.entries(parts).map(([part, word]) => [word, { group, part }] as const),
  ),
);

const flatHome = (word: string): { group: string; part: string } | undefined => FLAT_HOMES.get(word);

/** Seconds; but a state that was read back holds nanoseconds there, which are too many to be seconds. */
const flatValue = (part: string, value: Json): Json =>
  part === 'inactive_threshold' && typeof value === 'number' && value < 1e9 ? value * 1e9 : value;

/** Durations are whole seconds, a group is a list of one block. */
function inUnits({ type }: Field, value: Json): Json {
  switch (type.type) {
    case 'duration':
      return typeof value === 'number' ? value * 1e9 : value;
    case 'durations':
      return Array.isArray(value) ? value.map((each) => (typeof each === 'number' ? each * 1e9 : each)) : value;
    case 'group':
      return Array.isArray(value) && value.length === 1 ? partsOf(value[0]!) : value;
    case 'groups':
      return Array.isArray(value) ? value.map(partsOf) : value;
    default:
      return value;
  }
}

function partsOf(block: Json): Json {
  if (!isObject(block)) return block;
  const parts = Object.entries(block).filter(([, value]) => !isUnset(value) && value !== 0);
  return Object.fromEntries(
    parts.map(([word, value]) => {
      const isGroup = ['external', 'consumer'].includes(word) && Array.isArray(value) && value.length === 1;
      const inner = isGroup ? partsOf(value[0]!) : Array.isArray(value) ? value.map(partsOf) : value;
      return [TURNED.part.get(word) ?? word, inner];
    }),
  );
}

function asConsumer(fields: Record<string, Json>): Config {
  const { sample_freq, filter_subjects, opt_start_seq, ...rest } = fields;
  const filters = listOf(filter_subjects);
  const policy = opt_start_seq ? 'by_start_sequence' : fields.opt_start_time ? 'by_start_time' : undefined;
  // The server writes the first step over whatever ack_wait was asked for.
  if (listOf(fields.backoff).length > 0) delete rest.ack_wait;
  // The server's default stands where the provider sends nothing.
  if (rest.max_waiting === 0) delete rest.max_waiting;
  return {
    ...rest,
    ...(opt_start_seq ? { opt_start_seq } : {}),
    ...(policy && !fields.deliver_policy ? { deliver_policy: policy } : {}),
    // One is sent as `filter_subject`.
    ...(filters.length === 1
      ? { filter_subject: filters[0]! }
      : filters.length > 1
        ? { filter_subjects: filters }
        : {}),
    ...(sample_freq ? { sample_freq: `${String(sample_freq)}%` } : {}),
  };
}
