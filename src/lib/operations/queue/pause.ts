import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { PauseResult } from '../../model/queue.ts';
import { NO_END, pauseConsumer, requirePause, resumeConsumer } from '../../queue/pause.ts';
import { type QueueScope, type QueueTarget, recordQueueAct, withQueue } from './scope.ts';

export interface PauseOptions extends QueueTarget {
  /** In milliseconds from now. */
  readonly forMs?: number;
  readonly until?: Date;
}

/** Stops delivery. @throws OpsError USAGE, SERVER_TOO_OLD, NOT_FOUND, CONN_*, DENIED_* */
export async function pauseQueue(context: Context, options: PauseOptions): Promise<readonly PauseResult[]> {
  const { forMs, until } = options;
  const now = context.now();
  const end = forMs === undefined ? until : new Date(now.getTime() + forMs);
  if (end && end.getTime() <= now.getTime()) {
    throw new OpsError('USAGE', `${end.toISOString()} is over already`, {
      hints: ['give a time to come, or --for 1h'],
    });
  }
  return withQueue(context, options, async (scope) => {
    requirePause(scope.nats);
    requireConsumers(scope);
    const done: PauseResult[] = [];
    for (const name of scope.consumers) {
      done.push(await pauseConsumer(scope.nats, scope.ref.queue, name, end?.toISOString() ?? NO_END));
    }
    const summary = `paused ${listOfNames(done)} ${end ? `until ${end.toISOString()}` : 'until somebody resumes it'}`;
    await recordQueueAct(context, scope, { verb: 'pause', summary, detail: done });
    return done;
  });
}

/** Starts delivery again. @throws as `pauseQueue` */
export async function resumeQueue(context: Context, target: QueueTarget): Promise<readonly PauseResult[]> {
  return withQueue(context, target, async (scope) => {
    requirePause(scope.nats);
    requireConsumers(scope);
    const done: PauseResult[] = [];
    for (const name of scope.consumers) done.push(await resumeConsumer(scope.nats, scope.ref.queue, name));
    const changed = done.filter((one) => one.changed);
    if (changed.length > 0) {
      await recordQueueAct(context, scope, {
        verb: 'resume',
        summary: `resumed ${listOfNames(changed)}`,
        detail: done,
      });
    }
    return done;
  });
}

const listOfNames = (results: readonly PauseResult[]): string =>
  results.map(({ queue, consumer }) => `${queue}/${consumer}`).join(', ');

function requireConsumers({ nats, ref, consumers }: QueueScope): void {
  if (consumers.length > 0) return;
  throw new OpsError('NOT_FOUND', `the queue ${ref.queue} has no consumer`, {
    where: nats.target.url,
    why: 'Delivery is paused at a consumer; without one nothing is delivered anyway.',
    hints: ['make one with `osapi-ops apply SPEC`'],
  });
}
