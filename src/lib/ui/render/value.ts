import { FIELDS } from '../../facts/fields.ts';
import { isObject, type Json } from '../../model/json.ts';
import type { FieldChange } from '../../model/plan.ts';
import type { ResourceKind } from '../../model/resource.ts';
import { clean } from '../sanitize.ts';

/** Texts that would be taken for something else without quotes: empty, padded, or holding our own punctuation. */
const NEEDS_QUOTES = /^$|^\s|\s$|^\(|[,"{}→]/;

/** A value on one line, in the spec's spelling: `5s, 10s`, `{team: ops}`, `(not set)`. Safe to print. */
export function printValue(value: Json): string {
  if (value === null) return '(not set)';
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.map(printValue).join(', ');
  if (isObject(value)) {
    const parts = Object.entries(value).map(([key, part]) => `${clean(key)}: ${printValue(part)}`);
    return parts.length === 0 ? '(none)' : `{${parts.join(', ')}}`;
  }
  const text = String(value);
  return clean(typeof value === 'string' && NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text);
}

/** One side of a changed field; where its value means that there is no limit, in the word that a spec takes for it. */
export function showField(kind: ResourceKind, field: FieldChange, side: 'from' | 'to'): string {
  const value = field[side];
  const type = FIELDS[kind].find(({ name }) => name === field.path)?.type;
  const none = type?.type === 'duration' ? '0s' : -1;
  return type && 'unlimited' in type && type.unlimited && value === none ? 'unlimited' : printValue(value);
}
