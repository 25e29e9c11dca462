import { deriveDesired } from '../../desired/derive.ts';
import { OpsError, type Problem } from '../../errors/ops-error.ts';
import { bucketStream, LEDGER_BUCKET } from '../../facts/names.ts';
import { findLedger } from '../../ledger/bucket.ts';
import { type Applied, readAppliedSpec, readLastApplied, withoutSecrets } from '../../ledger/store.ts';
import type { AccountUsage } from '../../model/account.ts';
import type { Context } from '../../model/context.ts';
import { stableText } from '../../model/json.ts';
import type { Unfinished } from '../../model/migration.ts';
import type { Plan } from '../../model/plan.ts';
import { type Desired, keyOf, type Observed, type ResourceKey } from '../../model/resource.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import { readAccount } from '../../nats/account.ts';
import { answerOf, orElse, orThrow } from '../../nats/answer.ts';
import { connect, type Nats } from '../../nats/connect.ts';
import { settingsFor } from '../../nats/open.ts';
import { readStream } from '../../nats/streams.ts';
import { askHolders, readHolders } from '../../observed/holders.ts';
import { measureLosses } from '../../observed/losses.ts';
import { readObserved, readSettled } from '../../observed/read.ts';
import { scanOwned } from '../../observed/scan.ts';
import { measureStranded } from '../../observed/stranded.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { afterMoves, keysOf } from '../../plan/moves.ts';
import { settingFindings } from '../../plan/settings.ts';
import { chooseSources, fromLedger, loadForWork, type SpecChoice } from '../spec-source.ts';
import { findBegun } from './begun.ts';
import { findMoves } from './moves.ts';

/** One system with everything that is known of it. */
export interface Prepared {
  readonly nats: Nats;
  readonly loaded: LoadedSpec;
  readonly desired: Desired;
  readonly observed: Observed;
  readonly lastApplied?: Applied;
  /** Migrations of it that were begun and not ended. */
  readonly unfinished: readonly Unfinished[];
  /** Whether anything was ever written down on this server, as far as this user may know. */
  readonly hasLedger: boolean;
  readonly plan: Plan;
  /** The digest of the saved plan that is carried out, where it is one. */
  readonly saved?: string;
}

/** How a system is looked at: what the flags of the command line say. */
export interface PrepareOptions {
  readonly prune?: boolean;
  readonly adopt?: boolean;
  /** What cannot be changed in place will be moved where that is possible. */
  readonly migrate?: boolean;
  /** It is to be made again, whether it could be moved or not. */
  readonly replace?: boolean;
}

/** What opening gave, and how to end it. */
export interface Opened {
  readonly systems: readonly { readonly nats: Nats; readonly loaded: LoadedSpec }[];
  close(): Promise<void>;
}

/**
 * Loads every spec first, then connects: once for each distinct set of settings. Without a spec, the ledger's.
 * @throws OpsError SPEC_*, USAGE_NO_SPEC, USAGE_AMBIGUOUS_SPEC, CONN_*, DENIED_*
 */
export async function openSystems(context: Context, choice: SpecChoice): Promise<Opened> {
  const sources = chooseSources(context, choice);
  const loaded: LoadedSpec[] = [];
  for (const source of sources) loaded.push(await loadForWork(context, source));
  refuseOverlap(loaded);
  const connections = new Map<string, Nats>();
  const open = async (spec?: LoadedSpec): Promise<Nats> => {
    const settings = settingsFor(context, spec);
    const key = stableText({ ...settings, chosenBy: '', sources: {} });
    const nats =
      connections.get(key) ??
      (await connect(settings, { signal: context.io.signal, env: context.env, cwd: context.cwd }));
    connections.set(key, nats);
    return nats;
  };
  const close = async () => {
    await Promise.all([...connections.values()].map((nats) => nats.close()));
  };
  try {
    const systems: { nats: Nats; loaded: LoadedSpec }[] = [];
    for (const each of loaded) systems.push({ nats: await open(each), loaded: each });
    if (systems.length === 0) {
      const nats = await open();
      const { spec } = await readAppliedSpec(nats, choice.system);
      systems.push({ nats, loaded: fromLedger(spec) });
    }
    return { systems, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Specs that are worked on together must be about different things. */
function refuseOverlap(specs: readonly LoadedSpec[]): void {
  if (specs.length < 2) return;
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const loaded of specs) {
    const note = (what: string, place: { file?: string; line?: number; column?: number } | undefined) => {
      const first = seen.get(what);
      if (first === undefined) seen.set(what, loaded.source);
      else {
        problems.push({
          code: 'SPEC_OVERLAP',
          message: `${what} is in ${first} and in ${loaded.source}`,
          why: 'Each would undo what the other does.',
          hint: 'keep it in one of them',
          ...place,
        });
      }
    };
    note(`system ${loaded.spec.name}`, loaded.positionOf(['name']));
    for (const resource of deriveDesired(loaded).resources) note(keyOf(resource), resource.positionOf?.());
  }
  if (problems.length === 0) return;
  throw new OpsError('SPEC_INVALID', 'these specs overlap', {
    why: 'Nothing was touched: specs that are applied together must be about different things.',
    hints: ['give each system a name of its own and each resource one spec'],
    problems,
  });
}

/** Reads the ledger's entry; one that cannot be read is told and counts as none, since only the wording needs it. */
async function readLedger(context: Context, nats: Nats, system: string): Promise<Applied | undefined> {
  const answer = await answerOf(readLastApplied(nats, system));
  if (answer.is === 'missing' || answer.is === 'denied') {
    const text = `${answer.error.message}: whether the spec or the server changed cannot be told`;
    context.io.tell({ type: 'warning', text });
    return undefined;
  }
  return orThrow(answer);
}

/** Reads what a plan needs, all of it side by side: the spec's resources, the ledger, and leftovers. */
async function readSystem(
  context: Context,
  nats: Nats,
  desired: Desired,
  prune: boolean,
): Promise<{ observed: Observed; hasLedger: boolean; lastApplied?: Applied }> {
  const wanted = desired.resources.flatMap(keysOf);
  const finding = findLedger(nats);
  const reading = readLedger(context, nats, desired.system);
  const [hasLedger, lastApplied, observed, owned] = await Promise.all([
    finding,
    // A ledger that is not there has no entry: that need not be heard twice.
    Promise.race([reading, finding.then((isThere) => (isThere ? reading : undefined))]),
    readSettled(nats, wanted, nats.settings.timeoutMs),
    prune ? scanOwned(nats, desired.system) : undefined,
  ]);
  const known = new Set(wanted);
  const dropped = Object.keys(lastApplied?.configs ?? {}).filter((key) => !known.has(key as ResourceKey));
  const leftovers = dropped.length > 0 ? await readObserved(nats, dropped as ResourceKey[]) : undefined;
  return {
    hasLedger,
    observed: {
      target: observed.target,
      resources: new Map([...(owned?.resources ?? []), ...(leftovers?.resources ?? []), ...observed.resources]),
    },
    lastApplied,
  };
}

/** What the account may use, where this user may ask; the ledger's bucket is looked for only where streams are counted. */
async function readLimits(nats: Nats): Promise<{ account?: AccountUsage; makesLedger?: boolean }> {
  const account = await orElse(readAccount(nats), { denied: undefined });
  if (!account || account.limits.max_streams <= 0) return { account };
  const ledger = await orElse(readStream(nats, bucketStream(LEDGER_BUCKET)), { missing: undefined, denied: 'unknown' });
  return { account, makesLedger: ledger === undefined };
}

/**
 * Reads the server and makes the plan of one system.
 * @throws OpsError CONN_*, DENIED_SUBJECT, SERVER_TOO_OLD
 */
export async function prepareSystem(
  context: Context,
  { nats, loaded }: { readonly nats: Nats; readonly loaded: LoadedSpec },
  { prune = false, adopt = false, migrate = false, replace = false }: PrepareOptions = {},
): Promise<Prepared> {
  const written = deriveDesired(loaded);
  const [{ observed: read, lastApplied, hasLedger }, names, room, unfinished] = await Promise.all([
    readSystem(context, nats, written, prune),
    askHolders(nats, written),
    readLimits(nats),
    findBegun(nats, written),
  ]);
  const desired = { ...written, resources: afterMoves(written.resources, read) };
  const now = context.now();
  const [limits, stranded, holders] = await Promise.all([
    measureLosses(nats, { desired, observed: read }, now),
    measureStranded(nats, { desired, observed: read }),
    readHolders(nats, { desired, observed: read }, names),
  ]);
  const losses = new Map([...limits, ...stranded]);
  const observed = { ...read, resources: new Map([...read.resources, ...holders]) };
  const input = { desired, observed, losses, prune, adopt, now, lastApplied, unfinished, migrate, ...room };
  const still = makePlan({ ...input, moves: new Map() });
  const found = await findMoves(nats, { desired, observed, plan: still });
  const moves = replace && !migrate ? new Map([...found].filter(([key]) => !observed.resources.has(key))) : found;
  const made = moves.size > 0 ? makePlan({ ...input, moves }) : still;
  const settings = lastApplied ? settingFindings(lastApplied.spec, withoutSecrets(loaded.spec)) : [];
  const plan = { ...made, findings: [...made.findings, ...settings] };
  return { nats, loaded, desired, observed, plan, lastApplied, hasLedger, unfinished };
}
