// What is on a server, read by nothing of ours: the plain API, message by message. What our commands say is held to it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { parseExact } from '../../src/lib/model/json.ts';
import { ACK_WAIT_MS } from './world.ts';

export interface Stored {
  readonly seq: number;
  readonly subject: string;
  readonly time: string;
  readonly headers: string;
  readonly payload: string;
  /** The word by which a test knows a message, wherever it lies: `m17`. */
  readonly token?: string;
}

export interface RawConsumer {
  readonly name: string;
  readonly created: string;
  readonly filters: readonly string[];
  readonly delivered: number;
  readonly floor: number;
  readonly pending: number;
  readonly inFlight: number;
  readonly maxDeliver: number;
}

export interface RawStream {
  readonly name: string;
  readonly created: string;
  readonly retention: string;
  readonly subjects: readonly string[];
  readonly messages: readonly Stored[];
  readonly consumers: readonly RawConsumer[];
  /** As the server gave it. */
  readonly config: object;
}

export type Truth = ReadonlyMap<string, RawStream>;

interface Info {
  readonly created: string;
  readonly config: Record<string, unknown> & { name: string; retention: string; subjects?: string[] };
  readonly state: { readonly first_seq: number; readonly last_seq: number; readonly consumer_count: number };
}

const TOKEN = /\bm\d+\b/;
const ask = async <T>(nc: NatsConnection, subject: string, body: object = {}): Promise<T> =>
  (await nc.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 10_000 })).json<T>();

async function readMessages(nc: NatsConnection, { config: { name }, state }: Info): Promise<Stored[]> {
  const found: Stored[] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; ) {
    const { message } = await ask<{
      message?: { seq: number; subject: string; time: string; hdrs?: string; data?: string };
    }>(nc, `STREAM.MSG.GET.${name}`, { seq, next_by_subj: '>' });
    if (!message) break;
    const text = (base64 = '') => Buffer.from(base64, 'base64').toString('latin1');
    const payload = text(message.data);
    found.push({
      seq: message.seq,
      subject: message.subject,
      time: message.time,
      headers: text(message.hdrs),
      payload,
      token: TOKEN.exec(payload)?.[0],
    });
    seq = message.seq + 1;
  }
  return found;
}

interface ConsumerAnswer {
  readonly name: string;
  readonly created: string;
  readonly config: { filter_subject?: string; filter_subjects?: string[]; max_deliver?: number };
  readonly delivered: { stream_seq: number };
  readonly ack_floor: { stream_seq: number };
  readonly num_pending: number;
  readonly num_ack_pending: number;
}

async function readConsumers(nc: NatsConnection, { config: { name: stream } }: Info): Promise<RawConsumer[]> {
  // The listing tells nothing of what is pending.
  const { consumers } = await ask<{ consumers?: string[] }>(nc, `CONSUMER.NAMES.${stream}`);
  const infos = await Promise.all(
    (consumers ?? []).map((name) => ask<Partial<ConsumerAnswer>>(nc, `CONSUMER.INFO.${stream}.${name}`)),
  );
  return infos
    .filter((info): info is ConsumerAnswer => info.config !== undefined)
    .map(({ name, created, config, ...rest }) => ({
      name,
      created,
      filters: config.filter_subjects ?? (config.filter_subject ? [config.filter_subject] : []),
      delivered: rest.delivered.stream_seq,
      floor: rest.ack_floor.stream_seq,
      pending: rest.num_pending,
      inFlight: rest.num_ack_pending,
      maxDeliver: config.max_deliver ?? -1,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const listStreams = async (nc: NatsConnection): Promise<Info[]> =>
  (await ask<{ streams?: Info[] }>(nc, 'STREAM.LIST')).streams ?? [];

/** What moves while nobody does anything; and how many are in flight that die by themselves when their ack wait is over. */
async function readFigures(nc: NatsConnection): Promise<{ readonly text: string; readonly flying: number }> {
  const streams = await listStreams(nc);
  const consumers = (await Promise.all(streams.map((info) => readConsumers(nc, info)))).flat();
  const flying = consumers
    .filter(({ maxDeliver }) => maxDeliver === 1)
    .reduce((all, { inFlight }) => all + inFlight, 0);
  return { text: JSON.stringify([streams.map(({ config, state }) => [config.name, state]), consumers]), flying };
}

/** Waits until nothing moves: ack waits run out, advisories and copies arrive. */
export async function settled(nc: NatsConnection): Promise<void> {
  let last = '';
  for (let same = 0, tries = 0; same < 2 && tries < 40; tries++) {
    const { text, flying } = await readFigures(nc);
    same = text === last && flying === 0 ? same + 1 : 0;
    last = text;
    await sleep(flying > 0 ? ACK_WAIT_MS / 2 : 20);
  }
}

export async function readTruth(nc: NatsConnection): Promise<Truth> {
  const read = (await listStreams(nc)).map(async (info): Promise<RawStream> => {
    const [messages, consumers] = await Promise.all([readMessages(nc, info), readConsumers(nc, info)]);
    const { created, config } = info;
    const { name, retention, subjects = [] } = config;
    return { name, created, retention, subjects, messages, consumers, config };
  });
  return new Map((await Promise.all(read)).map((stream) => [stream.name, stream]));
}

const LEDGER = 'KV_osapi_ops';
const JOURNAL = '$KV.osapi_ops.journal.';

/** What an unfinished replay holds, of one queue or of all. */
export const journalOf = (truth: Truth, queue?: string): readonly Stored[] =>
  (truth.get(LEDGER)?.messages ?? []).filter(
    ({ subject, headers }) =>
      subject.startsWith(queue === undefined ? JOURNAL : `${JOURNAL}${queue}.`) && !headers.includes('KV-Operation'),
  );

/** All that a command which only looks must leave as it is; of the ledger, where it writes down that it looked, the journal. */
export const fingerprint = (truth: Truth): string => {
  // A mirror that cannot go on is tried again and again, and the advisories of that are for who takes all.
  const isTold = ({ subject }: Stored) =>
    truth.has('COPY') && /^\$JS\.EVENT\.ADVISORY\.CONSUMER\.(CREATED|DELETED)\./.test(subject);
  return JSON.stringify(
    [...truth.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((stream) =>
        stream.name === LEDGER
          ? journalOf(truth).map(({ seq }) => seq)
          : [
              stream.name,
              stream.created,
              stream.config,
              stream.messages.filter((one) => !isTold(one)).map(({ seq }) => seq),
              stream.consumers.filter((one) => !isCopy(one)),
            ],
      ),
  );
};

/** What two servers have alike that went through the same: no times, and of the ledger only how much is in its journal. */
export const stateOf = (truth: Truth): string =>
  JSON.stringify(
    [...truth.values()]
      .filter(({ name }) => name !== LEDGER)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, messages, consumers }) => ({
        name,
        // An advisory has an id and a time of its own.
        messages: messages.map(({ seq, subject, payload }) =>
          subject.startsWith('$JS.') ? [seq, subject] : [seq, subject, payload],
        ),
        consumers: consumers.map(({ created: _, ...figures }) => figures),
      }))
      .concat({ name: 'journal', messages: journalOf(truth).map(({ token = '' }) => [0, token]), consumers: [] }),
  );

/** NATS wildcards. */
export function takes(filter: string, subject: string): boolean {
  const [pattern, tokens] = [filter.split('.'), subject.split('.')];
  for (const [index, part] of pattern.entries()) {
    if (part === '>') return tokens.length > index;
    if (tokens[index] === undefined || (part !== '*' && part !== tokens[index])) return false;
  }
  return pattern.length === tokens.length;
}

export const isCopy = ({ name }: RawConsumer): boolean => /^JS_(MIRROR|SRC)_/.test(name);
export const workersOf = (stream: RawStream): readonly RawConsumer[] => stream.consumers.filter((one) => !isCopy(one));
export const takesOf = ({ filters }: RawConsumer, subject: string): boolean =>
  filters.length === 0 || filters.some((filter) => takes(filter, subject));

/** What waits for no consumer, on a work queue. */
const uncovered = (stream: RawStream): number =>
  stream.retention !== 'workqueue'
    ? 0
    : stream.messages.filter(({ subject }) => !workersOf(stream).some((one) => takesOf(one, subject))).length;

export interface Left {
  readonly ready: number;
  readonly inFlight: number;
  readonly journalled: number;
}

/** What is left to do of a queue: drained is, where nothing is. */
export function leftOf(truth: Truth, queue: string): Left {
  const stream = truth.get(queue);
  if (!stream) return { ready: 0, inFlight: 0, journalled: 0 };
  const sum = (of: (one: RawConsumer) => number) => workersOf(stream).reduce((all, one) => all + of(one), 0);
  return {
    ready: sum(({ pending }) => pending) + uncovered(stream),
    inFlight: sum(({ inFlight }) => inFlight),
    journalled: journalOf(truth, queue).length,
  };
}

/** Whether the dead of a queue cannot be told from what is in flight, for want of a record: dlq ls says how many they are. */
export const isMixed = (
  truth: Truth,
  { name, dlqs }: { readonly name: string; readonly dlqs: readonly string[] },
): boolean => dlqs.length === 0 && leftOf(truth, name).inFlight > 0;

/**
 * Whether nothing tells who is dead: what was acked stays stored there, and there is no DLQ, or one that is full, or all of
 * them are younger than a message that may have died before.
 */
export function isUntold(truth: Truth, queue: string, dlqs: readonly string[]): boolean {
  const stream = truth.get(queue);
  if (!stream || stream.retention === 'workqueue' || workersOf(stream).length === 0) return false;
  const live = dlqs.flatMap((dlq) => truth.get(dlq) ?? []);
  if (live.length === 0) return true;
  const [first] = stream.messages;
  const mayHaveDied = (one: RawConsumer) => one.maxDeliver > 0 && one.delivered >= first!.seq;
  if (first === undefined || !workersOf(stream).some(mayHaveDied)) return false;
  const isFull = ({ messages, config }: RawStream) =>
    messages.length > 0 && messages.length === (config as { max_msgs?: number }).max_msgs;
  return live.some(isFull) || live.every(({ created }) => Date.parse(first.time) < Date.parse(created));
}

/** The id of a request, as a reader of the responses looks for it. */
export function requestIdOf({ payload, headers }: Pick<Stored, 'payload' | 'headers'>): string | undefined {
  try {
    const { id } = parseExact(Buffer.from(payload, 'latin1').toString()) as { id?: unknown };
    if (typeof id === 'string' && id !== '') return id;
    if (typeof id === 'number' || typeof id === 'bigint') return String(id);
  } catch {
    // No JSON.
  }
  const value = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'mi').exec(headers)?.[1]?.trim();
  return value('Osapi-Original-Msg-Id') ?? value('Nats-Msg-Id');
}

/** Whose response is stored in a bucket. */
export const answeredIn = (truth: Truth, bucket: string): ReadonlySet<string> => {
  const last = new Map<string, Stored>();
  for (const one of truth.get(`KV_${bucket}`)?.messages ?? []) last.set(one.subject, one);
  const prefix = `$KV.${bucket}.`;
  return new Set(
    [...last.values()]
      .filter(({ headers }) => !/KV-Operation|Nats-Marker-Reason/.test(headers))
      .map(({ subject }) => subject.slice(prefix.length)),
  );
};
