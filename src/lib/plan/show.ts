import type { Field, FieldType } from '../facts/field.ts';
import { isObject, type Json } from '../model/json.ts';
import { printDuration, printSize } from '../model/units.ts';

/** A value in the spec's spelling: durations and sizes with units, `null` for what is not there. -1 stays -1. */
export function showValue(type: FieldType, value: Json | undefined): Json {
  if (value === undefined || value === null || value === '') return null;
  switch (type.type) {
    case 'duration':
      return typeof value === 'number' ? printDuration(value) : value;
    case 'size':
      return typeof value === 'number' && value >= 0 ? printSize(value) : value;
    case 'durations':
      return Array.isArray(value) ? value.map((step: Json) => showValue({ type: 'duration' }, step)) : value;
    case 'group':
      return showGroup(type.fields, value);
    case 'groups':
      return Array.isArray(value) ? value.map((group: Json) => showGroup(type.fields, group)) : value;
    case 'map':
      return isObject(value) && Object.keys(value).length === 0 ? null : value;
    default:
      return value;
  }
}

function showGroup(fields: readonly Field[], value: Json): Json {
  if (!isObject(value) || Object.keys(value).length === 0) return null;
  const shown = fields
    .filter((field) => value[field.name] !== undefined)
    .map((field) => [field.name, showValue(field.type, value[field.name])] as const);
  return Object.fromEntries(shown);
}
