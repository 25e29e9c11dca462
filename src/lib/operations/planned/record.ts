import type { OpsError } from '../../errors/ops-error.ts';
import { identifyActor } from '../../ledger/actor.ts';
import { appendHistory } from '../../ledger/history.ts';
import { type Applied, recordApplied, specDigest } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import { type Config, equalJson, type Json } from '../../model/json.ts';
import type { Change, Filled, Plan } from '../../model/plan.ts';
import { type Desired, keyOf, type ResourceKey } from '../../model/resource.ts';
import type { LoadedSpec, Spec } from '../../model/spec.ts';
import type { Nats } from '../../nats/connect.ts';
import { planJson } from '../../plan/json.ts';

/** The desired configurations by resource, as the ledger keeps them. */
export const configsOf = (desired: Desired): Record<ResourceKey, Config> =>
  Object.fromEntries(desired.resources.map((resource) => [keyOf(resource), resource.config]));

/** What is to be written down of a system that was applied. */
export interface Applying {
  readonly nats: Nats;
  readonly system: string;
  readonly spec: Spec;
  readonly configs: Readonly<Record<ResourceKey, Config>>;
  readonly filled: Filled;
  readonly lastApplied?: Applied;
}

/** True where the ledger does not say what is applied now. */
export const needsRecord = ({ spec, configs, lastApplied }: Applying): boolean =>
  lastApplied === undefined || lastApplied.digest !== specDigest(spec) || !equalJson(lastApplied.configs, configs);

/** Writes the ledger's entry. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function recordSystem(context: Context, applying: Applying): Promise<void> {
  const { nats, system, spec, configs, filled, lastApplied } = applying;
  const actor = identifyActor(context.env);
  await recordApplied(nats, {
    system,
    spec,
    configs,
    filled,
    actor,
    at: context.now(),
    tool: context.tool,
    before: lastApplied,
  });
}

const MOST_NAMED = 5;

/** What was moved, from what to what: `stream REQUESTS (storage memory → file)`, `stream REQUESTS → LOOKUPS`. */
export function tellMoved(changes: readonly Change[]): string {
  const moved = changes.filter(({ action }) => action === 'migrate');
  const told = moved.slice(0, MOST_NAMED).map(({ kind, name, moved_from: before, fields }) => {
    const how = fields.flatMap(({ path, from, to, impact }) =>
      path === 'name' || impact !== 'replace' ? [] : [`${path} ${tellValue(from)} → ${tellValue(to)}`],
    );
    const names = before === undefined || before === name ? name : `${before} → ${name}`;
    return `${kind} ${names}${how.length > 0 ? ` (${how.join(', ')})` : ''}`;
  });
  return [...told, ...(moved.length > MOST_NAMED ? [`${moved.length - MOST_NAMED} more`] : [])].join('; ');
}

const tellValue = (value: Json): string =>
  value === null ? '(none)' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** `1 created, 2 updated, 0 replaced, 0 deleted, 3 unchanged`; what was moved is named where there is something. */
export function sumUp({ summary, changes }: Pick<Plan, 'summary' | 'changes'>): string {
  const { create, update, replace, delete: removed, unchanged } = summary;
  const moved = changes.filter(({ action }) => action === 'migrate').length;
  const told = moved > 0 ? `, ${moved} moved` : '';
  const named = moved > 0 ? `: ${tellMoved(changes)}` : '';
  return `${create} created, ${update} updated${told}, ${replace - moved} replaced, ${removed} deleted, ${unchanged} unchanged${named}`;
}

/** Writes down in the history what was done. */
export async function tellHistory(
  context: Context,
  nats: Nats,
  entry: {
    readonly system: string;
    readonly verb: string;
    readonly summary: string;
    readonly changes: readonly Change[];
    /** The digest of the saved plan that this carried out. */
    readonly plan?: string | undefined;
  },
): Promise<void> {
  await appendHistory(nats, {
    system: entry.system,
    verb: entry.verb,
    actor: identifyActor(context.env),
    at: context.now(),
    tool: context.tool,
    summary: entry.summary,
    detail: {
      ...(entry.plan !== undefined && { plan: entry.plan }),
      changes: entry.changes.map(({ action, kind, name, fields, status, error }) => ({
        action,
        kind,
        name,
        fields: fields.map(({ path, from, to }) => ({ path, from, to })),
        ...(status && { status }),
        ...(error && { error }),
      })),
    },
  });
}

/** Warns where the spec is one that was applied before and replaced by another since. */
export function warnOfOlderCopy(
  context: Context,
  { loaded, lastApplied }: { readonly loaded: LoadedSpec; readonly lastApplied?: Applied },
): boolean {
  if (!lastApplied) return false;
  const digest = specDigest(loaded.spec);
  const older = lastApplied.previous.find((version) => version.digest === digest);
  if (digest === lastApplied.digest || !older) return false;
  context.io.tell({
    type: 'warning',
    text:
      `${loaded.source} is an older copy: ${older.who} applied it on ${older.at}, and ` +
      `${lastApplied.who} applied a newer one on ${lastApplied.at}. Applying it goes back.`,
  });
  return true;
}

/** A failure of a plan that was not carried out whole, with how far it came, what to do, and the status of its changes. */
export const asStopped = (
  fault: OpsError,
  { plan, changes, sum, hints }: { plan: Plan; changes: readonly Change[]; sum: string; hints: readonly string[] },
): OpsError =>
  fault.with({
    code: fault.code === 'SERVER_REFUSED' || fault.code === 'NOT_FOUND' ? 'APPLY_FAILED' : fault.code,
    message: `${fault.message}; ${sum}`,
    why: fault.why ?? (fault.code === 'INTERRUPTED' ? 'Nothing was begun after it.' : 'The server refused a step.'),
    hints,
    result: { ...planJson(plan, changes), applied: false },
  });
