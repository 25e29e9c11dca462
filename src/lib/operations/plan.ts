import path from 'node:path';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import { writeText } from '../files/write.ts';
import { withoutSecrets } from '../ledger/store.ts';
import { ledPlan } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { ShownPlan } from '../model/plan.ts';
import { toType } from '../model/shell.ts';
import { savePlan } from '../plan/saved.ts';
import { refusals } from '../risk/judge.ts';
import { problemsOf } from './planned/consent.ts';
import { openSystems, type Prepared, prepareSystem } from './planned/prepare.ts';
import { warnOfOlderCopy } from './planned/record.ts';
import { type PlanFile, readPlanFile } from './planned/saved.ts';
import { LEDGER_SOURCE, type SpecChoice } from './spec-source.ts';

export interface PlanOptions extends SpecChoice {
  /** Also plan the removal of what is no longer in the spec. */
  readonly prune?: boolean;
  /** Where to save the plan. */
  readonly out?: string;
}

export interface PlanResult {
  readonly plans: readonly ShownPlan[];
  /** True where anything would change. */
  readonly pending: boolean;
  /** What apply refuses unless a flag allows it, with the places in the specs; of a saved plan none. */
  readonly refused: readonly Problem[];
  /** The plan as a file holds it, where `out` is standard output. */
  readonly saved?: string;
}

/**
 * The difference between specs and servers; of a saved plan what it holds, without asking a server. Reads only, but for
 * the file that `out` names.
 * @throws OpsError USAGE*, SPEC_*, PLAN_UNREADABLE, CONN_*, DENIED_*, SERVER_TOO_OLD
 */
export async function planOperation(context: Context, options: PlanOptions): Promise<PlanResult> {
  const [only] = options.specs ?? [];
  const saved = options.specs?.length === 1 && only !== undefined ? await readPlanFile(context, only) : undefined;
  if (saved) return showSaved(context, saved, options);
  const opened = await openSystems(context, options);
  try {
    if (options.out !== undefined && opened.systems.length > 1) {
      throw new OpsError('USAGE', '--out saves the plan of one system', {
        why: `${opened.systems.length} specs were named.`,
        hints: ['run `plan --out` once for each spec'],
      });
    }
    const systems: Prepared[] = [];
    for (const system of opened.systems) systems.push(await prepareSystem(context, system, options));
    for (const system of systems) warnOfOlderCopy(context, system);
    const saved = options.out === undefined ? undefined : await savedText(context, systems[0]!, options.prune ?? false);
    if (options.out !== undefined && options.out !== '-') await saveTo(context, options.out, saved!);
    return {
      plans: systems.map(({ plan }) => ledPlan(plan, context.connection)),
      pending: systems.some(({ plan }) => plan.changes.length > 0),
      ...(options.out === '-' && { saved: saved! }),
      refused: systems.flatMap(({ plan, desired }) => problemsOf(refusals(plan, new Set()), desired)),
    };
  } finally {
    await opened.close();
  }
}

function showSaved(context: Context, { plan, meta }: PlanFile, { out, prune }: PlanOptions): PlanResult {
  if (out !== undefined || prune) {
    throw new OpsError('USAGE', `a saved plan is shown as it is: it takes no ${prune ? '--prune' : '--out'}`, {
      hints: [meta.source === LEDGER_SOURCE ? 'plan again' : `plan ${meta.source} again`],
    });
  }
  context.io.tell({ type: 'note', text: `Saved ${meta.savedAt} from ${meta.source}; no server was asked` });
  return { plans: [ledPlan(plan, context.connection)], pending: plan.changes.length > 0, refused: [] };
}

async function savedText(context: Context, system: Prepared, prune: boolean): Promise<string> {
  const { printSpec } = await import('../spec/print.ts');
  return savePlan(system.plan, {
    savedAt: context.now().toISOString(),
    tool: context.tool,
    source: system.loaded.source,
    spec: printSpec(withoutSecrets(system.loaded.spec)),
    prune,
  });
}

async function saveTo(context: Context, out: string, text: string): Promise<void> {
  // It can hold names and limits that are nobody else's business.
  await writeText({ path: path.resolve(context.cwd, out), what: `the plan to ${out}`, mode: 0o600 }, text);
  context.io.tell({
    type: 'note',
    text: `Saved to ${out}; carry it out with \`${toType`osapi-ops apply ${out}`}\``,
  });
}
