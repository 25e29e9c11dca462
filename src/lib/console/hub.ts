import type { Events } from '../model/wire.ts';

/** One newest value of a topic. */
export interface Told {
  /** Counts up within a process. */
  readonly id: number;
  readonly event: string;
  /** JSON on one line. */
  readonly data: string;
}

/**
 * What browsers are told. State, not a log: of each topic only the newest is kept, so that whoever was away has all of it
 * at once, and nobody who is slow makes it grow. Values that are equal are told once.
 */
export class Hub<Topics extends { readonly [E in keyof Topics]: unknown } = Events> {
  readonly #topics = new Map<string, Told>();
  readonly #listeners = new Set<(told: Told) => void>();
  #last = 0;

  /** `key` keeps the values of one event apart, as those of runs. */
  tell<E extends keyof Topics & string>(event: E, value: Topics[E], key: string = event): void {
    const data = JSON.stringify(value);
    if (this.#topics.get(key)?.data === data) return;
    this.#last += 1;
    const told = { id: this.#last, event, data };
    this.#topics.delete(key);
    this.#topics.set(key, told);
    for (const listener of this.#listeners) listener(told);
  }

  forget(key: string): void {
    this.#topics.delete(key);
  }

  /** What is newer than `after`, oldest first; all, where that was told by another process. */
  since(after: number): readonly Told[] {
    const from = after > this.#last ? 0 : after;
    return [...this.#topics.values()].filter(({ id }) => id > from);
  }

  listen(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
