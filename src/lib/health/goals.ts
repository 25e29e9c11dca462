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
 *   drained    nothing waits, nothing is in flight, nothing that is dead is in the queue
 *   dlq-empty  nothing is dead or rejected, and the DLQ holds no record
 */
export function whyNotYet(goal: Goal, { checks, queues, drift }: StatusReport): string | undefined {
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
          .filter((queue) => queue.ready !== 0 || queue.in_flight !== 0 || inQueue(queue) !== 0)
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

type Figures = StatusReport['queues'][number];

/** What a worker rejected has left the queue. */
const inQueue = ({ dead, rejected }: Figures): number => (dead ?? 0) - (rejected ?? 0);

const left = (queue: Figures): string =>
  queue.ready === null ? 'not there' : `${queue.ready} waiting, ${queue.in_flight} in flight, ${inQueue(queue)} dead`;
