import { OpsError } from '../../errors/ops-error.ts';
import { type Applied, readAllApplied } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import type { StatusReport } from '../../model/verdict.ts';
import { openNats, settingsFor } from '../../nats/open.ts';
import { chooseSources, fromLedger, loadForWork, type SpecChoice } from '../spec-source.ts';
import { createLooker, isServerAway, type LookOptions, openStatus, type StatusSource, unreached } from '../status.ts';

/** A system; the error where its server could not be asked. */
export interface SystemStatus {
  readonly report: StatusReport;
  readonly error?: OpsError;
}

export interface SystemsChoice extends SpecChoice, LookOptions {
  /** Every system that was applied to the server. */
  readonly all?: boolean;
}

/** Systems that are looked at, time after time. */
export interface SystemsSource {
  /** Reads and judges each. @throws OpsError of one that is looked at alone, or of the server of all; else it is a row */
  look(): Promise<readonly SystemStatus[]>;
  close(): Promise<void>;
}

/**
 * Loads the specs, where some are named or one lies here; asks no server. What comes opens their servers.
 * @throws OpsError USAGE, SPEC_*, CONN_CONTEXT
 */
export async function loadSystems(context: Context, choice: SystemsChoice): Promise<() => Promise<SystemsSource>> {
  if (choice.all) {
    if (choice.specs && choice.specs.length > 0) {
      throw new OpsError('USAGE', '--all takes no spec: it looks at what was applied to the server', {
        hints: ['leave out the spec, or --all'],
      });
    }
    settingsFor(context);
    return () => openAll(context, choice);
  }
  const specs: LoadedSpec[] = [];
  for (const source of chooseSources(context, choice)) specs.push(await loadForWork(context, source));
  for (const spec of specs.length > 0 ? specs : [undefined]) settingsFor(context, spec);
  if (specs.length > 1) return async () => openSpecs(context, specs, choice);
  return async () => {
    const { look, close } = await openStatus(context, specs[0], choice);
    return { look: async () => [{ report: await look() }], close };
  };
}

/** The health of systems, once. @throws what `loadSystems`, what it gives, and a look throw */
export async function statusOfSystems(context: Context, choice: SystemsChoice): Promise<readonly SystemStatus[]> {
  const open = await loadSystems(context, choice);
  const source = await open();
  try {
    return await source.look();
  } finally {
    await source.close();
  }
}

/** Each on the server it names. A server that is away is a row, and asked again with the next look. */
function openSpecs(context: Context, specs: readonly LoadedSpec[], options: LookOptions): SystemsSource {
  const sources = new Map<LoadedSpec, StatusSource>();
  const away =
    (loaded: LoadedSpec) =>
    (error: unknown): SystemStatus => {
      if (!isServerAway(error)) throw error;
      return { report: { ...unreached(context, error), system: loaded.spec.name }, error };
    };
  return {
    async look() {
      const rows = new Map<LoadedSpec, SystemStatus>();
      // One after the other: a connection that fails while another is greeted takes it along.
      for (const loaded of specs.filter((one) => !sources.has(one))) {
        const source = await openStatus(context, loaded, options).catch(away(loaded));
        if ('report' in source) rows.set(loaded, source);
        else sources.set(loaded, source);
      }
      return Promise.all(
        specs.map(async (loaded): Promise<SystemStatus> => {
          const row = rows.get(loaded);
          if (row) return row;
          const source = sources.get(loaded)!;
          return source
            .look()
            .then((report) => ({ report }))
            .catch(async (error) => {
              sources.delete(loaded);
              await source.close();
              return away(loaded)(error);
            });
        }),
      );
    },
    async close() {
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}

/** What was applied to one server, also since the look before; what is there, where nothing ever was. */
async function openAll(context: Context, options: LookOptions): Promise<SystemsSource> {
  const nats = await openNats(context);
  const lookers = new Map<string, { readonly digest: string; look(): Promise<StatusReport> }>();
  const lookerFor = (applied: Applied) => {
    const { system, digest, spec } = applied;
    const known = lookers.get(system);
    const looker =
      known?.digest === digest
        ? known
        : { digest, look: createLooker(context, nats, fromLedger(spec), applied, options) };
    lookers.set(system, looker);
    return looker;
  };
  const bare = createLooker(context, nats, undefined, undefined, options);
  return {
    async look() {
      const all = await readAllApplied(nats);
      const looks = all.length > 0 ? all.map((applied) => lookerFor(applied)) : [{ look: bare }];
      return Promise.all(looks.map(async ({ look }) => ({ report: await look() })));
    },
    close: () => nats.close(),
  };
}
