import { isNothing, type StatusReport } from '../model/verdict.ts';

/** What a deployment can wait for. */
export const GOALS = ['synced', 'healthy', 'drained', 'dlq-empty'] as const;
export type Goal = (typeof GOALS)[number];

const isBad = (status: string): boolean => status === 'warn' || status === 'critical';

/**
 * Why a goal is not reached yet; `undefined` where it is.
 *
 *   synced     every resource is there and as the spec says
 *   healthy    no check warns
 *   drained    nothing waits, for a consumer or for nobody; nothing is in flight, nothing in a replay's journal
 *   dlq-empty  `dlq ls` has nothing but what is gone
 *
 * Where there is nothing to judge, none of them is reached.
 */
export function whyNotYet(goal: Goal, report: StatusReport): string | undefined {
  const { checks, queues, drift } = report;
  if (isNothing(report)) return 'there is nothing to judge: no system was applied here, and there is no queue';
  const bad = (of: (name: string) => boolean) => checks.filter(({ name, status }) => of(name) && status !== 'ok');
  switch (goal) {
    case 'synced': {
      const wrong = bad((name) => name === 'resources' || name === 'drift');
      if (wrong.length > 0) return wrong.map(({ summary }) => summary).join('; ');
      return drift.length > 0 ? `${drift.length} pending` : undefined;
    }
    case 'healthy': {
      const wrong = checks.filter(({ status }) => isBad(status));
      return wrong.length > 0 ? wrong.map(({ id, summary }) => `${id}: ${summary}`).join('; ') : undefined;
    }
    case 'drained':
      return listed(queues.filter((queue) => !isDrained(queue)).map((queue) => `${queue.name}: ${leftOf(queue)}`));
    case 'dlq-empty':
      return listed(queues.filter(({ dead }) => dead !== 0).map((queue) => `${queue.name}: ${deadOf(queue)}`));
  }
}

const listed = (parts: readonly string[]): string | undefined => parts.join('; ') || undefined;

type Figures = Pick<StatusReport['queues'][number], 'ready' | 'in_flight' | 'journalled' | 'dead' | 'exact'>;

/** The one meaning of drained. What is dead is not work that is left. */
export const isDrained = ({ ready, in_flight, journalled }: Omit<Figures, 'dead' | 'exact'>): boolean =>
  ready === 0 && in_flight === 0 && (journalled ?? 0) === 0;

function leftOf({ ready, in_flight: inFlight, journalled }: Figures): string {
  if (ready === null) return 'not there';
  const held = journalled ? `, ${journalled} in the journal of a replay that has not ended` : '';
  return `${ready} waiting, ${inFlight} in flight${held}`;
}

const deadOf = ({ dead, exact }: Figures): string =>
  dead === null ? 'how many are dead is not known' : `${exact ? '' : 'about '}${dead} dead`;
