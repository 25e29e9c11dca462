import { OpsError } from '../errors/ops-error.ts';
import type { DeadGroup, DeadStats } from '../model/dead-stats.ts';
import type { Entry } from '../model/entry.ts';
import { parseExact } from '../model/json.ts';
import { fromHeaderValue, headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { parseJsonPath, valueAt } from './json-path.ts';
import { compareTimes } from './time.ts';

/** Takes what an entry is grouped by; null where it has none. */
export interface Dimension {
  readonly name: string;
  valueOf(entry: Entry): string | null;
}

const LONGEST_VALUE = 200;
/** So many groups are kept apart; what comes after counts as others, so that memory stays bounded. */
const MOST_GROUPS = 20_000;
/** Payloads beyond this many bytes are not parsed. */
const LARGEST_PARSED = 4 * 1024 * 1024;

const PLAIN: Readonly<Record<string, (entry: Entry) => string | null>> = {
  queue: ({ queue }) => queue,
  consumer: ({ consumer }) => consumer,
  subject: ({ subject }) => subject,
  reason: ({ reason }) => reason,
  state: ({ state }) => state,
  day: (entry) => timeOf(entry)?.slice(0, 10) ?? null,
  hour: (entry) => timeOf(entry)?.slice(0, 13) ?? null,
  detail: ({ inner }) => inner.detail ?? null,
};

/** When it died; for an orphan, when it was published. */
const timeOf = (entry: Entry): string | null => entry.died_at ?? entry.published_at;

/** Reads `subject,reason`, `header:Trace-Id`, `json:.error.code`. @throws OpsError USAGE */
export function parseDimensions(text: string): Dimension[] {
  const names = text.split(',').map((name) => name.trim());
  return names.map((name) => {
    const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
    if (plain) return { name, valueOf: plain };
    if (/^header:[!-9;-~]+$/.test(name)) return { name, valueOf: headerOf(name.slice('header:'.length)) };
    const path = name.startsWith('json:') ? parseJsonPath(name.slice('json:'.length)) : undefined;
    if (path) return { name, valueOf: (entry) => jsonOf(entry, path) };
    throw new OpsError('USAGE', `--by: nothing can be grouped by "${name}"`, {
      where: '--by',
      why: `There are ${Object.keys(PLAIN).join(', ')}, header:NAME and json:.path.`,
      hints: ['write them with commas between: --by subject,reason,json:.type'],
    });
  });
}

/** A header by its name, to the letter first, as NATS takes it, else in any case. */
const headerOf =
  (name: string) =>
  ({ inner: { message } }: Entry): string | null => {
    if (!message) return null;
    const lines = parseHeaders(message.headers);
    const value =
      headerValue(lines, name) ?? lines.find((line) => line.name.toLowerCase() === name.toLowerCase())?.value;
    return value === undefined ? null : fromHeaderValue(value).slice(0, LONGEST_VALUE);
  };

function jsonOf({ inner: { message } }: Entry, path: readonly (string | number)[]): string | null {
  if (!message || message.payload.byteLength === 0 || message.payload.byteLength > LARGEST_PARSED) return null;
  try {
    const value = valueAt(parseExact(Buffer.from(message.payload).toString('utf8')), path);
    if (value === undefined) return null;
    return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST_VALUE);
  } catch {
    return null;
  }
}

interface Counting {
  readonly by: Readonly<Record<string, string | null>>;
  count: number;
  first: string | null;
  last: string | null;
  sample: string;
}

/** Counts entries by what they have in common. */
export function createStats(dimensions: readonly Dimension[]): { add(entry: Entry): void; result(): DeadStats } {
  const groups = new Map<string, Counting>();
  let total = 0;
  let others = 0;
  return {
    add(entry) {
      total += 1;
      const values = dimensions.map((dimension) => dimension.valueOf(entry));
      const key = JSON.stringify(values);
      const time = timeOf(entry);
      const group = groups.get(key);
      if (group) {
        group.count += 1;
        if (time !== null && (group.first === null || compareTimes(time, group.first) < 0)) group.first = time;
        if (time !== null && (group.last === null || compareTimes(time, group.last) > 0)) {
          group.last = time;
          group.sample = entry.id;
        }
      } else if (groups.size < MOST_GROUPS) {
        const by = Object.fromEntries(dimensions.map(({ name }, index) => [name, values[index] ?? null]));
        groups.set(key, { by, count: 1, first: time, last: time, sample: entry.id });
      } else others += 1;
    },
    result() {
      const sorted = [...groups.values()]
        .map(
          ({ by, count, first, last, sample }): DeadGroup => ({
            by,
            count,
            first_seen: first,
            last_seen: last,
            sample,
          }),
        )
        .sort((a, b) => b.count - a.count || (a.sample < b.sample ? -1 : 1));
      return { total, groups: sorted, ...(others > 0 && { others }) };
    },
  };
}
