import type { SeenQueue } from '../../dlq/standing.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { identifyActor } from '../../ledger/actor.ts';
import { appendHistory } from '../../ledger/history.ts';
import type { Context } from '../../model/context.ts';
import type { HistoryRecord } from '../../model/history.ts';
import type { Nats } from '../../nats/connect.ts';
import { noSuchQueue } from '../../places/queues.ts';
import { withPlaces } from '../places.ts';

/** `REQUESTS` or `REQUESTS/request-worker`; left out where there is one queue only. */
export interface QueueTarget {
  readonly target?: string;
  /** `-f/--file`. */
  readonly file?: string;
}

export interface QueueScope {
  readonly nats: Nats;
  readonly ref: SeenQueue;
  /** The one that was named, else all of the queue. */
  readonly consumers: readonly string[];
}

/**
 * Connects and finds the queue that is meant; `onOpen` may ask for something else meanwhile.
 * @throws OpsError USAGE where none is named and there are several, NOT_FOUND, SPEC_*, CONN_*, DENIED_*
 */
export async function withQueue<T>(
  context: Context,
  { target, file }: QueueTarget,
  work: (scope: QueueScope) => Promise<T>,
  onOpen: (nats: Nats) => void = () => {},
): Promise<T> {
  const [queue, consumer, ...rest] = target?.split('/') ?? [];
  if (rest.length > 0 || queue === '' || consumer === '') {
    throw new OpsError('USAGE', `"${target}" names no queue`, { hints: ['write QUEUE or QUEUE/CONSUMER'] });
  }
  return withPlaces(context, { file, queues: queue === undefined ? undefined : [queue] }, async (places) => {
    const { nats } = places;
    onOpen(nats);
    const ref = await places.queue();
    if (ref.isGone) throw noSuchQueue(nats, ref.queue, [], 'Its stream is not there.');
    if (consumer !== undefined && !ref.consumers.includes(consumer)) {
      throw new OpsError('NOT_FOUND', `the queue ${ref.queue} has no consumer ${consumer}`, {
        where: nats.target.url,
        hints: [ref.consumers.length > 0 ? `it has ${ref.consumers.join(', ')}` : 'it has none'],
      });
    }
    return work({ nats, ref, consumers: consumer === undefined ? await places.workers() : [consumer] });
  });
}

/** Writes down what was done to a queue. That it could not be written is told: what was done stands. */
export async function recordQueueAct(
  context: Context,
  { nats, ref }: QueueScope,
  act: { readonly verb: string; readonly summary: string; readonly detail: unknown; readonly id?: string },
): Promise<HistoryRecord | undefined> {
  try {
    return await appendHistory(nats, {
      ...act,
      system: ref.system ?? ref.queue,
      actor: identifyActor(context.env),
      at: context.now(),
      tool: context.tool,
    });
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    context.io.tell({ type: 'warning', text: `the history could not be written: ${error.message}` });
    return undefined;
  }
}
