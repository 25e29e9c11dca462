import { setTimeout as sleep } from 'node:timers/promises';
import { type Captors, findCaptors, isCaptorOf } from '../dlq/captors.ts';
import { type DeadCount, deadCount, figuresOf, isOneMoment, whyUntold } from '../dlq/dead-count.ts';
import { readFailing } from '../dlq/failing.ts';
import { countJournalled } from '../dlq/journalled.ts';
import { countUncovered } from '../dlq/orphans.ts';
import { isCopy, type QueueStanding, type SeenStream, toConsumerStanding, toStanding } from '../dlq/standing.ts';
import { capturesOf, mayBeService } from '../facts/captures.ts';
import { bucketStream, rejectedSubject } from '../facts/names.ts';
import type { AccountUsage } from '../model/account.ts';
import { numberOf, textOf } from '../model/json.ts';
import { type ObservedResource, type ResourceKey, splitKey } from '../model/resource.ts';
import type { HealthSpec } from '../model/spec.ts';
import { readAccount } from '../nats/account.ts';
import { type Answer, answerOf, ifFound, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { consumerNames, readConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { firstMessage } from '../nats/messages.ts';
import { isOneServer, pipelined } from '../nats/pipeline.ts';
import { listStreams, readStream, readSubjects } from '../nats/streams.ts';
import { askResource, asResource, IN_FLIGHT } from '../observed/read.ts';
import { quickest } from './round-trip.ts';
import type { ConsumerState, DeadState, Flow, QueueState, StreamState } from './snapshot.ts';
import { flowBetween, type Sample, toSample } from './trend.ts';

/** A queue to look at. */
export interface QueueToLook {
  readonly name: string;
  /** Named by the spec, or found; the stream's others are read as well. */
  readonly consumers: readonly string[];
  readonly dlq?: string;
  /** All streams that take its deaths, where they were looked for; else they are found. */
  readonly dlqs?: readonly string[];
  /** Those that may take more of them and cannot be read, where all were looked for. */
  readonly unread?: readonly string[];
  readonly responses?: string;
  readonly health: HealthSpec;
}

/** What was read, before the dead were looked into and drift was told. */
export interface Collected {
  readonly now: number;
  readonly rttMs: number;
  readonly account?: AccountUsage;
  readonly resources: ReadonlyMap<ResourceKey, ObservedResource>;
  readonly silent: ReadonlyMap<ResourceKey, string>;
  readonly queues: readonly QueueState[];
}

/** Looks whose figures moved meanwhile are repeated so many times. */
const TRIES = 4;
/** So many of them with all asked at once. */
const AT_ONCE_TRIES = 2;

/** Absence and silence are findings; that we may not ask is an error. */
async function seek<T>(asked: Promise<Answer<T>>): Promise<Answer<T>> {
  const answer = await asked;
  if (answer.is === 'denied') throw answer.error;
  return answer;
}

const found = <T>(answers: Iterable<Answer<T>>): T[] =>
  [...answers].flatMap((answer) => (answer.is === 'found' ? [answer.value] : []));

/** A ping and its answer, in milliseconds; the client's own figure is rounded to whole ones. */
async function roundTrip(nats: Nats): Promise<number> {
  const start = performance.now();
  await nats.nc.rtt();
  return performance.now() - start;
}

function consumerState(info: ConsumerInfo): ConsumerState {
  const { config, lastDelivered, lastAcked, bound } = info;
  const standing = toConsumerStanding(info);
  const moved = [lastDelivered, lastAcked].filter((time) => time !== undefined);
  const paused = textOf(config.pause_until);
  return {
    ...standing,
    maxAckPending: numberOf(config.max_ack_pending, -1),
    ...(moved.length > 0 && { lastMoved: moved.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1)! }),
    push: textOf(config.deliver_subject) !== '',
    bound,
    ...(standing.paused && paused && { pausedUntil: paused }),
  };
}

interface Look {
  readonly stream: Answer<StreamInfo>;
  readonly consumers: ReadonlyMap<string, Answer<ConsumerInfo>>;
  /** Absent, as what follows, where the stream is missing or silent. */
  readonly standing?: QueueStanding;
  readonly steady?: boolean;
  readonly uncovered?: number;
}

/**
 * A queue's stream and consumers as of one moment: the consumers are read before and after the stream, and all again
 * while they moved in between.
 */
async function lookAt(nats: Nats, { name, consumers: named }: QueueToLook, listed?: StreamInfo): Promise<Look> {
  let names = [...named];
  const readConsumers = async () => {
    const answers = await Promise.all(names.map((one) => seek(readConsumer(nats, name, one))));
    return new Map(names.map((one, index) => [one, answers[index]!]));
  };
  /** At once first, which tells one moment where one server answers by one clock; then one after the other. */
  const readAll = async (atOnce: boolean) => {
    if (listed?.figures.messages === 0) {
      // What is empty is taken from the listing: that its consumers were read later cannot make anything dead.
      const consumers = await readConsumers();
      return [consumers, { is: 'found', value: listed } as Answer<StreamInfo>, consumers] as const;
    }
    const readQueue = () => seek(readStream(nats, name));
    if (atOnce) return Promise.all([readConsumers(), readQueue(), readConsumers()]);
    return [await readConsumers(), await readQueue(), await readConsumers()] as const;
  };
  for (let attempt = 0; ; attempt++) {
    const readAt = performance.now();
    const atOnce = isOneServer(nats) && attempt < AT_ONCE_TRIES;
    const [before, stream, after] = await readAll(atOnce);
    if (stream.is !== 'found') return { stream, consumers: after };
    if (attempt === 0 && found(after.values()).length < stream.value.figures.consumer_count) {
      const others = await orElse(consumerNames(nats, name), { missing: [], denied: [] });
      names = [...new Set([...named, ...others])];
      if (names.length > named.length) continue;
    }
    const standing = (answers: typeof before) => toStanding(name, stream.value, found(answers.values()), readAt);
    const now = standing(after);
    const then = standing(before);
    // Nothing is stored, so nothing is dead, in whichever order that was told.
    const isOrdered = !atOnce || now.messages === 0;
    const steady = isOrdered ? figuresOf(then) === figuresOf(now) : isOneMoment(then, now);
    if (!steady && attempt < TRIES) continue;
    return { stream, consumers: after, standing: now, steady, uncovered: await countUncovered(nats, now) };
  }
}

/** The time of the first message that waits for a consumer; `undefined` where this user may not read it. */
async function oldestWaiting(nats: Nats, queue: string, consumer: ConsumerState): Promise<number | undefined> {
  const filters = consumer.filters.length > 0 ? consumer.filters : ['>'];
  const first = async (subject: string) => {
    const message = await firstMessage(nats, queue, consumer.delivered + 1, subject);
    return message ? Date.parse(message.time) : Number.POSITIVE_INFINITY;
  };
  const times = await orElse(answerOf(Promise.all(filters.map(first))), { denied: [], missing: [] });
  const oldest = Math.min(...times);
  return Number.isFinite(oldest) ? oldest : undefined;
}

const FEW = 4;
/** From so many resources on a listing of all streams, 256 at a time, is less work than a request for each. */
const MANY = 64;
const NONE: ReadonlyMap<string, StreamInfo> = new Map();

const streamNameOf = (key: ResourceKey): string => {
  const { kind, name } = splitKey(key);
  return kind === 'bucket' ? bucketStream(name) : kind === 'stream' ? name : '';
};

/** Every stream of the account by name; none where there are many more than we want, or where this user may not ask. */
async function byName(
  nats: Nats,
  wanted: number,
  account: AccountUsage | undefined,
): Promise<ReadonlyMap<string, StreamInfo>> {
  if (!account || account.streams > 3 * wanted) return NONE;
  const streams = await orElse(listStreams(nats), { denied: [] });
  return new Map(streams.map((info) => [info.name, info]));
}

const stateOf = (resource: ObservedResource | undefined): StreamState | undefined =>
  resource && resource.kind !== 'consumer'
    ? {
        config: resource.config,
        figures: resource.figures,
        cluster: resource.cluster,
      }
    : undefined;

/**
 * Reads, once and side by side, everything that is judged: the account, each queue with its consumers as of one
 * moment, and every other resource named.
 * @throws OpsError CONN_UNREACHABLE, CONN_NO_JETSTREAM, DENIED_SUBJECT, INTERRUPTED
 */
export async function collect(
  nats: Nats,
  queues: readonly QueueToLook[],
  keys: readonly ResourceKey[],
  nowMs: number,
): Promise<Collected> {
  const inQueues = new Set<ResourceKey>(
    queues.flatMap(({ name, consumers }) => [
      `stream ${name}` as const,
      ...consumers.map((one) => `consumer ${name}/${one}` as const),
    ]),
  );
  const others = [
    ...new Set([
      ...keys,
      ...queues.flatMap(({ dlq, dlqs = [], responses }) => [
        ...[...(dlq === undefined ? [] : [dlq]), ...dlqs].map((name) => `stream ${name}` as const),
        ...(responses === undefined ? [] : [`bucket ${responses}` as const]),
      ]),
    ]),
  ].filter((key) => !inQueues.has(key));
  const reading = orElse(readAccount(nats), { denied: undefined });
  // Of a few queues it is asked before it is known whether it matters: that costs no time.
  const rejects = new Map(
    queues.length > FEW
      ? []
      : queues.flatMap(({ name, dlq }) =>
          dlq === undefined ? [] : [[name, countStored(nats, dlq, rejectedSubject(name))] as const],
        ),
  );
  const captors = findCaptors(
    nats,
    queues.flatMap(({ name, dlqs }) => (dlqs ? [] : [name])),
    new Set(others.map(streamNameOf).filter((name) => !mayBeService(name))),
  );
  for (const asked of [...rejects.values(), captors]) asked.catch(() => {});
  const listed = inQueues.size + others.length < MANY ? NONE : await byName(nats, others.length, await reading);
  const [rttMs, account, journalled, answers, looks] = await Promise.all([
    quickest(() => roundTrip(nats)),
    reading,
    countJournalled(nats),
    pipelined(others, IN_FLIGHT, async (key): Promise<Answer<ObservedResource>> => {
      const info = listed.get(streamNameOf(key));
      return info ? { is: 'found', value: asResource(key, info) } : seek(askResource(nats, key));
    }),
    pipelined(queues, IN_FLIGHT / 2, (queue) => lookAt(nats, queue, listed.get(queue.name))),
  ]);

  const resources = new Map<ResourceKey, ObservedResource>();
  const silent = new Map<ResourceKey, string>();
  const take = (key: ResourceKey, answer: Answer<ObservedResource>) => {
    if (answer.is === 'found') resources.set(key, answer.value);
    else if (answer.is === 'silent') {
      silent.set(key, answer.error.code === 'CONN_NO_LEADER' ? 'it has no leader' : 'it does not answer');
    }
  };
  for (const [index, key] of others.entries()) take(key, answers[index]!);
  let now = nowMs;
  for (const [index, { name }] of queues.entries()) {
    const { stream, consumers } = looks[index]!;
    take(
      `stream ${name}`,
      ifFound(stream, (info) => asResource(`stream ${name}`, info)),
    );
    for (const [one, answer] of consumers)
      take(
        `consumer ${name}/${one}`,
        ifFound(answer, (info) => asResource(`consumer ${name}/${one}`, info)),
      );
    // Ages are told by the clock that stamped the messages.
    if (stream.is === 'found' && !Number.isNaN(stream.value.now)) now = stream.value.now;
  }
  const states = await pipelined(queues, 32, (queue, index) =>
    queueState(nats, queue, looks[index]!, {
      resources,
      now,
      journalled: journalled && (journalled.get(queue.name) ?? 0),
      rejects,
      captors,
    }),
  );
  return { now, rttMs, account, resources, silent, queues: states };
}

/** What else bears on a queue's state. */
interface Around {
  readonly resources: ReadonlyMap<ResourceKey, ObservedResource>;
  readonly now: number;
  /** `undefined` for a user who may not know. */
  readonly journalled: number | undefined;
  /** How many rejects a queue's DLQ has, as far as that was asked with all else. */
  readonly rejects?: ReadonlyMap<string, Promise<number>>;
  /** The streams that take deaths, but for those among the resources. */
  readonly captors: Promise<Captors>;
}

/** All streams that take the deaths of a queue, its own first. */
function dlqsOf(
  { name, dlq, dlqs }: QueueToLook,
  resources: Around['resources'],
  found: Captors['found'],
): readonly SeenStream[] {
  const streams = [...resources.values()].flatMap((one) => (one.kind === 'stream' ? [one] : []));
  const named = dlqs ?? (dlq === undefined ? [] : [dlq]);
  const own = named.flatMap((one) => streams.find((info) => info.name === one) ?? []);
  if (dlqs) return own;
  const stored = new Set<string>();
  const others = streams.filter(({ config }) => isCaptorOf({ captures: capturesOf(config, true), stored }, name));
  const more = found.filter((one) => isCaptorOf(one, name)).map(({ info }) => info);
  return [...new Map<string, SeenStream>([...own, ...others, ...more].map((info) => [info.name, info])).values()];
}

async function queueState(
  nats: Nats,
  queue: QueueToLook,
  look: Look,
  { resources, now, journalled, rejects, captors }: Around,
): Promise<QueueState> {
  const { name, health, dlq, responses } = queue;
  const { standing, steady = true, uncovered = 0 } = look;
  const all = found(look.consumers.values());
  const infos = all.filter((info) => !isCopy(info));
  // Beside what else is asked of this queue.
  const failing = standing ? readFailing(nats, standing, now) : Promise.resolve([]);
  failing.catch(() => {});
  const consumers = await Promise.all(
    infos.map(async (info): Promise<ConsumerState> => {
      const state = consumerState(info);
      const oldest = state.pending > 0 ? await oldestWaiting(nats, name, state) : undefined;
      return { ...state, ...(oldest !== undefined && { oldestWaitingMs: Math.max(0, now - oldest) }) };
    }),
  );
  const stream = stateOf(resources.get(`stream ${name}`));
  const dlqState = dlq === undefined ? undefined : stateOf(resources.get(`stream ${dlq}`));
  const bucket = responses === undefined ? undefined : stateOf(resources.get(`bucket ${responses}`));
  const isKept = standing && dlq !== undefined && dlqState !== undefined && dlqState.figures.messages > 0;
  const rejected = isKept ? await (rejects?.get(name) ?? countStored(nats, dlq, rejectedSubject(name))) : 0;
  const { found: more, unread } = await captors;
  const dlqs = dlqsOf(queue, resources, more);
  const untold = whyUntold(standing, dlqs, queue.unread ?? unread.get(name));
  const deadState = standing && {
    ...deadOf(deadCount(standing, uncovered, steady, now)),
    rejected,
    journalled: journalled ?? 0,
    ...(untold && { unknown: untold }),
  };
  return {
    name,
    health,
    stream,
    consumers,
    copies: all.filter(isCopy).map(consumerState),
    uncovered,
    failing: (await failing).map((one) => one.failing),
    deadState,
    ...(dlqState && { dlq: { name: dlq!, ...dlqState } }),
    dlqs,
    ...(responses !== undefined && bucket && { responses: { name: responses, ...bucket } }),
    ...(standing && { seen: { standing, dlqs, journalled } }),
  };
}

/** How many messages of a stream lie on subjects. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function countStored(nats: Nats, stream: string, subjects: string): Promise<number> {
  const answer = await orElse(readSubjects(nats, stream, subjects), { missing: undefined, silent: undefined });
  return [...(answer?.subjects.values() ?? [])].reduce((sum, count) => sum + count, 0);
}

/** The count alone; who has an entry is looked into where there are any. */
function deadOf({ dead, steady, dying, held }: DeadCount): Omit<DeadState, 'rejected' | 'journalled'> {
  const base = { dead, steady, dying, held };
  return dead === 0 ? { ...base, orphans: 0, parked: 0, exact: true } : { ...base, exact: false };
}

/** A queue's stream and consumers, as far as they tell how it moves. */
async function readSample(nats: Nats, { name, consumers }: QueueState): Promise<Sample | undefined> {
  const none = { missing: undefined, silent: undefined };
  const [info, ...infos] = await Promise.all([
    orElse(readStream(nats, name), none),
    ...consumers.map((consumer) => orElse(readConsumer(nats, name, consumer.name), none)),
  ]);
  if (!info || infos.includes(undefined)) return undefined;
  return toSample(
    info.figures,
    infos.map((consumer) => toConsumerStanding(consumer!)),
    performance.now(),
  );
}

/** The queues a moment later, to tell how they move. */
export async function measureFlow(
  nats: Nats,
  queues: readonly QueueState[],
  waitMs: number,
): Promise<Map<string, Flow>> {
  const read = () => pipelined(queues, IN_FLIGHT, (queue) => readSample(nats, queue));
  const first = await read();
  await sleep(waitMs);
  nats.signal.throwIfAborted();
  const second = await read();
  const flows = new Map<string, Flow>();
  for (const [index, { name }] of queues.entries()) {
    const [a, b] = [first[index], second[index]];
    const flow = a && b && flowBetween(a, b);
    if (flow) flows.set(name, flow);
  }
  return flows;
}
