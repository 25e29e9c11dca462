import { isPlainSubject } from '../facts/subjects.ts';
import { isKeptNumber, isObject, jsonIn, keepDigits } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import type { FieldChange } from '../model/replay.ts';
import { fromHeaderValue, type HeaderLine, parseHeaders, toHeaderValue } from '../nats/raw-headers.ts';
import type { Edited } from './edit-text.ts';

/** A message as a module gets it. */
export interface TransformInput {
  readonly id: string;
  readonly subject: string;
  readonly headers: Record<string, string[]>;
  /** Text where it is text. */
  readonly payload: string | Uint8Array;
}

const textOf = (payload: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return undefined;
  }
};

const groupHeaders = (lines: readonly HeaderLine[]): Record<string, string[]> => {
  // Without a prototype: a header may be called anything.
  const headers: Record<string, string[]> = Object.create(null);
  for (const { name, value } of lines) headers[name] = [...(headers[name] ?? []), fromHeaderValue(value)];
  return headers;
};

/** What is handed to a module: its own copy of everything. */
export const transformInput = (id: string, { subject, headers, payload }: StoredMessage): TransformInput => ({
  id,
  subject,
  headers: groupHeaders(parseHeaders(headers)),
  payload: textOf(payload) ?? new Uint8Array(payload),
});

/**
 * Reads what a module gave back. Headers that it left alone keep their bytes.
 * @returns the message, null where it is to be skipped, or what is wrong with it
 */
export function readTransformed(value: unknown, before: StoredMessage): Edited | null | string {
  if (value === null) return null;
  if (value === undefined) return 'it returned nothing; return the request, or null to skip it';
  if (!isObject(value)) return `it returned a ${typeof value}, not a request`;
  const { subject = before.subject, headers, payload } = value;
  if (typeof subject !== 'string' || !isPlainSubject(subject)) return 'its subject is none that a message can have';
  const lines = parseHeaders(before.headers);
  const written = headers === undefined ? lines : readHeaders(headers, lines);
  if (typeof written === 'string') return written;
  // Whatever else it was, its thread made JSON of it.
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : (payload as Uint8Array | undefined);
  return { subject, headers: written, payload: bytes ?? before.payload };
}

function readHeaders(value: unknown, lines: readonly HeaderLine[]): readonly HeaderLine[] | string {
  if (!isObject(value)) return 'its headers are no object of names and values';
  const known = groupHeaders(lines);
  const found: HeaderLine[] = [];
  for (const [name, one] of Object.entries(value)) {
    const values: unknown[] = Array.isArray(one) ? one : [one];
    if (!values.every((each) => typeof each === 'string')) return `its header ${name} is no text`;
    if (known[name]?.join('\n') === values.join('\n')) found.push(...lines.filter((line) => line.name === name));
    else if (!/^[!-9;-~]+$/.test(name)) return `${JSON.stringify(name)} is no name of a header`;
    else found.push(...values.map((each) => ({ name, value: toHeaderValue(each) })));
  }
  return found;
}

/** So many changes of one message are told. */
const MOST_CHANGES = 20;

/** What differs, field by field: of JSON by its paths. `seen` makes of both what is compared of them. */
export function transformChanges(
  message: StoredMessage,
  edited: Edited,
  seen: (one: Edited) => Edited = (one) => one,
): FieldChange[] {
  const before = seen({ ...message, headers: parseHeaders(message.headers) });
  const after = seen(edited);
  const changes: FieldChange[] = [];
  const add = (path: string, from: string | null, to: string | null) => {
    if (from !== to) changes.push({ path, from, to });
  };
  add('subject', before.subject, after.subject);
  const [old, now] = [groupHeaders(before.headers), groupHeaders(after.headers)];
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)]))
    add(`header:${name}`, old[name]?.join(', ') ?? null, now[name]?.join(', ') ?? null);
  if (!Buffer.from(before.payload).equals(after.payload)) {
    const [a, b] = [jsonOf(before.payload), jsonOf(after.payload)];
    if (a === undefined || b === undefined) add('payload', shown(before.payload), shown(after.payload));
    else diffJson(a, b, 'json:', add);
  }
  return changes.slice(0, MOST_CHANGES);
}

/** Whether what was JSON is none any more: a reader fails at it that did not before. */
export const isBroken = (before: StoredMessage, { payload }: Edited): boolean =>
  typeof jsonOf(before.payload) === 'object' && jsonOf(payload) === undefined;

const shown = (payload: Uint8Array): string => textOf(payload) ?? `${payload.byteLength} bytes`;

const jsonOf = (payload: Uint8Array): unknown =>
  jsonIn(Buffer.from(payload).toString('utf8'), (text) => JSON.parse(text, keepDigits));

const stepOf = (key: string): string => (/^[\p{L}\p{N}_$-]+$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);

function diffJson(
  a: unknown,
  b: unknown,
  path: string,
  add: (path: string, from: string | null, to: string | null) => void,
): void {
  if (isObject(a) && isObject(b) && !isKeptNumber(a) && !isKeptNumber(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const at = (of: Readonly<Record<string, unknown>>) => (Object.hasOwn(of, key) ? of[key] : undefined);
      diffJson(at(a), at(b), `${path}${stepOf(key)}`, add);
    }
    return;
  }
  add(path === 'json:' ? 'json:.' : path, JSON.stringify(a) ?? null, JSON.stringify(b) ?? null);
}
