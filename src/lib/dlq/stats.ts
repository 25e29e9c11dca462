import type { DeadGroup, DeadStats } from '../model/dead-stats.ts';
import { type Entry, MOST_REPLAYS, TO_REPLAY } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import { shellLine } from '../model/shell.ts';
import type { Dimension } from './dimension.ts';
import { filterWords } from './filter-words.ts';
import { compareTimes } from './time.ts';
import { termFor } from './where.ts';

/** So many characters of a value keep groups apart. */
const LONGEST_VALUE = 1000;
/** So many groups are kept apart; what comes after counts as others, so that memory stays bounded. */
const MOST_GROUPS = 20_000;
/** So many ids are in a line to type. */
const MOST_NAMED = 20;

interface Counting {
  readonly by: Readonly<Record<string, string | null>>;
  /** What `--where` needs to choose these and no others. */
  readonly where: readonly string[];
  count: number;
  first: string | null;
  last: string | null;
  sample: string;
  /** The most replays of any that can be replayed; none of them where it is less than 0. */
  replays: number;
  /** Those that can be replayed, by id, as far as a line names them. */
  readonly ids: string[];
}

/** How a line that replays a group begins, and what chose what is counted. */
export interface LineStart {
  readonly words: readonly string[];
  readonly filter: EntryFilter;
}

/** Counts entries by what they have in common; each group with the line that replays just it. */
export function createStats(
  dimensions: readonly Dimension[],
  { words, filter }: LineStart,
): { add(entry: Entry): void; result(): DeadStats } {
  const groups = new Map<string, Counting>();
  let total = 0;
  let others = 0;
  const { limit = Number.POSITIVE_INFINITY } = filter;
  const start = (values: readonly (string | null)[], { id }: Entry): Counting => ({
    by: Object.fromEntries(dimensions.map(({ name }, index) => [name, values[index] ?? null])),
    where: dimensions.map(({ name }, index) => {
      const value = values[index] ?? null;
      return termFor(name, value, value !== null && value.length === LONGEST_VALUE);
    }),
    count: 0,
    first: null,
    last: null,
    sample: id,
    replays: -1,
    ids: [],
  });
  const lineOf = ({ where, replays, ids }: Counting): string | null => {
    if (replays < 0) return null;
    const again = replays < MOST_REPLAYS ? [] : ['--max-replays', String(replays + 1)];
    // A limit chooses the newest here and the oldest there: what it cut off is named.
    if (total >= limit) return ids.length > MOST_NAMED ? null : shellLine([...words, ...ids, ...again]);
    const conditions = where.flatMap((term) => ['--where', term]);
    return shellLine([...words, ...filterWords(filter), ...conditions, ...again]);
  };
  return {
    add(entry) {
      total += 1;
      const values = dimensions.map((dimension) => dimension.valueOf(entry)?.slice(0, LONGEST_VALUE) ?? null);
      const key = JSON.stringify(values);
      let group = groups.get(key);
      if (!group) {
        if (groups.size >= MOST_GROUPS) {
          others += 1;
          return;
        }
        group = start(values, entry);
        groups.set(key, group);
      }
      group.count += 1;
      if (TO_REPLAY.includes(entry.state)) {
        group.replays = Math.max(group.replays, entry.replays);
        if (group.ids.length <= MOST_NAMED) group.ids.push(entry.id);
      }
      const time = entry.died_at ?? entry.published_at;
      if (time === null) return;
      if (group.first === null || compareTimes(time, group.first) < 0) group.first = time;
      if (group.last === null || compareTimes(time, group.last) > 0) {
        group.last = time;
        group.sample = entry.id;
      }
    },
    result() {
      const sorted = [...groups.values()]
        .map(
          (group): DeadGroup => ({
            by: group.by,
            count: group.count,
            first_seen: group.first,
            last_seen: group.last,
            sample: group.sample,
            replay: lineOf(group),
          }),
        )
        .sort((a, b) => b.count - a.count || (a.sample < b.sample ? -1 : 1));
      return { total, groups: sorted, ...(others > 0 && { others }) };
    },
  };
}
