import type { DeathsOverTime } from '../model/dead-stats.ts';
import type { Entry } from '../model/entry.ts';
import type { Dimension } from './dimension.ts';
import { type Group, groupOf, shownWith, valuesOf } from './group.ts';

/** What is counted apart: five seconds, in milliseconds. */
const SLOT = 5000;
/** What a step may be, in seconds; from a minute on all are whole ones of those before. */
const SECONDS = [5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800, 2_592_000];
const STEPS = SECONDS.map((seconds) => (seconds * 1000) / SLOT);
/** So many steps at most, and so many groups with a colour of their own. */
const MOST_STEPS = 240;
const MOST_SHOWN = 8;
/** So many groups, and slots of each, are counted apart; what comes after is with the rest, or in coarser steps. */
const MOST_GROUPS = 500;
const MOST_SLOTS = 5000;

interface Counting extends Group {
  readonly slots: Slots;
}

/** Counts by slot; by more of them together where they are many. */
class Slots {
  count = 0;
  #width = 1;
  #counts = new Map<number, number>();

  add(slot: number, many = 1): void {
    this.count += many;
    const at = Math.floor(slot / this.#width);
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + many);
    if (this.#counts.size <= MOST_SLOTS) return;
    const finer = [...this.entries()];
    // Minutes, then tens of them.
    this.#width *= this.#width === 1 ? 12 : 10;
    this.#counts = new Map();
    this.count = 0;
    for (const [start, some] of finer) this.add(start, some);
  }

  /** The slot that each begins with, and how many. */
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
  const rest = new Slots();
  let undated = 0;
  return {
    add(entry) {
      const time = entry.died_at === null ? Number.NaN : Date.parse(entry.died_at);
      if (Number.isNaN(time)) {
        undated += 1;
        return;
      }
      const own = groupOf(dimensions, entry);
      let group = groups.get(own.key);
      if (!group && groups.size < MOST_GROUPS) {
        group = { ...own, slots: new Slots() };
        groups.set(own.key, group);
      }
      if (group) group.shown = shownWith(group, own);
      (group?.slots ?? rest).add(Math.floor(time / SLOT));
    },
    result() {
      const sorted = [...groups.values()].sort((a, b) => b.slots.count - a.slots.count);
      const isWhole = sorted.length <= MOST_SHOWN && rest.count === 0;
      const shown = sorted.slice(0, isWhole ? MOST_SHOWN : MOST_SHOWN - 1);
      for (const { slots } of sorted.slice(shown.length)) for (const [at, many] of slots.entries()) rest.add(at, many);
      const all = [...shown.map(({ slots }) => slots), rest];
      let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const slots of all) {
        for (const [at] of slots.entries()) [first, last] = [Math.min(first, at), Math.max(last, at)];
      }
      if (last < first) return { from: null, to: null, step_seconds: SECONDS[0]!, groups: [], undated };
      const step =
        STEPS.find((slots) => Math.floor(last / slots) - Math.floor(first / slots) < MOST_STEPS) ?? STEPS.at(-1)!;
      const begin = Math.floor(first / step);
      const length = Math.min(MOST_STEPS, Math.floor(last / step) - begin + 1);
      const countsOf = (slots: Slots): number[] => {
        const counts = Array.from({ length }, () => 0);
        // What is older than all steps together, with a clock that was wrong, is in the first.
        const end = Math.floor(last / step);
        for (const [at, many] of slots.entries()) {
          counts[Math.max(0, length - 1 - (end - Math.floor(at / step)))]! += many;
        }
        return counts;
      };
      const end = (Math.floor(last / step) + 1) * step * SLOT;
      return {
        from: new Date(end - length * step * SLOT).toISOString(),
        to: new Date(end).toISOString(),
        step_seconds: (step * SLOT) / 1000,
        groups: [
          ...shown.map((group) => ({
            by: valuesOf(dimensions, group),
            count: group.slots.count,
            counts: countsOf(group.slots),
          })),
          ...(rest.count > 0 ? [{ other: true as const, count: rest.count, counts: countsOf(rest) }] : []),
        ],
        undated,
      };
    },
  };
}
