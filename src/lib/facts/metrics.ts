import { CHECKS, type CheckFact, type CheckName, type CheckUnit } from './checks.ts';

/** A gauge of `status`, in base units. */
export interface MetricFact {
  readonly name: string;
  readonly help: string;
}

const CODES = '0 is ok, 1 a warning, 2 critical, 3 unknown.';

/** The gauges of a system and of its queues. Those of single checks are `checkMetric`. */
export const METRICS = {
  up: { name: 'osapi_ops_up', help: '1 where the server was reached.' },
  health: { name: 'osapi_ops_health_status', help: `The worst of all checks: ${CODES}` },
  check: { name: 'osapi_ops_check_status', help: `Each check: ${CODES}` },
  drift: { name: 'osapi_ops_drift_changes', help: 'Changes that apply would make.' },
  messages: { name: 'osapi_ops_queue_messages', help: 'Messages of a queue by state.' },
  deadLeast: {
    name: 'osapi_ops_queue_dead_least_messages',
    help: 'Where how many are dead is not known: so many are for certain; absent where it is known.',
  },
  parked: {
    name: 'osapi_ops_queue_parked_messages',
    help: 'Of the dead, those that died again after each replay; absent where nobody looked at each.',
  },
  oldest: {
    name: 'osapi_ops_queue_oldest_waiting_seconds',
    help: 'The age of the oldest message that waits undelivered.',
  },
  clears: {
    name: 'osapi_ops_queue_clears_in_seconds',
    help: 'When nothing waits any more, at the rate of the last 20 seconds; absent where nobody can know.',
  },
  full: {
    name: 'osapi_ops_queue_full_in_seconds',
    help: 'When the queue is full, at the rate of the last 20 seconds; absent where it does not fill up.',
  },
  stalled: {
    name: 'osapi_ops_queue_stalled_seconds',
    help: 'For how long nothing moved while something waits; absent where it moves.',
  },
  responses: { name: 'osapi_ops_queue_responses', help: 'Responses kept for a queue.' },
} as const satisfies Record<string, MetricFact>;

/** A unit's suffix in base units, and what makes a base unit of the value. */
const UNITS: Readonly<Record<CheckUnit, readonly [string, number]>> = {
  milliseconds: ['seconds', 1 / 1000],
  seconds: ['seconds', 1],
  percent: ['ratio', 1 / 100],
  messages: ['messages', 1],
  resources: ['count', 1],
  entries: ['count', 1],
};

/** The gauge of a check's value, and the factor that brings the value to its base unit; none where it has no figure. */
export function checkMetric(name: CheckName): (MetricFact & { readonly factor: number }) | undefined {
  const { doc, unit }: CheckFact = CHECKS[name];
  if (!unit) return undefined;
  const [suffix, factor] = UNITS[unit];
  return { name: `osapi_ops_${name}_${suffix}`, help: doc, factor };
}
