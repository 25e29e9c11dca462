import type { Change, Plan } from '../../model/plan.ts';

/** The retry time line of a consumer that is made or changed; `undefined` where the change does not bear on it. */
export function retryLine(_plan: Plan, _change: Change, _index: number): string | undefined {
  return undefined;
}
