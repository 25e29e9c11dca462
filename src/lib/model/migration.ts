import type { Config } from './json.ts';
import { type ResourceKind, splitConsumerName } from './resource.ts';

/** One copy of a stream by a mirror that is made a stream of its own. The names are of streams, a bucket's too. */
export interface Hop {
  readonly from: string;
  readonly to: string;
}

/** A consumer that goes along, or is made again where it is. */
export interface MovedConsumer {
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly created: string;
  /** As the server has it, and as it is to be sent. */
  readonly before: Config;
  readonly after: Config;
}

/**
 * An immutable change as a thing of its own: written into the ledger before anything is touched, and all that a later
 * run needs to go on, or back.
 */
export interface Migration {
  readonly format: 1;
  readonly kind: ResourceKind;
  /** What it will be called, in the spec's words: a stream, `REQUESTS/request-worker`, a bucket. */
  readonly name: string;
  /** What it is called now: the same where it is not renamed. */
  readonly from: string;
  /** The fields that the server does not change in place; `name` for another name. */
  readonly fields: readonly string[];
  /** Two where the name stays, for a name is one stream's; none for a consumer. */
  readonly hops: readonly Hop[];
  /** RFC 3339, when the stream was made that is moved, or whose consumer is made again. */
  readonly created: string;
  /** The stream as the server has it, and as it is to be sent in the end; for a consumer both are its stream. */
  readonly before: Config;
  readonly after: Config;
  readonly consumers: readonly MovedConsumer[];
  /** The streams that get the dead letters, with the subjects that they need meanwhile. */
  readonly dlqs: readonly { readonly stream: string; readonly subjects: readonly string[] }[];
  /** The bucket of the responses, where it is known: what has its answer is not dead. */
  readonly responses?: string;
}

/** Whether a stream is moved, made by it, or a consumer of it made again. */
export const concerns = ({ kind, name, from, hops }: Migration, stream: string): boolean =>
  kind === 'consumer'
    ? [name, from].some((one) => splitConsumerName(one).stream === stream)
    : hops.some((hop) => hop.from === stream || hop.to === stream);

/** The streams that were made for a migration by then: when each was (RFC 3339), by its name. */
export type Made = Readonly<Record<string, string>>;

/**
 * How far a migration is, as the server alone tells it. Each is durable before the next begins.
 *
 *   intended    it is written down, nothing is touched
 *   copying     the copy is a mirror; workers may be paused already
 *   parked      nothing is published into the old one any more: the gap
 *   promoted    the copy is the stream, and takes what is published
 *   dropped     the old one is gone; the second hop begins
 *   recopying … repromoted   the same of the second hop
 *   removed     of a consumer: the old one is gone
 *   made        of a consumer: the new one is there, and paused
 *   done        nothing remains but to forget it
 */
export const MIGRATION_STEPS = [
  'intended',
  'copying',
  'parked',
  'promoted',
  'dropped',
  'recopying',
  'reparked',
  'repromoted',
  'removed',
  'made',
  'done',
] as const;
export type MigrationStep = (typeof MIGRATION_STEPS)[number];

/** A migration that was begun and not ended. */
export interface Unfinished {
  readonly migration: Migration;
  readonly step: MigrationStep | 'unknown';
  /** Whether `--undo-migrate` still can. */
  readonly canUndo: boolean;
  /** The step in words: `copying REQUESTS to REQUESTS_moving`. */
  readonly where: string;
  /** What stands meanwhile, in a sentence. */
  readonly meanwhile: string;
  /** Who began it, and when (RFC 3339). */
  readonly who: string;
  readonly since: string;
}

/** Why something cannot be moved, and what to do instead. */
export interface MigrationRefusal {
  readonly why: string;
  readonly hint: string;
}

/** What a migration costs, as far as it is known before. */
export interface MigrationCost {
  /** Bytes of a second copy, and where. */
  readonly bytes: number;
  readonly storage: 'file' | 'memory';
  /** Milliseconds before workers and publishers notice anything: ids are remembered so long. */
  readonly aheadMs: number;
  /** Milliseconds for which workers get nothing, about. */
  readonly workersMs: number;
  /** How often nobody takes what is published, for about so many milliseconds. */
  readonly gaps: number;
  readonly gapMs: number;
}

export type PlannedMigration =
  | { readonly is: 'movable'; readonly migration: Migration; readonly cost: MigrationCost }
  | { readonly is: 'refused'; readonly refusals: readonly MigrationRefusal[] };

/** What to do about one that was begun: the way back is told as long as it is open. */
export const waysOf = ({ canUndo }: Pick<Unfinished, 'canUndo'>): string =>
  `go on with \`osapi-ops apply --migrate\`${canUndo ? ', or back with `osapi-ops apply --undo-migrate`' : '; it can no longer go back'}`;
