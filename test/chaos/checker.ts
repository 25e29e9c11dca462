/** One message that a worker was given: a request's life begins with each copy of it in the queue. */
export interface Life {
  readonly id: string;
  /** Its sequence in the queue. */
  readonly seq: number;
  /** Osapi-Replay-Count; 0 for the request itself. */
  readonly count: number;
}

export interface Observations {
  /** Ids whose publish was confirmed. */
  readonly accepted: ReadonlySet<string>;
  readonly answered: ReadonlySet<string>;
  /** Ids still in the queue, or held for it (listed as dead letters, journalled), when all was quiet. */
  readonly held: ReadonlySet<string>;
  /** By sequence. */
  readonly lives: ReadonlyMap<number, Life>;
}

export interface Findings {
  /** Neither answered nor held. */
  readonly lost: string[];
  /** The same replay of the same message, delivered as two messages. */
  readonly doubled: string[];
  /** Answered, and still dead in the queue. */
  readonly leftover: string[];
}

/** What a replay must never do, looked for in what was seen. */
export function check({ accepted, answered, held, lives }: Observations): Findings {
  const byReplay = new Map<string, Set<number>>();
  for (const { id, seq, count } of lives.values()) {
    const key = `${id} replay ${count}`;
    byReplay.set(key, (byReplay.get(key) ?? new Set()).add(seq));
  }
  return {
    lost: [...accepted].filter((id) => !answered.has(id) && !held.has(id)),
    doubled: [...byReplay].filter(([, seqs]) => seqs.size > 1).map(([key, seqs]) => `${key}: ${[...seqs].join(', ')}`),
    leftover: [...held].filter((id) => answered.has(id)),
  };
}
