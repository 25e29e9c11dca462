import { filtersOf } from '../canonical/consumer.ts';
import { subjectCovers } from '../facts/subjects.ts';
import { equalJson } from '../model/json.ts';
import type { Losses, LossFigure } from '../model/plan.ts';
import {
  type Desired,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
} from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { nextMessage } from '../nats/messages.ts';
import { readSubjects } from '../nats/streams.ts';

type Consumer = Extract<ObservedResource, { kind: 'consumer' }>;

/** A consumer of a workqueue, and what it takes before and after the plan. */
interface Worker {
  readonly key: ResourceKey;
  readonly live: Consumer | undefined;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const takes = (filters: readonly string[], subject: string): boolean =>
  filters.some((filter) => subjectCovers(filter, subject));

/** The workers of each workqueue that holds messages and changes who takes which. */
function changedQueues({ desired, observed }: { desired: Desired; observed: Observed }): Map<string, Worker[]> {
  const queues = new Map<string, Worker[]>();
  const add = (key: ResourceKey, worker: Omit<Worker, 'key'>): void => {
    const { stream } = splitConsumerName(key.slice('consumer '.length));
    const held = observed.resources.get(`stream ${stream}`);
    if (held?.kind !== 'stream' || held.config.retention !== 'workqueue' || held.figures.messages === 0) return;
    queues.set(stream, [...(queues.get(stream) ?? []), { key, ...worker }]);
  };
  const wanted = new Set<ResourceKey>();
  for (const resource of desired.resources) {
    if (resource.kind !== 'consumer') continue;
    const key = keyOf(resource);
    wanted.add(key);
    const found = observed.resources.get(key);
    const live = found?.kind === 'consumer' ? found : undefined;
    const before = live ? filtersOf(live.config) : [];
    add(key, { live, before, after: filtersOf(resource.config) });
  }
  for (const [key, live] of observed.resources) {
    if (live.kind !== 'consumer' || wanted.has(key)) continue;
    const filters = filtersOf(live.config);
    add(key, { live, before: filters, after: filters });
  }
  for (const [stream, workers] of queues) {
    if (workers.every(({ live, before, after }) => !live || equalJson(before.toSorted(), after.toSorted())))
      queues.delete(stream);
  }
  return queues;
}

/** How many messages lie on subjects it gains, at most, where the first of them is behind what it has delivered. */
async function behind(
  nats: Nats,
  stream: string,
  worker: Worker,
  counts: ReadonlyMap<string, number>,
): Promise<number> {
  const delivered = worker.live?.figures.delivered_stream_seq ?? 0;
  let count = 0;
  for (const filter of worker.after) {
    const gained = [...counts].filter(([subject]) => subjectCovers(filter, subject) && !takes(worker.before, subject));
    if (gained.length === 0) continue;
    const first = await nextMessage(nats, stream, 1, filter);
    if (first && first.seq <= delivered) count += gained.reduce((sum, [, each]) => sum + each, 0);
  }
  return count;
}

async function measureQueue(
  nats: Nats,
  stream: string,
  workers: readonly Worker[],
): Promise<[ResourceKey, LossFigure[]][]> {
  const { subjects: counts } = await orThrow(readSubjects(nats, stream));
  const found: [ResourceKey, LossFigure[]][] = [];
  for (const worker of workers) {
    if (!worker.live) continue;
    const gained = await behind(nats, stream, worker, counts);
    let dropped = 0;
    for (const [subject, count] of counts) {
      if (takes(worker.before, subject) && !workers.some(({ after }) => takes(after, subject))) dropped += count;
    }
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
