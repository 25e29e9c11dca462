import type { Field, FieldType, FillContext } from '../facts/field.ts';
import type { FieldTable } from '../facts/fields.ts';
import { SERVER_PREFIX } from '../facts/names.ts';
import { type Config, isObject, type Json, stableText } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';

// Go's zero time, which a server prints for a moment that is not set.
const NO_TIME = '0001-01-01T00:00:00Z';

/** A moment in UTC without trailing zeros; nanoseconds are kept, which a Date would lose. */
function canonicalTime(text: string): string {
  const match = /^(.*:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  const moment = new Date(match ? `${match[1]}${match[3]}` : text);
  if (Number.isNaN(moment.getTime())) return text;
  const fraction = (match?.[2] ?? '').replace(/0+$/, '');
  return `${moment.toISOString().slice(0, 19)}${fraction ? `.${fraction}` : ''}Z`;
}

/** A group without the parts that say nothing; `undefined` where nothing is left. */
function canonicalGroup(fields: readonly Field[], value: Json): Json | undefined {
  if (!isObject(value)) return undefined;
  const parts: Record<string, Json> = {};
  for (const field of fields) {
    const part = canonicalValue(field.type, value[field.name]);
    if (part !== undefined) parts[field.name] = part;
  }
  return Object.keys(parts).length > 0 ? parts : undefined;
}

/**
 * One value in the one spelling that equal values share; `undefined` where it says no more than leaving it out:
 * the server reads 0, empty text, empty list and `false` as absent.
 */
export function canonicalValue(type: FieldType, value: Json | undefined): Json | undefined {
  if (value === undefined || value === null) return undefined;
  switch (type.type) {
    case 'text':
    case 'choice':
      return value === '' ? undefined : value;
    case 'flag':
      return value === true ? true : undefined;
    case 'count':
    case 'size':
      if (typeof value === 'number' && value < 0 && 'unlimited' in type && type.unlimited) return -1;
      return value === 0 ? undefined : value;
    case 'duration':
      return value === 0 ? undefined : value;
    case 'time':
      return typeof value !== 'string' || value === '' || value === NO_TIME ? undefined : canonicalTime(value);
    case 'texts':
      if (!Array.isArray(value) || value.length === 0) return undefined;
      return [...value].sort();
    case 'durations':
      return Array.isArray(value) && value.length > 0 ? value : undefined;
    case 'map': {
      if (!isObject(value)) return undefined;
      const kept = Object.entries(value).filter(([key]) => !key.startsWith(SERVER_PREFIX));
      return kept.length > 0 ? Object.fromEntries(kept) : undefined;
    }
    case 'group':
      return canonicalGroup(type.fields, value);
    case 'groups': {
      if (!Array.isArray(value)) return undefined;
      const groups = value
        .map((each: Json) => canonicalGroup(type.fields, each))
        .filter((group) => group !== undefined);
      return groups.length > 0 ? groups : undefined;
    }
  }
}

/** What the server puts where the field is left out. */
export const fillOf = (field: Field, context: FillContext): Json =>
  typeof field.fill === 'function' ? field.fill(context) : field.fill;

/** Every field of a kind that the server has, canonical, with the server's default where it is left out. */
export function canonicalFields(
  table: FieldTable,
  kind: ResourceKind,
  config: Config,
  stream?: Config,
): Record<string, Json> {
  const written = Object.fromEntries(
    table[kind].map(({ name, type }) => [name, canonicalValue(type, config[name])] as const),
  );
  // A default that depends on other fields goes by what they come to: a source that names none is no source.
  const context = { version: table.version, config: { ...config, ...written } as Config, stream };
  const result: Record<string, Json> = {};
  for (const field of table[kind]) result[field.name] = written[field.name] ?? fillOf(field, context);
  return result;
}

/** Lists whose order means nothing, such as a stream's sources, in the order of one of their parts. */
export const sortedGroups = (groups: Json | undefined, key: string): Json =>
  Array.isArray(groups)
    ? [...(groups as Config[])].sort((a, b) => {
        const [x, y] = [`${a[key]} ${stableText(a)}`, `${b[key]} ${stableText(b)}`];
        return x < y ? -1 : 1;
      })
    : [];
