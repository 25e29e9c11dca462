/** One message that a worker was given: a request's life begins with each copy of it in the queue. */
export interface Life {
  readonly id: string;
  /** Its sequence in the queue. */
  readonly seq: number;
  /** Osapi-Replay-Count; 0 for the request itself. */
  readonly count: number;
  /** The sequence of the message that it is the copy of. */
  readonly of?: number;
}

/** What a message of the queue is, by its headers. */
export function lifeOf(id: string, seq: number, header: (name: string) => string | undefined): Life {
  const [, of] = /^osapi-ops\.replay\.REQUESTS\.(\d+)\./.exec(header('Nats-Msg-Id') ?? '') ?? [];
  const count = Number(header('Osapi-Replay-Count') || 0);
  return { id, seq, count, ...(of !== undefined && { of: Number(of) }) };
}

export interface Observations {
  /** Ids whose publish was confirmed. */
  readonly accepted: ReadonlySet<string>;
  readonly answered: ReadonlySet<string>;
  /** Ids still in the queue, or held for it in the journal, when all was quiet, with the sequences of their messages. */
  readonly held: ReadonlyMap<string, readonly number[]>;
  /** Every message that was seen in the queue, by sequence. */
  readonly lives: ReadonlyMap<number, Life>;
  /** Sequences whose removal somebody asked for: an ack, a delete. */
  readonly removed: ReadonlySet<number>;
  /** Sequences that the server called dead. */
  readonly advised: ReadonlySet<number>;
  /** Those of which the DLQ stored that. */
  readonly told: ReadonlySet<number>;
  /** Sequences that a record in the DLQ speaks of, when all was quiet. */
  readonly recorded: ReadonlySet<number>;
}

export interface Findings {
  /** Neither answered nor held, after somebody asked for its last message to be removed. */
  readonly lost: string[];
  /** Neither answered nor held, though nobody asked for its last message to be removed: the server dropped it. */
  readonly dropped: string[];
  /** The same replay of the same message, delivered as two messages. */
  readonly doubled: string[];
  /** Answered, and held still though its copy was published. What a late worker answered itself is nobody's to move. */
  readonly leftover: string[];
  /** Not answered, and held dead, though nothing says so any more: where no arithmetic finds orphans nobody ever will. */
  readonly forgotten: string[];
  /** The same, though nobody removed it: the DLQ had no leader, or no room, when the server said that it died. */
  readonly unheard: string[];
}

/** What a replay must never do, looked for in what was seen. */
export function check({ accepted, answered, held, lives, removed, advised, told, recorded }: Observations): Findings {
  const byReplay = new Map<string, number[]>();
  const copied = new Set([...lives.values()].map(({ of }) => of));
  const last = new Map<string, number>();
  for (const { id, seq, count } of lives.values()) {
    last.set(id, Math.max(seq, last.get(id) ?? 0));
    // What is no copy was published twice by its publisher, who got no answer.
    if (count > 0) byReplay.set(`${id} replay ${count}`, [...(byReplay.get(`${id} replay ${count}`) ?? []), seq]);
  }
  const missing = [...accepted].filter((id) => !answered.has(id) && !held.has(id));
  const isDropped = (id: string) => last.has(id) && !removed.has(last.get(id)!);
  const untold = [...held]
    .filter(([id]) => !answered.has(id))
    .map(([id, seqs]) => [id, seqs.filter((seq) => advised.has(seq) && !recorded.has(seq))] as const)
    .filter(([, seqs]) => seqs.length > 0);
  // A copy that the server dropped is no trace of its replay: the next one cannot know of it.
  const counts = (seqs: readonly number[]) => seqs.filter((_, index) => index === 0 || removed.has(seqs[index - 1]!));
  return {
    lost: missing.filter((id) => !isDropped(id)),
    dropped: missing.filter(isDropped),
    doubled: [...byReplay]
      .map(([key, seqs]) => ({ key, seqs: counts(seqs.sort((a, b) => a - b)) }))
      .filter(({ seqs }) => seqs.length > 1)
      .map(({ key, seqs }) => `${key}: ${seqs.join(', ')}`),
    forgotten: untold.filter(([, seqs]) => seqs.some((seq) => told.has(seq))).map(([id]) => id),
    unheard: untold.filter(([, seqs]) => !seqs.some((seq) => told.has(seq))).map(([id]) => id),
    leftover: [...held].flatMap(([id, seqs]) => (answered.has(id) && seqs.some((seq) => copied.has(seq)) ? [id] : [])),
  };
}
