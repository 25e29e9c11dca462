import { BACKING } from '../canonical/bucket.ts';
import type { Field, FieldType, Verdict } from '../facts/field.ts';
import { FIELDS, type FieldTable } from '../facts/fields.ts';
import { type Config, equalJson, isObject, type Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';

/** One place where two canonical configurations differ, in canonical values. */
export interface Difference {
  readonly path: string;
  /** The table's row; a part of a group or map belongs to the row of the whole. */
  readonly field: Field;
  readonly type: FieldType;
  readonly from: Json | undefined;
  readonly to: Json | undefined;
  readonly verdict: Verdict;
}

export interface DiffContext {
  readonly table: FieldTable;
  readonly clustered: boolean;
  /** For a bucket: the canonical stream it should have, for its `backing.*` entries. */
  readonly backing?: Config;
}

function impactOf(field: Field, from: Json, to: Json, before: Config, after: Config, context: DiffContext): Verdict {
  if (field.change === 'in-place') return { impact: 'in-place' };
  if (typeof field.change === 'object') return { impact: 'replace', note: field.change.never };
  return field.change({ from, to, before, after, version: context.table.version, clustered: context.clustered });
}

type Part = Pick<Difference, 'path' | 'type' | 'from' | 'to'>;

/** The parts of a map or group that differ; a group that comes or goes is told as a whole. */
function partsOf(field: Field, from: Json, to: Json): Part[] {
  const whole: Part[] = [{ path: field.name, type: field.type, from, to }];
  if (!isObject(from) || !isObject(to)) return whole;
  const typeOf = (key: string): FieldType =>
    field.type.type === 'group'
      ? (field.type.fields.find((part) => part.name === key)?.type ?? { type: 'text' })
      : { type: 'text' };
  if (field.type.type === 'group' && (Object.keys(from).length === 0 || Object.keys(to).length === 0)) return whole;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .sort()
    .filter((key) => !equalJson(from[key], to[key]))
    .map((key) => ({ path: `${field.name}.${key}`, type: typeOf(key), from: from[key], to: to[key] }));
}

/** Where two canonical configurations of one kind differ, in the table's order. Empty for equal ones. */
export function diffConfigs(kind: ResourceKind, before: Config, after: Config, context: DiffContext): Difference[] {
  const differences: Difference[] = [];
  for (const field of context.table[kind]) {
    const from = before[field.name] ?? null;
    const to = after[field.name] ?? null;
    // Not every field has a canonical form: pause_until is a state.
    if (equalJson(from, to)) continue;
    // The server never says again what first_seq a stream was made with.
    if (field.name === 'first_seq') continue;
    const verdict = impactOf(field, from, to, before, after, context);
    for (const part of partsOf(field, from, to)) differences.push({ ...part, field, verdict });
  }
  if (kind === 'bucket') differences.push(...diffBacking(before, context));
  return differences;
}

function diffBacking(before: Config, context: DiffContext): Difference[] {
  const { backing } = context;
  if (!backing) return [];
  return Object.keys(before)
    .filter((key) => key.startsWith(BACKING))
    .flatMap((path) => {
      const field = FIELDS.stream.find((row) => row.name === path.slice(BACKING.length));
      if (!field) return [];
      const from = before[path] ?? null;
      const to = backing[field.name] ?? null;
      const verdict = impactOf(field, from, to, { [field.name]: from }, backing, context);
      const why = verdict.note ?? 'the stream of a bucket must have it so';
      return [{ path, type: field.type, field, from, to, verdict: { ...verdict, note: why } }];
    });
}
