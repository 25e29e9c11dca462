import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox, headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { advisorySubject, REJECT_HEADER, rejectedSubject } from '../../src/lib/facts/names.ts';
import { type Config, isObject } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { writeStream } from '../../src/lib/nats/streams.ts';

const MS = 1e6;

export interface QueueSetup {
  readonly stream?: string;
  readonly subjects?: readonly string[];
  readonly consumer?: string;
  readonly maxDeliver?: number;
  /** Milliseconds. */
  readonly ackWait?: number;
  /** The DLQ stream; null for none. */
  readonly dlq?: string | null;
  readonly dlqSubjects?: readonly string[];
  readonly config?: Config;
  readonly dlqConfig?: Config;
  readonly consumerConfig?: Config;
}

/** A work queue whose requests die as soon as they are pulled and not acked in time. */
export async function makeQueue(
  nats: Nats,
  setup: QueueSetup = {},
): Promise<{ stream: string; consumer: string; dlq: string }> {
  const { stream = 'REQUESTS', consumer = 'request-worker', dlq = `${stream}_dlq` } = setup;
  await writeStream(nats, 'create', stream, {
    name: stream,
    subjects: setup.subjects ?? ['requests.*'],
    retention: 'workqueue',
    discard: 'new',
    storage: 'memory',
    allow_direct: true,
    duplicate_window: 120_000 * MS,
    ...setup.config,
  });
  if (dlq !== null) {
    const subjects = setup.dlqSubjects ?? [
      advisorySubject('max_deliveries', stream),
      advisorySubject('terminated', stream),
      rejectedSubject(stream),
    ];
    await writeStream(nats, 'create', dlq, {
      name: dlq,
      subjects,
      storage: 'memory',
      allow_direct: true,
      ...setup.dlqConfig,
    });
  }
  await makeConsumer(nats, { ...setup, stream, consumer });
  return { stream, consumer, dlq: dlq ?? '' };
}

export async function makeConsumer(
  nats: Nats,
  { stream = 'REQUESTS', consumer = 'request-worker', maxDeliver = 1, ackWait = 60, consumerConfig = {} }: QueueSetup,
): Promise<void> {
  await nats.api(`CONSUMER.DURABLE.CREATE.${stream}.${consumer}`, {
    stream_name: stream,
    config: {
      durable_name: consumer,
      ack_policy: 'explicit',
      ack_wait: ackWait * MS,
      max_deliver: maxDeliver,
      max_ack_pending: 10_000,
      ...consumerConfig,
    },
  });
}

/** Publishes and waits for the stream's word; gives the sequence. */
export async function put(
  nats: Nats,
  subject: string,
  payload: string | Uint8Array,
  headers?: MsgHdrs,
): Promise<number> {
  const answer = (await nats.request(subject, payload, { ...(headers && { headers }) })).json<Config>();
  if (isObject(answer.error)) throw new Error(JSON.stringify(answer.error));
  return Number(answer.seq);
}

/** Takes up to `batch` messages from a consumer, as one pull. */
export async function pull(nats: Nats, stream: string, consumer: string, batch = 1, waitMs = 300): Promise<Msg[]> {
  const inbox = createInbox();
  const found: Msg[] = [];
  const sub = nats.nc.subscribe(inbox, { max: batch + 1 });
  const body = JSON.stringify({ batch, expires: waitMs * MS });
  nats.nc.publish(`${nats.settings.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, { reply: inbox });
  const timer = setTimeout(() => sub.unsubscribe(), waitMs + 200);
  for await (const message of sub) {
    if (message.headers?.code) break;
    found.push(message);
    if (found.length >= batch) break;
  }
  clearTimeout(timer);
  sub.unsubscribe();
  return found;
}

/** Has everything that waits die: pulled, not acked, and pulled for once more, for death comes with a pull only. */
export async function letDie(nats: Nats, stream = 'REQUESTS', consumer = 'request-worker'): Promise<void> {
  for (let round = 0; round < 200; round++) {
    await pull(nats, stream, consumer, 1000, 30);
    const info = await nats.api(`CONSUMER.INFO.${stream}.${consumer}`);
    if (info.num_pending === 0 && info.num_ack_pending === 0) {
      await settled(nats, `${stream}_dlq`);
      return;
    }
  }
  throw new Error(`${stream}/${consumer} does not die`);
}

/** Waits until a DLQ has stored nothing new for a while: the server sends advisories after the fact, under load later. */
async function settled(nats: Nats, dlq: string): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 5; ) {
    const info = await nats.api(`STREAM.INFO.${dlq}`).catch(() => undefined);
    const last = Number((info?.state as { last_seq?: number } | undefined)?.last_seq ?? 0);
    quiet = last === before ? quiet + 1 : 0;
    before = last;
    await sleep(20);
  }
}

/** Publishes `count` requests and has them die; gives their sequences. */
export async function makeDead(
  nats: Nats,
  count: number,
  stream = 'REQUESTS',
  consumer = 'request-worker',
): Promise<number[]> {
  const request = (index: number) => JSON.stringify({ id: `r${index}`, query: 'example.com' });
  const seqs: number[] = [];
  // Of more at once the last are not answered in time.
  while (seqs.length < count) {
    const some = Array.from({ length: Math.min(1000, count - seqs.length) }, (_, index) => seqs.length + index);
    seqs.push(...(await Promise.all(some.map((index) => put(nats, 'requests.dns', request(index))))));
  }
  await letDie(nats, stream, consumer);
  return seqs;
}

/** Puts a request into the DLQ as a worker does that can never handle it; without a sequence where it names none. */
export function putReject(
  nats: Nats,
  seq: number | undefined,
  id: string,
  told: Partial<Record<keyof typeof REJECT_HEADER, string>> = {},
): Promise<number> {
  const hdrs = headers();
  const facts = {
    reason: 'not JSON',
    stream: 'REQUESTS',
    consumer: 'request-worker',
    ...(seq !== undefined && { seq: `${seq}` }),
    subject: 'requests.dns',
    time: new Date().toISOString(),
    deliveries: '1',
    ...told,
  };
  for (const [key, value] of Object.entries(facts)) hdrs.set(REJECT_HEADER[key as keyof typeof REJECT_HEADER], value);
  const payload = JSON.stringify({ id, query: 'example.com' });
  return put(nats, rejectedSubject(facts.stream, facts.consumer), payload, hdrs);
}

/** An advisory as the server words it, for what cannot be had of a server in a test's time. */
export function advisory(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: 'io.nats.jetstream.advisory.v1.max_deliver',
    id: 'x',
    // Rounded up: cut to the millisecond it would be older than a message of the same one, and point at nothing.
    timestamp: new Date(Date.now() + 1).toISOString(),
    stream: 'REQUESTS',
    consumer: 'request-worker',
    stream_seq: 1,
    deliveries: 1,
    ...fields,
  });
}

/** Deletes all streams: a fresh start on the same server. */
export async function wipe(nats: Nats): Promise<void> {
  const { streams } = await nats.api('STREAM.NAMES');
  for (const name of Array.isArray(streams) ? streams : []) await nats.api(`STREAM.DELETE.${String(name)}`);
}
