import { readStanding } from '../../dlq/collect.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { WaitingJson } from '../../model/request.ts';
import { idOf, replaysOf } from '../../requests/identify.ts';
import { scanWaiting, type WaitingFilter } from '../../requests/scan.ts';
import { type RequestChoice, withRequests } from './scope.ts';

export interface ListOptions extends RequestChoice, WaitingFilter {
  readonly limit?: number;
}

/** How much was listed, and whether there is more. */
export interface Listed {
  readonly listed: number;
  readonly more: boolean;
}

/**
 * Lists what waits for its first delivery, oldest first, each as soon as it is read.
 * @throws OpsError NOT_FOUND, USAGE, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export async function listWaiting(
  context: Context,
  options: ListOptions,
  onRequest: (request: WaitingJson) => Promise<void> | undefined,
): Promise<Listed> {
  return withRequests(context, options, async ({ nats, refs }) => {
    const queues = await refs();
    if (queues.length === 0) throw noQueue(nats.target.url);
    let listed = 0;
    for (const ref of queues) {
      const standing = await readStanding(nats, ref);
      for await (const message of scanWaiting(nats, standing, options)) {
        context.io.signal.throwIfAborted();
        if (listed === options.limit) return { listed, more: true };
        const { stream: queue, seq, subject, time, payload } = message;
        await onRequest({
          id: idOf(message) ?? null,
          queue,
          seq,
          subject,
          published_at: time,
          size: payload.byteLength,
          replays: replaysOf(message),
        });
        listed += 1;
      }
    }
    return { listed, more: false };
  });
}

export const noQueue = (url: string): OpsError =>
  new OpsError('NOT_FOUND', 'there is no queue here', {
    where: url,
    why: 'No stream of this account is a work queue.',
    hints: ['check that this is the right server and account', 'make a queue with `osapi-ops apply SPEC`'],
  });
