import { streamLookup } from '../canonical/resource.ts';
import { tableFor } from '../facts/fields.ts';
import type { AccountUsage } from '../model/account.ts';
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
import { unsure } from '../risk/quorum.ts';
import { indexObserved, type Subject } from '../risk/subject.ts';
import { isUnadopted } from './adoption.ts';
import { type CompareContext, compareResource, madeAgain } from './compare.ts';
import { canonicalReader, fingerprintOf } from './fingerprint.ts';
import { findLeftovers, pruneOf, unknownOnServer } from './leftovers.ts';
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
  const [create, update, replace, removed] = [count('create'), count('update'), count('replace'), count('delete')];
  return { create, update, replace, delete: removed, unchanged: all - create - update - replace };
}

/** The resources of the spec that differ, and those that vanish with a replaced stream. */
function compareAll(resources: readonly DesiredResource[], observed: Observed, context: CompareContext): Subject[] {
  const found = new Map<ResourceKey, Subject>();
  for (const resource of resources) {
    const subject = compareResource(resource, observed.resources.get(keyOf(resource)), context);
    if (subject) found.set(subject.key, subject);
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
  const filled = input.filled ?? lastApplied?.filled;
  const { server } = observed.target;
  requireNewEnough(desired, server);
  const wanted = new Map(desired.resources.map((resource) => [keyOf(resource), resource]));
  const liveStream = streamLookup((key) => observed.resources.get(key));
  const wantedStream = streamLookup((key) => wanted.get(key) ?? observed.resources.get(key));
  const facts = { table: tableFor(server.version), clustered: server.cluster !== undefined, liveStream, wantedStream };

  const canonicalOf = canonicalReader(observed);
  const differing = compareAll(desired.resources, observed, {
    ...facts,
    canonicalOf,
    ...(lastApplied ? { lastApplied } : {}),
    ...(filled ? { filled } : {}),
  });
  const unadopted = new Set(adopt ? [] : differing.filter((subject) => isUnadopted(subject, lastApplied)));
  const compared = differing.filter((subject) => !unadopted.has(subject));
  const leftovers = findLeftovers(desired.system, new Set(wanted.keys()), observed, lastApplied);
  const pruned = prune ? leftovers.prunable.map((resource) => pruneOf(resource, lastApplied)) : [];
  const subjects = [...compared, ...pruned];

  const deleted = new Set(pruned.map(({ key }) => key));
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
    applied: new Set(Object.keys(lastApplied?.configs ?? {})),
  };
  const named = [...wanted.keys(), ...leftovers.prunable.map(keyOf)];
  const live = [...wanted.keys()].flatMap((key) => observed.resources.get(key) ?? []);
  const touched = new Set(subjects.map(({ key }) => key));
  const changes = subjects.map(({ change }) => change);
  const findings = [
    ...findRisks([...subjects, ...unadopted], world),
    ...(input.account ? overAccount(subjects, input.account, input.makesLedger ? 1 : 0) : []),
    ...unsure(live.filter((each) => !touched.has(keyOf(each)))),
  ];
  return {
    system: desired.system,
    target: observed.target,
    fingerprint: fingerprintOf(observed, named, canonicalOf),
    changes,
    findings,
    steps: planSteps(subjects, { ...facts, gone: replaced }),
    leftAlone: [...(prune ? [] : notPruned(leftovers.prunable)), ...leftovers.leftAlone, ...unknownOnServer(live)],
    summary: summarize(changes, desired.resources.length),
  };
}
