import type { FieldType } from '../facts/field.ts';
import type { Json } from '../model/json.ts';
import { meansNanos, parseDuration, parseSize, printDuration } from '../model/units.ts';

/** The kinds of value only a spec has, beside those of the server's fields. */
export type OwnType =
  | { readonly type: 'version' }
  | { readonly type: 'name' }
  | { readonly type: 'server-version' }
  | { readonly type: 'secret' }
  /** A list, or one text with commas. */
  | { readonly type: 'urls' }
  | { readonly type: 'choices'; readonly values: readonly string[] }
  /** A limit of status; `off` switches it off. */
  | { readonly type: 'limit'; readonly of: 'count' | 'duration' | 'percent' };

export type Leaf = Exclude<FieldType, { type: 'group' | 'groups' }> | OwnType;

/** Why a value is none of its kind: what it should have been, and how to write it. Never holds the value. */
export interface Fault {
  readonly expected: string;
  readonly hint: string;
}

export type Reading = { readonly value: Json } | { readonly fault: Fault };

/** The longest time and the largest size a signed 64-bit integer holds. */
const MOST = 2 ** 63;
const MOST_32 = 2 ** 31 - 1;
/** A system's name is part of keys in the ledger and of metadata. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

const bad = (expected: string, hint: string): Reading => ({ fault: { expected, hint } });
const UNLIMITED = new Set<unknown>(['unlimited', 'infinite', '-1', -1]);

/** Reads a written value into wire names and units, or says what was expected. */
export function readValue(type: Leaf, value: unknown): Reading {
  switch (type.type) {
    case 'text':
    case 'secret':
      return typeof value === 'string' ? { value } : bad('text', 'put it into quotes.');
    case 'flag':
      return typeof value === 'boolean' ? { value } : bad('true or false', 'write true or false, without quotes.');
    case 'count':
      return readCount(type, value);
    case 'duration':
      return readDuration(value, type.min);
    case 'size':
      return readSize(type, value);
    case 'time':
      return typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value))
        ? { value }
        : bad('a moment', 'write it as 2030-01-31T12:00:00Z.');
    case 'choice':
      return typeof value === 'string' && type.values.includes(value)
        ? { value }
        : bad(`one of ${type.values.join(', ')}`, `write one of ${type.values.join(', ')}.`);
    case 'texts':
      return listOf(value, (item) => typeof item === 'string' && item !== '')
        ? { value: value as Json }
        : bad('a list of texts', 'write ["one", "two"], or one after another with a dash before each.');
    case 'durations':
      return readDurations(value);
    case 'map':
      return isTextMap(value) ? { value: value as Json } : bad('a map of texts', 'write `key: "value"` pairs.');
    case 'version':
      return value === 1 ? { value } : bad('1', 'write `version: 1`, the format this build reads.');
    case 'name':
      return typeof value === 'string' && NAME.test(value)
        ? { value }
        : bad('a name', 'use up to 64 letters, digits, dashes and underscores.');
    case 'server-version':
      return readServerVersion(value);
    case 'urls':
      return readUrls(value);
    case 'choices':
      return listOf(value, (item) => type.values.includes(item as string)) && (value as Json[]).length > 0
        ? { value: [...new Set(value as string[])] }
        : bad(`a list of ${type.values.join(' and ')}`, `write [${type.values.join(', ')}], or one of them.`);
    case 'limit':
      return readLimit(type.of, value);
  }
}

const listOf = (value: unknown, test: (item: unknown) => boolean): boolean => Array.isArray(value) && value.every(test);

const isTextMap = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((item) => typeof item === 'string');

function readCount(type: Extract<FieldType, { type: 'count' }>, value: unknown): Reading {
  if (type.unlimited && UNLIMITED.has(value)) return { value: -1 };
  const { min = type.unlimited ? -1 : 0, max = Number.MAX_SAFE_INTEGER } = type;
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return { value: value as number };
  // Beyond that a number was rounded when the file was read.
  const isOpen = type.max === undefined && !(Number(value) > max);
  const range = isOpen ? `of ${min} or more` : `from ${Math.max(min, 0)} to ${max}`;
  if (type.unlimited && !isOpen)
    return bad(`a whole number ${range}, or unlimited`, `write a whole number ${range}, -1 or unlimited.`);
  return bad(
    type.unlimited ? 'a whole number, or unlimited' : `a whole number ${range}`,
    type.unlimited ? 'write a whole number, -1 or unlimited.' : `write a whole number ${range}.`,
  );
}

const DURATION_HINT = 'write it as 500ms, 5s, 1h30m or 7d; a bare number is nanoseconds.';

function readDuration(value: unknown, min: number | undefined): Reading {
  // The server takes 0 for no limit where a duration has one; -1 is what people know from other limits.
  if (UNLIMITED.has(value)) return { value: 0 };
  const nanos = durationOf(value);
  if (nanos === undefined && isTooBare(value)) return bad('a duration with its unit', WITH_UNITS);
  if (nanos === undefined) return bad('a duration', DURATION_HINT);
  if (nanos < 0) return bad('a duration of 0 or more', DURATION_HINT);
  if (nanos >= MOST) return bad('a duration below 292 years', 'write 0 for no limit.');
  if (min !== undefined && min > 1 && nanos !== 0 && nanos < min) {
    return bad(`a duration of at least ${printDuration(min)}`, `write ${printDuration(min)} or more.`);
  }
  return { value: nanos };
}

function durationOf(value: unknown): number | undefined {
  if (typeof value === 'string') return parseDuration(value);
  return typeof value === 'number' && meansNanos(value) ? value : undefined;
}

/** A bare number below a millisecond, quoted or not. */
const isTooBare = (value: unknown): boolean => /^-?[1-9]\d{0,5}$/.test(String(value).trim());

const WITH_UNITS = 'add the unit, as 5s: a bare number is nanoseconds.';

function readDurations(value: unknown): Reading {
  if (!Array.isArray(value)) return bad('a list of durations', 'write [5s, 10s, 15s].');
  const nanos = value.map(durationOf);
  if (nanos.every((item) => item !== undefined && Math.abs(item) < MOST)) return { value: nanos as number[] };
  return value.some(isTooBare)
    ? bad('a list of durations with their units', WITH_UNITS)
    : bad('a list of durations', 'write [5s, 10s, 15s].');
}

function readSize(type: Extract<FieldType, { type: 'size' }>, value: unknown): Reading {
  if (type.unlimited && UNLIMITED.has(value)) return { value: -1 };
  const most = type.bits === 32 ? MOST_32 : Number.MAX_SAFE_INTEGER;
  const bytes = typeof value === 'string' ? parseSize(value) : Number.isInteger(value) ? Number(value) : undefined;
  if (bytes !== undefined && bytes >= 0 && bytes <= most) return { value: bytes };
  if (bytes !== undefined && bytes > most) {
    return bad(`a size up to ${type.bits === 32 ? '2GiB less a byte' : '8PiB'}`, 'write a smaller size.');
  }
  const [, kubernetes] = /^(\d+(?:\.\d+)?\s*[kmgt]i)$/i.exec(String(value).trim()) ?? [];
  if (kubernetes !== undefined) return bad('a size', `write ${kubernetes}B.`);
  return bad(
    type.unlimited ? 'a size, or unlimited' : 'a size',
    `write it as 512MB, 1GiB or bytes${type.unlimited ? '; -1 or unlimited for no limit' : ''}.`,
  );
}

function readServerVersion(value: unknown): Reading {
  const text = typeof value === 'string' ? value : '';
  return /^v?\d+\.\d+(\.\d+)?$/.test(text)
    ? { value: text.replace(/^v/, '') }
    : bad('a server version as text', 'write it in quotes, as "2.12": without them YAML reads 2.10 as the number 2.1.');
}

function readUrls(value: unknown): Reading {
  const items = typeof value === 'string' ? value.split(',').map((url) => url.trim()) : value;
  return listOf(items, (item) => typeof item === 'string' && item !== '') && (items as Json[]).length > 0
    ? { value: items as string[] }
    : bad('a list of server URLs', 'write ["nats://one:4222", "nats://two:4222"].');
}

function readLimit(of: 'count' | 'duration' | 'percent', value: unknown): Reading {
  if (value === 'off' || value === false) return { value: 'off' };
  if (of === 'duration') return readDuration(value, undefined);
  if (of === 'count') {
    return Number.isSafeInteger(value) && Number(value) >= 0
      ? { value: value as number }
      : bad('a whole number, or off', 'write a number of messages, or off.');
  }
  const percent = typeof value === 'string' && /^\d+(\.\d+)?%$/.test(value) ? Number(value.slice(0, -1)) : value;
  return typeof percent === 'number' && percent > 0 && percent <= 100
    ? { value: percent }
    : bad('a percentage, or off', 'write it as 70%, or off.');
}
