import { setTimeout as sleep } from 'node:timers/promises';
import { readStanding } from '../../dlq/collect.ts';
import { isCovered } from '../../dlq/dead-count.ts';
import { countJournalled } from '../../dlq/journalled.ts';
import { measure } from '../../dlq/orphans.ts';
import { readStoredDead } from '../../dlq/scan.ts';
import { isDrained } from '../../health/goals.ts';
import type { Context } from '../../model/context.ts';
import type { DrainResult } from '../../model/queue.ts';
import { toType } from '../../model/shell.ts';
import type { Nats } from '../../nats/connect.ts';
import { noSuchQueue } from '../../places/queues.ts';
import { countDeadOf } from '../dead.ts';
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
      if (left.drained || waited >= options.waitMs) {
        const dead = (await countDeadOf(scope.nats, [scope.ref], context.now().getTime())).get(left.queue) ?? null;
        const result = { ...left, dead, waited_seconds: Math.round(waited / 100) / 10 };
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

type Left = Omit<DrainResult, 'dead' | 'waited_seconds'>;

async function readLeft({ nats, ref }: QueueScope, nowMs: number): Promise<Left> {
  const [{ count: left, standing }, journal] = await Promise.all([measure(nats, ref, nowMs), countJournalled(nats)]);
  if (!standing.exists) throw noSuchQueue(nats, ref.queue, [], 'Its stream went meanwhile.');
  const journalled = journal?.get(ref.queue) ?? 0;
  const untaken = left.uncovered > 0 ? await countUntakenDead(nats, ref) : 0;
  const figures = { ready: left.ready + Math.max(0, left.uncovered - untaken), in_flight: left.inFlight, journalled };
  return { queue: ref.queue, drained: isDrained(figures), ...figures, dying: left.dying };
}

/** The dead on subjects that no consumer takes any more: they wait for nobody. */
async function countUntakenDead(nats: Nats, ref: QueueScope['ref']): Promise<number> {
  const standing = await readStanding(nats, ref);
  return (await readStoredDead(nats, ref, ({ subject }) => !isCovered(standing, subject))).size;
}

async function finish(context: Context, scope: QueueScope, result: DrainResult): Promise<void> {
  const { drained, ready, in_flight, dead, dying, queue } = result;
  const summary = drained
    ? `${queue} drained${dead ? `; ${dead} dead remain` : ''}`
    : `${queue} not drained: ${ready} waiting, ${in_flight} in flight, ${dead ?? 'nobody knows how many'} dead`;
  await recordQueueAct(context, scope, { verb: 'drain', summary, detail: result });
  if (drained) return;
  const standing = await readStanding(scope.nats, scope.ref);
  const pulls = standing.consumers.reduce((sum, { waiting }) => sum + waiting, 0);
  const paused = standing.consumers.filter((consumer) => consumer.paused).map(({ name }) => `${queue}/${name}`);
  if (paused.length > 0) {
    context.io.tell({
      type: 'warning',
      text: `${paused.join(', ')} is paused: \`${toType`osapi-ops queue resume ${paused[0]!}`}\``,
    });
  } else if (pulls === 0) {
    const text =
      dying > 0 ? `up to ${dying} are dying: they are dead when a worker asks` : 'no worker asks for messages';
    context.io.tell({ type: 'warning', text });
  }
}
