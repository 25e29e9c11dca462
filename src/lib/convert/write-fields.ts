import type { Field, FieldType } from '../facts/field.ts';
import { FIELDS } from '../facts/fields.ts';
import { type Config, equalJson, isObject, type Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';

/** A resource to write in another tool's words: its configuration is whole, in wire names and units. */
export interface Outgoing {
  readonly kind: ResourceKind;
  /** A stream's or a bucket's, a consumer's without its stream. */
  readonly name: string;
  /** A consumer's. */
  readonly stream?: string;
  readonly config: Config;
}

/** How another tool writes the fields. */
export interface Dialect {
  /** What it has no word for: `stream.sealed`, `bucket.placement.preferred`. */
  readonly cannot: ReadonlySet<string>;
  /** What it takes for a field left out, where that is not what the server does; null where it must be written. */
  readonly usual: Readonly<Record<ResourceKind, Config>>;
  /** Its word for a field: `path` is `stream.republish.dest`. */
  word(path: string): string;
  /** Its spelling of a value, or undefined where it has none. */
  value(type: FieldType, value: Json, path: string): Json | undefined;
  /** Its spelling of a group, `parts` being in its words. */
  group(parts: Config, path: string): Json;
  /** True where the parts stand beside the other fields. */
  isFlat(path: string): boolean;
}

export interface Written {
  readonly fields: Readonly<Record<string, Json>>;
  /** What was not written: `sealed is true`. */
  readonly left: readonly string[];
}

/** The fields that differ from what the other tool, or the server, makes of one left out. */
export function writeFields({ kind, name, config }: Outgoing, dialect: Dialect, version: string): Written {
  const left: string[] = [];
  const fields: [string, Json][] = [];
  const leave = (path: string, value: Json) => left.push(`${path.slice(kind.length + 1)} is ${JSON.stringify(value)}`);

  function write(field: Field, value: Json, path: string): [string, Json][] {
    if (dialect.cannot.has(path)) {
      leave(path, value);
      return [];
    }
    if (field.type.type === 'group' && isObject(value)) {
      const parts = partsOf(field.type.fields, value, path);
      if (dialect.isFlat(path)) return parts;
      return parts.length > 0 ? [[dialect.word(path), dialect.group(Object.fromEntries(parts), path)]] : [];
    }
    if (field.type.type === 'groups' && Array.isArray(value)) {
      const { fields: inner } = field.type;
      const groups = value
        .filter(isObject)
        .map((each) => dialect.group(Object.fromEntries(partsOf(inner, each, path)), `${path}[]`));
      return [[dialect.word(path), groups]];
    }
    const spelt = dialect.value(field.type, value, path);
    if (spelt === undefined) leave(path, value);
    return spelt === undefined ? [] : [[dialect.word(path), spelt]];
  }

  const partsOf = (parts: readonly Field[], value: Config, path: string): [string, Json][] =>
    parts.flatMap((part) => {
      const own = value[part.name];
      const isUnset = own === undefined || equalJson(own, part.fill);
      return isUnset ? [] : write(part, own, `${path}.${part.name}`);
    });

  for (const field of FIELDS[kind]) {
    const value = config[field.name];
    if (value === undefined) continue;
    const own = dialect.usual[kind][field.name];
    const { fill } = field;
    const servers = typeof fill === 'function' ? fill({ version, config: { ...config, name } }) : fill;
    const usual = own === undefined ? servers : own;
    if (!equalJson(value, usual)) fields.push(...write(field, value, `${kind}.${field.name}`));
  }
  return { fields: Object.fromEntries(fields), left };
}
