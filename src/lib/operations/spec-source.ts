import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Context } from '../model/context.ts';
import { toType } from '../model/shell.ts';
import type { LoadedSpec, Spec } from '../model/spec.ts';

/** The spec of a directory, where no other is named. */
export const DEFAULT_SPEC = 'osapi-ops.yaml';

/** What the user named, in the order it counts. */
export interface SpecChoice {
  /** The SPEC arguments. */
  readonly specs?: readonly string[];
  /** `-f/--file`, or `OSAPI_OPS_SPEC`. */
  readonly file?: string;
  /** Of the systems that were applied to the server this one, where no spec is named. */
  readonly system?: string;
}

/** The sources to load: arguments, else `-f`, else ./osapi-ops.yaml; empty where the server's ledger has to say. */
export function chooseSources(context: Pick<Context, 'cwd'>, { specs = [], file }: SpecChoice): readonly string[] {
  if (specs.length > 0) return [...new Set(specs)];
  if (file) return [file];
  return existsSync(path.join(context.cwd, DEFAULT_SPEC)) ? [DEFAULT_SPEC] : [];
}

/** Loads a spec and tells its warnings. @throws OpsError SPEC_INVALID, SPEC_UNREADABLE */
export async function loadForWork(context: Context, source: string): Promise<LoadedSpec> {
  // YAML and the schema take long to load; what lives by the ledger's spec never needs them.
  const { requireSpec } = await import('../spec/load.ts');
  const loaded = await requireSpec(source, { cwd: context.cwd, env: context.env, readStdin: context.readStdin });
  const warnings = loaded.problems.filter((problem) => problem.severity === 'warning').length;
  if (warnings > 0) {
    const [many, them] = warnings === 1 ? ['a warning', 'it'] : [`${warnings} warnings`, 'them'];
    context.io.tell({
      type: 'note',
      text: `${source} has ${many}: \`${toType`osapi-ops validate ${source}`}\` shows ${them}`,
    });
  }
  return loaded;
}

/** Where a spec was read that nobody named; it is no word of a line to type. */
export const LEDGER_SOURCE = 'the ledger of this server';

/** The ledger's spec as if it had been read from a file; it has no positions. */
export const fromLedger = (spec: Spec): LoadedSpec => ({
  spec,
  source: LEDGER_SOURCE,
  files: [],
  positionOf: () => undefined,
});
