import { streamLookup } from '../canonical/resource.ts';
import { tableFor } from '../facts/fields.ts';
import type { AccountUsage } from '../model/account.ts';
import type { Unfinished } from '../model/migration.ts';
import type { Action, Change, Filled, LastApplied, LeftAlone, Losses, Plan, PlanSummary } from '../model/plan.ts';
import {
  type Desired,
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
} from '../model/resource.ts';
import { overAccount } from '../risk/account.ts';
import { findRisks } from '../risk/judge.ts';
import { bothThere, unfinishedMove } from '../risk/migrate.ts';
import { unsure } from '../risk/quorum.ts';
import { indexObserved, type Subject } from '../risk/subject.ts';
import { isUnadopted } from './adoption.ts';
import { type CompareContext, compareResource, madeAgain } from './compare.ts';
import { canonicalReader, fingerprintOf } from './fingerprint.ts';
import { findLeftovers, pruneOf, unknownOnServer } from './leftovers.ts';
import {
  goesAlong,
  isUnderWay,
  type Moves,
  moved,
  renamed,
  renamesOf,
  streamKeyOf,
  underNewNames,
  underWay,
} from './moves.ts';
import { planSteps } from './steps.ts';
import { requireNewEnough } from './too-old.ts';

export interface PlanInput {
  readonly desired: Desired;
  /** The desired resources' state, and whatever else was read: leftovers are found among it. */
  readonly observed: Observed;
  readonly lastApplied?: LastApplied;
  /** Defaults as this server fills them in, where they are known better than from what was applied last. */
  readonly filled?: Filled;
  /** What lowered limits would delete; without it the worst is assumed. */
  readonly losses?: Losses;
  /** Delete what carries the system's mark and is no longer in the spec. */
  readonly prune?: boolean;
  /** Mark what is as the spec says and nobody's. */
  readonly adopt?: boolean;
  readonly now?: Date;
  /** What can be moved instead of made again. Without it, what cannot be changed in place is replaced. */
  readonly moves?: Moves;
  /** That it will be moved was said with `--migrate`: what would happen without need not be told. */
  readonly migrate?: boolean;
  /** What somebody has begun to move: nothing else is done to it. */
  readonly unfinished?: readonly Unfinished[];
  /** What the account may use, where it is known. */
  readonly account?: AccountUsage;
  /** Carrying it out makes the ledger's bucket. */
  readonly makesLedger?: boolean;
}

const isConsumerOf = (resource: { kind: string; name: string }, gone: ReadonlySet<ResourceKey>): boolean =>
  resource.kind === 'consumer' && gone.has(`stream ${splitConsumerName(resource.name).stream}`);

/** The sum of the changes of a spec that declares so many resources. */
export function summarize(changes: readonly Change[], all: number): PlanSummary {
  const count = (action: Action): number => changes.filter((change) => change.action === action).length;
  const [create, update, removed] = [count('create'), count('update'), count('delete')];
  const replace = count('replace') + count('migrate');
  return { create, update, replace, delete: removed, unchanged: all - create - update - replace };
}

/** The resources of the spec that differ, and those that vanish with a replaced stream. */
function compareAll(
  resources: readonly DesiredResource[],
  observed: Observed,
  context: CompareContext,
  { moves, renames }: { readonly moves: Moves; readonly renames: ReadonlyMap<ResourceKey, ResourceKey> },
): Subject[] {
  const found = new Map<ResourceKey, Subject>();
  for (const resource of resources) {
    const key = keyOf(resource);
    const before = observed.resources.get(renames.get(key) ?? key);
    const isAlong = resource.kind === 'consumer' && moves.get(streamKeyOf(resource.name))?.is === 'movable';
    const differs = renames.has(key) ? renamed(resource, before!, context) : compareResource(resource, before, context);
    if (!differs) continue;
    found.set(key, isAlong && before ? goesAlong(differs) : moved(differs, moves.get(key)));
  }
  const replaced = new Set([...found.values()].filter((s) => s.change.action === 'replace').map((s) => s.key));
  return resources.flatMap((resource) => {
    const key = keyOf(resource);
    const subject = found.get(key);
    const live = observed.resources.get(key);
    if (!live || !isConsumerOf(resource, replaced)) return subject ? [subject] : [];
    const again = madeAgain(resource, live, context);
    return [{ ...again, change: { ...again.change, fields: subject?.change.fields ?? [] } }];
  });
}

function notPruned(prunable: readonly ObservedResource[]): LeftAlone[] {
  return prunable.map((resource) => {
    const held = resource.kind === 'consumer' ? '' : `, ${resource.figures.messages} messages inside`;
    return { resource: keyOf(resource), what: `no longer in the spec${held}; --prune deletes it` };
  });
}

/**
 * What must be done so that the server is as the spec says, and what that means. Pure: equal inputs give equal plans.
 * Throws OpsError SERVER_TOO_OLD where the server lacks a field that the spec writes.
 */
export function makePlan(input: PlanInput): Plan {
  const { desired, observed, lastApplied, losses = new Map(), prune = false, adopt = false } = input;
  const { moves = new Map() } = input;
  const { server } = observed.target;
  requireNewEnough(desired, server);
  const wanted = new Map(desired.resources.map((resource) => [keyOf(resource), resource]));
  const liveStream = streamLookup((key) => observed.resources.get(key));
  const wantedStream = streamLookup((key) => wanted.get(key) ?? observed.resources.get(key));
  const facts = { table: tableFor(server.version), clustered: server.cluster !== undefined, liveStream, wantedStream };

  const canonicalOf = canonicalReader(observed);
  // Until it is known whether it can be moved, what has another name is not looked at.
  const renames = input.moves ? renamesOf(desired.resources, observed) : new Map<ResourceKey, ResourceKey>();
  const applied = underNewNames(lastApplied, renames);
  const filled = underNewNames(input.filled ?? lastApplied?.filled, renames);
  const unfinished = input.unfinished ?? [];
  const isFree = ({ key }: { readonly key: ResourceKey }): boolean => !unfinished.some((each) => isUnderWay(each, key));
  const context = {
    ...facts,
    canonicalOf,
    ...(applied ? { lastApplied: applied } : {}),
    ...(filled ? { filled } : {}),
  };
  const differing = compareAll(desired.resources, observed, context, { moves, renames }).filter(isFree);
  const unadopted = new Set(adopt ? [] : differing.filter((subject) => isUnadopted(subject, lastApplied)));
  const compared = differing.filter((subject) => !unadopted.has(subject));
  const movedAway = new Set(renames.values());
  const leftovers = findLeftovers(desired.system, new Set([...wanted.keys(), ...movedAway]), observed, lastApplied);
  const prunable = leftovers.prunable.filter((resource) => isFree({ key: keyOf(resource) }));
  const pruned = prune ? prunable.map((resource) => pruneOf(resource, lastApplied)) : [];
  const begun = unfinished.map((each) => underWay(each, wanted.get(keyOf(each.migration))));
  const subjects = [...begun, ...compared, ...pruned];

  const deleted = new Set([...pruned.map(({ key }) => key), ...movedAway]);
  const replaced = new Set(compared.filter(({ change }) => change.action === 'replace').map(({ key }) => key));
  const index = indexObserved(observed);
  const world = {
    ...facts,
    version: server.version,
    index,
    system: desired.system,
    desired: wanted,
    observed,
    losses,
    deleted,
    replaced,
    moves,
    migrate: input.migrate ?? false,
    ...(input.account ? { account: input.account } : {}),
    applied: new Set(Object.keys(lastApplied?.configs ?? {})),
  };
  const named = [...wanted.keys(), ...movedAway, ...prunable.map(keyOf)];
  const live = [...wanted.keys()].flatMap((key) => observed.resources.get(key) ?? []);
  const touched = new Set(subjects.map(({ key }) => key));
  const changes = subjects.map(({ change }) => change);
  const findings = [
    ...unfinished.flatMap(unfinishedMove),
    ...findRisks([...compared, ...pruned, ...unadopted], world),
    ...bothThere(desired.resources, observed),
    ...(input.account ? overAccount(subjects, input.account, input.makesLedger ? 1 : 0) : []),
    ...unsure(live.filter((each) => !touched.has(keyOf(each)))),
  ];
  return {
    system: desired.system,
    target: observed.target,
    fingerprint: fingerprintOf(observed, named, canonicalOf),
    changes,
    findings,
    steps: planSteps(subjects, { ...facts, gone: replaced, moves, unfinished }),
    leftAlone: [...(prune ? [] : notPruned(prunable)), ...leftovers.leftAlone, ...unknownOnServer(live)],
    summary: summarize(changes, desired.resources.length),
  };
}
