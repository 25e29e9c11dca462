import type { QueueRef } from '../model/entry.ts';
import { orElse, orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readConsumers } from '../nats/consumers.ts';
import { readStream } from '../nats/streams.ts';
import { type QueueStanding, toStanding } from './standing.ts';

/** How a queue stands now. A stream that is not there is a standing too. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readStanding(
  nats: Nats,
  { queue, consumers }: Pick<QueueRef, 'queue' | 'consumers'>,
): Promise<QueueStanding> {
  // Before the answers: what happens while they are under way is not in them for certain.
  const readAt = performance.now();
  const [info, infos] = await Promise.all([
    orUndefined(readStream(nats, queue)),
    orElse(readConsumers(nats, queue, consumers), { missing: [] }),
  ]);
  return toStanding(queue, info, info ? infos : [], readAt);
}
