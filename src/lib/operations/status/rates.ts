import type { QueueRates } from '../../model/live.ts';

/** What a queue's counters stood at. */
export interface Counted {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The last sequence of the stream: as many were ever stored. */
  readonly stored: number;
  /** Those that wait or are in flight; null where that cannot be told of messages, as several consumers have each their own. */
  readonly alive: number | null;
  /** How many are dead; null where nobody knows. */
  readonly dead: number | null;
  /** The last sequence of its DLQ: as many deaths were ever recorded; null without one. */
  readonly recorded: number | null;
}

/** So far back, in steps of so long, in milliseconds. */
const KEPT_MS = 10 * 60_000;
const STEP_MS = 5000;
/** Two looks that are further apart say nothing of what was between them. */
const APART_MS = 30_000;
/** What is shown as the rate of now is that of so long. */
const NOW_MS = 10_000;

type Kind = 'in' | 'out' | 'dead';

/** How much of each kind happened between two looks. What is not alive any more and did not die is answered: it is out. */
function happened(kind: Kind, before: Counted, after: Counted): number | null {
  const stored = after.stored - before.stored;
  if (kind === 'in') return stored;
  const [a, b] =
    before.recorded === null || after.recorded === null ? [before.dead, after.dead] : [before.recorded, after.recorded];
  if (a === null || b === null) return null;
  // What was replayed or purged is no negative death.
  const died = Math.max(0, b - a);
  if (kind === 'dead') return died;
  return before.alive === null || after.alive === null ? null : stored - (after.alive - before.alive) - died;
}

/** The counters of the last minutes, and the rates between them. Bounded, however often it is looked. */
export class RateRing {
  #kept: Counted[] = [];

  add(counted: Counted): void {
    const last = this.#kept.at(-1);
    const isAnew = last && (counted.stored < last.stored || (counted.recorded ?? 0) < (last.recorded ?? 0));
    if (isAnew) this.#kept = [];
    // The clock was set back.
    if (last && counted.at <= last.at) return;
    this.#kept.push(counted);
    this.#kept = this.#kept.filter(({ at }) => at > counted.at - KEPT_MS - STEP_MS);
  }

  rates(now: number): QueueRates {
    const end = Math.ceil(now / STEP_MS) * STEP_MS;
    const first = this.#kept[0];
    const begin = first ? Math.max(end - KEPT_MS, Math.floor(first.at / STEP_MS) * STEP_MS) : end;
    const at = Array.from({ length: (end - begin) / STEP_MS }, (_, index) => begin + index * STEP_MS);
    const ratesOf = (kind: Kind) => at.map((from) => this.#between(kind, from, Math.min(from + STEP_MS, now)));
    const nowOf = (kind: Kind) => this.#between(kind, now - NOW_MS, now);
    return {
      step_seconds: STEP_MS / 1000,
      at,
      in: ratesOf('in'),
      out: ratesOf('out'),
      dead: ratesOf('dead'),
      now: { in: nowOf('in'), out: nowOf('out'), dead: nowOf('dead') },
    };
  }

  /** Per second; of what lies between the looks that there were, so much as falls into this time. */
  #between(kind: Kind, from: number, to: number): number | null {
    let [sum, known] = [0, 0];
    for (let index = 1; index < this.#kept.length; index++) {
      const [before, after] = [this.#kept[index - 1]!, this.#kept[index]!];
      const overlap = Math.min(to, after.at) - Math.max(from, before.at);
      const span = after.at - before.at;
      if (overlap <= 0 || span > APART_MS) continue;
      const count = happened(kind, before, after);
      if (count === null) continue;
      sum += (count * overlap) / span;
      known += overlap;
    }
    // The figures of one look are of moments that lie a little apart: what went a moment too early came with the look before.
    return known > 0 ? Math.max(0, (sum * 1000) / known) : null;
  }
}
