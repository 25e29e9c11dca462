import { setTimeout as sleep } from 'node:timers/promises';
import { readStanding } from '../../dlq/collect.ts';
import { countJournalled } from '../../dlq/journalled.ts';
import { countDead } from '../../dlq/orphans.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { isDrained } from '../../health/goals.ts';
import type { Context } from '../../model/context.ts';
import type { DrainResult } from '../../model/queue.ts';
import type { Nats } from '../../nats/connect.ts';
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
  const [count, journal] = await Promise.all([countDead(nats, ref, nowMs), countJournalled(nats)]);
  const journalled = journal?.get(ref.queue) ?? 0;
  const left = count ?? (await readOther(nats, ref));
  const figures = { ready: left.ready + left.uncovered, in_flight: left.inFlight, journalled };
  const { dead, dying } = left;
  return {
    queue: ref.queue,
    drained: isDrained(figures),
    ...figures,
    dead: dead === null ? null : dead + journalled,
    dying,
  };
}

/** A stream that keeps what was acked, or a queue without a consumer. */
async function readOther(nats: Nats, ref: QueueScope['ref']) {
  const { exists, consumers, retention, messages } = await readStanding(nats, ref);
  if (!exists) throw new OpsError('NOT_FOUND', `there is no queue ${ref.queue}`, { where: nats.target.url });
  const isUntaken = retention === 'workqueue' && consumers.length === 0;
  return {
    ready: consumers.reduce((sum, { pending }) => sum + pending, 0),
    uncovered: isUntaken ? messages : 0,
    inFlight: consumers.reduce((sum, { ackPending }) => sum + ackPending, 0),
    dead: null,
    dying: 0,
  };
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
