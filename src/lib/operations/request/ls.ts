import { readStanding } from '../../dlq/collect.ts';
import { readStoredDead } from '../../dlq/scan.ts';
import type { SeqSet } from '../../dlq/seq-set.ts';
import { parseWhere } from '../../dlq/where.ts';
import type { Context } from '../../model/context.ts';
import type { WaitingJson } from '../../model/request.ts';
import { idOf, replaysOf } from '../../requests/identify.ts';
import { scanWaiting, type WaitingFilter } from '../../requests/scan.ts';
import { mayBeDead } from '../../requests/taker.ts';
import { type RequestChoice, withRequests } from './scope.ts';

export interface ListOptions extends RequestChoice, WaitingFilter {
  readonly limit?: number;
  /** Conditions that all have to hold. */
  readonly where?: readonly string[];
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
  const where = parseWhere(options.where ?? [], { alive: true });
  return withRequests(context, options, async (places) => {
    const { nats } = places;
    let listed = 0;
    for (const ref of await places.someQueues()) {
      const standing = await readStanding(nats, ref);
      let dead: SeqSet | undefined;
      for await (const message of scanWaiting(nats, standing, options)) {
        context.io.signal.throwIfAborted();
        const { stream: queue, seq, subject, time, payload } = message;
        const facts = { queue, subject, died_at: null, published_at: time, inner: { message } };
        if (!where.every((term) => term.holds(facts))) continue;
        if (mayBeDead(standing, subject)) {
          dead ??= await readStoredDead(nats, ref);
          if (dead.has(seq)) continue;
        }
        if (listed === options.limit) return { listed, more: true };
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
