import type { WorkerCounts } from '../model/worker.ts';

type Counter = keyof WorkerCounts;

const HELP: Readonly<Record<Counter, string>> = {
  taken: 'Deliveries taken in hand.',
  answered: 'Requests whose response was stored.',
  already_answered: 'Deliveries of requests that had their response already.',
  failed: 'Deliveries that the handler failed on.',
  retried: 'Deliveries that the handler put off.',
  rejected: 'Requests that can never be handled.',
  unstored: 'Responses that could not be stored.',
  returned: 'Deliveries given back unhandled.',
  cut_short: 'Deliveries given back in the middle of the work.',
};

/** What the gauge `in_hand` says. */
export const IN_HAND = 'Deliveries in hand now.';

/** The counters of a worker. */
export interface Tally {
  readonly counts: Readonly<Record<Counter, number>>;
  add(counter: Counter): void;
}

export function createTally(): Tally {
  const counts: Record<Counter, number> = {
    taken: 0,
    answered: 0,
    already_answered: 0,
    failed: 0,
    retried: 0,
    rejected: 0,
    unstored: 0,
    returned: 0,
    cut_short: 0,
  };
  return { counts, add: (counter) => void counts[counter]++ };
}

/** Counters and gauges in Prometheus' text format. */
export function metricsText(
  { counts }: Tally,
  labels: Readonly<Record<string, string>>,
  gauges: Readonly<Record<string, { readonly help: string; readonly value: number }>>,
): string {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const tags = Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
  const lines = Object.entries(counts).flatMap(([name, value]) => [
    `# HELP osapi_ops_worker_${name}_total ${HELP[name as Counter]}`,
    `# TYPE osapi_ops_worker_${name}_total counter`,
    `osapi_ops_worker_${name}_total{${tags}} ${value}`,
  ]);
  for (const [name, { help, value }] of Object.entries(gauges)) {
    lines.push(`# HELP osapi_ops_worker_${name} ${help}`, `# TYPE osapi_ops_worker_${name} gauge`);
    lines.push(`osapi_ops_worker_${name}{${tags}} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}
