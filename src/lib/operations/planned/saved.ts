import { open } from 'node:fs/promises';
import path from 'node:path';
import { deriveDesired } from '../../desired/derive.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { readLastApplied } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import type { ResourceKey } from '../../model/resource.ts';
import type { Spec } from '../../model/spec.ts';
import type { Nats } from '../../nats/connect.ts';
import { openNats } from '../../nats/open.ts';
import { readObserved } from '../../observed/read.ts';
import { looksLikeSavedPlan, readSavedPlan, type SavedPlan, staleness } from '../../plan/saved.ts';
import { fromLedger } from '../spec-source.ts';
import type { Prepared } from './prepare.ts';

/** The plan in a file, where the file is one; `undefined` for a spec, standard input, or what cannot be read. */
export async function readPlanFile(context: Context, source: string): Promise<SavedPlan | undefined> {
  if (source === '-') return undefined;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path.resolve(context.cwd, source));
  } catch {
    // The spec's reader says what is wrong with it.
    return undefined;
  }
  try {
    // A position of its own leaves the file's where it is: the whole is read from the start below.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    if (!looksLikeSavedPlan(buffer.toString('utf8', 0, bytesRead))) return undefined;
    return readSavedPlan(await file.readFile('utf8'));
  } catch (error) {
    if (error instanceof OpsError) throw error;
    return undefined;
  } finally {
    await file.close();
  }
}

/** Connects as the plan's spec says, unless flags or environment say otherwise. */
export const openForPlan = (context: Context, saved: SavedPlan): Promise<Nats> =>
  openNats(context, { ...fromLedger(saved.meta.spec as Spec), source: saved.meta.source });

const inShort = (moved: readonly string[]): string =>
  [...moved.slice(0, 5), ...(moved.length > 5 ? [`and ${moved.length - 5} more`] : [])].join('; ');

/**
 * Looks whether the plan still fits the server, and makes of it what can be carried out.
 * @throws OpsError PLAN_STALE naming what moved
 */
export async function prepareSaved(context: Context, nats: Nats, saved: SavedPlan, source: string): Promise<Prepared> {
  const keys = Object.keys(saved.plan.fingerprint) as ResourceKey[];
  const [observed, lastApplied] = await Promise.all([
    readObserved(nats, keys),
    readLastApplied(nats, saved.plan.system),
  ]);
  const moved = staleness(saved, observed);
  if (moved.length > 0) {
    throw new OpsError('PLAN_STALE', `the saved plan no longer fits: ${inShort(moved)}`, {
      where: source,
      why: `It was made ${saved.meta.savedAt} from ${saved.meta.source}, and the server has moved since. Nothing was touched.`,
      hints: [`make it again and look at it: osapi-ops plan ${saved.meta.source} --out ${path.basename(source)}`],
      problems: moved.map((message) => ({ code: 'PLAN_STALE', message })),
    });
  }
  context.io.signal.throwIfAborted();
  const loaded = { ...fromLedger(saved.meta.spec as Spec), source: saved.meta.source };
  return {
    nats,
    loaded,
    desired: deriveDesired(loaded),
    observed,
    plan: { ...saved.plan, target: nats.target },
    ...(lastApplied && { lastApplied }),
  };
}
