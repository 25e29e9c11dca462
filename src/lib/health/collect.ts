import { setTimeout as sleep } from 'node:timers/promises';
import { countUncovered, dyingOf, figuresOf } from '../dlq/orphans.ts';
import { parseConsumerStanding, parseStanding } from '../dlq/standing.ts';
import { OpsError } from '../errors/ops-error.ts';
import { bucketStream, rejectedSubject } from '../facts/names.ts';
import { type Config, isObject, numberOf, objectOf, textOf } from '../model/json.ts';
import type { ObservedResource, ResourceKey } from '../model/resource.ts';
import type { HealthSpec } from '../model/spec.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { infoSubject, parseConsumer, parseStream } from '../observed/parse.ts';
import { IN_FLIGHT } from '../observed/read.ts';
import type { AccountUsage, ConsumerState, DeadState, QueueState, StreamState } from './snapshot.ts';

/** A queue to look at. */
export interface QueueToLook {
  readonly name: string;
  /** Named by the spec, or found; the stream's others are read as well. */
  readonly consumers: readonly string[];
  readonly dlq?: string;
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

type Answer =
  | { readonly found: true; readonly info: Config }
  | { readonly found: false; readonly silent?: string; readonly code?: string };

/** Looks whose figures moved meanwhile are repeated so many times. */
const TRIES = 4;

/** Absence and silence are findings; that we may not ask, or lost the server, is an error. */
async function ask(nats: Nats, subject: string, body?: object): Promise<Answer> {
  try {
    return { found: true, info: await nats.api(subject, body) };
  } catch (error) {
    if (isMissing(error)) return { found: false };
    if (error instanceof OpsError && (error.code === 'CONN_NO_LEADER' || error.code === 'CONN_TIMEOUT')) {
      return { found: false, silent: error.code === 'CONN_NO_LEADER' ? 'it has no leader' : 'it does not answer' };
    }
    throw error;
  }
}

/** A ping and its answer, in milliseconds; the client's own figure is rounded to whole ones. */
async function roundTrip(nats: Nats): Promise<number> {
  const start = performance.now();
  await nats.nc.rtt();
  return performance.now() - start;
}

/** What the account uses; `undefined` where this user may not ask. @throws OpsError CONN_* */
async function readAccount(nats: Nats): Promise<AccountUsage | undefined> {
  try {
    const info = await nats.api('INFO');
    const limits = objectOf(info.limits);
    return {
      storage: numberOf(info.storage),
      memory: numberOf(info.memory),
      streams: numberOf(info.streams),
      consumers: numberOf(info.consumers),
      limits: {
        max_storage: numberOf(limits.max_storage, -1),
        max_memory: numberOf(limits.max_memory, -1),
        max_streams: numberOf(limits.max_streams, -1),
        max_consumers: numberOf(limits.max_consumers, -1),
      },
    };
  } catch (error) {
    if (error instanceof OpsError && error.code === 'DENIED_SUBJECT') return undefined;
    throw error;
  }
}

function consumerState(info: Config): ConsumerState {
  const standing = parseConsumerStanding(info);
  const config = objectOf(info.config);
  const moved = [textOf(objectOf(info.delivered).last_active), textOf(objectOf(info.ack_floor).last_active)]
    .filter((time) => time !== '' && !time.startsWith('0001-'))
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
  const paused = textOf(config.pause_until);
  return {
    ...standing,
    maxAckPending: numberOf(config.max_ack_pending, -1),
    ...(moved && { lastMoved: moved }),
    push: textOf(config.deliver_subject) !== '',
    bound: info.push_bound === true,
    ...(standing.paused && paused && { pausedUntil: paused }),
  };
}

interface Look {
  readonly stream: Answer;
  readonly consumers: ReadonlyMap<string, Answer>;
  readonly dead?: { readonly dead: number; readonly steady: boolean };
}

/**
 * A queue's stream and consumers as of one moment: the consumers are read before and after the stream, and all again
 * while they moved in between.
 */
async function lookAt(nats: Nats, { name, consumers: named }: QueueToLook, listed?: Config): Promise<Look> {
  let names = [...named];
  const readConsumers = async () => {
    const answers = await Promise.all(names.map((one) => ask(nats, `CONSUMER.INFO.${name}.${one}`)));
    return new Map(names.map((one, index) => [one, answers[index]!]));
  };
  let before = await readConsumers();
  for (let attempt = 0; ; attempt++) {
    // What is empty is taken from the listing: that its consumers were read later cannot make anything dead.
    const isListed = listed !== undefined && numberOf(objectOf(listed.state).messages) === 0;
    const stream: Answer = isListed ? { found: true, info: listed } : await ask(nats, `STREAM.INFO.${name}`);
    if (!stream.found) return { stream, consumers: before };
    const there = numberOf(objectOf(stream.info.state).consumer_count);
    if ([...before.values()].filter(({ found }) => found).length < there) {
      names = [...new Set([...named, ...(await listNames(nats, name))])];
    }
    if (names.length === 0) return { stream, consumers: before };
    // Nothing is stored, so nothing is dead: one look at the consumers is enough.
    const isEmpty = numberOf(objectOf(stream.info.state).messages) === 0;
    const after = isEmpty ? before : await readConsumers();
    const standing = (answers: ReadonlyMap<string, Answer>) =>
      parseStanding(
        name,
        stream.info,
        [...answers.values()].flatMap((one) => (one.found ? [one.info] : [])),
        0,
      );
    const now = standing(after);
    const steady = figuresOf(standing(before)) === figuresOf(now);
    if (!steady && attempt < TRIES) {
      before = after;
      continue;
    }
    if (now.retention !== 'workqueue' || now.consumers.length === 0) return { stream, consumers: after };
    const uncovered = await countUncovered(nats, now);
    const held = now.consumers.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, 0);
    return { stream, consumers: after, dead: { dead: Math.max(0, now.messages - held - uncovered), steady } };
  }
}

async function listNames(nats: Nats, stream: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for (;;) {
      const page = await nats.api(`CONSUMER.NAMES.${stream}`, { offset: names.length });
      const items = Array.isArray(page.consumers) ? page.consumers.map(String) : [];
      names.push(...items);
      if (items.length === 0 || names.length >= numberOf(page.total)) return names;
    }
  } catch (error) {
    if (isMissing(error) || (error instanceof OpsError && error.code === 'DENIED_SUBJECT')) return names;
    throw error;
  }
}

/** The time of the first message that waits for a consumer; `undefined` where this user may not read it. */
async function oldestWaiting(nats: Nats, queue: string, consumer: ConsumerState): Promise<number | undefined> {
  const filters = consumer.filters.length > 0 ? consumer.filters : ['>'];
  try {
    const times = await Promise.all(
      filters.map(async (subject) => {
        for await (const { time } of getRange(nats, queue, consumer.delivered + 1, { subject, batch: 1 })) {
          return Date.parse(time);
        }
        return Number.POSITIVE_INFINITY;
      }),
    );
    const oldest = Math.min(...times);
    return Number.isFinite(oldest) ? oldest : undefined;
  } catch (error) {
    if (error instanceof OpsError && ['DENIED_SUBJECT', 'NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}

/** From so many resources on a listing of all streams, 256 at a time, is less work than a request for each. */
const MANY = 64;
const NONE: ReadonlyMap<string, Config> = new Map();

const streamNameOf = (key: ResourceKey): string => {
  const name = key.slice(key.indexOf(' ') + 1);
  return key.startsWith('bucket ') ? bucketStream(name) : key.startsWith('stream ') ? name : '';
};

/** Every stream of the account by name; none where there are many more than we want, or where this user may not ask. */
async function listStreams(
  nats: Nats,
  wanted: number,
  account: AccountUsage | undefined,
): Promise<ReadonlyMap<string, Config>> {
  if (!account || account.streams > 3 * wanted) return NONE;
  const found = new Map<string, Config>();
  try {
    for (let offset = 0; ; ) {
      const page = await nats.api('STREAM.LIST', { offset });
      const items = Array.isArray(page.streams) ? page.streams.filter(isObject) : [];
      for (const info of items) found.set(textOf(objectOf(info.config).name), info);
      offset += items.length;
      if (items.length === 0 || offset >= numberOf(page.total)) return found;
    }
  } catch (error) {
    if (error instanceof OpsError && error.code === 'DENIED_SUBJECT') return NONE;
    throw error;
  }
}

const stateOf = (resource: ObservedResource | undefined): StreamState | undefined =>
  resource && resource.kind !== 'consumer'
    ? {
        config: resource.config,
        figures: resource.figures,
        ...(resource.cluster && { cluster: resource.cluster }),
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
  const rttMs = await roundTrip(nats);
  const inQueues = new Set<ResourceKey>(
    queues.flatMap(({ name, consumers }) => [
      `stream ${name}` as const,
      ...consumers.map((one) => `consumer ${name}/${one}` as const),
    ]),
  );
  const others = [
    ...new Set([
      ...keys,
      ...queues.flatMap(({ dlq, responses }) => [
        ...(dlq === undefined ? [] : [`stream ${dlq}` as const]),
        ...(responses === undefined ? [] : [`bucket ${responses}` as const]),
      ]),
    ]),
  ].filter((key) => !inQueues.has(key));
  const reading = readAccount(nats);
  const listed = inQueues.size + others.length < MANY ? NONE : await listStreams(nats, others.length, await reading);
  const [account, answers, looks] = await Promise.all([
    reading,
    pipelined(others, IN_FLIGHT, async (key): Promise<Answer> => {
      const info = listed.get(streamNameOf(key));
      return info ? { found: true, info } : ask(nats, infoSubject(key));
    }),
    pipelined(queues, IN_FLIGHT / 2, (queue) => lookAt(nats, queue, listed.get(queue.name))),
  ]);

  const resources = new Map<ResourceKey, ObservedResource>();
  const silent = new Map<ResourceKey, string>();
  const take = (key: ResourceKey, answer: Answer) => {
    const name = key.slice(key.indexOf(' ') + 1);
    if (!answer.found) {
      if (answer.silent) silent.set(key, answer.silent);
    } else if (key.startsWith('consumer ')) resources.set(key, parseConsumer(answer.info, name));
    else resources.set(key, parseStream(answer.info, { kind: key.startsWith('bucket ') ? 'bucket' : 'stream', name }));
  };
  for (const [index, key] of others.entries()) take(key, answers[index]!);
  let now = nowMs;
  for (const [index, { name }] of queues.entries()) {
    const { stream, consumers } = looks[index]!;
    take(`stream ${name}`, stream);
    for (const [one, answer] of consumers) take(`consumer ${name}/${one}`, answer);
    // Ages are told by the clock that stamped the messages.
    const ts = stream.found ? Date.parse(textOf(stream.info.ts)) : Number.NaN;
    if (!Number.isNaN(ts)) now = ts;
  }
  const states = await pipelined(queues, 32, (queue, index) => queueState(nats, queue, looks[index]!, resources, now));
  return { now, rttMs, ...(account && { account }), resources, silent, queues: states };
}

async function queueState(
  nats: Nats,
  queue: QueueToLook,
  look: Look,
  resources: ReadonlyMap<ResourceKey, ObservedResource>,
  now: number,
): Promise<QueueState> {
  const { name, health, dlq, responses } = queue;
  const infos = [...look.consumers.values()].flatMap((one) => (one.found ? [one.info] : []));
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
  const isKept = look.dead && dlq !== undefined && dlqState !== undefined && dlqState.figures.messages > 0;
  const rejected = isKept ? await countStored(nats, dlq, rejectedSubject(name)) : 0;
  const deadState = look.dead && look.stream.found ? { ...deadOf(queue, look, infos, now), rejected } : undefined;
  return {
    name,
    health,
    ...(stream && { stream }),
    consumers,
    ...(deadState && { deadState }),
    ...(dlqState && { dlq: { name: dlq!, ...dlqState } }),
    ...(responses !== undefined && bucket && { responses: { name: responses, ...bucket } }),
  };
}

/** How many messages of a stream lie on subjects. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function countStored(nats: Nats, stream: string, subjects: string): Promise<number> {
  const answer = await ask(nats, `STREAM.INFO.${stream}`, { subjects_filter: subjects });
  const counts = answer.found ? Object.values(objectOf(objectOf(answer.info.state).subjects)) : [];
  return counts.reduce((sum: number, count) => sum + numberOf(count), 0);
}

/** The count alone; who has an entry is looked into where there are any. */
function deadOf(
  { name }: QueueToLook,
  { stream, dead }: Look,
  infos: readonly Config[],
  now: number,
): Omit<DeadState, 'rejected'> {
  const standing = parseStanding(name, stream.found ? stream.info : undefined, infos, 0);
  const base = { dead: dead!.dead, steady: dead!.steady, dying: dyingOf(standing, dead!.dead, now) };
  return base.dead === 0 ? { ...base, orphans: 0, exact: true } : { ...base, exact: false };
}

/** The queues' streams a moment later, to tell how they grow. In messages and bytes for each second. */
export async function measureGrowth(
  nats: Nats,
  queues: readonly QueueState[],
  waitMs: number,
): Promise<Map<string, { messages: number; bytes: number }>> {
  const read = () =>
    pipelined(queues, IN_FLIGHT, async ({ name }) => {
      const answer = await ask(nats, `STREAM.INFO.${name}`);
      const state = answer.found ? objectOf(answer.info.state) : undefined;
      return state && { at: performance.now(), messages: numberOf(state.messages), bytes: numberOf(state.bytes) };
    });
  const first = await read();
  await sleep(waitMs);
  nats.signal.throwIfAborted();
  const second = await read();
  const growth = new Map<string, { messages: number; bytes: number }>();
  for (const [index, { name }] of queues.entries()) {
    const [a, b] = [first[index], second[index]];
    if (!a || !b) continue;
    const seconds = (b.at - a.at) / 1000;
    growth.set(name, { messages: (b.messages - a.messages) / seconds, bytes: (b.bytes - a.bytes) / seconds });
  }
  return growth;
}
