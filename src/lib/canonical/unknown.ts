//   What a server of a later version has and this build does not know: fields, parts of fields, values of a choice. They
//   are named, and left as the server has them: an update sends them back.
import type { FieldType } from '../facts/field.ts';
import { FIELDS } from '../facts/fields.ts';
import { type Config, isObject, type Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';

/** Names of a resource inside its own configuration: the spec's key says them. */
const NAMES = { stream: ['name'], consumer: ['name', 'durable_name'] } as const satisfies Partial<
  Record<ResourceKind, readonly string[]>
>;
const typesOf = (kind: ResourceKind): ReadonlyMap<string, FieldType> =>
  new Map(FIELDS[kind].map((field) => [field.name, field.type]));
const TYPES = { stream: typesOf('stream'), consumer: typesOf('consumer'), bucket: typesOf('bucket') };

/** A bucket's live configuration is its stream's. */
const liveKind = (kind: ResourceKind): 'stream' | 'consumer' => (kind === 'consumer' ? 'consumer' : 'stream');

const isUnknownValue = (type: FieldType | undefined, value: Json | undefined): boolean =>
  type?.type === 'choice' && typeof value === 'string' && value !== '' && !type.values.includes(value);

/** What is unknown in one value, each with its path. */
function unknownIn(type: FieldType, value: Json, path: string): string[] {
  if (isUnknownValue(type, value)) return [`${path} ${value}`];
  if (type.type === 'groups' && Array.isArray(value)) {
    return (value as Json[]).flatMap((each) => {
      const name = isObject(each) ? String(each[type.key] ?? '') : '';
      return unknownIn({ type: 'group', fields: type.fields }, each, `${path}[${name}]`);
    });
  }
  if (type.type !== 'group' || !isObject(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    const field = type.fields.find((each) => each.name === name);
    return field ? unknownIn(field.type, part, `${path}.${name}`) : [`${path}.${name}`];
  });
}

/** The paths of what is unknown in a live configuration: `shiny`, `sources[ORDERS].window`, `ack_policy batched`. */
export function unknownFields(kind: ResourceKind, config: Config): readonly string[] {
  const live = liveKind(kind);
  const types = TYPES[live];
  return Object.entries(config).flatMap(([name, value]) => {
    const type = types.get(name);
    if (type) return unknownIn(type, value, name);
    return NAMES[live].some((each) => each === name) ? [] : [name];
  });
}

/** The fields of a live configuration whose value is unknown: a spec that is silent there leaves them alone. */
export function unknownValues(kind: ResourceKind, config: Config): Config {
  const types = TYPES[kind];
  return Object.fromEntries(Object.entries(config).filter(([name, value]) => isUnknownValue(types.get(name), value)));
}

/** A wanted value with the parts that only the live one has and nobody here knows. */
export function withUnknownParts(type: FieldType, wanted: Json, live: Json | undefined): Json {
  if (type.type === 'groups' && Array.isArray(wanted) && Array.isArray(live)) {
    const group: FieldType = { type: 'group', fields: type.fields };
    const keyOf = (each: Json) => (isObject(each) ? each[type.key] : undefined);
    return (wanted as Json[]).map((each) =>
      withUnknownParts(
        group,
        each,
        (live as Json[]).find((other) => keyOf(other) === keyOf(each)),
      ),
    );
  }
  if (type.type !== 'group' || !isObject(wanted) || !isObject(live)) return wanted;
  const kept = Object.entries(live).filter(([name]) => !type.fields.some((field) => field.name === name));
  const parts = type.fields.flatMap((field) => {
    const part = wanted[field.name];
    return part === undefined ? [] : [[field.name, withUnknownParts(field.type, part, live[field.name])] as const];
  });
  return { ...wanted, ...Object.fromEntries(parts), ...Object.fromEntries(kept) };
}
