import type { Change, PlanJson, ShownPlan } from '../model/plan.ts';

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
