import { leadBack, leadTo } from '../../model/call.ts';
import type { ConnectionFlags } from '../../model/context.ts';
import type { StatusReport } from '../../model/verdict.ts';

/** The same report with next steps that lead to the same server, whether flags chose it or the spec, which is in `file`. */
export function withServer(report: StatusReport, connection: ConnectionFlags, file?: string): StatusReport {
  const lead = report.target ? leadBack(connection, report.target, file) : leadTo(connection);
  return {
    ...report,
    checks: report.checks.map((check) => (check.next === undefined ? check : { ...check, next: lead(check.next) })),
  };
}
