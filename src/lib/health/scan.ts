import { isCovered } from '../dlq/dead-count.ts';
import { scanEntries } from '../dlq/scan.ts';
import type { SeenQueue } from '../dlq/standing.ts';
import { OpsError } from '../errors/ops-error.ts';
import { advisorySubject } from '../facts/names.ts';
import { atLeast } from '../facts/versions.ts';
import type { Entry } from '../model/entry.ts';
import type { Nats } from '../nats/connect.ts';
import { countStored } from './collect.ts';
import { type Cost, costOf, fits, sumOf } from './cost.ts';
import { type DeadState, deathsOf, type QueueState } from './snapshot.ts';

const HOUR = 3_600_000;

/** What the entries of one queue come to. */
interface Seen {
  stored: number;
  /** Of the stored, those on a subject that no consumer takes any more. */
  untaken: number;
  carried: number;
  journalled: number;
  parked: number;
  orphans: number;
  uncertain: number;
  held: number;
  dying: number;
  expired: number;
  answered: number;
  oldest: number;
  lastHour: number;
}

const nothing = (): Seen => ({
  stored: 0,
  untaken: 0,
  carried: 0,
  journalled: 0,
  parked: 0,
  orphans: 0,
  uncertain: 0,
  held: 0,
  dying: 0,
  expired: 0,
  answered: 0,
  oldest: Number.POSITIVE_INFINITY,
  lastHour: 0,
});

const refOf = ({ name, consumers, dlq, responses, seen }: QueueState): SeenQueue => ({
  queue: name,
  dlq: dlq?.name,
  dlqs: dlq ? [dlq.name] : [],
  consumers: consumers.map((consumer) => consumer.name),
  ...(responses && { responses: responses.name }),
  ...(seen && { seen }),
});

/** Whether the arithmetic leaves something open: whatever has records, or dead without them. */
const isOpen = (queue: QueueState): boolean =>
  queue.deadState !== undefined &&
  queue.deadState.unknown === undefined &&
  (deathsOf(queue) > 0 || (queue.dlq?.figures.messages ?? 0) > 0);

/**
 * Looks into what is dead, entry by entry as `dlq ls` does, where that costs no more than a probe each minute may: the
 * figures are then the same to the letter. Beyond it arithmetic tells what it can, and says what nobody looked at.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function scanDead(nats: Nats, queues: readonly QueueState[], now: number): Promise<QueueState[]> {
  const open = queues.filter(isOpen);
  if (open.length === 0) return [...queues];
  const hasBatches = atLeast(nats.target.server.version, '2.11.0');
  const readable: QueueState[] = [];
  let cost: Cost = { messages: 0, bytes: 0, requests: 0 };
  for (const queue of open) {
    const next = sumOf(cost, costOf(queue, hasBatches));
    if (!fits(next)) continue;
    readable.push(queue);
    cost = next;
  }
  const seen = readable.length > 0 ? await readEntries(nats, readable, now) : undefined;
  return Promise.all(
    queues.map(async (queue) => {
      if (!isOpen(queue)) return queue;
      const found = seen?.queues.get(queue.name);
      const foreign = queue.dlq ? seen?.foreign.get(queue.dlq.name) : undefined;
      // What is dead waits for nobody.
      const uncovered = Math.max(0, queue.uncovered - (found?.untaken ?? 0));
      const deadState = found
        ? exactly(queue.deadState!, found, foreign ?? 0)
        : await roughly(nats, queue, queue.deadState!);
      return { ...queue, uncovered, deadState };
    }),
  );
}

interface AllSeen {
  readonly queues: ReadonlyMap<string, Seen>;
  /** By DLQ stream. */
  readonly foreign: ReadonlyMap<string, number>;
}

async function readEntries(nats: Nats, queues: readonly QueueState[], now: number): Promise<AllSeen | undefined> {
  const seen = new Map(queues.map(({ name }) => [name, nothing()]));
  const foreign = new Map<string, number>();
  try {
    const entries = scanEntries(
      nats,
      queues.map(refOf),
      {},
      {
        now,
        asSeen: true,
        signal: nats.signal,
        onUnreadable: ({ stream }) => foreign.set(stream, (foreign.get(stream) ?? 0) + 1),
        onCount: ({ queue, uncertain, held, dying }) =>
          Object.assign(seen.get(queue) ?? {}, { uncertain, held, dying }),
      },
    );
    for await (const entry of entries) {
      const one = seen.get(entry.queue);
      if (one) count(one, entry, queues.find(({ name }) => name === entry.queue)!, now);
    }
    return { queues: seen, foreign };
  } catch (error) {
    // Who may see the figures need not be allowed to read messages.
    if (error instanceof OpsError && ['DENIED_SUBJECT', 'NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}

function count(seen: Seen, { state, died_at, inner }: Entry, queue: QueueState, now: number): void {
  if (state === 'gone') {
    if (inner.cause === 'expired') seen.expired += 1;
    if (inner.cause === 'answered') seen.answered += 1;
    return;
  }
  if (inner.journalled) seen.journalled += 1;
  else if (inner.original) {
    seen.stored += 1;
    if (!isCovered(queue, inner.original.subject)) seen.untaken += 1;
  } else seen.carried += 1;
  if (state === 'orphan') seen.orphans += 1;
  if (state === 'parked') seen.parked += 1;
  const died = died_at === null ? Number.NaN : Date.parse(died_at);
  if (died > now - HOUR) seen.lastHour += 1;
  if (!Number.isNaN(died)) seen.oldest = Math.min(seen.oldest, died);
}

const exactly = (state: DeadState, seen: Seen, foreign: number): DeadState => ({
  dead: seen.stored + seen.uncertain,
  rejected: seen.carried,
  journalled: seen.journalled,
  parked: seen.parked,
  dying: seen.dying,
  held: seen.held,
  steady: state.steady,
  orphans: seen.orphans + seen.uncertain,
  exact: true,
  expired: seen.expired,
  answered: seen.answered,
  foreign,
  lastHour: seen.lastHour,
  ...(Number.isFinite(seen.oldest) && { oldestDiedAt: seen.oldest }),
});

/** By arithmetic and by the counts of the DLQ's subjects. */
async function roughly(nats: Nats, queue: QueueState, { parked: _, ...state }: DeadState): Promise<DeadState> {
  const { name, dlq, stream, consumers } = queue;
  if (stream?.config.retention !== 'workqueue' || consumers.length === 0) {
    return { ...state, exact: false, unknown: `${dlq?.figures.messages ?? 0} records were not looked into` };
  }
  if (!dlq) return { ...state, orphans: state.dead, exact: true };
  const advisories = await countStored(nats, dlq.name, advisorySubject('max_deliveries', name));
  return { ...state, orphans: Math.max(0, state.dead - state.held - advisories), exact: false };
}
