/** Dead letters that have something in common. */
export interface DeadGroup {
  /** What they have in common, with `#` for what differs in numbers alone; null where they have no such thing. */
  readonly by: Readonly<Record<string, string | null>>;
  readonly count: number;
  /** RFC 3339: when the first and the last of them died; of orphans, when they were published. */
  readonly first_seen: string | null;
  readonly last_seen: string | null;
  /** The id of the last one. */
  readonly sample: string;
  /** What `--where` of any verb needs to choose these and no others. */
  readonly where: readonly string[];
  /** The line that replays these and no others; null where nothing of them can be replayed. */
  readonly replay: string | null;
}

export interface DeadStats {
  readonly total: number;
  /** The largest first. */
  readonly groups: readonly DeadGroup[];
  /** In groups beyond the most that are kept apart; absent where there are none. */
  readonly others?: number;
}

/** Deaths of one group, in steps of time. */
export interface DeathsOfGroup {
  /** What they have in common; null where they have no such thing. Absent of all the rest together. */
  readonly by?: Readonly<Record<string, string | null>>;
  readonly other?: true;
  readonly count: number;
  /** How many in each step. */
  readonly counts: readonly number[];
}

/** When dead letters died, by what they have in common. */
export interface DeathsOverTime {
  /** RFC 3339: where the first step begins and the last one ends; null where nobody knows of any when it died. */
  readonly from: string | null;
  readonly to: string | null;
  readonly step_seconds: number;
  /** The largest first, at most eight; the rest is one. */
  readonly groups: readonly DeathsOfGroup[];
  /** Of these nobody knows when they died. */
  readonly undated: number;
}

/** What dead letters can be chosen or grouped by: a key that was seen, and its values. */
export interface Suggestion {
  /** As `--by` and `--where` take it. */
  readonly key: string;
  /** The most frequent first; none where each has another. `where` chooses just these. */
  readonly values: readonly { readonly value: string; readonly count: number; readonly where: string }[];
  /** How many values there are besides; the least there are. */
  readonly more: number;
}
