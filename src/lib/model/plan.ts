import type { Config, Json } from './json.ts';
import type { Hop, Migration } from './migration.ts';
import type { ResourceKey, ResourceKind, Role, ServerIdentity, Target } from './resource.ts';

export const ACTIONS = ['create', 'update', 'replace', 'delete', 'migrate'] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * What the server does with a changed field: takes it in place; refuses it, so that the resource must be replaced;
 * or refuses it for good, where not even a replacement makes sense without moving the messages.
 */
export type Impact = 'in-place' | 'replace';

/** Who made the difference: the spec changed since it was applied, somebody changed the server, or both; unknown before the first apply. */
export type Origin = 'spec' | 'server' | 'both' | 'unknown';

export interface FieldChange {
  /** As in the spec: `max_age`, `placement.tags`, `metadata.team`. */
  readonly path: string;
  /** In the spec's spelling: durations and sizes with units. `null` where the side has none. */
  readonly from: Json;
  readonly to: Json;
  readonly impact: Impact;
  readonly origin: Origin;
  /** One sentence: what this change means, or why the server refuses it in place. */
  readonly note?: string;
}

export interface Change {
  readonly action: Action;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly role: Role;
  readonly fields: readonly FieldChange[];
  readonly origin: Origin;
  readonly reason?: string;
  /** The name that it has on the server, where it is to have another. */
  readonly moved_from?: string;
  /** Of a stream or bucket that is moved: one name after the other, each a copy by a mirror that becomes the stream. */
  readonly hops?: readonly Hop[];
  /** The way back, for a person; absent where there is none. */
  readonly reverse?: string;
  /** When a request that fails is tried again and when it dies, in words, where that is new or changes. */
  readonly retries?: string;
  readonly status?: 'applied' | 'failed' | 'skipped';
  readonly error?: string;
}

/** Flags that allow what is refused without them. */
export const OVERRIDES = ['adopt', 'prune', 'migrate', 'allow-replace', 'allow-data-loss'] as const;
export type Override = (typeof OVERRIDES)[number];

/** One judgement of an analyzer. `refuse` stops apply unless the flag in `needs` was given. */
export interface Finding {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'refuse';
  readonly resource: ResourceKey;
  readonly field?: string;
  /** A sentence with its figures. */
  readonly message: string;
  readonly hint?: string;
  readonly needs?: Override;
  /** It is so where the change is carried out without this flag, and not so with it. */
  readonly unless?: Override;
  /** How many messages (or keys) are concerned. */
  readonly count?: number;
}

interface StepBase {
  readonly resource: ResourceKey;
  /** Sent one after another: more than one where the server refuses them in a single update. */
  readonly configs: readonly Config[];
  readonly why: string;
  /** Position of the change in `plan.changes` that caused this step. */
  readonly change: number;
  /** Steps of a lower stage are all done before a higher stage begins; within a stage the order is free. */
  readonly stage: number;
}

/** One write. */
export interface WriteStep extends StepBase {
  readonly verb: 'create' | 'update' | 'delete';
}

/** One migration, with all its writes; two are not under way at once. */
export interface MoveStep extends StepBase {
  readonly verb: 'migrate';
  readonly migration: Migration;
  /** Further changes that it carries out: consumers go along with their stream. */
  readonly along: readonly number[];
}

export type Step = WriteStep | MoveStep;

/** What is migrated counts as replaced: without `--migrate` it is. */
export interface PlanSummary {
  readonly create: number;
  readonly update: number;
  readonly replace: number;
  readonly delete: number;
  readonly unchanged: number;
}

/** Present on the server, managed by nobody's field here: reported, never touched. */
export interface LeftAlone {
  readonly resource: ResourceKey;
  readonly what: string;
}

/** Defaults that a server answered other than the table has them, by resource: its configuration may lower some. */
export type Filled = Readonly<Record<ResourceKey, Config>>;

/** What was applied last, as the ledger has it: the third input, which tells a changed spec from a changed server. */
export interface LastApplied {
  readonly system: string;
  /** As sent to the server or as desired then; only table fields are looked at. */
  readonly configs: Readonly<Record<ResourceKey, Config>>;
  readonly filled?: Filled;
}

/**
 * How many messages one lowered limit would delete, or one changed filter would leave without a worker, as measured on
 * the server.
 */
export interface LossFigure {
  /** In the spec's words: `max_age`, `max_msgs`, `ttl`, `history`; of a consumer `gained` or `dropped` filters. */
  readonly field: string;
  readonly count: number;
  /** False where the count is an estimate: print it with "about". */
  readonly exact: boolean;
}

export type Losses = ReadonlyMap<ResourceKey, readonly LossFigure[]>;

/** A plan is data: it can be printed, saved, compared and carried out later. */
export interface Plan {
  readonly system: string;
  readonly target: Target;
  /** Of the canonical state of every resource named here; a saved plan whose fingerprint has moved is stale. */
  readonly fingerprint: Readonly<Record<ResourceKey, string>>;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly steps: readonly Step[];
  readonly leftAlone: readonly LeftAlone[];
  readonly summary: PlanSummary;
}

/** What a plan shows: all but the writes. A saved one holds no more; the writes are made again from its spec. */
export type ShownPlan = Omit<Plan, 'steps'>;

/** A plan as `plan --json` prints it. */
export interface PlanJson {
  readonly system: string;
  readonly server: Pick<ServerIdentity, 'name' | 'version'> & { readonly cluster?: string };
  readonly target: { readonly url: string; readonly account: string; readonly chosen_by: string };
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly left_alone: readonly LeftAlone[];
  readonly summary: PlanSummary;
}
