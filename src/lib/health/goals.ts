import type { StatusReport } from '../model/verdict.ts';

/** What a deployment can wait for. */
export const GOALS = ['synced', 'healthy', 'drained', 'dlq-empty'] as const;
export type Goal = (typeof GOALS)[number];

const isBad = (status: string): boolean => status === 'warn' || status === 'critical';

/**
 * Why a goal is not reached yet; `undefined` where it is.
 *
 *   synced     every resource is there and as the spec says
 *   healthy    no check warns
 *   drained    nothing waits, nothing is in flight, nothing is dead
 *   dlq-empty  nothing is dead, and the DLQ holds no record
 */
export function whyNot(goal: Goal, { checks, queues, drift }: StatusReport): string | undefined {
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
      return (
        queues
          .filter(({ ready, in_flight, dead }) => ready !== 0 || in_flight !== 0 || (dead ?? 0) !== 0)
          .map((queue) => `${queue.name}: ${left(queue)}`)
          .join('; ') || undefined
      );
    case 'dlq-empty': {
      const full = queues.filter(({ dead, records }) => (dead ?? 0) !== 0 || (records ?? 0) !== 0);
      return (
        full.map(({ name, dead, records }) => `${name}: ${dead ?? 0} dead, ${records ?? 0} records`).join('; ') ||
        undefined
      );
    }
  }
}

const left = ({ ready, in_flight, dead }: StatusReport['queues'][number]): string =>
  ready === null ? 'not there' : `${ready} waiting, ${in_flight} in flight, ${dead ?? 0} dead`;
