import { OpsError } from '../errors/ops-error.ts';
import { tellReasons } from './refusal.ts';

/** What is left of a canary once so many of a page were sent. */
export const canaryAfter = (left: number, sent: number): number => Math.max(0, left - sent);

/** What a canary of so many says against sending the others; `undefined` where all of them live. */
export function canaryFault(
  queue: string,
  sent: number,
  { died, unknown }: { readonly died: number; readonly unknown: number },
  deaths: Readonly<Record<string, number>>,
): OpsError | undefined {
  if (died + unknown === 0) return undefined;
  const what = died > 0 ? `${died} of ${sent} died again` : `${unknown} of ${sent} were not settled in time`;
  return new OpsError('DLQ_DIED_AGAIN', `${what}: the others were left where they are`, {
    where: `queue ${queue}`,
    why: died > 0 ? tellReasons(Object.entries(deaths)) : 'No worker took them, or it is slow.',
    hints: ['mend the worker and run this again; --wait-timeout gives them longer'],
  });
}
