import type { Json } from '../../../src/lib/model/json.ts';
import type { Finding, LossFigure } from '../../../src/lib/model/plan.ts';
import type { DesiredResource, ObservedResource, ResourceKey } from '../../../src/lib/model/resource.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { type LiveOptions, live, type ServerOptions, server, spec, want } from '../plan/builders.ts';

export type Fields = Record<string, Json>;
export const S = 1e9;
export const QUEUE = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new' };

/** A finding in one line: `refuse RISK_DATA_LOSS max_msgs --allow-data-loss 3: the message`. */
export const line = ({ severity, code, field, needs, count, message }: Finding): string =>
  `${severity} ${code}${field === undefined ? '' : ` ${field}`}${needs ? ` --${needs}` : ''}${count === undefined ? '' : ` ${count}`}: ${message}`;

export interface Case {
  readonly key?: ResourceKey;
  /** Live before; absent: not on the server. */
  readonly from?: Fields;
  /** Wanted after; absent: pruned. */
  readonly to?: Fields;
  readonly live?: LiveOptions;
  /** Besides the one it is about. */
  readonly others?: readonly ObservedResource[];
  readonly wanted?: readonly DesiredResource[];
  readonly server?: ServerOptions;
  readonly losses?: readonly LossFigure[];
}

/** What a plan has to say of one resource. */
export function findings(each: Case): Finding[] {
  const { key = 'stream S', from, to, others = [], wanted = [], losses } = each;
  const plan = makePlan({
    desired: spec(...wanted, ...(to ? [want(key, to)] : [])),
    observed: server([...others, ...(from ? [live(key, from, each.live)] : [])], each.server),
    prune: true,
    ...(losses ? { losses: new Map([[key, losses]]) } : {}),
  });
  return plan.findings.filter(({ resource }) => resource === key || resource === undefined);
}

export const told = (each: Case): string[] => findings(each).map(line);
