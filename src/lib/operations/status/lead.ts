import { leadTo } from '../../model/call.ts';
import type { ConnectionFlags } from '../../model/context.ts';
import type { StatusReport } from '../../model/verdict.ts';

/** The same report with next steps that lead to the same server. */
export function withServer(report: StatusReport, connection: ConnectionFlags): StatusReport {
  const lead = leadTo(connection);
  return {
    ...report,
    checks: report.checks.map((check) => (check.next === undefined ? check : { ...check, next: lead(check.next) })),
  };
}
