import type { ResourceKind } from '../model/resource.ts';
import { bucketFields } from './bucket-fields.ts';
import { consumerFields } from './consumer-fields.ts';
import type { Field } from './field.ts';
import { streamFields } from './stream-fields.ts';
import { atLeast, parseVersion } from './versions.ts';

export const FIELDS = {
  stream: streamFields,
  consumer: consumerFields,
  bucket: bucketFields,
} as const satisfies Record<ResourceKind, readonly Field[]>;

/** True where a server of this version (`2.15.1`) has the field. */
export function hasField(field: Field, version: string): boolean {
  if (field.since && !atLeast(version, field.since)) return false;
  if (!field.until) return true;
  const [major, minor] = parseVersion(version);
  const [lastMajor, lastMinor] = parseVersion(field.until);
  return major < lastMajor || (major === lastMajor && minor <= lastMinor);
}

// A plan of thousands of resources asks for the same few tables again and again.
const remembered = new Map<string, readonly Field[]>();

/** The fields of a kind that a server of this version has. */
export function fieldsFor(kind: ResourceKind, version: string): readonly Field[] {
  const key = `${kind} ${version}`;
  let fields = remembered.get(key);
  if (!fields) {
    fields = FIELDS[kind].filter((field) => hasField(field, version));
    remembered.set(key, fields);
  }
  return fields;
}
