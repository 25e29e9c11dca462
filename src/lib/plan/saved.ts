import { createHash } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';
import { equalJson, stableText } from '../model/json.ts';
import type { Finding, Plan, ShownPlan } from '../model/plan.ts';
import { keyOf, type Observed, type ResourceKey } from '../model/resource.ts';
import { fingerprintOf } from './fingerprint.ts';
import { SETTING } from './settings.ts';

/** What a saved plan carries besides what it shows. */
export interface SavedMeta {
  /** RFC 3339. */
  readonly savedAt: string;
  readonly tool: string;
  /** The spec's source as given, for people. */
  readonly source: string;
  /** The resolved spec without secrets, as YAML: the plan is made again from it when it is carried out. */
  readonly spec: string;
  /** Whether it was made with `--prune`. */
  readonly prune: boolean;
}

export interface SavedPlan {
  readonly plan: ShownPlan;
  readonly meta: SavedMeta;
}

/** One that was read, and what no other has: by it the history tells which plan was carried out. */
export interface ReadPlan extends SavedPlan {
  readonly digest: string;
}

/** The first word of the file, by which `apply` tells a saved plan from a spec. */
export const SAVED_PLAN_MARK = 'osapi-ops.plan';
export const SAVED_PLAN_FORMAT = 2;

export const planDigest = (plan: unknown, meta: unknown): string =>
  createHash('sha256').update(stableText({ plan, meta })).digest('hex');

/** A plan as the text of a file. */
export function savePlan(plan: Plan, meta: SavedMeta): string {
  const { steps: _, ...shown } = plan;
  // Through JSON once, so that what is digested is what a reader will see.
  const plain = JSON.parse(JSON.stringify({ plan: shown, meta })) as SavedPlan;
  const digest = planDigest(plain.plan, plain.meta);
  return `${JSON.stringify({ kind: SAVED_PLAN_MARK, format: SAVED_PLAN_FORMAT, digest, ...plain }, null, 2)}\n`;
}

/** True where the text is, or claims to be, a saved plan and not a spec. */
export const looksLikeSavedPlan = (text: string): boolean =>
  /^\s*\{\s*"kind"\s*:\s*"osapi-ops\.plan"/.test(text.slice(0, 200));

/** A plan file that cannot be carried out, and why. */
export const unreadablePlan = (why: string, cause?: unknown): OpsError =>
  new OpsError('PLAN_UNREADABLE', 'this is not a plan that can be carried out', {
    why,
    hints: ['make it again: `osapi-ops plan SPEC --out FILE`'],
    cause,
  });

/**
 * Why a saved plan may not be carried out, a sentence each: what moved on the server since it was made, else what it
 * does not show of what its spec would do now. Empty where it does what it shows.
 */
export function staleness(saved: ShownPlan, fresh: Plan, observed: Observed): string[] {
  const moved = movedSince(saved, fresh, observed);
  return moved.length > 0 ? moved : [...unlikeShown(saved, fresh), ...unsaid(saved.findings, fresh.findings)];
}

function movedSince(saved: ShownPlan, fresh: Plan, observed: Observed): string[] {
  const moved: string[] = [];
  const [then, now] = [saved.target, fresh.target];
  if (then.account !== now.account) moved.push(`the plan was made for account ${then.account}, this is ${now.account}`);
  if ((then.server.cluster ?? then.server.id) !== (now.server.cluster ?? now.server.id)) {
    const [before, which] = [whichServer(then.server), whichServer(now.server)];
    // A server has another identity with each start.
    const isNamesake = before === which;
    moved.push(
      isNamesake
        ? `${before} was restarted since, or is another of that name (then ${then.url}, now ${now.url})`
        : `the plan was made for ${before}, this is ${which}`,
    );
  }
  if (then.server.version !== now.server.version) {
    moved.push(`the server was nats-server ${then.server.version} and is ${now.server.version}`);
  }
  const keys = new Set([...Object.keys(saved.fingerprint), ...Object.keys(fresh.fingerprint)] as ResourceKey[]);
  const prints = fingerprintOf(observed, keys);
  for (const each of keys) {
    const [before, after] = [saved.fingerprint[each] ?? 'absent', prints[each]];
    if (before === after) continue;
    const how = before === 'absent' ? 'was created' : after === 'absent' ? 'is gone' : 'was changed';
    moved.push(`${each} ${how}`);
  }
  return moved;
}

/** The changes that are not to the letter what is shown. */
function unlikeShown(saved: ShownPlan, fresh: Plan): string[] {
  const [shown, made] = [saved, fresh].map(({ changes }) => new Map(changes.map((each) => [keyOf(each), each])));
  const found = [...new Set([...shown!.keys(), ...made!.keys()])].flatMap((each) => {
    const [told, done] = [shown!.get(each), made!.get(each)];
    if (equalJson(told, done)) return [];
    if (!told) return [`it does not show that it would ${done!.action} ${each}`];
    return [
      `it shows that it would ${told.action} ${each}, ${done ? 'otherwise than its spec says' : 'which its spec does not say'}`,
    ];
  });
  const isTwice = found.length === 0 && saved.changes.length !== shown!.size;
  return isTwice ? ['it shows a change twice'] : found;
}

/** What stands in the way now that was not said then: nobody agreed to it. Figures may differ. */
function unsaid(then: readonly Finding[], now: readonly Finding[]): string[] {
  const idOf = ({ code, resource, field: at, needs, message }: Finding): string =>
    stableText([code, resource, at, needs, code === SETTING && message]);
  const said = new Set(then.map(idOf));
  const counts = ({ severity, code }: Finding) => severity === 'refuse' || code === SETTING;
  return now.filter((each) => counts(each) && !said.has(idOf(each))).map(({ message }) => message);
}

const whichServer = ({ cluster, name }: { cluster?: string; name: string }): string =>
  cluster ? `cluster ${cluster}` : `server ${name}`;
