import { nearest } from '../errors/nearest.ts';
import { OpsError } from '../errors/ops-error.ts';
import { ENTRY_REASONS, ENTRY_STATES, type Entry } from '../model/entry.ts';
import { deepText, jsonIn, parseExact } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { inOneLine } from '../model/visible.ts';
import { fromHeaderValue, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { causeOf, formsOf } from './cause.ts';
import { parseJsonPath, valueAt } from './json-path.ts';

/** What a key looks at: an entry, or a request that did not die. */
export type Facts = Pick<Entry, 'queue' | 'subject' | 'died_at' | 'published_at'> &
  Partial<Pick<Entry, 'consumer' | 'reason' | 'state' | 'detail'>> & {
    readonly inner: { readonly message?: StoredMessage };
  };

/** What entries are grouped and chosen by: a key, and how its value is taken; null where there is none. */
export interface Dimension {
  readonly name: string;
  /** True where only what died has it. */
  readonly ofDeath?: true;
  valueOf(facts: Facts): string | null;
  /** All the values that there are. */
  readonly values?: readonly string[];
  /** What each of its values looks like, where none of `values` is one. */
  readonly form?: { readonly like: RegExp; readonly example: string };
  /** Its values are texts of several lines, shown and compared in one. */
  readonly inOneLine?: true;
  /** What values that differ in numbers alone have in common: they are grouped by it. */
  commonOf?(value: string): string;
  /** All that a value is chosen by, where that is more than itself. */
  formsOf?(value: string): readonly string[];
}

/** Payloads beyond this many bytes are not parsed. */
const LARGEST_PARSED = 4 * 1024 * 1024;

/** When it died; for an orphan, when it was published. */
const timeOf = ({ died_at: died, published_at: published }: Facts): string | null => died ?? published;

const PLAIN: Readonly<Record<string, Omit<Dimension, 'name'>>> = {
  subject: { valueOf: ({ subject }) => subject },
  consumer: { valueOf: ({ consumer = null }) => consumer, ofDeath: true },
  reason: { valueOf: ({ reason = null }) => reason, ofDeath: true, values: ENTRY_REASONS },
  detail: {
    valueOf: ({ detail }) => (detail == null ? null : inOneLine(detail)),
    ofDeath: true,
    inOneLine: true,
    commonOf: causeOf,
    formsOf,
  },
  day: {
    valueOf: (facts) => timeOf(facts)?.slice(0, 10) ?? null,
    form: { like: /^\d{4}-\d\d-\d\d$/, example: '2026-11-24' },
  },
  hour: {
    valueOf: (facts) => timeOf(facts)?.slice(0, 13) ?? null,
    form: { like: /^\d{4}-\d\d-\d\dT\d\d$/, example: '2026-11-24T03, or *T03 of any day' },
  },
  queue: { valueOf: ({ queue }) => queue },
  state: { valueOf: ({ state = null }) => state, ofDeath: true, values: ENTRY_STATES },
};

/** Reads `subject`, `header:Trace-Id`, `json:.error.code`; `undefined` for what is no key. */
export function parseDimension(name: string): Dimension | undefined {
  if (Object.hasOwn(PLAIN, name)) return { name, ...PLAIN[name]! };
  // Without what parts a key from its value.
  if (/^header:[!-9;<>-~]+$/.test(name)) return { name, valueOf: headerOf(name.slice('header:'.length)) };
  const path = name.startsWith('json:') ? parseJsonPath(name.slice('json:'.length)) : undefined;
  return path && { name, valueOf: ({ inner: { message } }) => (message ? jsonOf(message, path) : null) };
}

/** Reads keys with commas between. @throws OpsError USAGE */
export function parseDimensions(texts: readonly string[]): Dimension[] {
  // A comma in a quoted name parts nothing.
  const names = texts.flatMap((text) => text.split(/,(?![^[]*"\])/)).map((name) => name.trim());
  return [...new Set(names)].map((name) => {
    const dimension = parseDimension(name);
    if (dimension) return dimension;
    throw new OpsError('USAGE', `--by: nothing can be grouped by ${JSON.stringify(name)}`, {
      where: '--by',
      why: KEYS_THERE_ARE,
      hints: [
        ...likelyKey(name).map((key) => `did you mean ${key}?`),
        'write them with commas between: --by subject,reason,json:.type',
      ],
    });
  });
}

export const KEYS_THERE_ARE = `There are ${Object.keys(PLAIN).join(', ')}, header:NAME and json:.path.`;

/** The key that is meant by one that there is not, where one is near. */
export function likelyKey(typed: string): readonly string[] {
  const [, before = '', kind = before, rest = ''] = /^(?:([a-z]+):|(json|header)\.)(.*)$/is.exec(typed) ?? [];
  const path = `${kind.toLowerCase()}:${kind.toLowerCase() === 'json' && !/^[.[]/.test(rest) ? '.' : ''}${rest}`;
  if (kind !== '') return path !== typed && parseDimension(path) ? [path] : [];
  // A key that is there is not what is wrong.
  if (Object.hasOwn(PLAIN, typed)) return [];
  return nearest(typed, Object.keys(PLAIN));
}

/** A header by its name, to the letter first, as NATS takes it, else in any case. */
const headerOf =
  (name: string) =>
  ({ inner: { message } }: Facts): string | null => {
    if (!message) return null;
    const lines = parseHeaders(message.headers);
    const value =
      headerValue(lines, name) ?? lines.find((line) => line.name.toLowerCase() === name.toLowerCase())?.value;
    return value === undefined ? null : fromHeaderValue(value);
  };

function jsonOf({ payload }: StoredMessage, path: readonly (string | number)[]): string | null {
  if (payload.byteLength === 0 || payload.byteLength > LARGEST_PARSED) return null;
  const value = valueAt(jsonIn(Buffer.from(payload).toString('utf8'), parseExact), path);
  if (value === undefined) return null;
  return typeof value === 'string' ? value : deepText(value);
}
