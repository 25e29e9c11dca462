import { OWNER_KEY } from '../facts/names.ts';
import type { AccountUsage } from '../model/account.ts';
import { type Config, isObject } from '../model/json.ts';
import type { PlannedMigration } from '../model/migration.ts';
import type { Change, Finding, Losses } from '../model/plan.ts';
import {
  type DesiredResource,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
} from '../model/resource.ts';

/** One change with all that is known of it. `before` and `after` are canonical. */
export interface Subject {
  readonly key: ResourceKey;
  readonly change: Change;
  readonly desired?: DesiredResource;
  readonly observed?: ObservedResource;
  readonly before?: Config;
  readonly after?: Config;
}

/** What is observed, by what the analyzers look for: a plan may hold thousands of resources. */
export interface ObservedIndex {
  /** Streams, those of buckets included. */
  readonly streams: readonly ObservedResource[];
  /** Consumers by their stream's name. */
  readonly consumersOf: ReadonlyMap<string, readonly ObservedResource[]>;
}

export function indexObserved(observed: Observed): ObservedIndex {
  const streams: ObservedResource[] = [];
  const consumersOf = new Map<string, ObservedResource[]>();
  for (const resource of observed.resources.values()) {
    if (resource.kind !== 'consumer') {
      streams.push(resource);
      continue;
    }
    const { stream } = splitConsumerName(resource.name);
    const list = consumersOf.get(stream);
    if (list) list.push(resource);
    else consumersOf.set(stream, [resource]);
  }
  return { streams, consumersOf };
}

/** What every analyzer may look at besides the change itself. */
export interface World {
  readonly system: string;
  /** The server's, as `2.15.1`. */
  readonly version: string;
  readonly clustered: boolean;
  readonly desired: ReadonlyMap<ResourceKey, DesiredResource>;
  readonly observed: Observed;
  readonly losses: Losses;
  readonly index: ObservedIndex;
  /** Keys of what this system applied last: where only the mark went from one, that is drift. */
  readonly applied: ReadonlySet<string>;
  /** Resources that this plan deletes, and the names that it moves away from. */
  readonly deleted: ReadonlySet<ResourceKey>;
  /** Resources that it deletes and makes again. */
  readonly replaced: ReadonlySet<ResourceKey>;
  /** What can be moved instead, and what cannot. */
  readonly moves: ReadonlyMap<ResourceKey, PlannedMigration>;
  /** It will be: nothing is deleted to be made again. */
  readonly migrate: boolean;
  /** What the account may use, where it is known. */
  readonly account?: AccountUsage;
}

/** Looks for one danger; gives nothing where there is none. Pure. */
export type Analyzer = (subject: Subject, world: World) => readonly Finding[];

/** The owner mark of a live configuration. */
export function ownerOf(config: Config): string | undefined {
  const owner = isObject(config.metadata) ? config.metadata[OWNER_KEY] : undefined;
  return typeof owner === 'string' && owner !== '' ? owner : undefined;
}

/** `1 message`, `3,000 messages`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

/** What a resource of this kind holds: messages, or a bucket's values. */
export const heldBy = (kind: string, count: number): string =>
  kind === 'bucket' ? counted(count, 'value') : counted(count, 'message');

/** `stream REQUESTS` for a sentence. */
export const labelOf = (subject: Subject): string => `${subject.change.kind} ${subject.change.name}`;

export const changed = (subject: Subject, path: string): boolean =>
  (subject.change.action === 'update' || subject.change.action === 'migrate') &&
  subject.change.fields.some((field) => field.path === path);
