/** How much may be in hand. */
export interface Reach {
  /** How many are worked on at once. */
  readonly concurrency: number;
  /** How many more are taken, to be ready. Left out: as many again while the work is quick. */
  readonly prefetch?: number;
  /** The most to take in all. */
  readonly max: number;
}

/** What is ready waits no longer than this behind quick work, in milliseconds: another worker would hardly be sooner. */
const QUICK_MS = 100;
/** How much of the longest work counts after each one that was quicker. */
const FORGETS = 0.9;

/**
 * What a worker has in hand: what waits for its turn, what is being worked on, and what is being settled, which is to store
 * and acknowledge it. It only counts; nothing in it acts.
 */
export class Hand<T> {
  readonly #reach: Reach;
  readonly #waiting: T[] = [];
  #active = 0;
  #settling = 0;
  /** How long the longest of the last ones was worked on, in milliseconds. */
  #longestMs = Number.POSITIVE_INFINITY;
  #taken = 0;
  #open = true;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** How many are in hand. */
  get size(): number {
    return this.#active + this.#waiting.length + this.#settling;
  }

  /** Whether all that may ever be taken was taken, and is done. */
  get isThrough(): boolean {
    return this.#taken >= this.#reach.max && this.size === 0;
  }

  /** How many more to ask for, where so many are asked for and under way. */
  wanted(outstanding: number): number {
    const { concurrency, prefetch = this.#longestMs < QUICK_MS ? concurrency : 0 } = this.#reach;
    const capacity = concurrency + prefetch;
    // What is being settled waits for the server, as the next one does that is asked for: at once, and not after another.
    // A server that stores slowly gives no more to do, though.
    const unsettled = Math.max(0, this.#settling - concurrency);
    const held = this.#active + this.#waiting.length + unsettled;
    const room = Math.min(capacity - held, this.#reach.max - this.#taken) - outstanding;
    // Asking for one after another costs a round trip for each: only where nothing else is under way.
    return outstanding === 0 || room >= capacity / 2 ? room : 0;
  }

  /** Takes one in hand; false where no more is taken. */
  take(one: T): boolean {
    if (!this.#open || this.#taken >= this.#reach.max) return false;
    this.#taken++;
    this.#waiting.push(one);
    return true;
  }

  /** The next to be worked on, in the order they came; undefined where none waits, or enough are worked on. */
  begin(): T | undefined {
    if (this.#active >= this.#reach.concurrency || this.#waiting.length === 0) return undefined;
    this.#active++;
    return this.#waiting.shift();
  }

  /** One that was begun is worked on no more: it is settled now. */
  settle(workedMs: number): void {
    this.#active--;
    this.#settling++;
    const before = Number.isFinite(this.#longestMs) ? this.#longestMs * FORGETS : 0;
    this.#longestMs = Math.max(workedMs, before);
  }

  /** One that was settled is out of hand. */
  done(): void {
    this.#settling--;
  }

  /** Takes nothing more. Gives back those that were not begun. */
  close(): T[] {
    this.#open = false;
    return this.#waiting.splice(0);
  }
}
