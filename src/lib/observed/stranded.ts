import type { Losses, LossFigure } from '../model/plan.ts';
import type { Desired, Observed, ResourceKey } from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { nextMessage } from '../nats/messages.ts';
import { readSubjects } from '../nats/streams.ts';
import { changedQueues, countDropped, countGained, type Taker } from './counts.ts';

/** How many messages lie on subjects it gains, at most, where the first of them is behind what it has delivered. */
async function behind(nats: Nats, stream: string, worker: Taker, counts: ReadonlyMap<string, number>): Promise<number> {
  const delivered = worker.live?.figures.delivered_stream_seq ?? 0;
  let count = 0;
  for (const filter of worker.after) {
    const gained = countGained(counts, worker, filter);
    if (gained === 0) continue;
    const first = await nextMessage(nats, stream, 1, filter);
    if (first && first.seq <= delivered) count += gained;
  }
  return count;
}

async function measureQueue(
  nats: Nats,
  stream: string,
  workers: readonly Taker[],
): Promise<[ResourceKey, LossFigure[]][]> {
  const { subjects: counts } = await orThrow(readSubjects(nats, stream));
  const found: [ResourceKey, LossFigure[]][] = [];
  for (const worker of workers) {
    if (!worker.live) continue;
    const gained = await behind(nats, stream, worker, counts);
    const dropped = countDropped(counts, worker, workers);
    found.push([
      worker.key,
      [
        { field: 'gained', count: gained, exact: gained === 0 },
        { field: 'dropped', count: dropped, exact: true },
      ],
    ]);
  }
  return found;
}

/**
 * Counts the messages of workqueues that no worker would get after a change of filters: those behind what a consumer
 * has delivered already on subjects it gains, and those on subjects that nobody takes any more. Reads only.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function measureStranded(
  nats: Nats,
  input: { readonly desired: Desired; readonly observed: Observed },
): Promise<Losses> {
  const queues = [...changedQueues(input)];
  const figures = await Promise.all(queues.map(([stream, workers]) => measureQueue(nats, stream, workers)));
  return new Map(figures.flat());
}
