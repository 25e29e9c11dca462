import { camelCase, type Field, type FieldType } from '../facts/field.ts';
import { OWN_PREFIX, SERVER_PREFIX } from '../facts/names.ts';
import { type Config, isObject, type Json } from '../model/json.ts';
import { parseDuration, parseSize } from '../model/units.ts';

/** What was understood of a foreign configuration, in wire names and units, and what was not. */
export interface Taken {
  readonly config: Config;
  readonly rest: readonly { readonly path: string; readonly why: string }[];
}

type Refused = { readonly why: string };
type Coerced = { readonly value: Json } | Refused;

const isTaken = (coerced: Coerced): coerced is { readonly value: Json } => 'value' in coerced;

/** A spelling such as `maxMsgsPerSubject` or `max_messages` and the field it means. */
function fieldsByName(fields: readonly Field[]): ReadonlyMap<string, Field> {
  return new Map(
    fields.flatMap((field) =>
      [field.name, ...(field.aliases ?? [])].flatMap((name) => [
        [name, field] as const,
        [camelCase(name), field] as const,
      ]),
    ),
  );
}

/** Servers and clients write these for "not set". */
const isUnset = (value: unknown, type: FieldType): boolean =>
  value === null || value === undefined || (type.type === 'time' && String(value).startsWith('0001-01-01T'));

/**
 * Takes the known fields out of a foreign configuration. Fields that are unknown, or whose value cannot be read, are
 * told in `rest` under `path`.
 */
export function takeFields(fields: readonly Field[], written: Readonly<Record<string, unknown>>, path: string): Taken {
  const known = fieldsByName(fields);
  const config: [string, Json][] = [];
  const rest: { path: string; why: string }[] = [];
  for (const [name, value] of Object.entries(written)) {
    const field = known.get(name);
    const at = path ? `${path}.${name}` : name;
    if (!field) {
      rest.push({ path: at, why: 'no stream, consumer or bucket has a field of this name' });
      continue;
    }
    if (isUnset(value, field.type)) continue;
    const coerced = coerce(field.type, value, at, rest);
    if (isTaken(coerced)) config.push([field.name, coerced.value]);
    else rest.push({ path: at, why: coerced.why });
  }
  return { config: Object.fromEntries(config), rest };
}

function coerce(type: FieldType, value: unknown, path: string, rest: { path: string; why: string }[]): Coerced {
  switch (type.type) {
    case 'text':
      return scalar(value) ? { value: String(value) } : no(value, 'a text');
    case 'flag':
      return typeof value === 'boolean' ? { value } : no(value, 'true or false');
    case 'count':
      return Number.isInteger(value) ? { value: value as number } : no(value, 'a whole number');
    case 'duration':
      return measured(parseDuration, value, 'a duration such as 30s');
    case 'size':
      return measured(parseSize, value, 'a size such as 512MiB');
    case 'time':
      return readTime(value);
    case 'choice':
      return choose(type, value);
    case 'texts':
      return listOf(value, (item) => (scalar(item) ? { value: String(item) } : no(item, 'a text')));
    case 'durations':
      return listOf(value, (item) => measured(parseDuration, item, 'a duration such as 30s'));
    case 'map':
      return isObject(value) ? { value: labels(value, path, rest) } : no(value, 'a map of texts');
    case 'group':
      return isObject(value) ? { value: takeGroup(type.fields, value, path, rest) } : no(value, 'a group of fields');
    case 'groups':
      return listOf(value, (item, index) =>
        isObject(item)
          ? { value: takeGroup(type.fields, item, `${path}[${index}]`, rest) }
          : no(item, 'a group of fields'),
      );
  }
}

function takeGroup(
  fields: readonly Field[],
  written: Config,
  path: string,
  rest: { path: string; why: string }[],
): Config {
  const taken = takeFields(fields, written, path);
  rest.push(...taken.rest);
  return taken.config;
}

const scalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

function no(value: unknown, wanted: string): Refused {
  const text = JSON.stringify(value) ?? String(value);
  return { why: `${text.length > 60 ? `${text.slice(0, 60)}…` : text} is not ${wanted}` };
}

function measured(parse: (text: string) => number | undefined, value: unknown, wanted: string): Coerced {
  if (Number.isInteger(value)) return { value: value as number };
  const parsed = typeof value === 'string' ? parse(value) : undefined;
  return parsed === undefined ? no(value, wanted) : { value: parsed };
}

function readTime(value: unknown): Coerced {
  const text = value instanceof Date ? value.toISOString() : value;
  const isTime = typeof text === 'string' && /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));
  return isTime ? { value: text } : no(value, 'a time such as 2026-01-31T12:00:00Z');
}

function choose(type: Extract<FieldType, { type: 'choice' }>, value: unknown): Coerced {
  // `byStartSequence` as Kubernetes spells it, `by_start_sequence` as the server does.
  const word = typeof value === 'string' ? value.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : '';
  const meant = type.aliases?.[word] ?? word;
  return type.values.includes(meant) ? { value: meant } : no(value, `one of ${type.values.join(', ')}`);
}

function listOf(value: unknown, read: (item: unknown, index: number) => Coerced): Coerced {
  if (!Array.isArray(value)) return no(value, 'a list');
  const items: Json[] = [];
  for (const [index, item] of value.entries()) {
    const coerced = read(item, index);
    if (!isTaken(coerced)) return coerced;
    items.push(coerced.value);
  }
  return { value: items };
}

/** Labels of the server and of this tool are written by them, not by a spec. */
function labels(written: Config, path: string, rest: { path: string; why: string }[]): Config {
  const entries = Object.entries(written).filter(
    ([key]) => !key.startsWith(SERVER_PREFIX) && !key.startsWith(OWN_PREFIX),
  );
  for (const [key, value] of entries) {
    if (!scalar(value)) rest.push({ path: `${path}.${key}`, why: no(value, 'a text').why });
  }
  return Object.fromEntries(entries.filter(([, value]) => scalar(value)).map(([key, value]) => [key, String(value)]));
}
