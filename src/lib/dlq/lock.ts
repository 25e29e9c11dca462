import { identifyActor } from '../ledger/actor.ts';
import { appendHistory } from '../ledger/history.ts';
import { withLock } from '../ledger/lock.ts';
import type { Context } from '../model/context.ts';
import type { QueueRef } from '../model/entry.ts';
import { numberOf } from '../model/json.ts';
import { orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readStream } from '../nats/streams.ts';

/** Who changes dead letters of a queue, and how long they wait for another who does. */
export interface DlqWork {
  readonly verb: 'replay' | 'rebuild' | 'purge' | 'import';
  readonly lockWaitMs: number;
}

/** Does the work as the only one who changes this queue's dead letters. @throws OpsError LOCK_HELD; what `work` throws */
export const withQueueLock = async <T>(
  context: Context,
  nats: Nats,
  ref: QueueRef,
  { verb, lockWaitMs }: DlqWork,
  work: (signal: AbortSignal, nats: Nats) => Promise<T>,
): Promise<T> =>
  withLock(
    nats,
    `the dead letters of ${ref.queue}`,
    {
      actor: identifyActor(context.env),
      waitMs: lockWaitMs,
      io: context.io,
      verb: `dlq ${verb}`,
      replicas: await replicasOf(nats, ref),
    },
    work,
  );

/** As many as the queue has, so that a ledger made now need not grow at once: in a cluster that is an election. */
async function replicasOf(nats: Nats, { queue }: QueueRef): Promise<number> {
  if (nats.target.server.cluster === undefined) return 1;
  const info = await orUndefined(readStream(nats, queue));
  return numberOf(info?.config.num_replicas, 1);
}

/** Writes down what was done to a queue's dead letters. A queue without a spec is its own system. */
export async function tellDlqHistory(
  context: Context,
  nats: Nats,
  ref: QueueRef,
  { verb, summary, detail }: { verb: DlqWork['verb']; summary: string; detail?: unknown },
): Promise<void> {
  await appendHistory(nats, {
    system: ref.system ?? ref.queue,
    verb,
    actor: identifyActor(context.env),
    at: context.now(),
    tool: context.tool,
    summary: `${ref.queue}: ${summary}`,
    ...(detail !== undefined && { detail }),
  });
}
