import type { OpsError } from '../../errors/ops-error.ts';
import { readAllApplied } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import type { StatusReport } from '../../model/verdict.ts';
import { openNats, settingsFor } from '../../nats/open.ts';
import { fromLedger, loadForWork } from '../spec-source.ts';
import { createLooker, isServerAway, openStatus, type StatusSource, unreached } from '../status.ts';

/** One of several systems; the error where its server could not be asked. */
export interface SystemStatus {
  readonly report: StatusReport;
  readonly error?: OpsError;
}

/**
 * The health of each of these specs' systems, side by side, each on the server it names. A server that is away is a row,
 * not an end. @throws OpsError SPEC_*, CONN_CONTEXT before anything is asked
 */
export async function statusOfSpecs(context: Context, sources: readonly string[]): Promise<readonly SystemStatus[]> {
  const specs: LoadedSpec[] = [];
  for (const source of sources) specs.push(await loadForWork(context, source));
  for (const spec of specs) settingsFor(context, spec);
  const away =
    (loaded: LoadedSpec) =>
    (error: unknown): SystemStatus => {
      if (!isServerAway(error)) throw error;
      return { report: { ...unreached(context, error), system: loaded.spec.name }, error };
    };
  const opened: { loaded: LoadedSpec; source: StatusSource | SystemStatus }[] = [];
  try {
    // One after the other: a connection that fails while another is greeted takes it along.
    for (const loaded of specs) opened.push({ loaded, source: await openStatus(context, loaded).catch(away(loaded)) });
    return await Promise.all(
      opened.map(async ({ loaded, source }): Promise<SystemStatus> => {
        if ('report' in source) return source;
        return source.look().then((report) => ({ report }), away(loaded));
      }),
    );
  } finally {
    await Promise.all(opened.map(({ source }) => ('close' in source ? source.close() : undefined)));
  }
}

/** The health of every system that was applied to a server. @throws OpsError CONN_*, DENIED_*, INTERRUPTED */
export async function statusOfAll(context: Context): Promise<readonly SystemStatus[]> {
  const nats = await openNats(context);
  try {
    const all = await readAllApplied(nats);
    return await Promise.all(
      all.map(async (applied) => ({
        report: await createLooker(context, nats, fromLedger(applied.spec), applied)(),
      })),
    );
  } finally {
    await nats.close();
  }
}
