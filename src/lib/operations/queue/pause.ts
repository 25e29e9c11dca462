import { isDeepStrictEqual } from 'node:util';
import { requireWhole } from '../../dlq/lock.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { takeBack } from '../../ledger/history.ts';
import { readMigrations } from '../../ledger/migrations.ts';
import type { Context } from '../../model/context.ts';
import type { PauseResult } from '../../model/queue.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { expectPause, NO_END, type Pausable, pauseConsumer, requirePause, resumeConsumer } from '../../queue/pause.ts';
import { type QueueScope, type QueueTarget, recordQueueAct, withQueue } from './scope.ts';

/** Consumers paused or resumed at once. */
const AT_ONCE = 16;

export interface PauseOptions extends QueueTarget {
  /** In milliseconds from now. */
  readonly forMs?: number;
  readonly until?: Date;
}

/** Stops delivery. @throws OpsError USAGE, LOCK_HELD, SERVER_TOO_OLD, NOT_FOUND, CONN_*, DENIED_* */
export async function pauseQueue(context: Context, options: PauseOptions): Promise<readonly PauseResult[]> {
  const { forMs, until } = options;
  const now = context.now();
  const end = forMs === undefined ? until : new Date(now.getTime() + forMs);
  if (end && end.getTime() <= now.getTime()) {
    throw new OpsError('USAGE', `${end.toISOString()} is over already`, {
      hints: ['give a time to come, or --for 1h'],
    });
  }
  return withWholeQueue(context, options, async (scope) => {
    requirePause(scope.nats);
    requireConsumers(scope);
    const { nats, consumers } = scope;
    const until = end?.toISOString() ?? NO_END;
    const record = (done: readonly PauseResult[], id?: string) => {
      const summary = `paused ${listOfNames(done)} ${end ? `until ${end.toISOString()}` : 'until somebody resumes it'}`;
      return recordQueueAct(context, scope, { verb: 'pause', summary, detail: done, ...(id !== undefined && { id }) });
    };
    const expected = consumers.map((name) => expectPause(pausable(scope, name), until));
    const pausing = pipelined(consumers, AT_ONCE, (name) => pauseConsumer(nats, pausable(scope, name), until));
    pausing.catch(() => {});
    // Written down in the same moment; taken back, or told as it was, where it comes out otherwise.
    const early = expected.every((one) => one !== undefined) ? await record(expected) : undefined;
    const done = await pausing.catch(async (error: unknown) => {
      if (early) await takeBack(nats, early).catch(() => {});
      throw error;
    });
    if (!early || !isDeepStrictEqual(done, expected)) await record(done, early?.id);
    return done;
  });
}

/** Starts delivery again. @throws as `pauseQueue` */
export async function resumeQueue(context: Context, target: QueueTarget): Promise<readonly PauseResult[]> {
  return withWholeQueue(context, target, async (scope) => {
    requirePause(scope.nats);
    requireConsumers(scope);
    const { nats, consumers } = scope;
    const done = await pipelined(consumers, AT_ONCE, (name) => resumeConsumer(nats, pausable(scope, name)));
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

/** Whoever moves a queue paused it: resumed meanwhile, its marker would be delivered as a request. @throws OpsError LOCK_HELD */
function withWholeQueue<T>(context: Context, target: QueueTarget, work: (scope: QueueScope) => Promise<T>): Promise<T> {
  let reading: ReturnType<typeof readMigrations> | undefined;
  const whole = async (scope: QueueScope) => {
    await requireWhole(scope.nats, [scope.ref.queue], reading).catch((error: unknown) => {
      // Who may not look at the ledger may pause all the same.
      if (!(error instanceof OpsError) || error.code !== 'DENIED_SUBJECT') throw error;
    });
    return work(scope);
  };
  return withQueue(context, target, whole, (nats) => {
    reading = readMigrations(nats);
    reading.catch(() => {});
  });
}

function pausable({ ref: { queue, seen } }: QueueScope, consumer: string): Pausable {
  const known = seen?.standing.consumers.find(({ name }) => name === consumer);
  return { queue, consumer, ...(known && { known: { paused: known.paused, pause_until: known.pauseUntil } }) };
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
