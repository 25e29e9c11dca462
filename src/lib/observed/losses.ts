import { type LoweredLimit, loweredLimits } from '../canonical/limits.ts';
import { canonicalDesired, canonicalObserved, streamLookup } from '../canonical/resource.ts';
import { tableFor } from '../facts/fields.ts';
import { bucketStream } from '../facts/names.ts';
import type { Losses, LossFigure } from '../model/plan.ts';
import {
  type Desired,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  type StreamFigures,
} from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { nextMessage } from '../nats/messages.ts';
import { readDeleted, readSubjects } from '../nats/streams.ts';
import { type Count, countBelow, countBetween, countBeyond, countByBytes } from './counts.ts';

type Holder = Extract<ObservedResource, { kind: 'stream' | 'bucket' }>;

const streamName = ({ kind, name }: Holder): string => (kind === 'bucket' ? bucketStream(name) : name);

/** The first sequence whose message is not older than `limit` (ms since 1970), by halving: some twenty requests. */
async function firstYounger(nats: Nats, stream: string, figures: StreamFigures, limit: number): Promise<number> {
  let low = figures.first_seq;
  let high = figures.last_seq + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await nextMessage(nats, stream, middle);
    if (!found || found.seq >= high || Date.parse(found.time) >= limit) high = middle;
    else low = found.seq + 1;
  }
  return low;
}

/** How many messages are older than `limit` (ms since 1970). */
async function olderThan(nats: Nats, stream: string, figures: StreamFigures, limit: number): Promise<Count> {
  const none = { count: 0, exact: true };
  if (figures.messages === 0 || Date.parse(figures.first_ts) >= limit) return none;
  if (Date.parse(figures.last_ts) < limit) return { ...none, count: figures.messages };
  const seq = await firstYounger(nats, stream, figures, limit);
  return countBelow(figures, seq) ?? countBetween(figures, seq, await orThrow(readDeleted(nats, stream)));
}

/** How many messages each subject has beyond `limit`, together. */
const beyondPerSubject = async (nats: Nats, stream: string, limit: number): Promise<number> =>
  countBeyond((await orThrow(readSubjects(nats, stream))).subjects.values(), limit);

async function measure(nats: Nats, holder: Holder, limit: LoweredLimit, now: Date): Promise<LossFigure> {
  const { figures } = holder;
  const { field, to } = limit;
  const stream = streamName(holder);
  switch (limit.loss) {
    case 'age':
      return { ...(await olderThan(nats, stream, figures, now.getTime() - to / 1e6)), field };
    case 'messages':
      return { field, count: Math.max(0, figures.messages - to), exact: true };
    case 'bytes':
      return { field, ...countByBytes(figures, to) };
    case 'per-subject':
      return figures.messages === 0
        ? { field, count: 0, exact: true }
        : { field, count: await beyondPerSubject(nats, stream, to), exact: true };
  }
}

/**
 * Counts on the server what each lowered limit of a spec would delete there: by age with a binary search over
 * sequences, by subject with the server's own counts; bytes are estimated. Reads only. `now` decides what is old.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function measureLosses(
  nats: Nats,
  input: { readonly desired: Desired; readonly observed: Observed },
  now: Date,
): Promise<Losses> {
  const { desired, observed } = input;
  const table = tableFor(observed.target.server.version);
  const streamOf = streamLookup((key) => observed.resources.get(key));
  const losses = new Map<ResourceKey, readonly LossFigure[]>();
  const jobs = desired.resources.flatMap((resource) => {
    const live = observed.resources.get(keyOf(resource));
    if (!live || live.kind === 'consumer') return [];
    const before = canonicalObserved(live, table, streamOf);
    const lowered = loweredLimits(live.kind, before, canonicalDesired(resource, table, streamOf));
    return lowered.length > 0 ? [{ live, lowered }] : [];
  });
  await Promise.all(
    jobs.map(async ({ live, lowered }) => {
      const figures = await Promise.all(lowered.map((limit) => measure(nats, live, limit, now)));
      losses.set(keyOf(live), figures);
    }),
  );
  return losses;
}
