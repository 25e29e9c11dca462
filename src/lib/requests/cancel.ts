import { readStanding } from '../dlq/collect.ts';
import type { QueueStanding, SeenQueue } from '../dlq/standing.ts';
import type { CancelledJson, CancelOutcome } from '../model/request.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage } from '../nats/messages.ts';
import { answersInOrder } from '../nats/pipeline.ts';
import { confirmAsSeen, type Look, lookAhead, removeMessage } from '../nats/removal.ts';
import { type FetchOptions, type Found, fetchRequest, fetchResponse, readRequestState } from './fetch.ts';
import { isWaiting, mayBeDead } from './taker.ts';

/** A request that somebody wants back, and what it is now. */
export interface Cancellable {
  readonly id: string;
  readonly outcome?: Exclude<CancelOutcome, 'cancelled' | 'uncertain'>;
  readonly detail: string;
  readonly found?: Found;
}

const WHY_NOT = {
  answered: 'it is answered already: `osapi-ops request get` has the response',
  in_flight: 'a worker has it: taking it out of the queue would not stop the worker',
  dead: 'it is dead: `osapi-ops dlq purge` removes it, `osapi-ops dlq replay` gives it another try',
  unknown: 'no queue has it',
} as const;

/** Says of a request whether it can be taken back. */
export async function judgeCancel(
  nats: Nats,
  refs: readonly SeenQueue[],
  id: string,
  found: Found | undefined,
  options: FetchOptions,
): Promise<Cancellable> {
  if (found) {
    // It is looked at once more right before it goes. What no consumer has come to may be dead, or answered, already.
    const [response, isQueued] = await Promise.all([
      fetchResponse(nats, options.buckets, id),
      waitsAsSeen(found) ||
        readRequestState(nats, id, found, options.now()).then(({ status }) => status.state === 'queued'),
    ]);
    if (!response && isQueued) {
      return { id, found, detail: `waits in ${found.ref.queue} as ${found.message.seq}` };
    }
  }
  const { status } = await fetchRequest(nats, refs, id, { ...options, isUnstored: !found });
  const outcome = status.state === 'queued' || status.state === 'retry' ? 'in_flight' : status.state;
  const detail =
    outcome === 'unknown' && options.since !== undefined
      ? `no queue has it among what was published since ${new Date(options.since).toISOString()}`
      : WHY_NOT[outcome];
  return { id, outcome, detail, found };
}

/** Whether a message waited for a consumer that takes it when its queue was found: then no record can say that it is dead. */
function waitsAsSeen({ ref: { seen }, message }: Found): boolean {
  const standing = seen?.standing;
  return standing !== undefined && isWaiting(standing, message) && !mayBeDead(standing, message.subject);
}

/** What a request is once more, right before it goes. */
export interface LastLook {
  readonly look: Promise<Look>;
  readonly standing: Promise<QueueStanding>;
}

/** Begins to look once more at a request that is to be taken out. */
export function lookOnceMore(nats: Nats, { ref, message }: Found): LastLook {
  const look = lookAhead(nats, { stream: ref.queue, created: '', seq: message.seq, time: message.time });
  const standing = readStanding(nats, ref);
  standing.catch(() => {});
  return { look, standing };
}

/**
 * Takes a waiting request out of its queue. A worker may fetch it at the same moment: the consumer's place is read
 * once more after the message is gone. Where it had not come so far, nobody ever got it.
 * @throws ApiError, OpsError DLQ_MADE_ANEW, CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function cancelRequest(
  nats: Nats,
  id: string,
  found: Found,
  buckets: readonly string[],
  { look, standing }: LastLook = lookOnceMore(nats, found),
  onRemoved?: () => void,
): Promise<CancelledJson> {
  const { ref, message } = found;
  const place = { id, queue: ref.queue, seq: message.seq };
  const before = await standing;
  if (!isWaiting(before, message)) {
    const stored = await getMessage(nats, ref.queue, message.seq);
    if (stored?.time === message.time) return { ...place, outcome: 'in_flight', detail: WHY_NOT.in_flight };
  }
  const seen = { stream: ref.queue, created: before.created, seq: message.seq, time: message.time };
  // One server answers in order: what is asked behind the removal is told after it.
  let next: Promise<QueueStanding> | undefined;
  const onSent = () => {
    next = readStanding(nats, ref);
    next.catch(() => {});
  };
  const removed = (await removeMessage(nats, seen, look, answersInOrder(nats) ? onSent : undefined)) === 'removed';
  if (removed) onRemoved?.();
  const after = await (next ?? readStanding(nats, ref));
  if (after.exists) confirmAsSeen(nats, ref.queue, after.created);
  if (removed && isWaiting(after, message)) {
    return { ...place, outcome: 'cancelled', detail: 'no worker had it' };
  }
  if (await fetchResponse(nats, buckets, id)) return { ...place, outcome: 'answered', detail: WHY_NOT.answered };
  return removed
    ? {
        ...place,
        outcome: 'uncertain',
        detail:
          'it is out of the queue, but the consumer passed its place at the same moment: a worker may have got it',
      }
    : { ...place, outcome: 'unknown', detail: 'it left the queue before it could be taken out' };
}
