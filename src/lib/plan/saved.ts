import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { OpsError } from '../errors/ops-error.ts';
import { stableText } from '../model/json.ts';
import type { LastApplied, Override, Plan } from '../model/plan.ts';
import type { Observed, ResourceKey } from '../model/resource.ts';
import { fingerprintOf } from './fingerprint.ts';

/** What a saved plan carries besides the plan. */
export interface SavedMeta {
  /** RFC 3339. */
  readonly savedAt: string;
  readonly tool: string;
  /** The spec's source as given, for people. */
  readonly source: string;
  /** The resolved spec without secrets and its desired configurations, to record when the plan is applied. */
  readonly spec?: unknown;
  readonly desired?: LastApplied['configs'];
  /** Overrides given when it was made, such as `--prune`: the plan's changes depend on them. */
  readonly overrides?: readonly Override[];
}

export interface SavedPlan {
  readonly plan: Plan;
  readonly meta: SavedMeta;
  readonly digest: string;
}

/** The first word of the file, by which `apply` tells a saved plan from a spec. */
export const SAVED_PLAN_MARK = 'osapi-ops.plan';
const FORMAT = 1;

const planDigest = (plan: unknown, meta: unknown): string =>
  createHash('sha256').update(stableText({ plan, meta })).digest('hex');

/** A plan as the text of a file. */
export function savePlan(plan: Plan, meta: SavedMeta): string {
  // Through JSON once, so that what is digested is what a reader will see.
  const plain = JSON.parse(JSON.stringify({ plan, meta })) as { plan: Plan; meta: SavedMeta };
  const digest = planDigest(plain.plan, plain.meta);
  return `${JSON.stringify({ kind: SAVED_PLAN_MARK, format: FORMAT, digest, ...plain }, null, 2)}\n`;
}

/** True where the text is, or claims to be, a saved plan and not a spec. */
export const looksLikeSavedPlan = (text: string): boolean =>
  /^\s*\{\s*"kind"\s*:\s*"osapi-ops\.plan"/.test(text.slice(0, 200));

const record = z.record(z.string(), z.unknown());
const planShape = z.object({
  format: z.literal(FORMAT),
  system: z.string(),
  target: z.object({ server: record, url: z.string(), account: z.string(), chosenBy: z.string() }),
  fingerprint: z.record(z.string(), z.string()),
  changes: z.array(z.looseObject({ action: z.string(), kind: z.string(), name: z.string(), fields: z.array(record) })),
  findings: z.array(z.looseObject({ code: z.string(), severity: z.string(), message: z.string() })),
  steps: z.array(
    z.looseObject({ resource: z.string(), verb: z.string(), configs: z.array(record), stage: z.number() }),
  ),
  leftAlone: z.array(record),
  summary: z.record(z.string(), z.number()),
});
const metaShape = z.looseObject({ savedAt: z.string(), tool: z.string(), source: z.string() });

const unreadable = (why: string, cause?: unknown): OpsError =>
  new OpsError('PLAN_UNREADABLE', 'this is not a plan that can be carried out', {
    why,
    hints: ['make it again: osapi-ops plan SPEC --out FILE'],
    cause,
  });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable('The file is not JSON: it is damaged, or not a saved plan.', cause);
  }
}

/** Reads what `savePlan` wrote. Throws PLAN_UNREADABLE for anything else, one altered by hand included. */
export function readSavedPlan(text: string): SavedPlan {
  const file = record.safeParse(parseJson(text));
  if (!file.success || file.data.kind !== SAVED_PLAN_MARK)
    throw unreadable('The file does not say it is a saved plan.');
  const { format, digest, plan, meta } = file.data;
  if (format !== FORMAT) {
    throw unreadable(`It has format ${JSON.stringify(format)}; this version reads format ${FORMAT}.`);
  }
  if (digest !== planDigest(plan, meta))
    throw unreadable('It was altered after it was saved: its digest does not match.');
  const shape = planShape.safeParse(plan);
  const about = metaShape.safeParse(meta);
  if (!shape.success || !about.success) throw unreadable('Parts of it are missing or of the wrong kind.');
  return { plan: plan as Plan, meta: meta as SavedMeta, digest };
}

const NAMES_GONE = 'is gone';

/** What moved on the server since the plan was made, a sentence for each resource; empty where it still holds. */
export function staleness(saved: Pick<SavedPlan, 'plan'>, observed: Observed): string[] {
  const { plan } = saved;
  const moved: string[] = [];
  const [then, now] = [plan.target, observed.target];
  if (then.account !== now.account) moved.push(`the plan was made for account ${then.account}, this is ${now.account}`);
  if ((then.server.cluster ?? then.server.id) !== (now.server.cluster ?? now.server.id)) {
    moved.push(`the plan was made for ${whichServer(then.server)}, this is ${whichServer(now.server)}`);
  }
  if (then.server.version !== now.server.version) {
    moved.push(`the server was nats-server ${then.server.version} and is ${now.server.version}`);
  }
  const keys = Object.keys(plan.fingerprint) as ResourceKey[];
  const prints = fingerprintOf(observed, keys);
  for (const key of keys) {
    const [before, after] = [plan.fingerprint[key], prints[key]];
    if (before === after) continue;
    const how = before === 'absent' ? 'was created' : after === 'absent' ? NAMES_GONE : 'was changed';
    moved.push(`${key} ${how}`);
  }
  return moved;
}

const whichServer = ({ cluster, name }: { cluster?: string; name: string }): string =>
  cluster ? `cluster ${cluster}` : `server ${name}`;
