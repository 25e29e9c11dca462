import type { ResourceKind } from '../model/resource.ts';
import { type BucketField, bucketFields } from './bucket-fields.ts';
import { consumerFields } from './consumer-fields.ts';
import type { Field } from './field.ts';
import { streamFields } from './stream-fields.ts';
import { atLeast, parseVersion } from './versions.ts';

export const FIELDS = {
  stream: streamFields,
  consumer: consumerFields,
  bucket: bucketFields,
} as const satisfies Record<ResourceKind, readonly Field[]>;

/** True where a server of this version (`2.15.1`) does not have the field any more. */
export function isGone({ until }: Field, version: string): boolean {
  if (until === undefined) return false;
  const [major, minor] = parseVersion(version);
  const [lastMajor, lastMinor] = parseVersion(until);
  return major > lastMajor || (major === lastMajor && minor > lastMinor);
}

/** True where a server of this version has the field. */
export const hasField = (field: Field, version: string): boolean =>
  !(field.since && !atLeast(version, field.since)) && !isGone(field, version);

/** The fields that servers of one version have, with the parts that they have of each: bound once, then walked down. */
export interface FieldTable extends Readonly<Record<ResourceKind, readonly Field[]>> {
  readonly bucket: readonly BucketField[];
  /** As `2.15.1`. */
  readonly version: string;
}

const bound = <F extends Field>(fields: readonly F[], version: string): readonly F[] =>
  fields
    .filter((field) => hasField(field, version))
    .map((field) =>
      'fields' in field.type ? { ...field, type: { ...field.type, fields: bound(field.type.fields, version) } } : field,
    );

const tables = new Map<string, FieldTable>();

/** What a server of this version knows, bound at the first time of asking. */
export function tableFor(version: string): FieldTable {
  const known = tables.get(version);
  if (known) return known;
  const { stream, consumer, bucket } = FIELDS;
  const table: FieldTable = {
    version,
    stream: bound(stream, version),
    consumer: bound(consumer, version),
    bucket: bound(bucket, version),
  };
  tables.set(version, table);
  return table;
}
