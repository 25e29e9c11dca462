import { stat } from 'node:fs/promises';
import path from 'node:path';
import { OpsError } from '../../errors/ops-error.ts';
import { systemReason } from '../../errors/system-error.ts';
import { readWhole } from '../../files/read.ts';
import { readHistory } from '../../ledger/history.ts';
import type { Context } from '../../model/context.ts';
import type { HistoryRecord } from '../../model/history.ts';
import { objectOf } from '../../model/json.ts';
import { toType } from '../../model/shell.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import { answerOf, orElse } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { looksLikeSavedPlan, type ReadPlan, staleness, unreadablePlan } from '../../plan/saved.ts';
import { LEDGER_SOURCE } from '../spec-source.ts';
import { type Prepared, prepareSystem } from './prepare.ts';

/** A saved plan, and the spec inside it. */
export interface PlanFile extends ReadPlan {
  readonly loaded: LoadedSpec;
}

/** Far beyond the plan of thousands of resources. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The plan in a file, where the file is one; `undefined` for a spec, standard input, or what cannot be read. */
export async function readPlanFile(context: Context, source: string): Promise<PlanFile | undefined> {
  if (source === '-') return undefined;
  const file = path.resolve(context.cwd, source);
  let text: string;
  try {
    // What is read from a FIFO is gone from it, and there it is a spec.
    if (!(await stat(file)).isFile()) return undefined;
    text = (await readWhole(file, MOST_BYTES)).toString('utf8');
  } catch (error) {
    if (path.extname(source) === '.plan')
      throw unreadablePlan(`${source} cannot be read: ${systemReason(error)}.`, error);
    // The spec's reader says what is wrong with it.
    return undefined;
  }
  if (!looksLikeSavedPlan(text)) return undefined;
  // What checks the file's parts takes long to load, and seldom is there such a file.
  const { readSavedPlan } = await import('../../plan/read-saved.ts');
  const saved = readSavedPlan(text);
  return { ...saved, loaded: await loadInside(context, saved) };
}

/** The spec that a plan was made of, judged like one that is read from a file. @throws OpsError PLAN_UNREADABLE */
async function loadInside({ cwd }: Context, { plan, meta }: ReadPlan): Promise<LoadedSpec> {
  const { loadAlone } = await import('../../spec/load.ts');
  const { loaded, problems } = loadAlone(meta.spec, meta.source, cwd);
  if (!loaded) {
    const first = problems.find(({ severity }) => severity === 'error')!;
    throw unreadablePlan(`The spec inside it is wrong: ${first.message}.`);
  }
  if (loaded.spec.name !== plan.system) {
    throw unreadablePlan(`It shows changes of ${plan.system}, and the spec inside it is that of ${loaded.spec.name}.`);
  }
  // Places in that text say nothing to a person.
  return { ...loaded, positionOf: () => undefined };
}

const inShort = (moved: readonly string[]): string =>
  [...moved.slice(0, 5), ...(moved.length > 5 ? [`and ${moved.length - 5} more`] : [])].join('; ');

const STALE = 'the saved plan no longer fits';

/** So many of the newest records of its system are looked through. */
const LOOKED_THROUGH = 200;

/** Who carried this plan out, and when: a pipeline that runs again is no other change of the server. */
async function carriedOut(nats: Nats, { plan, digest }: PlanFile): Promise<HistoryRecord | undefined> {
  const reading = answerOf(readHistory(nats, { system: plan.system, limit: LOOKED_THROUGH }));
  const records = await orElse(reading, { missing: [], denied: [], silent: [] });
  return records.find(({ detail }) => objectOf(detail).plan === digest);
}

/**
 * Makes the plan again from its spec and what the server has now. It is carried out where that gives what was shown.
 * @throws OpsError PLAN_STALE naming what is otherwise
 */
export async function prepareSaved(context: Context, nats: Nats, saved: PlanFile, source: string): Promise<Prepared> {
  const { plan, meta, loaded } = saved;
  const system = await prepareSystem(context, { nats, loaded }, { prune: meta.prune });
  const moved = staleness(plan, system.plan, system.observed);
  context.io.signal.throwIfAborted();
  if (moved.length === 0) return { ...system, saved: saved.digest };
  const done = await carriedOut(nats, saved);
  const file = path.basename(source);
  const line =
    meta.source === LEDGER_SOURCE
      ? toType`osapi-ops plan --out ${file}`
      : toType`osapi-ops plan --out ${file} ${meta.source}`;
  const what = done ? `this very plan was carried out before, by ${done.who} on ${done.host}, ${done.at}` : STALE;
  throw new OpsError('PLAN_STALE', `${what}: ${inShort(moved)}`, {
    where: source,
    why: `It does what it shows, or nothing: it was made ${meta.savedAt} from ${meta.source}. Nothing was touched.`,
    hints: [`make it again and look at it: \`${meta.prune ? line.replace(' --out', ' --prune --out') : line}\``],
    problems: moved.map((message) => ({ code: 'PLAN_STALE', message })),
  });
}
