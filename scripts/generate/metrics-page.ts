// Asks the renderers themselves: a report with every check and every figure goes in, what comes out is listed.
import { fileURLToPath } from 'node:url';
import { CHECKS } from '../../src/lib/facts/checks.ts';
import type { StatusReport } from '../../src/lib/model/verdict.ts';
import { renderPrometheus } from '../../src/lib/ui/render/status-prometheus.ts';
import { createTally, IN_HAND, metricsText } from '../../src/lib/worker/tally.ts';
import { table } from './markdown.ts';

export const METRICS_PAGE_FILE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));

const REPORT: StatusReport = {
  system: 'osapi',
  health: 'ok',
  at: '2030-01-01T00:00:00Z',
  target: { url: '', version: '', account: '', chosenBy: '' } as unknown as NonNullable<StatusReport['target']>,
  drift: [],
  checks: Object.keys(CHECKS).map((name) => ({
    id: name,
    name,
    resource: 'REQUESTS',
    status: 'ok',
    summary: '',
    value: 1,
  })),
  queues: [
    {
      name: 'REQUESTS',
      ready: 1,
      in_flight: 1,
      dead: 1,
      rejected: 0,
      parked: 1,
      redelivered: 1,
      oldest_seconds: 1,
      responses: 1,
    },
    ...['clears', 'grows', 'stalled'].map((state) => ({ name: state, trend: { state, seconds: 1 } })),
  ] as unknown as StatusReport['queues'],
};

/** Each metric of an exposition, with its type, its labels and its help. */
function metricsOf(text: string): string[][] {
  const found = new Map<string, { type: string; help: string; labels: Set<string> }>();
  for (const line of text.trimEnd().split('\n')) {
    const [, about, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name) {
      const known = found.get(name) ?? { type: '', help: '', labels: new Set() };
      found.set(name, { ...known, ...(about === 'HELP' ? { help: rest! } : { type: rest! }) });
      continue;
    }
    const [, metric, labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line)!;
    for (const [, label] of labels.matchAll(/(\w+)="/g)) found.get(metric!)!.labels.add(label!);
  }
  return [...found].map(([name, { type, help, labels }]) => [
    `\`${name}\``,
    type,
    [...labels].map((label) => `\`${label}\``).join(', '),
    help,
  ]);
}

const HEAD = ['metric', 'type', 'labels', 'what'];

/** The text of docs/metrics.md. */
export const metricsPageText = (): string => `# Metrics

For Prometheus, in base units (seconds, ratios from 0 to 1, counts). This page is made from the code by \`npm run docs\`.

## Of a system

\`osapi-ops status --output prometheus\` prints them once, for the textfile collector of the node exporter;
\`osapi-ops status --listen :9464\` serves them at \`/metrics\`, read anew for each scrape, on loopback unless a host is named. A server
that is away is \`osapi_ops_up 0\`, and the exit code of the first form is 69.

${table(HEAD, metricsOf(renderPrometheus(REPORT)))}

A check is told only where it can be: a queue without a DLQ has no \`osapi_ops_dlq_ratio\`. \`resource\` is a stream, a bucket or
\`STREAM/CONSUMER\`. [What each check looks at](status.md#the-checks).

[Alerts and a dashboard](how-to/monitoring.md) are made from these by \`osapi-ops monitoring alerts\` and
\`osapi-ops monitoring grafana\`.

## Of a worker

\`osapi-ops worker run --metrics-port 9090\` serves them, on \`--metrics-host\` (127.0.0.1).

${table(HEAD, metricsOf(metricsText(createTally(), { queue: '', consumer: '' }, { in_hand: { help: IN_HAND, value: 0 } })))}
`;
