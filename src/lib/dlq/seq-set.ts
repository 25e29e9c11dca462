/** A set of stream sequences. Neighbours share a word, so that a million dense ones take well under a megabyte. */
export class SeqSet {
  readonly #words = new Map<number, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(seq: number): boolean {
    return ((this.#words.get(Math.floor(seq / 32)) ?? 0) & (1 << (seq % 32))) !== 0;
  }

  /** True where it was not there before. */
  add(seq: number): boolean {
    const at = Math.floor(seq / 32);
    const word = this.#words.get(at) ?? 0;
    const bit = 1 << (seq % 32);
    if ((word & bit) !== 0) return false;
    this.#words.set(at, word | bit);
    this.#size += 1;
    return true;
  }
}

/** Sequences by name: of consumers, or of queues. */
export class SeqSets {
  readonly #sets = new Map<string, SeqSet>();

  of(name: string): SeqSet {
    let set = this.#sets.get(name);
    if (!set) {
      set = new SeqSet();
      this.#sets.set(name, set);
    }
    return set;
  }
}
