import { type Execution, executePlan } from '../apply/execute.ts';
import { streamLookup } from '../canonical/resource.ts';
import { holdQueues } from '../dlq/lock.ts';
import { queuesTouched } from '../dlq/touched.ts';
import { OpsError } from '../errors/ops-error.ts';
import { tableFor } from '../facts/fields.ts';
import { requireFree } from '../ledger/lock.ts';
import { largestReplicas } from '../ledger/store.ts';
import { dropCopies, executeMigration } from '../migrate/execute.ts';
import { ledPlan } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import { equalJson } from '../model/json.ts';
import type { Change, Filled, Override, Plan } from '../model/plan.ts';
import { keyOf } from '../model/resource.ts';
import type { Nats } from '../nats/connect.ts';
import { openNats } from '../nats/open.ts';
import { withFigures } from '../nats/room.ts';
import { findFilled } from '../plan/filled.ts';
import { planJson } from '../plan/json.ts';
import { renamesOf, underNewNames } from '../plan/moves.ts';
import { agreeToPlans, isAsked, requireAllowed } from './planned/consent.ts';
import { openSystems, type Prepared, type PrepareOptions, prepareSystem } from './planned/prepare.ts';
import {
  type Applying,
  asStopped,
  configsOf,
  needsRecord,
  recordSystem,
  sumUp,
  tellHistory,
  tellMoved,
  warnOfOlderCopy,
} from './planned/record.ts';
import { type PlanFile, prepareSaved, readPlanFile } from './planned/saved.ts';
import { areTaken, verifyTaken } from './planned/verify.ts';
import type { SpecChoice } from './spec-source.ts';
import { movingOf } from './undo-migrate.ts';

export interface ApplyOptions extends SpecChoice {
  readonly given: ReadonlySet<Override>;
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** In milliseconds. */
  readonly lockWaitMs: number;
  /** How a saved plan is called where its file is of nobody who reads it. */
  readonly named?: string;
  /** Draws the plans, and what the flags allow of them, before anything is asked or touched. */
  show(plans: readonly Plan[], given: ReadonlySet<Override>): void;
}

/** What became of one system. */
export interface Applied {
  readonly plan: Plan;
  /** With the status of each; as planned where nothing was carried out. */
  readonly changes: readonly Change[];
  /** False for a dry run. */
  readonly applied: boolean;
}

/** A system, and how to look at it again once the lock is ours. */
interface Work {
  readonly system: Prepared;
  again(): Promise<Prepared>;
}

/**
 * Makes servers as the specs say, or carries out a saved plan: plan all, show all, judge all, then touch, one system
 * after the other.
 * @throws OpsError what planning throws; PLAN_STALE, RISK_REFUSED, PLAN_REFUSED, NOT_CONFIRMED, LOCK_HELD,
 * APPLY_FAILED, APPLY_NOT_TAKEN, INTERRUPTED, the last three with the changes' status as `result`
 */
export async function applyOperation(context: Context, options: ApplyOptions): Promise<readonly Applied[]> {
  const [only] = options.specs ?? [];
  const saved = options.specs?.length === 1 && only !== undefined ? await readPlanFile(context, only) : undefined;
  if (saved && only !== undefined) return applySaved(context, saved, only, options);
  const opened = await openSystems(context, options);
  try {
    const { given } = options;
    const how: PrepareOptions = {
      prune: given.has('prune'),
      adopt: given.has('adopt'),
      migrate: given.has('migrate'),
      replace: given.has('allow-replace'),
    };
    const works: Work[] = [];
    for (const each of opened.systems) {
      const again = () => prepareSystem(context, each, how);
      works.push({ system: await again(), again });
    }
    return await applyAll(context, works, options);
  } finally {
    await opened.close();
  }
}

async function applySaved(
  context: Context,
  saved: PlanFile,
  source: string,
  options: ApplyOptions,
): Promise<readonly Applied[]> {
  const nats = await openNats(context, saved.loaded);
  try {
    const again = () => prepareSaved(context, nats, saved, options.named ?? source);
    const work = { system: await again(), again };
    // What the plan removes was asked for when it was made, and is shown.
    const given = new Set(options.given);
    if (saved.meta.prune) given.add('prune');
    return await applyAll(context, [work], { ...options, given });
  } finally {
    await nats.close();
  }
}

async function applyAll(context: Context, works: readonly Work[], options: ApplyOptions): Promise<Applied[]> {
  for (const { system } of works) warnOfOlderCopy(context, system);
  const plans = works.map(({ system }) => system.plan);
  const shown = plans.map((plan) => ledPlan(plan, context.connection));
  options.show(shown, options.given);
  if (options.dryRun) return shown.map((plan) => ({ plan, changes: plan.changes, applied: false }));
  for (const { system } of works) {
    if (system.unfinished.length > 0 && !options.given.has('migrate')) await requireNobody(context, system);
    requireAllowed(system, options.given);
  }
  await agreeToPlans(context, plans, options);
  const done: Applied[] = [];
  for (const work of works) {
    const isDone = work.system.plan.changes.length === 0;
    done.push(isDone ? await keepInStep(context, work.system) : await touch(context, work, options));
  }
  return done.map((one) => ({ ...one, plan: ledPlan(one.plan, context.connection) }));
}

/** What is half moved is somebody's work, or was left behind: only that is gone on with. @throws OpsError LOCK_HELD */
const requireNobody = ({ io }: Context, { nats, desired }: Prepared): Promise<void> =>
  requireFree(nats, desired.system, { io });

const applyingOf = ({ nats, loaded, desired, lastApplied }: Prepared, filled: Filled): Applying => ({
  nats,
  system: desired.system,
  spec: loaded.spec,
  configs: configsOf(desired),
  filled,
  lastApplied,
});

/** Nothing to change: no lock is needed, but the ledger must know the spec. */
async function keepInStep(context: Context, system: Prepared): Promise<Applied> {
  const { nats, plan, desired } = system;
  const applying = applyingOf(system, system.lastApplied?.filled ?? {});
  if (needsRecord(applying)) {
    // The first of them may have to make the ledger.
    await recordSystem(context, applying);
    await tellHistory(context, nats, {
      system: desired.system,
      verb: 'apply',
      summary: 'nothing to change; the spec was written down',
      changes: [],
    });
  }
  return { plan, changes: [], applied: true };
}

/**
 * Takes the lock, looks again, and carries the plan out; where it moved, a person is asked again, without the lock. What
 * was half moved comes first, and what the spec says besides is planned anew after it.
 */
async function touch(context: Context, work: Work, options: ApplyOptions): Promise<Applied> {
  const finished: Change[] = [];
  for (let { system } = work; ; ) {
    const outcome = await lockAndLook(context, { ...work, system }, options).catch(async (error: unknown) => {
      throw await withFigures(work.system.nats, error);
    });
    if ('plan' in outcome) return { ...outcome, changes: [...finished, ...outcome.changes] };
    finished.push(...outcome.finished);
    system = outcome.moved;
    await agreeToPlans(context, [system.plan], options);
  }
}

interface Moved {
  readonly moved: Prepared;
  readonly finished: readonly Change[];
}

async function lockAndLook(context: Context, { system, again }: Work, options: ApplyOptions): Promise<Applied | Moved> {
  const { nats, desired } = system;
  const lock = {
    waitMs: options.lockWaitMs,
    verb: 'apply',
    replicas: () => largestReplicas(configsOf(desired)),
    makeRoom: () => dropCopies(nats, system.unfinished, movingOf(context, context.io.signal)),
  };
  const queues = queuesTouched(system.plan.changes, system);
  // Where there was no ledger nobody was at work, and whoever has its first lock knows that nobody came in between.
  const early = system.hasLedger ? undefined : again();
  early?.catch(() => {});
  const carry = async (signal: AbortSignal, held: Nats, isFirst: boolean) => {
    const fresh = await ((isFirst && early) || again());
    const hasMoved = !equalJson(fresh.plan.steps, system.plan.steps);
    if (hasMoved) {
      const text = 'the server changed since the plan was made; this is the plan now';
      context.io.tell({ type: 'warning', text });
      options.show([fresh.plan], options.given);
    }
    requireAllowed(fresh, options.given);
    const isHeld = queuesTouched(fresh.plan.changes, fresh).every((queue) => queues.includes(queue));
    if (hasMoved && (!isHeld || isAsked(context, options))) return { moved: fresh, finished: [] };
    if (fresh.unfinished.length > 0) {
      const finished = await finishMoves(context, { ...fresh, nats: held }, signal);
      const next = await again();
      if (next.plan.changes.length > 0) options.show([next.plan], options.given);
      return { moved: next, finished };
    }
    if (fresh.plan.changes.length === 0) return keepInStep(context, { ...fresh, nats: held });
    return carryOut(context, { ...fresh, nats: held }, signal);
  };
  // Nobody moves dead letters out of what is replaced, or into it, from before it is looked at.
  return holdQueues(context, nats, queues, lock, carry, [desired.system]);
}

/** Carries on what somebody began to move, and nothing else. @throws what `carryOut` throws */
async function finishMoves(context: Context, system: Prepared, signal: AbortSignal): Promise<readonly Change[]> {
  const { nats, desired } = system;
  const begun = system.plan.changes.filter((change) =>
    system.unfinished.some(({ migration }) => keyOf(migration) === keyOf(change)),
  );
  const steps = system.plan.steps.filter(({ change }) => begun.includes(system.plan.changes[change]!));
  const plan = { ...system.plan, changes: begun, steps: steps.map((step, change) => ({ ...step, change })) };
  const { changes, fault } = await executePlan(nats, plan, executionOf(context, system, signal));
  if (fault !== undefined) throw await failure(context, { nats, plan }, changes, fault);
  const summary = `went on with what was half moved: ${tellMoved(begun)}`;
  await tellHistory(context, nats, { system: desired.system, verb: 'apply', summary, changes });
  return changes;
}

const executionOf = (context: Context, { nats, observed }: Prepared, signal: AbortSignal): Execution => ({
  io: context.io,
  signal,
  observed,
  migrate: (migration) => executeMigration(nats, migration, movingOf(context, signal)),
});

async function carryOut(context: Context, system: Prepared, signal: AbortSignal): Promise<Applied> {
  const { nats, plan, desired } = system;
  const executed = await executePlan(nats, plan, executionOf(context, system, signal));
  const { changes, fault } = executed;
  if (fault !== undefined) throw await failure(context, system, changes, fault);
  const answers = new Map([...executed.answers].map(([key, { config }]) => [key, config]));
  const wanted = new Map(desired.resources.map((resource) => [keyOf(resource), resource]));
  const before = underNewNames(system.lastApplied?.filled, renamesOf(desired.resources, system.observed));
  const filled = findFilled(desired.resources, answers, before, {
    table: tableFor(nats.target.server.version),
    streamOf: streamLookup((key) => wanted.get(key)),
  });
  const record = () =>
    Promise.all([
      recordSystem(context, applyingOf(system, filled)),
      tellHistory(context, nats, {
        system: desired.system,
        verb: 'apply',
        summary: sumUp(plan),
        changes,
        plan: system.saved,
      }),
    ]);
  // What the server said it took was applied, whatever the look finds: both go at once.
  const early = areTaken(context, system, executed, filled) ? record() : undefined;
  early?.catch(() => {});
  try {
    await verifyTaken(context, system, changes, filled);
  } catch (error) {
    await early?.catch(() => {});
    if (error instanceof OpsError && error.code === 'APPLY_NOT_TAKEN') throw error;
    throw await failure(context, system, changes, error);
  }
  await (early ?? record()).catch((error: unknown) => {
    throw error instanceof OpsError ? notWritten(error, plan, changes) : error;
  });
  return { plan, changes, applied: true };
}

/** All of it was carried out, and the ledger does not say so: who reads the error must not take it for undone. */
const notWritten = (error: OpsError, plan: Plan, changes: readonly Change[]): OpsError =>
  error.with({
    message: `the plan was carried out (${sumUp(plan)}), but not written down: ${error.message}`,
    hints: [...error.hints, 'then run apply again: it changes nothing more, and writes it down'],
    result: { ...planJson(plan, changes), applied: true },
  });

/** The error of a plan that was not carried out whole, with the changes' status; it is written into the history. */
async function failure(
  context: Context,
  { nats, plan }: Pick<Prepared, 'nats' | 'plan'>,
  changes: readonly Change[],
  fault: unknown,
): Promise<OpsError> {
  const count = (status: string) => changes.filter((change) => change.status === status).length;
  const sum = `${count('applied')} applied, ${count('failed')} failed, ${count('skipped')} not reached`;
  await tellHistory(context, nats, { system: plan.system, verb: 'apply', summary: `stopped: ${sum}`, changes }).catch(
    () => {},
  );
  if (!(fault instanceof OpsError)) throw fault;
  return asStopped(fault, {
    ...{ plan, changes, sum },
    // What stands half moved says how to go on, and back.
    hints: fault.hints.some((hint) => hint.includes('apply --migrate'))
      ? fault.hints
      : [...fault.hints, `${fault.hints.length > 0 ? 'then ' : ''}run apply again: it goes on from here`],
  });
}
