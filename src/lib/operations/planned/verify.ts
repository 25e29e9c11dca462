import { setTimeout as sleep } from 'node:timers/promises';
import type { Executed } from '../../apply/execute.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Change, Filled, Plan } from '../../model/plan.ts';
import { keyOf, type Observed, type ObservedResource, type ResourceKey } from '../../model/resource.ts';
import { asResource, readSettled } from '../../observed/read.ts';
import { isMarkOnly } from '../../plan/adoption.ts';
import { planJson } from '../../plan/json.ts';
import { makePlan } from '../../plan/make-plan.ts';
import type { Prepared } from './prepare.ts';

/** A cluster shows some changes only after a while, such as new replicas. In milliseconds. */
const SETTLE_MS = 10_000;
const POLL_MS = 250;

/** What of a plan would still be to do, were the server like this. */
function openOf(
  context: Context,
  { desired }: Prepared,
  observed: Observed,
  changes: readonly Change[],
  filled: Filled,
): readonly Change[] {
  const touched = new Set(changes.map(keyOf));
  const again = makePlan({ desired, observed, filled, adopt: true, now: context.now() });
  // What nobody owned and nobody asked to adopt is as it was.
  return again.changes.filter((change) => !isMarkOnly(change) || touched.has(keyOf(change)));
}

/** Whether the server answered each write with what was wanted: then only somebody else's hand can have undone it. */
export function areTaken(context: Context, system: Prepared, { changes, answers }: Executed, filled: Filled): boolean {
  const { desired, observed } = system;
  const resources = desired.resources.map(keyOf).flatMap((key): [ResourceKey, ObservedResource][] => {
    const answer = answers.get(key);
    const resource = answer ? asResource(key, answer) : observed.resources.get(key);
    return resource ? [[key, resource]] : [];
  });
  return (
    openOf(context, system, { target: observed.target, resources: new Map(resources) }, changes, filled).length === 0
  );
}

/**
 * Looks again: the plan must be empty now.
 * @throws OpsError APPLY_NOT_TAKEN naming what did not take
 */
export async function verifyTaken(
  context: Context,
  system: Prepared,
  changes: readonly Change[],
  filled: Filled,
): Promise<void> {
  const { nats, desired, plan } = system;
  const removed = changes.filter(({ action }) => action === 'delete').map(keyOf);
  const wanted = desired.resources.map(keyOf);
  const deadline = performance.now() + (nats.target.server.cluster ? SETTLE_MS : 0);
  for (;;) {
    const observed = await readSettled(nats, [...wanted, ...removed], deadline - performance.now());
    const open = openOf(context, system, observed, changes, filled);
    const still = removed.filter((key) => observed.resources.has(key));
    if (open.length === 0 && still.length === 0) return;
    if (performance.now() >= deadline) throw notTaken(plan, open, still, changes);
    await sleep(POLL_MS);
    context.io.signal.throwIfAborted();
  }
}

function notTaken(
  plan: Plan,
  open: readonly Change[],
  still: readonly ResourceKey[],
  changes: readonly Change[],
): OpsError {
  const fields = open.flatMap((change) =>
    change.fields.length > 0
      ? change.fields.map(({ path, from }) => `${keyOf(change)} ${path} is ${JSON.stringify(from)}`)
      : [`${keyOf(change)} is missing`],
  );
  const what = [...fields, ...still.map((key) => `${key} is still there`)];
  return new OpsError('APPLY_NOT_TAKEN', `every step was accepted, but ${what.slice(0, 5).join('; ')}`, {
    where: `${plan.system} on ${plan.target.url} (nats-server ${plan.target.server.version})`,
    why: 'A server drops settings that it does not know, or somebody changed it back at once.',
    hints: ['see `osapi-ops plan`; leave the field out, or use a server that has it'],
    problems: what.map((message) => ({ code: 'APPLY_NOT_TAKEN', message })),
    result: { ...planJson(plan, changes), applied: false },
  });
}
