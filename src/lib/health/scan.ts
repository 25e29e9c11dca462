import { isCovered } from '../dlq/dead-count.ts';
import { scanEntries } from '../dlq/scan.ts';
import type { SeenQueue } from '../dlq/standing.ts';
import { OpsError } from '../errors/ops-error.ts';
import { advisorySubject, bucketStream, RESPONSES_BUCKET } from '../facts/names.ts';
import { atLeast } from '../facts/versions.ts';
import type { Entry } from '../model/entry.ts';
import { toType } from '../model/shell.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readStream } from '../nats/streams.ts';
import { plural } from './check.ts';
import { countStored } from './collect.ts';
import { affordable, costOf } from './cost.ts';
import { type DeadState, deathsOf, type QueueState, recordsOf } from './snapshot.ts';

const HOUR = 3_600_000;

/** What the entries of one queue come to. */
interface Seen {
  stored: number;
  /** Of the stored, dead or answered, those on a subject that no consumer takes any more. */
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

const refOf = ({ name, consumers, dlqs, responses, seen }: QueueState): SeenQueue => ({
  queue: name,
  dlq: dlqs[0]?.name,
  dlqs: dlqs.map((dlq) => dlq.name),
  consumers: consumers.map((consumer) => consumer.name),
  ...(responses && { responses: responses.name }),
  ...(seen && { seen }),
});

/** Whether the arithmetic leaves something open: whatever has records, or dead without them. */
const isOpen = (queue: QueueState): boolean =>
  queue.deadState !== undefined && (deathsOf(queue) > 0 || recordsOf(queue) > 0);

/**
 * Looks into what is dead, entry by entry as `dlq ls` does, where that costs no more than a probe each minute may, or
 * `atAnyCost`: the figures are then the same to the letter. Beyond it arithmetic tells what it can, and says what nobody
 * looked at.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function scanDead(
  nats: Nats,
  queues: readonly QueueState[],
  now: number,
  { atAnyCost = false }: { readonly atAnyCost?: boolean } = {},
): Promise<QueueState[]> {
  const open = queues.filter(isOpen);
  if (open.length === 0) return [...queues];
  const hasBatches = atLeast(nats.target.server.version, '2.11.0');
  const { within, isTooMuch } = affordable(new Map(open.map((queue) => [queue, costOf(queue, hasBatches)])));
  const isRead = (queue: QueueState) => atAnyCost || within.has(queue);
  const readable = open.filter(isRead);
  const whyNot = (queue: QueueState) => {
    if (isRead(queue)) return 'as they could not be read';
    return isTooMuch(queue)
      ? 'as that takes more than a probe may'
      : 'as those of all queues together take more than a probe may';
  };
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
        : await roughly(nats, queue, queue.deadState!, whyNot(queue));
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
  // What was answered after its death waits for nobody either.
  if (inner.original && !isCovered(queue, inner.original.subject)) seen.untaken += 1;
  if (state === 'gone') {
    if (inner.cause === 'expired') seen.expired += 1;
    if (inner.cause === 'answered') seen.answered += 1;
    return;
  }
  if (inner.journalled) seen.journalled += 1;
  else if (inner.original) seen.stored += 1;
  else seen.carried += 1;
  if (state === 'orphan' && !inner.journalled) seen.orphans += 1;
  if (state === 'parked') seen.parked += 1;
  const died = died_at === null ? Number.NaN : Date.parse(died_at);
  if (died > now - HOUR) seen.lastHour += 1;
  if (!Number.isNaN(died)) seen.oldest = Math.min(seen.oldest, died);
}

/** Where the DLQ cannot tell of all, what it tells of is the least there are. */
const exactly = (state: DeadState, seen: Seen, foreign: number): DeadState => ({
  ...(state.unknown !== undefined && {
    unknown: state.unknown,
    least: seen.stored + seen.uncertain + seen.carried + seen.journalled,
  }),
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

/**
 * By arithmetic and by the counts of the DLQ's subjects. Only where nothing else can be dead than what is stored, and
 * nothing of that can be answered, is it a figure; else it is the least there are.
 */
async function roughly(
  nats: Nats,
  queue: QueueState,
  { parked: _, ...state }: DeadState,
  whyNot: string,
): Promise<DeadState> {
  const { name, dlqs, stream, consumers, uncovered } = queue;
  const records = recordsOf(queue);
  const isQueue = stream?.config.retention === 'workqueue' && consumers.length > 0;
  const [counts, responses] = await Promise.all([
    isQueue ? Promise.all(dlqs.map((dlq) => countStored(nats, dlq.name, advisorySubject('max_deliveries', name)))) : [],
    isQueue ? countResponses(nats, queue) : 0,
  ]);
  const advisories = counts.reduce((sum, count) => sum + count, 0);
  if (isQueue && uncovered === 0 && advisories === records && responses === 0) {
    return { ...state, orphans: Math.max(0, state.dead - state.held - advisories), exact: dlqs.length === 0 };
  }
  return {
    ...state,
    exact: false,
    least: Math.max(0, state.dead - state.held - responses) + state.journalled,
    unknown:
      state.unknown ??
      `${plural(records, 'record was', 'records were')} not looked into, ${whyNot}; \`${toType`osapi-ops dlq ls --queue ${name}`}\` looks at each`,
  };
}

/** So many of the dead may be answered, at most. */
async function countResponses(nats: Nats, { responses }: QueueState): Promise<number> {
  if (responses) return responses.figures.messages;
  const info = await orElse(readStream(nats, bucketStream(RESPONSES_BUCKET)), {
    missing: undefined,
    denied: null,
    silent: null,
  });
  return info === null ? Number.POSITIVE_INFINITY : (info?.figures.messages ?? 0);
}
