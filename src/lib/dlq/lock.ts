import { OpsError } from '../errors/ops-error.ts';
import { identifyActor } from '../ledger/actor.ts';
import { appendHistory } from '../ledger/history.ts';
import { type LockOptions, withLocks } from '../ledger/lock.ts';
import { readMigrations } from '../ledger/migrations.ts';
import type { Lease } from '../ledger/turn.ts';
import type { Context } from '../model/context.ts';
import type { QueueRef } from '../model/entry.ts';
import { numberOf } from '../model/json.ts';
import { concerns } from '../model/migration.ts';
import { keyOf } from '../model/resource.ts';
import { orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readStream } from '../nats/streams.ts';

/** Who changes dead letters of a queue, and how long they wait for another who does. */
export interface DlqWork {
  readonly verb: 'replay' | 'rebuild' | 'purge' | 'import';
  readonly lockWaitMs: number;
  /** For tests, which cannot wait for the real one: the same for all who share a lock. */
  readonly lease?: Lease;
  /** As a lock's. */
  makeRoom?(): Promise<boolean>;
}

/** What is done while locks are held: with a connection whose writes go only as long as they are. */
type Work<T> = (signal: AbortSignal, nats: Nats) => Promise<T>;
/** The same, with whether nobody held a lock of this ledger before. */
type FirstWork<T> = (signal: AbortSignal, nats: Nats, isFirst: boolean) => Promise<T>;

/**
 * Does the work as the only one who changes these queues' dead letters, and not where they are half moved.
 * @throws OpsError LOCK_HELD; what `work` throws
 */
export const withQueueLocks = <T>(...[context, nats, queues, how, work]: Held<Work<T>>): Promise<T> =>
  withQueueLocksAhead<T>(context, nats, queues, how, async (signal, held, whole) => {
    await whole;
    return work(signal, held);
  });

type Held<W> = [context: Context, nats: Nats, queues: readonly string[], how: DlqWork, work: W];

/**
 * The same for work that looks around first: it waits for `whole` itself, before it changes anything. That something is
 * half moved counts for more than what the work met because of it.
 */
export const withQueueLocksAhead = <T>(
  ...[context, nats, queues, { verb, lockWaitMs, ...how }, work]: Held<
    (signal: AbortSignal, nats: Nats, whole: Promise<void>) => Promise<T>
  >
): Promise<T> =>
  holdQueues(context, nats, queues, { ...how, verb: `dlq ${verb}`, waitMs: lockWaitMs }, async (signal, held) => {
    const whole = requireWhole(held, queues);
    whole.catch(() => {});
    const [done] = await Promise.allSettled([work(signal, held, whole)]);
    await whole;
    if (done.status === 'rejected') throw done.reason;
    return done.value;
  });

/** Between two steps of a move a message is in two places, and its queue may be nowhere. @throws OpsError LOCK_HELD */
export async function requireWhole(
  nats: Nats,
  queues: readonly string[],
  reading: ReturnType<typeof readMigrations> = readMigrations(nats),
): Promise<void> {
  const half = (await reading).find(({ migration }) => queues.some((queue) => concerns(migration, queue)));
  if (!half) return;
  const { migration, who, since } = half;
  const key = keyOf(migration);
  throw new OpsError('LOCK_HELD', `${key} is half moved: ${who} began it on ${since}`, {
    where: key,
    why: 'What is in it is moved, its dead letters too; until that is done nothing else is done to them.',
    hints: [
      'go on with `osapi-ops apply --migrate`; `osapi-ops status` tells how far it is, and whether it can still go back',
    ],
  });
}

/** The same for whoever replaces or removes what dead letters lie in, behind other locks. */
export async function holdQueues<T>(
  context: Context,
  nats: Nats,
  queues: readonly string[],
  how: Pick<LockOptions, 'verb' | 'waitMs' | 'lease' | 'replicas' | 'makeRoom'>,
  work: FirstWork<T>,
  before: readonly string[] = [],
): Promise<T> {
  // The same order for everybody: two that want the same queues never wait for each other.
  const [first, ...rest] = [...new Set(queues)].sort();
  const names = [...before, ...[first, ...rest].flatMap((queue) => (queue === undefined ? [] : [lockOf(queue)]))];
  if (names.length === 0) return work(context.io.signal, nats, false);
  const replicas = how.replicas ?? (() => replicasOf(nats, first!));
  return withLocks(nats, names, { ...how, actor: identifyActor(context.env), io: context.io, replicas }, work);
}

const lockOf = (queue: string): string => `the dead letters of ${queue}`;

/** As many as the queue has, so that a ledger made now need not grow at once: in a cluster that is an election. */
async function replicasOf(nats: Nats, queue: string): Promise<number> {
  if (nats.target.server.cluster === undefined) return 1;
  const info = await orUndefined(readStream(nats, queue));
  return numberOf(info?.config.num_replicas, 1);
}

/** What was done to a queue's dead letters, as the history tells it. */
export interface Told {
  readonly ref: QueueRef;
  readonly summary: string;
  readonly detail?: unknown;
}

/**
 * Does the work and, however it ends, writes down what was done by then; but nothing more where its lock was lost.
 * A queue without a spec is its own system. @throws what `work` throws
 */
export async function withHistory<T>(
  context: Context,
  nats: Nats,
  verb: DlqWork['verb'],
  work: () => Promise<T>,
  done: (isCut: boolean) => readonly Told[],
): Promise<T> {
  let isCut = false;
  let isLost = false;
  try {
    return await work();
  } catch (error) {
    isCut = true;
    isLost = error instanceof OpsError && error.code === 'LOCK_HELD';
    throw error;
  } finally {
    for (const { ref, summary, detail } of isLost ? [] : done(isCut)) {
      const written = appendHistory(nats, {
        system: ref.system ?? ref.queue,
        verb,
        actor: identifyActor(context.env),
        at: context.now(),
        tool: context.tool,
        summary: `${ref.queue}: ${summary}`,
        detail,
      });
      nats.leave(
        written.then(
          () => {},
          (error: Error) =>
            context.io.tell({ type: 'warning', text: `the history could not be written: ${error.message}` }),
        ),
      );
    }
  }
}
