import * as z from 'zod/mini';
import { OpsError } from '../errors/ops-error.ts';
import { equalJson } from '../model/json.ts';
import { ACTIONS, OVERRIDES } from '../model/plan.ts';
import { summarize } from './make-plan.ts';
import {
  planDigest,
  type ReadPlan,
  SAVED_PLAN_FORMAT,
  SAVED_PLAN_MARK,
  type SavedPlan,
  unreadablePlan,
} from './saved.ts';

const text = z.string();
const words = z.optional(text);
const count = z.int().check(z.nonnegative());
const kind = z.enum(['stream', 'consumer', 'bucket']);
const key = z.templateLiteral([kind, ' ', text]);
const impact = z.enum(['in-place', 'replace']);
const origin = z.enum(['spec', 'server', 'both', 'unknown']);
const field = z.object({ path: text, from: z.json(), to: z.json(), impact, origin, note: words });
const change = z.object({
  action: z.enum(ACTIONS),
  kind,
  name: text,
  role: z.enum(['queue', 'worker', 'dlq', 'responses', 'other']),
  fields: z.array(field),
  origin,
  reason: words,
  moved_from: words,
  hops: z.optional(z.array(z.object({ from: text, to: text }))),
  reverse: words,
  retries: words,
});
const flag = z.enum(OVERRIDES);
const finding = z.object({
  code: text,
  severity: z.enum(['info', 'warning', 'refuse']),
  resource: key,
  field: words,
  message: text,
  hint: words,
  needs: z.optional(flag),
  unless: z.optional(flag),
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

/**
 * Reads what `savePlan` wrote. The digest finds what was damaged or edited; it proves nothing of who wrote it.
 * Throws PLAN_UNREADABLE for anything else.
 */
export function readSavedPlan(source: string): ReadPlan {
  try {
    return parseSaved(JSON.parse(source));
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw unreadablePlan('The file is not JSON, or nested without end: it is damaged, or not a saved plan.', cause);
  }
}

const headShape = z.looseObject({ kind: z.literal(SAVED_PLAN_MARK) });

function parseSaved(file: unknown): ReadPlan {
  const head = headShape.safeParse(file);
  if (!head.success) throw unreadablePlan('The file does not say it is a saved plan.');
  const { format, digest, plan, meta } = head.data;
  if (format !== SAVED_PLAN_FORMAT) {
    throw unreadablePlan(`It has format ${JSON.stringify(format)}; this version reads format ${SAVED_PLAN_FORMAT}.`);
  }
  if (digest !== planDigest(plan, meta))
    throw unreadablePlan('It was altered after it was saved: its digest does not match.');
  const shape = savedShape.safeParse({ plan, meta });
  if (!shape.success) throw unreadablePlan('Parts of it are missing or of the wrong kind.');
  const saved: SavedPlan = shape.data;
  const { changes, summary } = saved.plan;
  const all = summary.create + summary.update + summary.replace + summary.unchanged;
  if (!equalJson(summarize(changes, all), summary)) throw unreadablePlan('Its sum is not that of its changes.');
  return { ...saved, digest };
}
