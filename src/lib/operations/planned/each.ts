import { listSystems } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import type { ShownPlan } from '../../model/plan.ts';
import { withNats } from '../../nats/open.ts';
import { type PlanResult, planOperation } from '../plan.ts';
import { chooseSources, type SpecChoice } from '../spec-source.ts';

/** The plan of one system, as it is shown and as a file would hold it. */
export interface PlanOfOne extends Omit<PlanResult, 'plans' | 'saved'> {
  readonly plan: ShownPlan;
  readonly saved: string;
  /** What names it on a command line; nothing for what the server itself says. */
  readonly source?: string;
}

/** A plan of each spec that is named, else of each system that was applied to the server. @throws as `planOperation` */
export async function planEach(
  context: Context,
  { specs = [], prune = false }: { readonly specs?: readonly string[]; readonly prune?: boolean },
): Promise<readonly PlanOfOne[]> {
  const sources = chooseSources(context, { specs });
  const choices: SpecChoice[] =
    sources.length > 0
      ? sources.map((source) => ({ specs: [source] }))
      : (await withNats(context, undefined, listSystems)).map((system) => ({ system }));
  const planned: PlanOfOne[] = [];
  // Without any system the operation says what is missing.
  for (const choice of choices.length > 0 ? choices : [{}]) {
    const { plans, saved, ...rest } = await planOperation(context, { ...choice, prune, out: '-' });
    const [source] = choice.specs ?? [];
    planned.push({ ...rest, plan: plans[0]!, saved: saved!, ...(source !== undefined && { source }) });
  }
  return planned;
}
