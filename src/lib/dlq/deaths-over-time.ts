import type { DeathsOverTime } from '../model/dead-stats.ts';
import type { Entry } from '../model/entry.ts';
import type { Dimension } from './dimension.ts';

const MINUTE = 60_000;
/** In minutes: what a step may be. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 10_080, 43_200];
/** So many steps at most, and so many groups with a colour of their own. */
const MOST_STEPS = 240;
const MOST_SHOWN = 8;
/** So many groups, and minutes of each, are counted apart; what comes after is with the rest, or in coarser steps. */
const MOST_GROUPS = 500;
const MOST_MINUTES = 5000;
const LONGEST_VALUE = 1000;

interface Counting {
  readonly by: Readonly<Record<string, string | null>>;
  readonly minutes: Minutes;
}

/** Counts by minute; by more of them together where they are many. */
class Minutes {
  count = 0;
  #width = 1;
  #counts = new Map<number, number>();

  add(minute: number, many = 1): void {
    this.count += many;
    const at = Math.floor(minute / this.#width);
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + many);
    if (this.#counts.size <= MOST_MINUTES) return;
    const finer = [...this.entries()];
    this.#width *= 10;
    this.#counts = new Map();
    this.count = 0;
    for (const [start, some] of finer) this.add(start, some);
  }

  /** The minute that each begins with, and how many. */
  *entries(): IterableIterator<[number, number]> {
    for (const [at, many] of this.#counts) yield [at * this.#width, many];
  }
}

/** Counts deaths over time in bounded memory, however many there are. */
export function createDeathsOverTime(dimensions: readonly Dimension[]): {
  add(entry: Entry): void;
  result(): DeathsOverTime;
} {
  const groups = new Map<string, Counting>();
  const rest = new Minutes();
  let undated = 0;
  return {
    add(entry) {
      const time = entry.died_at === null ? Number.NaN : Date.parse(entry.died_at);
      if (Number.isNaN(time)) {
        undated += 1;
        return;
      }
      const values = dimensions.map((dimension) => dimension.valueOf(entry)?.slice(0, LONGEST_VALUE) ?? null);
      const key = JSON.stringify(values);
      let group = groups.get(key);
      if (!group && groups.size < MOST_GROUPS) {
        const by = Object.fromEntries(dimensions.map(({ name }, index) => [name, values[index] ?? null]));
        group = { by, minutes: new Minutes() };
        groups.set(key, group);
      }
      (group?.minutes ?? rest).add(Math.floor(time / MINUTE));
    },
    result() {
      const sorted = [...groups.values()].sort((a, b) => b.minutes.count - a.minutes.count);
      const isWhole = sorted.length <= MOST_SHOWN && rest.count === 0;
      const shown = sorted.slice(0, isWhole ? MOST_SHOWN : MOST_SHOWN - 1);
      for (const { minutes } of sorted.slice(shown.length))
        for (const [at, many] of minutes.entries()) rest.add(at, many);
      const all = [...shown.map(({ minutes }) => minutes), rest];
      let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const minutes of all) {
        for (const [at] of minutes.entries()) [first, last] = [Math.min(first, at), Math.max(last, at)];
      }
      if (last < first) return { from: null, to: null, step_seconds: 60, groups: [], undated };
      const step =
        STEPS.find((minutes) => Math.floor(last / minutes) - Math.floor(first / minutes) < MOST_STEPS) ?? STEPS.at(-1)!;
      const begin = Math.floor(first / step);
      const length = Math.min(MOST_STEPS, Math.floor(last / step) - begin + 1);
      const countsOf = (minutes: Minutes): number[] => {
        const counts = Array.from({ length }, () => 0);
        // What is older than all steps together, with a clock that was wrong, is in the first.
        const end = Math.floor(last / step);
        for (const [at, many] of minutes.entries()) {
          counts[Math.max(0, length - 1 - (end - Math.floor(at / step)))]! += many;
        }
        return counts;
      };
      const end = (Math.floor(last / step) + 1) * step * MINUTE;
      return {
        from: new Date(end - length * step * MINUTE).toISOString(),
        to: new Date(end).toISOString(),
        step_seconds: step * 60,
        groups: [
          ...shown.map(({ by, minutes }) => ({ by, count: minutes.count, counts: countsOf(minutes) })),
          ...(rest.count > 0 ? [{ other: true as const, count: rest.count, counts: countsOf(rest) }] : []),
        ],
        undated,
      };
    },
  };
}
