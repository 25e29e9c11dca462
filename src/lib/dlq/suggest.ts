import type { Suggestion } from '../model/dead-stats.ts';
import { type Entry, TO_REPLAY } from '../model/entry.ts';
import { isObject, parseExact } from '../model/json.ts';
import { fromHeaderValue, parseHeaders } from '../nats/raw-headers.ts';
import { parseDimension } from './dimension.ts';
import { termFor } from './where.ts';

const PLAIN = ['queue', 'consumer', 'subject', 'reason', 'state', 'detail'] as const satisfies readonly (keyof Entry)[];
/** Payloads and headers of so many are looked into, and payloads of at most so many bytes. */
const LOOKED_INTO = 2000;
const LARGEST = 64 * 1024;
const DEEPEST = 3;
const MOST_KEYS = 60;
const MOST_VALUES = 500;
const SHOWN = 10;
const LONGEST_VALUE = 200;
/** Where so many were seen and each had another value, it is an id, and its values are of no use. */
const DISTINCT = 20;

interface Seen {
  readonly values: Map<string, number>;
  seen: number;
  left: number;
}

/** Gathers keys and values as dead letters go by, in bounded memory. */
export function createSuggestions(): { add(entry: Entry): void; result(): readonly Suggestion[] } {
  const keys = new Map<string, Seen>();
  let looked = 0;
  const see = (key: string, value: string) => {
    let one = keys.get(key);
    if (!one) {
      if (keys.size >= MOST_KEYS) return;
      one = { values: new Map(), seen: 0, left: 0 };
      keys.set(key, one);
    }
    one.seen += 1;
    const text = value.slice(0, LONGEST_VALUE);
    if (one.values.has(text) || one.values.size < MOST_VALUES) one.values.set(text, (one.values.get(text) ?? 0) + 1);
    else one.left += 1;
  };
  const seeJson = (value: unknown, path: string, depth: number): void => {
    if (isObject(value)) {
      if (depth >= DEEPEST) return;
      for (const [name, each] of Object.entries(value).slice(0, MOST_KEYS)) {
        seeJson(
          each,
          `${path}${/^[\p{L}\p{N}_$-]+$/u.test(name) ? `.${name}` : `.[${JSON.stringify(name)}]`}`,
          depth + 1,
        );
      }
    } else if (path !== '' && value !== null && !Array.isArray(value) && parseDimension(`json:${path}`)) {
      see(`json:${path}`, typeof value === 'string' ? value : JSON.stringify(value));
    }
  };
  return {
    add(entry) {
      for (const key of PLAIN) {
        const value = entry[key];
        if (value !== null) see(key, value);
      }
      const { message } = entry.inner;
      if (!message || !TO_REPLAY.includes(entry.state) || looked >= LOOKED_INTO) return;
      looked += 1;
      for (const { name, value } of parseHeaders(message.headers)) {
        if (parseDimension(`header:${name}`)) see(`header:${name}`, fromHeaderValue(value));
      }
      if (message.payload.byteLength === 0 || message.payload.byteLength > LARGEST) return;
      try {
        seeJson(parseExact(Buffer.from(message.payload).toString('utf8')), '', 0);
      } catch {
        // No JSON: nothing to choose by.
      }
    },
    result: () =>
      [...keys].map(([key, { values, seen, left }]) => {
        const isId = values.size + left === seen && seen > DISTINCT;
        const sorted = isId ? [] : [...values].sort((a, b) => b[1] - a[1]);
        const shown = sorted.slice(0, SHOWN).map(([value, count]) => {
          return { value, count, where: termFor(key, value, value.length === LONGEST_VALUE) };
        });
        return { key, values: shown, more: values.size - shown.length + (left > 0 ? 1 : 0) };
      }),
  };
}
