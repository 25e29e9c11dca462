import type { DeadGroup, DeadStats } from '../model/dead-stats.ts';
import { type Entry, MOST_REPLAYS, TO_REPLAY } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import { shellLine, withArguments } from '../model/shell.ts';
import type { Dimension } from './dimension.ts';
import { filterWords } from './filter-words.ts';
import { type Group, groupOf, shownWith, termsOf, valuesOf } from './group.ts';
import { compareTimes } from './time.ts';

/** So many groups are kept apart; what comes after counts as others, so that memory stays bounded. */
const MOST_GROUPS = 20_000;
/** So many ids are in a line to type. */
const MOST_NAMED = 20;

interface Counting extends Group {
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
  const start = (group: Group, { id }: Entry): Counting => ({
    ...group,
    count: 0,
    first: null,
    last: null,
    sample: id,
    replays: -1,
    ids: [],
  });
  const lineOf = ({ replays, ids }: Counting, where: readonly string[]): string | null => {
    if (replays < 0) return null;
    const again = replays < MOST_REPLAYS ? [] : ['--max-replays', String(replays + 1)];
    // A limit chooses the newest here and the oldest there: what it cut off is named.
    if (total >= limit) return ids.length > MOST_NAMED ? null : shellLine(withArguments(words, ids, again));
    const conditions = where.flatMap((term) => ['--where', term]);
    return shellLine([...words, ...filterWords(filter), ...conditions, ...again]);
  };
  return {
    add(entry) {
      total += 1;
      const own = groupOf(dimensions, entry);
      let group = groups.get(own.key);
      if (!group) {
        if (groups.size >= MOST_GROUPS) {
          others += 1;
          return;
        }
        group = start(own, entry);
        groups.set(own.key, group);
      }
      group.shown = shownWith(group, own);
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
        .map((group): DeadGroup => {
          const where = termsOf(dimensions, group);
          const { count, first, last, sample } = group;
          const seen = { first_seen: first, last_seen: last };
          return { by: valuesOf(dimensions, group), count, ...seen, sample, where, replay: lineOf(group, where) };
        })
        .sort((a, b) => b.count - a.count || (a.sample < b.sample ? -1 : 1));
      return { total, groups: sorted, ...(others > 0 && { others }) };
    },
  };
}
