import { setTimeout as sleep } from 'node:timers/promises';
import { readStanding } from '../../dlq/collect.ts';
import { countsDead, coversAll, deadCount } from '../../dlq/dead-count.ts';
import { readFailing } from '../../dlq/failing.ts';
import { readStoredDead } from '../../dlq/scan.ts';
import type { SeqSet } from '../../dlq/seq-set.ts';
import type { QueueStanding } from '../../dlq/standing.ts';
import { parseWhere } from '../../dlq/where.ts';
import { isOf } from '../../ledger/failure.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { StoredMessage } from '../../model/message.ts';
import type { WaitingJson } from '../../model/request.ts';
import type { Nats } from '../../nats/connect.ts';
import { getMessage } from '../../nats/messages.ts';
import { pipelined } from '../../nats/pipeline.ts';
import type { Places } from '../../places/places.ts';
import { idOf, replaysOf } from '../../requests/identify.ts';
import { isMeant, scanWaiting, type WaitingFilter } from '../../requests/scan.ts';
import { mayBeDead } from '../../requests/taker.ts';
import { type RequestChoice, withRequests } from './scope.ts';

export interface ListOptions extends RequestChoice, WaitingFilter {
  readonly limit?: number;
  /** Conditions that all have to hold. */
  readonly where?: readonly string[];
  /** What failed and is tried again is listed before what waits for its first delivery, or nothing else is. */
  readonly failing?: 'too' | 'only';
}

/** How much was listed, and whether there is more. */
export interface Listed {
  readonly listed: number;
  readonly more: boolean;
  /** Whether a filter may have left some out. */
  readonly isFiltered: boolean;
  /** How many there are without a filter, as far as the server counts them. */
  readonly total?: number;
  /** How many of each queue were delivered before, and no worker wrote down why; within so many seconds each is tried again. */
  readonly unnoted: readonly { readonly queue: string; readonly count: number; readonly withinSeconds: number }[];
}

type OnRequest = (request: WaitingJson) => Promise<void> | undefined;

/** Read at once. */
const AT_ONCE = 256;
/** Of so many queues what fails is read at once. */
const QUEUES_AT_ONCE = 16;

/**
 * Lists what waits for its first delivery, oldest first, each as soon as it is read; where it is asked for, what failed
 * before that, the nearest to its death first.
 * @throws OpsError NOT_FOUND, USAGE, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export const listWaiting = (context: Context, options: ListOptions, onRequest: OnRequest): Promise<Listed> =>
  withRequests(context, options, (places) => listIn(context, places, options, onRequest));

/** The same again and again, until Ctrl-C. @throws what `listWaiting` throws */
export const watchWaiting = (
  context: Context,
  { everyMs, ...options }: ListOptions & { readonly everyMs: number },
  show: (requests: readonly WaitingJson[], listed: Listed) => void,
): Promise<void> =>
  withRequests(context, options, async (places) => {
    const { signal } = context.io;
    try {
      while (!signal.aborted) {
        const all: WaitingJson[] = [];
        const listed = await listIn(context, places, options, (one) => void all.push(one));
        show(all, listed);
        await sleep(everyMs, undefined, { signal }).catch(() => {});
      }
    } catch (error) {
      // Ctrl-C in the middle of a look is the end that was asked for.
      if (!signal.aborted) throw error;
    }
  });

async function listIn(context: Context, places: Places, options: ListOptions, onRequest: OnRequest): Promise<Listed> {
  const { nats } = places;
  const where = parseWhere(options.where ?? [], { alive: true });
  const holds = ({ stream: queue, subject, time, ...rest }: StoredMessage): boolean => {
    const message = { stream: queue, subject, time, ...rest };
    return where.every((term) => term.holds({ queue, subject, died_at: null, published_at: time, inner: { message } }));
  };
  const refs = await places.someQueues(context.io.tell);
  const standings = await pipelined(refs, AT_ONCE, (ref) => readStanding(nats, ref));
  const unnoted: Listed['unnoted'][number][] = [];
  let listed = 0;
  const all = options.failing
    ? await pipelined(refs, QUEUES_AT_ONCE, (ref, index) => listFailing(context, nats, ref, standings[index]!))
    : [];
  const fails = all.flat().length;
  const waiting = countWaiting(standings);
  const result = (more: boolean): Listed => ({
    listed,
    more,
    unnoted,
    isFiltered:
      options.failing === 'only' ||
      options.before !== undefined ||
      (options.subjects ?? []).length > 0 ||
      where.length > 0,
    ...(waiting !== undefined && { total: Math.max(waiting + fails, listed) }),
  });
  const isFull = () => listed === options.limit;
  for (const [index, failing] of all.entries()) {
    const standing = standings[index]!;
    const count = retrying(standing) - failing.length;
    const waits = standing.consumers.flatMap((consumer) => consumer.waits);
    if (count > 0) unnoted.push({ queue: standing.queue, count, withinSeconds: Math.max(0, ...waits) / 1e9 });
    for (const [message, facts] of failing) {
      if (!isMeant(message, options) || !holds(message)) continue;
      if (isFull()) return result(true);
      await onRequest({ ...waitingJson(message), ...facts });
      listed += 1;
    }
  }
  for (const [index, ref] of options.failing === 'only' ? [] : refs.entries()) {
    const standing = standings[index]!;
    let dead: SeqSet | undefined;
    for await (const message of scanWaiting(nats, standing, options)) {
      context.io.signal.throwIfAborted();
      if (mayBeDead(standing, message.subject)) {
        dead ??= await readStoredDead(nats, ref);
        if (dead.has(message.seq)) continue;
      }
      if (!holds(message)) continue;
      if (isFull()) return result(true);
      await onRequest({ ...waitingJson(message), state: 'queued' });
      listed += 1;
    }
  }
  return result(false);
}

/** How many wait for their first delivery, where the consumers of work queues count them all. */
function countWaiting(standings: readonly QueueStanding[]): number | undefined {
  if (!standings.every((standing) => countsDead(standing) && coversAll(standing))) return undefined;
  return standings.flatMap(({ consumers }) => consumers).reduce((sum, { pending }) => sum + pending, 0);
}

const waitingJson = (message: StoredMessage): Omit<WaitingJson, 'state'> => ({
  id: idOf(message) ?? null,
  queue: message.stream,
  seq: message.seq,
  subject: message.subject,
  published_at: message.time,
  size: message.payload.byteLength,
  replays: replaysOf(message),
});

type FailingFacts = Pick<WaitingJson, 'state' | 'deliveries' | 'max_deliver' | 'next_delivery_at' | 'detail'>;

/** What failed and is still stored, and alive, with what its worker wrote down. */
async function listFailing(
  context: Context,
  nats: Nats,
  ref: QueueRef,
  standing: QueueStanding,
): Promise<[StoredMessage, FailingFacts][]> {
  const noted = await readFailing(nats, standing, context.now().getTime());
  if (noted.length === 0) return [];
  // What should have been tried since may be dead, by a worker that wrote nothing down.
  const [messages, dead] = await Promise.all([
    pipelined(noted, AT_ONCE, ({ failing }) => getMessage(nats, ref.queue, failing.seq)),
    noted.some(({ isOverdue }) => isOverdue) ? readStoredDead(nats, ref) : undefined,
  ]);
  return noted.flatMap((one, index): [StoredMessage, FailingFacts][] => {
    const message = messages[index];
    if (!message || !isOf(one, message) || dead?.has(message.seq)) return [];
    const { state, deliveries, max_deliver, next_delivery_at, detail } = one.failing;
    return [[message, { state, deliveries, max_deliver, next_delivery_at, detail }]];
  });
}

/** At least so many of those in flight were delivered before; the server counts the dead among them. */
function retrying(standing: QueueStanding): number {
  if (!countsDead(standing)) return 0;
  const { dead, inFlight } = deadCount(standing, 0, true, 0);
  const redelivered = standing.consumers.reduce((sum, consumer) => sum + consumer.redelivered, 0);
  return Math.min(inFlight, Math.max(0, redelivered - dead));
}
