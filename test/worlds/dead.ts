// Who is dead, by what the server itself said when it happened: its advisories are heard as they are sent, whatever
// becomes of them in a DLQ stream. Nothing here is shared with the code under test.
import type { NatsConnection } from '@nats-io/transport-node';
import {
  answeredIn,
  isCopy,
  journalOf,
  type RawStream,
  requestIdOf,
  type Stored,
  type Truth,
  takesOf,
  workersOf,
} from './truth.ts';

export interface Heard {
  readonly kind: 'MAX_DELIVERIES' | 'MSG_TERMINATED';
  readonly stream: string;
  readonly consumer: string;
  readonly seq: number;
  readonly time: string;
}

/** Hears every advisory of a death, from now on. */
export function listen(nc: NatsConnection): { readonly heard: Heard[]; close(): void } {
  const heard: Heard[] = [];
  const sub = nc.subscribe('$JS.EVENT.ADVISORY.CONSUMER.>', {
    callback: (_error, message) => {
      const [, , , , kind] = message.subject.split('.');
      // What a person forged has no id of the server's form.
      if (kind !== 'MAX_DELIVERIES' && kind !== 'MSG_TERMINATED') return;
      try {
        const { id, stream, consumer, stream_seq: seq, timestamp: time } = message.json<Record<string, string>>();
        if (/^[A-Za-z0-9]{22}$/.test(String(id)))
          heard.push({ kind, stream: stream!, consumer: consumer!, seq: Number(seq), time: time! });
      } catch {
        // Forged.
      }
    },
  });
  return { heard, close: () => sub.unsubscribe() };
}

const before = (a: string, b: string): boolean => Date.parse(a) <= Date.parse(b);

/** The ids of what is dead and still stored in the queue's stream, the answered among them. */
function storedDead(queue: RawStream, heard: readonly Heard[], recorded: ReadonlySet<string>): Map<string, Stored> {
  const dead = new Map<string, Stored>();
  const bySeq = new Map(queue.messages.map((one) => [one.seq, one]));
  for (const { kind, stream, consumer, seq, time } of heard) {
    const message = bySeq.get(seq);
    const worker = queue.consumers.find(({ name }) => name === consumer);
    if (stream !== queue.name || !message || isCopy({ name: consumer } as RawStream['consumers'][number])) continue;
    // The number of another message, of a stream or a consumer that was made anew since.
    if (!before(message.time, time) || !before(queue.created, time)) continue;
    // A consumer that was made anew has it once more; without one, nobody has.
    const isTaken = queue.retention === 'workqueue' && workersOf(queue).some((one) => takesOf(one, message.subject));
    if (worker ? !before(worker.created, time) : isTaken) continue;
    const id = `${queue.name}/${consumer}/${seq}`;
    if (queue.retention === 'workqueue') {
      if (kind === 'MAX_DELIVERIES') dead.set(id, message);
    } else if (recorded.has(id)) dead.set(id, message);
  }
  return dead;
}

/** What carries its payload in a DLQ: a worker's reject or an import, or the record of another tool. */
function carriedDead(truth: Truth, queue: string, dlqs: readonly string[]): Map<string, Stored> {
  const dead = new Map<string, Stored>();
  for (const one of dlqs.flatMap((dlq) => truth.get(dlq)?.messages ?? [])) {
    const value = (name: string) => new RegExp(`^${name}: ?(.*?)\\s*$`, 'mi').exec(one.headers)?.[1];
    if (value('Osapi-Reject-Stream') !== queue && value('X-DLQ-Original-Stream') !== queue) continue;
    const consumer = value('Osapi-Reject-Consumer') ?? value('X-DLQ-Consumer') ?? '-';
    dead.set(`${queue}/${consumer}/${value('Osapi-Reject-Seq') ?? value('X-DLQ-Original-Seq')}`, one);
  }
  return dead;
}

/** The advisories that lie in the DLQs, by id. */
const recordedIn = (truth: Truth, dlqs: readonly string[]): ReadonlySet<string> =>
  new Set(
    dlqs
      .flatMap((dlq) => truth.get(dlq)?.messages ?? [])
      .flatMap(({ payload, headers }) => {
        if (headers !== '') return [];
        try {
          const { stream, consumer, stream_seq: seq } = JSON.parse(payload) as Record<string, unknown>;
          return [`${stream}/${consumer}/${seq}`];
        } catch {
          return [];
        }
      }),
  );

/**
 * How many of a queue are dead: stored and given up, or carried by a DLQ, or in the journal; without what is answered.
 * `undefined` where what was heard does not tell: a consumer that was made anew takes everything once more.
 */
export function countDead(
  truth: Truth,
  heard: readonly Heard[],
  { queue, dlqs, bucket }: { readonly queue: string; readonly dlqs: readonly string[]; readonly bucket: string },
): number {
  const stream = truth.get(queue);
  const dead = new Map([
    ...carriedDead(truth, queue, dlqs),
    ...(stream ? storedDead(stream, heard, recordedIn(truth, dlqs)) : []),
  ]);
  const answered = answeredIn(truth, bucket);
  const unanswered = [...dead].filter(([, message]) => !answered.has(requestIdOf(message) ?? ''));
  const journalled = journalOf(truth, queue).filter(({ payload }) => {
    const { id } = /^\{"id":"(?<id>[^"]*)"/.exec(payload)?.groups ?? {};
    return id === undefined || !unanswered.some(([one]) => one === id);
  });
  return unanswered.length + journalled.length;
}
