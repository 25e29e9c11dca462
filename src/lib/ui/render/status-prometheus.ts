import { CHECKS, type CheckName, type CheckUnit } from '../../facts/checks.ts';
import type { Health, QueueFigures, StatusReport } from '../../model/verdict.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** As nagios and `nats server check` count. */
const CODES: Readonly<Record<Health, number>> = { ok: 0, warn: 1, critical: 2, unknown: 3 };

/** A unit's suffix in base units, and what makes a base unit of the value. */
const UNITS: Readonly<Record<CheckUnit, readonly [string, number]>> = {
  milliseconds: ['seconds', 1 / 1000],
  seconds: ['seconds', 1],
  percent: ['ratio', 1 / 100],
  messages: ['messages', 1],
  resources: ['count', 1],
  entries: ['count', 1],
  versions: ['count', 1],
};

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function metric(name: string, help: string, samples: readonly Sample[]): string {
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
  const codes = '0 is ok, 1 a warning, 2 critical, 3 unknown.';
  return [
    metric('osapi_ops_up', '1 where the server was reached.', [{ labels: {}, value: target ? 1 : 0 }]),
    metric('osapi_ops_health_status', `The worst of all checks: ${codes}`, [{ labels: system, value: CODES[health] }]),
    metric(
      'osapi_ops_check_status',
      `Each check: ${codes}`,
      checks.map(({ name, resource, status }) => ({
        labels: { ...system, check: name, resource: resource ?? '' },
        value: CODES[status],
      })),
    ),
    metric('osapi_ops_drift_changes', 'Changes that apply would make.', [{ labels: system, value: drift.length }]),
    metric('osapi_ops_queue_messages', 'Messages of a queue by state.', states),
    metric(
      'osapi_ops_queue_oldest_waiting_seconds',
      'The age of the oldest message that waits undelivered.',
      queueSamples(({ oldest_seconds: oldest }) => oldest),
    ),
    metric(
      'osapi_ops_queue_responses',
      'Responses kept for a queue.',
      queueSamples(({ responses }) => responses),
    ),
    ...(Object.keys(CHECKS) as CheckName[]).map((name) => {
      const fact: { doc: string; unit?: CheckUnit } = CHECKS[name];
      if (!fact.unit) return '';
      const [suffix, factor] = UNITS[fact.unit];
      const samples = checks
        .filter((check) => check.name === name && check.value !== undefined)
        .map(({ resource, value }) => ({
          labels: labelsOf(resource),
          value: Number((value! * factor).toPrecision(12)),
        }));
      return metric(`osapi_ops_${name}_${suffix}`, fact.doc, samples);
    }),
  ].join('');
}
