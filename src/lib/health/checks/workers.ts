import { concerns } from '../../model/migration.ts';
import { toType } from '../../model/shell.ts';
import { aboutMs } from '../../model/units.ts';
import type { Check } from '../../model/verdict.ts';
import { checkOf, percentOf, plural, rate } from '../check.ts';
import { type ConsumerState, inFlightOf, type QueueState, retryingOf, type Snapshot } from '../snapshot.ts';

/** How long messages may wait before somebody must have asked for them, in seconds. */
const PULL = { warn: 30, critical: 300 };
/** In percent of those in flight, and how many there must be for a share to mean something. */
const REDELIVERY = { warn: 50, critical: null };
const REDELIVERY_LEAST = 10;
/** At its limit, and nothing moved for so long, in milliseconds. */
const STILL_MS = 5000;

/** Whether the workers of one queue work. */
export function workerChecks(queue: QueueState, now: number, unfinished: Snapshot['unfinished'] = []): Check[] {
  if (!queue.stream) return [];
  const isMoved = unfinished.some(({ migration }) => concerns(migration, queue.name));
  const each = queue.consumers.flatMap((consumer) => {
    const name = `${queue.name}/${consumer.name}`;
    return [flightCheck(name, consumer, now), pullingCheck(name, consumer, now), pausedCheck(name, consumer, isMoved)];
  });
  return [...(queue.consumers.length === 0 ? [nobodyCheck(queue)] : each), redeliveryCheck(queue)];
}

const longestWaitMs = ({ waits }: ConsumerState): number => Math.max(0, ...waits) / 1e6;
const idleMs = ({ lastMoved, created }: ConsumerState, now: number): number =>
  Math.max(0, now - Date.parse(lastMoved ?? created));

function flightCheck(name: string, consumer: ConsumerState, now: number): Check {
  const { ackPending, maxAckPending, pending } = consumer;
  const next = toType`nats consumer info ${name.slice(0, -consumer.name.length - 1)} ${consumer.name}`;
  if (maxAckPending <= 0) {
    const summary = `${plural(ackPending, 'message')} in flight, without limit`;
    return checkOf('in_flight', { resource: name, status: 'ok', summary });
  }
  const idle = idleMs(consumer, now);
  const isStuck = ackPending >= maxAckPending && pending > 0;
  const status = !isStuck || idle < STILL_MS ? 'ok' : idle > longestWaitMs(consumer) ? 'critical' : 'warn';
  const what = `${ackPending} of max_ack_pending ${maxAckPending} in flight`;
  const words = {
    ok: what,
    warn: `${what}: nothing more is delivered, and nothing moved for ${aboutMs(idle)}`,
    critical: `stalled: ${what}, and nothing moved for ${aboutMs(idle)}, longer than the ack wait`,
  };
  return checkOf('in_flight', {
    resource: name,
    status,
    summary: words[status],
    value: percentOf(ackPending, maxAckPending),
    threshold: { warn: 100, critical: 100 },
    next,
  });
}

function pullingCheck(name: string, consumer: ConsumerState, now: number): Check {
  const { pending, waiting, push, bound, paused, ackPending, oldestWaitingMs } = consumer;
  const isThere = push ? bound : waiting > 0;
  const isBusy = ackPending > 0 && idleMs(consumer, now) < Math.max(longestWaitMs(consumer), PULL.warn * 1000);
  const base = { resource: name, threshold: PULL, next: 'start the workers, or look at their logs' };
  const ok = (summary: string) => checkOf('pulling', { ...base, status: 'ok', value: 0, summary });
  if (isThere) return ok(push ? 'a worker listens' : `${plural(waiting, 'pull request')} waiting`);
  if (pending === 0) return ok('nobody asks, and nothing waits');
  if (paused) return ok('delivery is paused');
  if (isBusy) return ok(`workers are busy with ${ackPending}`);
  // What came a moment ago may meet a worker that polls.
  const waited = Math.min(oldestWaitingMs ?? Number.POSITIVE_INFINITY, idleMs(consumer, now)) / 1000;
  return checkOf('pulling', {
    ...base,
    status: rate(waited, PULL),
    summary: `${plural(pending, 'message waits', 'messages wait')}, and nobody asked for ${aboutMs(waited * 1000)}`,
    value: Math.round(waited * 10) / 10,
  });
}

/** What a move paused, its end resumes. */
function pausedCheck(name: string, { paused, pausedUntil }: ConsumerState, isMoved: boolean): Check {
  return checkOf('paused', {
    resource: name,
    status: paused ? 'warn' : 'ok',
    summary: paused ? `delivery is paused${pausedUntil ? ` until ${pausedUntil}` : ''}` : 'delivery is on',
    value: paused ? 1 : 0,
    threshold: { warn: 1, critical: null },
    next: isMoved ? 'osapi-ops apply --migrate' : toType`osapi-ops queue resume ${name}`,
  });
}

function nobodyCheck(queue: QueueState): Check {
  const { messages } = queue.stream!.figures;
  return checkOf('pulling', {
    resource: queue.name,
    status: messages > 0 ? 'critical' : 'warn',
    summary: `no consumer: ${messages > 0 ? `${plural(messages, 'message')} can` : 'what comes can'} be taken by nobody`,
    // What is stored it is given from the first message on: the plan says how many.
    next: 'osapi-ops plan',
  });
}

function redeliveryCheck(queue: QueueState): Check {
  const inFlight = inFlightOf(queue);
  const again = retryingOf(queue);
  const percent = inFlight === 0 ? 0 : percentOf(again, inFlight);
  return checkOf('redelivery', {
    resource: queue.name,
    status: again < REDELIVERY_LEAST ? 'ok' : rate(percent, REDELIVERY),
    summary: again === 0 ? 'nothing is being retried' : `${again} of ${inFlight} in flight failed before`,
    value: percent,
    threshold: REDELIVERY,
    next: 'osapi-ops dlq ls',
  });
}
