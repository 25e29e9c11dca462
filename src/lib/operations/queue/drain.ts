import { setTimeout as sleep } from 'node:timers/promises';
import { readStanding } from '../../dlq/collect.ts';
import { countDead } from '../../dlq/orphans.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { DrainResult } from '../../model/queue.ts';
import { type QueueScope, type QueueTarget, recordQueueAct, withQueue } from './scope.ts';

export interface DrainOptions extends QueueTarget {
  /** In milliseconds. */
  readonly waitMs: number;
}

const POLL_MS = 250;

/**
 * Waits until nothing waits and nothing is in flight, or the time is over. Deletes nothing, stops nobody: workers have
 * to do the work. What is dead stays, and is told.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function drainQueue(context: Context, options: DrainOptions): Promise<DrainResult> {
  return withQueue(context, options, async (scope) => {
    const start = performance.now();
    const { signal } = context.io;
    for (let told = 0; ; ) {
      const left = await readLeft(scope, context.now().getTime());
      const waited = performance.now() - start;
      const result = { ...left, waited_seconds: Math.round(waited / 100) / 10 };
      if (left.drained || waited >= options.waitMs) {
        await finish(context, scope, result);
        return result;
      }
      if (waited - told > 1000 || told === 0) {
        context.io.tell({ type: 'progress', title: `draining ${left.queue}: left`, done: left.ready + left.in_flight });
        told = waited + 1;
      }
      await sleep(Math.min(POLL_MS, Math.max(1, options.waitMs - waited)), undefined, { signal }).catch(() => {
        signal.throwIfAborted();
      });
    }
  });
}

async function readLeft({ nats, ref }: QueueScope, nowMs: number): Promise<Omit<DrainResult, 'waited_seconds'>> {
  const count = await countDead(nats, ref, nowMs);
  if (count) {
    const { ready, inFlight, dead, dying, uncovered } = count;
    // What no consumer takes will wait for ever: it is not drained either.
    const waiting = ready + uncovered;
    const drained = waiting === 0 && inFlight === 0;
    return { queue: ref.queue, drained, ready: waiting, in_flight: inFlight, dead, dying };
  }
  const { exists, consumers, retention, messages } = await readStanding(nats, ref);
  if (!exists) throw new OpsError('NOT_FOUND', `there is no queue ${ref.queue}`, { where: nats.target.url });
  const ready =
    retention === 'workqueue' && consumers.length === 0
      ? messages
      : consumers.reduce((sum, { pending }) => sum + pending, 0);
  const inFlight = consumers.reduce((sum, { ackPending }) => sum + ackPending, 0);
  return { queue: ref.queue, drained: ready + inFlight === 0, ready, in_flight: inFlight, dead: null, dying: 0 };
}

async function finish(context: Context, scope: QueueScope, result: DrainResult): Promise<void> {
  const { drained, ready, in_flight, dead, dying, queue } = result;
  const summary = drained
    ? `${queue} drained${dead ? `; ${dead} dead remain` : ''}`
    : `${queue} not drained: ${ready} waiting, ${in_flight} in flight, ${dead ?? 0} dead`;
  await recordQueueAct(context, scope, { verb: 'drain', summary, detail: result });
  if (drained) return;
  const standing = await readStanding(scope.nats, scope.ref);
  const pulls = standing.consumers.reduce((sum, { waiting }) => sum + waiting, 0);
  const paused = standing.consumers.filter((consumer) => consumer.paused).map(({ name }) => `${queue}/${name}`);
  if (paused.length > 0) {
    context.io.tell({
      type: 'warning',
      text: `${paused.join(', ')} is paused: \`osapi-ops queue resume ${paused[0]}\``,
    });
  } else if (pulls === 0) {
    const text =
      dying > 0 ? `up to ${dying} are dying: they are dead when a worker asks` : 'no worker asks for messages';
    context.io.tell({ type: 'warning', text });
  }
}
