import { holdQueues } from '../dlq/lock.ts';
import { queuesTouched } from '../dlq/touched.ts';
import { OpsError } from '../errors/ops-error.ts';
import { identifyActor } from '../ledger/actor.ts';
import { largestReplicas } from '../ledger/store.ts';
import { dropCopies, undoMigration } from '../migrate/execute.ts';
import type { Moving } from '../migrate/run.ts';
import { ledPlan } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Unfinished } from '../model/migration.ts';
import type { Plan } from '../model/plan.ts';
import { keyOf, type ResourceKind } from '../model/resource.ts';
import { findBegun } from './planned/begun.ts';
import { isAsked } from './planned/consent.ts';
import { openSystems, type Prepared, prepareSystem } from './planned/prepare.ts';
import { configsOf, tellHistory } from './planned/record.ts';
import type { SpecChoice } from './spec-source.ts';

export interface UndoOptions extends SpecChoice {
  readonly yes: boolean;
  /** In milliseconds. */
  readonly lockWaitMs: number;
}

/** One that is as it was before somebody began to move it. */
export interface UndoneMove {
  readonly kind: ResourceKind;
  readonly name: string;
  /** How far it was. */
  readonly step: string;
  readonly who: string;
  /** RFC 3339. */
  readonly since: string;
}

export interface Undone {
  /** As it would be applied now. */
  readonly plan: Plan;
  readonly undone: readonly UndoneMove[];
}

/**
 * Takes back every migration of these systems that was begun and not ended.
 * @throws OpsError what planning throws; MIGRATE_TOO_LATE, NOT_CONFIRMED, LOCK_HELD, INTERRUPTED
 */
export async function undoOperation(context: Context, options: UndoOptions): Promise<readonly Undone[]> {
  const opened = await openSystems(context, options);
  try {
    const done: Undone[] = [];
    for (const each of opened.systems) {
      const again = () => prepareSystem(context, each);
      done.push(await undoSystem(context, await again(), again, options));
    }
    return done.map((one) => ({ ...one, plan: ledPlan(one.plan, context.connection) }));
  } finally {
    await opened.close();
  }
}

const named = (unfinished: readonly Unfinished[]): string =>
  unfinished.map(({ migration, who, since }) => `${keyOf(migration)} (${who}, ${since})`).join(', ');

export const movingOf = ({ io, env, now }: Context, signal: AbortSignal): Moving => ({
  io,
  signal,
  actor: identifyActor(env),
  now: now(),
});

async function undoSystem(
  context: Context,
  system: Prepared,
  again: () => Promise<Prepared>,
  options: UndoOptions,
): Promise<Undone> {
  const { nats, desired, plan, unfinished } = system;
  if (unfinished.length === 0) {
    context.io.tell({ type: 'note', text: `Nothing of ${desired.system} is half moved` });
    return { plan, undone: [] };
  }
  const where = `${desired.system} on ${plan.target.url}`;
  if (isAsked(context, options)) {
    const text = `Take back what was begun to be moved: ${named(unfinished)}?`;
    if (!(await context.io.ask({ type: 'confirm', text, fallback: true }))) {
      throw new OpsError('NOT_CONFIRMED', 'not confirmed', {
        where,
        why: 'Nothing was touched.',
        hints: ['run it again and answer yes, or give --yes'],
      });
    }
  }
  const lock = {
    waitMs: options.lockWaitMs,
    verb: 'apply --undo-migrate',
    replicas: () => largestReplicas(configsOf(desired)),
    makeRoom: async () => dropCopies(nats, await findBegun(nats, desired), movingOf(context, context.io.signal)),
  };
  const begun = plan.changes.filter((change) => unfinished.some(({ migration }) => keyOf(migration) === keyOf(change)));
  const undone = await holdQueues(
    context,
    nats,
    queuesTouched(begun, system),
    lock,
    async (signal, held) => {
      // Somebody may have gone on, or back, until the lock was ours.
      const now = await findBegun(held, desired);
      if (now.length === 0) return [];
      const moving = movingOf(context, signal);
      const back: UndoneMove[] = [];
      for (const { migration, step, who, since } of now) {
        await undoMigration(held, migration, moving);
        back.push({ kind: migration.kind, name: migration.name, step, who, since });
      }
      const summary = `took back what was half moved: ${named(now)}`;
      await tellHistory(context, held, { system: desired.system, verb: 'apply', summary, changes: begun });
      return back;
    },
    [desired.system],
  );
  return { plan: (await again()).plan, undone };
}
