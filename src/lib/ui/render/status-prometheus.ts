import { CHECKS, type CheckName } from '../../facts/checks.ts';
import { checkMetric, METRICS, type MetricFact } from '../../facts/metrics.ts';
import type { Health, QueueFigures, StatusReport } from '../../model/verdict.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** As nagios and `nats server check` count. */
const CODES: Readonly<Record<Health, number>> = { ok: 0, warn: 1, critical: 2, unknown: 3 };

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function metric({ name, help }: MetricFact, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`;
}

/** The text format of Prometheus, for a textfile collector or a scrape. Every metric is a gauge in base units. */
export function renderPrometheus(report: StatusReport): string {
  const { checks, queues, drift, target, health } = report;
  const system: Labels = { system: report.system ?? '' };
  const labelsOf = (resource: string | undefined): Labels => ({ ...system, resource: resource ?? '' });
  const queueSamples = (of: (queue: QueueFigures) => number | null): Sample[] =>
    queues.flatMap((queue) => {
      const value = of(queue);
      return value === null ? [] : [{ labels: { ...system, queue: queue.name }, value }];
    });
  const states = (['ready', 'in_flight', 'dead', 'rejected', 'redelivered'] as const).flatMap((state) =>
    // Two states of what is in the queue and in its DLQ, so that they can be added up.
    queueSamples((queue) =>
      state === 'dead' && queue.dead !== null ? queue.dead - (queue.rejected ?? 0) : queue[state],
    ).map(({ labels, value }) => ({ labels: { ...labels, state }, value })),
  );
  return [
    metric(METRICS.up, [{ labels: {}, value: target ? 1 : 0 }]),
    metric(METRICS.health, [{ labels: system, value: CODES[health] }]),
    metric(
      METRICS.check,
      checks.map(({ name, resource, status }) => ({
        labels: { ...system, check: name, resource: resource ?? '' },
        value: CODES[status],
      })),
    ),
    metric(METRICS.drift, [{ labels: system, value: drift.length }]),
    metric(METRICS.messages, states),
    metric(
      METRICS.deadLeast,
      queueSamples(({ dead_least: least }) => least ?? null),
    ),
    metric(
      METRICS.parked,
      queueSamples(({ parked }) => parked),
    ),
    metric(
      METRICS.oldest,
      queueSamples(({ oldest_seconds: oldest }) => oldest),
    ),
    ...(
      [
        ['clears', METRICS.clears],
        ['grows', METRICS.full],
        ['stalled', METRICS.stalled],
      ] as const
    ).map(([state, fact]) =>
      metric(
        fact,
        queueSamples(({ trend }) => (trend?.state === state ? (trend.seconds ?? null) : null)),
      ),
    ),
    metric(
      METRICS.responses,
      queueSamples(({ responses }) => responses),
    ),
    ...(Object.keys(CHECKS) as CheckName[]).map((name) => {
      const gauge = checkMetric(name);
      if (!gauge) return '';
      const samples = checks
        .filter((check) => check.name === name && check.value !== undefined)
        .map(({ resource, value }) => ({
          labels: labelsOf(resource),
          value: Number((value! * gauge.factor).toPrecision(12)),
        }));
      return metric(gauge, samples);
    }),
  ].join('');
}
