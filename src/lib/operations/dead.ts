import type { SeenQueue } from '../dlq/standing.ts';
import { collect } from '../health/collect.ts';
import { scanDead } from '../health/scan.ts';
import { deathsOf } from '../health/snapshot.ts';
import type { Nats } from '../nats/connect.ts';
import { HEALTH_DEFAULTS } from '../spec/assemble.ts';

/**
 * How many are dead in each of these queues, as `status` counts them: every figure of the dead is of one reading. One
 * of which nobody can know it is absent. @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function countDeadOf(
  nats: Nats,
  refs: readonly Pick<SeenQueue, 'queue' | 'consumers' | 'dlq' | 'dlqs' | 'unread' | 'responses'>[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const looks = refs.map(({ queue: name, consumers, dlq, dlqs, unread, responses }) => ({
    ...{ name, consumers, dlq, dlqs, responses },
    ...(unread && { unread }),
    health: HEALTH_DEFAULTS,
  }));
  const { queues } = await collect(nats, looks, [], nowMs);
  const seen = await scanDead(nats, queues, nowMs, { atAnyCost: true });
  return new Map(
    seen.flatMap((queue) =>
      queue.deadState && queue.deadState.unknown === undefined ? [[queue.name, deathsOf(queue)] as const] : [],
    ),
  );
}
