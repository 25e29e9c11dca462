/** What came of one dead letter in a replay, as `dlq replay --json` prints it. */
export interface ReplayOutcome {
  readonly id: string;
  /** `remaining`: wanted and not done, and safe where it is; a dry run has `would_replay`. */
  readonly outcome: 'replayed' | 'skipped' | 'failed' | 'remaining' | 'would_replay';
  readonly new_seq?: number;
  /** Why it was not replayed. */
  readonly error?: string;
  /** With `--wait` or `--canary`. */
  readonly fate?: ReplayFate;
}

/** What became of a copy: its request has a response; it was acked without one; it died again; nothing yet. */
export type ReplayFate = 'answered' | 'acked' | 'died' | 'unknown';

const FATES: Readonly<Record<ReplayFate, string>> = {
  answered: 'answered',
  acked: 'acked without a response',
  died: 'died again',
  unknown: 'not settled yet',
};

/** What became of those that were followed: `5 answered`, `20 died again`. `why` they died stands behind that. */
export const fateWords = (fates: Readonly<Record<ReplayFate, number>>, why = ''): string[] =>
  (Object.keys(FATES) as ReplayFate[])
    .filter((fate) => fates[fate] > 0)
    .map((fate) => `${fates[fate]} ${FATES[fate]}${fate === 'died' ? why : ''}`);

/** Dead letters that would move together: of one queue, consumer, subject and reason. */
export interface ReplayGroup {
  readonly queue: string;
  readonly consumer: string;
  readonly subject: string;
  readonly reason: string;
  /** Why, in the words of a worker, with # for numbers in which they differ; null where nobody said. */
  readonly detail: string | null;
  readonly count: number;
  /** RFC 3339; null where nobody knows when they died. */
  readonly first_died_at: string | null;
  readonly last_died_at: string | null;
}

/** What a transform changes of a message: null where there is no such thing. */
export interface FieldChange {
  /** `subject`, `header:NAME`, `json:.path`, or `payload` where it is no JSON. */
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** One message of a dry run, as `--transform` would change it. */
export interface TransformSample {
  readonly id: string;
  readonly changes: readonly FieldChange[];
}

export interface ReplayResult {
  readonly replayed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly remaining: number;
  readonly dry_run?: true;
  /** In a dry run: what would move. */
  readonly groups?: readonly ReplayGroup[];
  /** In a dry run with `--transform`: how many it changes. */
  readonly changed?: number;
  /** In a dry run with `--transform`: the first that it changes. */
  readonly samples?: readonly TransformSample[];
  readonly fates?: Readonly<Record<ReplayFate, number>>;
  /** Why they died again, with how many of each. */
  readonly deaths?: Readonly<Record<string, number>>;
  /** How many died again for the reason they had died of before. */
  readonly same_reason?: number;
  /** Copies whose original was acked by a late worker at the same moment. */
  readonly late?: number;
  readonly entries: readonly ReplayOutcome[];
}

/** Whether a replay failed: its exit code and its state say so. A canary that nobody settled is no sign of life. */
export function isBadReplay(
  { failed, fates }: { readonly failed: number; readonly fates?: { readonly died: number; readonly unknown: number } },
  canary: number | undefined,
): boolean {
  const { died = 0, unknown = 0 } = fates ?? {};
  return failed > 0 || died > 0 || (canary !== undefined && unknown > 0);
}

/** What a purge did, as `dlq purge --json` prints it. */
export interface PurgeResult {
  /** Entries that went, each with its records. */
  readonly purged: number;
  /** Messages that went with them. */
  readonly originals: number;
  /** Entries that stay, because their messages are other consumers' as well; absent where there is none. */
  readonly skipped?: number;
  /** The file that `dlq import` reads; absent where nothing was purged. */
  readonly archive?: string;
  /** Of a run that was stopped: in the archive, and not known to be removed. */
  readonly not_purged?: number;
  readonly dry_run?: true;
  /** In a dry run: what would go. */
  readonly groups?: readonly ReplayGroup[];
}

/** What came of one dead letter of an archive. */
export interface ImportOutcome {
  readonly id: string;
  readonly outcome: 'imported' | 'skipped' | 'failed';
  readonly error?: string;
}

/** What an import did, as `dlq import --json` prints it. */
export interface ImportResult {
  readonly imported: number;
  /** There already, or nothing was archived of them. */
  readonly skipped: number;
  /** What no stream here may get: their reasons are in `entries`. */
  readonly failed: number;
  readonly dry_run?: true;
  readonly entries: readonly ImportOutcome[];
}
