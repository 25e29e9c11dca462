import type { Change, Finding, LeftAlone, PlanSummary, ShownPlan } from '../model/plan.ts';
import type { ServerIdentity } from '../model/resource.ts';

export interface PlanJson {
  readonly system: string;
  readonly server: Pick<ServerIdentity, 'name' | 'version'> & { readonly cluster?: string };
  readonly target: { readonly url: string; readonly account: string; readonly chosen_by: string };
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly left_alone: readonly LeftAlone[];
  readonly summary: PlanSummary;
}

/** A plan in the contract's JSON shape: from named fields only, so that nothing internal gets out by accident. */
export function planJson(plan: ShownPlan, changes: readonly Change[] = plan.changes): PlanJson {
  const { server, url, account, chosenBy } = plan.target;
  return {
    system: plan.system,
    server: { name: server.name, version: server.version, ...(server.cluster ? { cluster: server.cluster } : {}) },
    target: { url, account, chosen_by: chosenBy },
    changes: changes.map(({ action, kind, name, role, fields, origin, reason, moved_from, hops, ...rest }) => ({
      action,
      kind,
      name,
      role,
      fields: fields.map(({ path, from, to, impact, origin: by, note }) => ({
        path,
        from,
        to,
        impact,
        origin: by,
        ...(note ? { note } : {}),
      })),
      origin,
      ...(reason ? { reason } : {}),
      ...(moved_from !== undefined ? { moved_from } : {}),
      ...(hops ? { hops: hops.map(({ from, to }) => ({ from, to })) } : {}),
      ...(rest.reverse ? { reverse: rest.reverse } : {}),
      ...(rest.retries ? { retries: rest.retries } : {}),
      ...(rest.status ? { status: rest.status } : {}),
      ...(rest.error ? { error: rest.error } : {}),
    })),
    findings: plan.findings,
    left_alone: plan.leftAlone,
    summary: plan.summary,
  };
}
