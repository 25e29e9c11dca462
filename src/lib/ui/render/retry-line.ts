import type { Change, Plan } from '../../model/plan.ts';
import { retrySchedule } from '../../plan/schedule.ts';
import { asSentences } from '../text.ts';

/** The fields that decide when a request is tried again and when it dies. */
const TIMING = new Set(['ack_policy', 'ack_wait', 'max_deliver', 'backoff']);

/** The retry time line of a consumer that is made or whose timing changes; `undefined` for anything else. */
export function retryLine(plan: Plan, change: Change, index: number): string | undefined {
  if (change.kind !== 'consumer' || change.action === 'delete') return undefined;
  if (change.action === 'update' && !change.fields.some(({ path }) => TIMING.has(path))) return undefined;
  const step = plan.steps.findLast((each) => each.change === index && each.verb !== 'delete');
  const config = step?.configs.at(-1);
  const schedule = config && retrySchedule(config);
  return schedule && asSentences([`Retries: ${schedule.text}`]);
}
