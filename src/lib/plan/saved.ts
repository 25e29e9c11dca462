import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { OpsError } from '../errors/ops-error.ts';
import { equalJson, stableText } from '../model/json.ts';
import type { Finding, Plan, ShownPlan } from '../model/plan.ts';
import { keyOf, type Observed, type ResourceKey } from '../model/resource.ts';
import { fingerprintOf } from './fingerprint.ts';
import { summarize } from './make-plan.ts';

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

/** The first word of the file, by which `apply` tells a saved plan from a spec. */
export const SAVED_PLAN_MARK = 'osapi-ops.plan';
const FORMAT = 2;

const digestOf = (plan: unknown, meta: unknown): string =>
  createHash('sha256').update(stableText({ plan, meta })).digest('hex');

/** A plan as the text of a file. */
export function savePlan(plan: Plan, meta: SavedMeta): string {
  const { steps: _, ...shown } = plan;
  // Through JSON once, so that what is digested is what a reader will see.
  const plain = JSON.parse(JSON.stringify({ plan: shown, meta })) as SavedPlan;
  const digest = digestOf(plain.plan, plain.meta);
  return `${JSON.stringify({ kind: SAVED_PLAN_MARK, format: FORMAT, digest, ...plain }, null, 2)}\n`;
}

/** True where the text is, or claims to be, a saved plan and not a spec. */
export const looksLikeSavedPlan = (text: string): boolean =>
  /^\s*\{\s*"kind"\s*:\s*"osapi-ops\.plan"/.test(text.slice(0, 200));

const text = z.string();
const words = z.optional(text);
const count = z.int().check(z.nonnegative());
const kind = z.enum(['stream', 'consumer', 'bucket']);
const key = z.templateLiteral([kind, ' ', text]);
const impact = z.enum(['in-place', 'replace']);
const origin = z.enum(['spec', 'server', 'both', 'unknown']);
const field = z.object({ path: text, from: z.json(), to: z.json(), impact, origin, note: words });
const change = z.object({
  action: z.enum(['create', 'update', 'replace', 'delete']),
  kind,
  name: text,
  role: z.enum(['queue', 'worker', 'dlq', 'responses', 'other']),
  fields: z.array(field),
  origin,
  reason: words,
  reverse: words,
  retries: words,
});
const finding = z.object({
  code: text,
  severity: z.enum(['info', 'warning', 'refuse']),
  resource: key,
  field: words,
  message: text,
  hint: words,
  needs: z.optional(z.enum(['adopt', 'prune', 'allow-replace', 'allow-data-loss'])),
  count: z.optional(z.number()),
});
const server = z.object({
  name: text,
  id: text,
  version: text,
  cluster: words,
  domain: words,
  jetstream: z.boolean(),
  max_payload: z.number(),
});
const savedShape = z.object({
  plan: z.object({
    system: text,
    target: z.object({ server, url: text, account: text, chosenBy: text }),
    fingerprint: z.record(key, text),
    changes: z.array(change),
    findings: z.array(finding),
    leftAlone: z.array(z.object({ resource: key, what: text })),
    summary: z.object({ create: count, update: count, replace: count, delete: count, unchanged: count }),
  }),
  meta: z.object({ savedAt: text, tool: text, source: text, spec: text, prune: z.boolean() }),
});

/** A plan file that cannot be carried out, and why. */
export const unreadablePlan = (why: string, cause?: unknown): OpsError =>
  new OpsError('PLAN_UNREADABLE', 'this is not a plan that can be carried out', {
    why,
    hints: ['make it again: osapi-ops plan SPEC --out FILE'],
    cause,
  });

/**
 * Reads what `savePlan` wrote. The digest finds what was damaged or edited; it proves nothing of who wrote it.
 * Throws PLAN_UNREADABLE for anything else.
 */
export function readSavedPlan(source: string): SavedPlan {
  try {
    return parseSaved(JSON.parse(source));
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw unreadablePlan('The file is not JSON, or nested without end: it is damaged, or not a saved plan.', cause);
  }
}

const headShape = z.looseObject({ kind: z.literal(SAVED_PLAN_MARK) });

function parseSaved(file: unknown): SavedPlan {
  const head = headShape.safeParse(file);
  if (!head.success) throw unreadablePlan('The file does not say it is a saved plan.');
  const { format, digest, plan, meta } = head.data;
  if (format !== FORMAT) {
    throw unreadablePlan(`It has format ${JSON.stringify(format)}; this version reads format ${FORMAT}.`);
  }
  if (digest !== digestOf(plan, meta))
    throw unreadablePlan('It was altered after it was saved: its digest does not match.');
  const shape = savedShape.safeParse({ plan, meta });
  if (!shape.success) throw unreadablePlan('Parts of it are missing or of the wrong kind.');
  const saved: SavedPlan = shape.data;
  const { changes, summary } = saved.plan;
  const all = summary.create + summary.update + summary.replace + summary.unchanged;
  if (!equalJson(summarize(changes, all), summary)) throw unreadablePlan('Its sum is not that of its changes.');
  return saved;
}

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
    moved.push(`the plan was made for ${nameOf(then.server)}, this is ${nameOf(now.server)}`);
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
  const idOf = ({ code, resource, field: at, needs }: Finding): string => stableText([code, resource, at, needs]);
  const said = new Set(then.map(idOf));
  return now.filter((each) => each.severity === 'refuse' && !said.has(idOf(each))).map(({ message }) => message);
}

const nameOf = ({ cluster, name }: { cluster?: string; name: string }): string =>
  cluster ? `cluster ${cluster}` : `server ${name}`;
