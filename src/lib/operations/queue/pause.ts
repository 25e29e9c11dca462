import { isDeepStrictEqual } from 'node:util';
import { requireWhole } from '../../dlq/lock.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { readMigrations } from '../../ledger/migrations.ts';
import type { Context } from '../../model/context.ts';
import type { PauseResult } from '../../model/queue.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { expectPause, NO_END, type Pausable, pauseConsumer, requirePause, resumeConsumer } from '../../queue/pause.ts';
import { type QueueScope, type QueueTarget, recordQueueAct, withQueue } from './scope.ts';

/** Consumers resumed at once. */
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
    // As the server prints it, without zeros at the end of the fraction: its answer is compared with this.
    const until = end?.toISOString().replace(/\.?0+Z$/, 'Z') ?? NO_END;
    const what = `${names(consumers, scope)} ${end ? `until ${end.toISOString()}` : 'until somebody resumes it'}`;
    const record = (summary: string, detail: unknown, id?: string) =>
      recordQueueAct(context, scope, { verb: 'pause', summary, detail, ...(id !== undefined && { id }) });
    const all = consumers.map((name) => pausable(scope, name));
    const expected = all.map((one) => expectPause(one, until));
    // All are sent before it is written down that they were: what is stored of a run that is killed then is true.
    const pausing = Promise.all(all.map((one) => pauseConsumer(nats, one, until)));
    pausing.catch(() => {});
    const early = expected.every((one) => one !== undefined)
      ? await record(`asked to pause ${what}`, { consumers, until })
      : undefined;
    const done = await pausing.catch(async (error: unknown) => {
      if (early) await record(`could not pause ${what}: ${(error as Error).message}`, { consumers, until }, early.id);
      throw error;
    });
    // As asked: then what was written down tells all there is to tell.
    if (!early || !isDeepStrictEqual(done, expected)) await record(`paused ${what}`, done, early?.id);
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
        summary: `resumed ${names(
          changed.map(({ consumer }) => consumer),
          scope,
        )}`,
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

const names = (consumers: readonly string[], { ref }: QueueScope): string =>
  consumers.map((consumer) => `${ref.queue}/${consumer}`).join(', ');

function requireConsumers({ nats, ref, consumers }: QueueScope): void {
  if (consumers.length > 0) return;
  throw new OpsError('NOT_FOUND', `the queue ${ref.queue} has no consumer`, {
    where: nats.target.url,
    why: 'Delivery is paused at a consumer; without one nothing is delivered anyway.',
    hints: ['make one with `osapi-ops apply SPEC`'],
  });
}
