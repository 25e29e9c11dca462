import { canonicalDesired } from '../canonical/resource.ts';
import { FIELDS } from '../facts/fields.ts';
import { KV_PREFIX } from '../facts/names.ts';
import type { PlannedMigration, Unfinished } from '../model/migration.ts';
import type { Change, FieldChange, Filled, LastApplied } from '../model/plan.ts';
import {
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  type ResourceKind,
  splitConsumerName,
} from '../model/resource.ts';
import type { Subject } from '../risk/subject.ts';
import { type CompareContext, compareResource } from './compare.ts';
import { showValue } from './show.ts';

/** What can be moved instead of made again, and what cannot, by the name that it is to have; consumers that go along are not in it. */
export type Moves = ReadonlyMap<ResourceKey, PlannedMigration>;

/** The key under which a resource stood before; `undefined` where its name is what it was. */
const keyBefore = ({ kind, movedFrom }: Pick<DesiredResource, 'kind' | 'movedFrom'>): ResourceKey | undefined =>
  movedFrom === undefined ? undefined : `${kind} ${movedFrom}`;

/** A consumer's name before, in the stream of now: there it is once its stream has its new name. */
const beforeIn = ({ kind, name, movedFrom }: DesiredResource): string | undefined =>
  kind === 'consumer' && movedFrom !== undefined
    ? `${splitConsumerName(name).stream}/${splitConsumerName(movedFrom).consumer}`
    : undefined;

/** Every key under which a resource may stand. */
export function keysOf(resource: DesiredResource): ResourceKey[] {
  const { kind, name, movedFrom } = resource;
  return [...new Set([name, movedFrom, beforeIn(resource)])].flatMap((one) =>
    one === undefined ? [] : [`${kind} ${one}` as const],
  );
}

/** A spec may keep the name before of a stream that has been moved: its consumers are looked for in the one of now. */
export function afterMoves(resources: readonly DesiredResource[], observed: Observed): DesiredResource[] {
  return resources.map((resource) => {
    const before = beforeIn(resource);
    if (before === undefined || !observed.resources.has(streamKeyOf(resource.name))) return resource;
    const { movedFrom: _, ...rest } = resource;
    return before === resource.name ? rest : { ...rest, movedFrom: before };
  });
}

/** What of a spec is on the server under its name before, and not under its own. */
export function renamesOf(resources: readonly DesiredResource[], observed: Observed): Map<ResourceKey, ResourceKey> {
  const found = new Map<ResourceKey, ResourceKey>();
  for (const resource of resources) {
    const [key, before] = [keyOf(resource), keyBefore(resource)];
    if (before !== undefined && !observed.resources.has(key) && observed.resources.has(before)) found.set(key, before);
  }
  return found;
}

/** The key of a consumer's stream. */
export const streamKeyOf = (consumer: string): ResourceKey => `stream ${splitConsumerName(consumer).stream}`;

/** What was applied last, under the names of now: a renamed resource was applied by another. */
export function underNewNames<T extends LastApplied | Filled | undefined>(
  applied: T,
  renames: ReadonlyMap<ResourceKey, ResourceKey>,
): T {
  if (!applied || renames.size === 0) return applied;
  const moved = <C>(configs: Readonly<Record<ResourceKey, C>>): Record<ResourceKey, C> => ({
    ...Object.fromEntries([...renames].flatMap(([now, before]) => (configs[before] ? [[now, configs[before]]] : []))),
    ...configs,
  });
  return ('configs' in applied ? { ...applied, configs: moved(applied.configs as Filled) } : moved(applied)) as T;
}

/** A resource under another name than the spec's, and how it differs besides. */
export function renamed(desired: DesiredResource, observed: ObservedResource, context: CompareContext): Subject {
  const { kind, name, role } = desired;
  const other = compareResource(desired, observed, context);
  const field: FieldChange = {
    path: 'name',
    from: observed.name,
    to: name,
    impact: 'replace',
    origin: 'spec',
    note: `the server cannot change the name of a ${kind}`,
  };
  const base = other ?? {
    key: keyOf(desired),
    desired,
    observed,
    before: context.canonicalOf(observed),
    after: canonicalDesired(desired, context.table, context.wantedStream),
  };
  const { retries } = other?.change ?? {};
  const change: Change = {
    action: 'migrate',
    kind,
    name,
    role,
    fields: [field, ...(other?.change.fields ?? [])],
    origin: 'spec',
    reason: [field.note!, ...(other?.change.reason ? [other.change.reason] : [])].join('; '),
    moved_from: observed.name,
    ...(retries ? { retries } : {}),
  };
  return { ...base, change };
}

/** A change that is carried out by moving; refused, it stays what it is. */
export function moved(subject: Subject, planned: PlannedMigration | undefined): Subject {
  if (planned?.is !== 'movable') return subject;
  const { reverse: _, ...change } = subject.change;
  const { hops } = planned.migration;
  return { ...subject, change: { ...change, action: 'migrate', ...(hops.length > 0 ? { hops } : {}) } };
}

/** A consumer of a stream that is moved, where it is to be another: it is made so on the way. */
export function goesAlong(subject: Subject): Subject {
  const { reverse: _, ...change } = subject.change;
  const { stream } = splitConsumerName(change.name);
  return { ...subject, change: { ...change, action: 'migrate', reason: `it goes along with stream ${stream}` } };
}

const keysOfStream = (name: string): ResourceKey[] =>
  name.startsWith(KV_PREFIX) ? [`stream ${name}`, `bucket ${name.slice(KV_PREFIX.length)}`] : [`stream ${name}`];

/** Whether a resource is part of what somebody has begun to move: nothing of it is as a spec or as nobody left it. */
export function isUnderWay({ migration }: Pick<Unfinished, 'migration'>, key: ResourceKey): boolean {
  if (migration.kind === 'consumer')
    return key === `consumer ${migration.name}` || key === `consumer ${migration.from}`;
  const streams = new Set(migration.hops.flatMap(({ from, to }) => [from, to]));
  if (key.startsWith('consumer ')) return streams.has(splitConsumerName(key.slice('consumer '.length)).stream);
  return [...streams].some((name) => keysOfStream(name).includes(key));
}

/** A migration that was begun and not ended, as the change that it is. */
export function underWay(unfinished: Unfinished, desired: DesiredResource | undefined): Subject {
  const { migration, where, meanwhile, who, since } = unfinished;
  const { kind, name, from, fields, hops } = migration;
  const shown = (path: string): FieldChange => {
    const type = FIELDS[kind satisfies ResourceKind].find((field) => field.name === path)?.type ?? { type: 'text' };
    const [old, now] = kind === 'consumer' ? consumerSides(migration) : [migration.before, migration.after];
    const [was, is] = path === 'name' ? [from, name] : [showValue(type, old?.[path]), showValue(type, now?.[path])];
    return { path, from: was, to: is, impact: 'replace', origin: 'unknown' };
  };
  const change: Change = {
    action: 'migrate',
    kind,
    name,
    role: desired?.role ?? 'other',
    fields: fields.map(shown),
    origin: 'unknown',
    reason: `${who} began to move it on ${since}, and it is not done: ${where}; ${meanwhile}`,
    ...(from === name ? {} : { moved_from: from }),
    ...(hops.length > 0 ? { hops } : {}),
  };
  return { key: keyOf({ kind, name }), change, ...(desired ? { desired } : {}) };
}

function consumerSides({ name, consumers }: Unfinished['migration']) {
  const { consumer } = splitConsumerName(name);
  const one = consumers.find(({ to }) => to === consumer);
  return [one?.before, one?.after] as const;
}
