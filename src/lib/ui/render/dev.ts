import type { DevReport } from '../../model/dev.ts';
import { toType } from '../../model/shell.ts';
import { printDuration } from '../../model/units.ts';

const nodes = (report: DevReport): string => (report.urls.length > 1 ? ` (${report.urls.length} nodes)` : '');

/** What to know when the server is up; the URL itself goes to stdout. */
export function renderDevReady(report: DevReport, detached: boolean): string[] {
  return [
    `nats-server ${report.version}${nodes(report)} is ready; its data is in ${report.data}`,
    report.context
      ? toType`use it: osapi-ops status --context ${report.context}`
      : toType`use it: NATS_URL=${report.urls.join(',')} osapi-ops status`,
    detached ? 'end it: osapi-ops dev stop' : 'end it: Ctrl-C',
  ];
}

export function renderDevStatus(report: DevReport | undefined, now: Date): string {
  if (!report) return 'no development server runs here';
  const seconds = Math.round((now.getTime() - Date.parse(report.started)) / 1000);
  return [
    `running  ${report.urls.join(',')}`,
    `version  nats-server ${report.version}${nodes(report)}, for ${printDuration(seconds * 1e9)}`,
    `pid      ${report.pid}, servers ${report.pids.join(', ')}`,
    `data     ${report.data}`,
    `logs     ${report.logs.join(', ')}`,
    ...(report.context ? [`context  ${report.context}`] : []),
  ].join('\n');
}
