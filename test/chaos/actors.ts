import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createInbox, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { REJECT_HEADER, REJECT_KEPT, rejectedSubject } from '../../src/lib/facts/names.ts';
import { type Life, lifeOf } from './checker.ts';

/** What publishers and workers of one run share. */
export interface Stage {
  readonly url: string;
  /** So many requests at most are without an answer. */
  readonly outstanding: number;
  /** What each request has besides its id. */
  readonly padding: string;
  readonly accepted: Set<string>;
  readonly answered: Set<string>;
  readonly lives: Map<number, Life>;
  /** How likely a worker fails, from 0 to 1. */
  failing: number;
  /** How often a stream was about to be made anew, or was: while it is odd, nobody publishes or works. */
  era: number;
  /** Ids that may have gone with a stream that was deleted: nothing is asked of them any more. */
  readonly old: Set<string>;
  /** How likely a worker that fails puts the request into the DLQ, payload and all, from 0 to 1. */
  readonly rejecting: number;
  /** What was put there, by the DLQ's sequence. */
  readonly rejected: Map<number, string>;
  publishing: boolean;
  working: boolean;
  random(): number;
}

/** Messages of one pull. */
const BATCH = 32;

const dial = (url: string): Promise<NatsConnection> =>
  connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100, waitOnFirstConnect: true });

/** Puts a request into the DLQ as a worker does that can never handle it. Throws where it is not stored. */
export async function reject(
  stage: Stage,
  nc: NatsConnection,
  { id, seq, kept }: { readonly id: string; readonly seq: number; readonly kept?: MsgHdrs },
): Promise<void> {
  const told: Record<keyof typeof REJECT_HEADER, string> = {
    reason: 'chaos',
    stream: 'REQUESTS',
    consumer: 'request-worker',
    seq: `${seq}`,
    subject: 'requests.dns',
    time: new Date().toISOString(),
    deliveries: '1',
  };
  const hdrs = headers();
  for (const [name, [value = '']] of kept ?? []) {
    hdrs.set(name.startsWith('Nats-') ? `${REJECT_KEPT}${name}` : name, value);
  }
  for (const [key, value] of Object.entries(told)) hdrs.set(REJECT_HEADER[key as keyof typeof REJECT_HEADER], value);
  const payload = JSON.stringify({ id, query: 'example.com' });
  const subject = rejectedSubject('REQUESTS', 'request-worker');
  const answer = (await nc.request(subject, payload, { headers: hdrs, timeout: 1000 })).json<{ seq?: number }>();
  if (!answer.seq) throw new Error(`the DLQ did not take ${id}`);
  stage.rejected.set(answer.seq, id);
}

/** Publishes requests until told to stop; a full queue, or a server that is away, is tried again. */
export async function publishRequests(stage: Stage, name: string): Promise<void> {
  const nc = await dial(stage.url);
  for (let index = 0; stage.publishing; ) {
    const id = `${name}-${index}`;
    const { era } = stage;
    if (era % 2 === 1 || stage.accepted.size - stage.answered.size >= stage.outstanding) {
      await sleep(20);
      continue;
    }
    try {
      const hdrs = headers();
      hdrs.set('Nats-Msg-Id', id);
      const answer = (
        await nc.request('requests.dns', JSON.stringify({ id, query: 'example.com', padding: stage.padding }), {
          headers: hdrs,
          timeout: 1000,
        })
      ).json<{ error?: unknown; seq?: number }>();
      // Sequence 0: 2.10 has not decided about an earlier try of the same id.
      if (answer.error || !answer.seq) await sleep(20);
      else {
        (era === stage.era ? stage.accepted : stage.old).add(id);
        index += 1;
      }
    } catch {
      await sleep(50);
      // Nobody knows which of the two streams has it.
      if (era !== stage.era) stage.old.add(`${name}-${index++}`);
    }
  }
  await nc.close();
}

/** Takes requests, fails at some of them, answers the others: the response first, then the ack. */
export async function work(stage: Stage): Promise<void> {
  const nc = await dial(stage.url);
  while (stage.working) {
    const { era } = stage;
    if (era % 2 === 1) {
      await sleep(10);
      continue;
    }
    const inbox = createInbox();
    const sub = nc.subscribe(inbox);
    // A server that is killed never ends the pull.
    const timer = setTimeout(() => sub.unsubscribe(), 1500);
    let left = BATCH;
    try {
      const wanted = JSON.stringify({ batch: BATCH, expires: 300e6 });
      nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', wanted, { reply: inbox });
      for await (const message of sub) {
        if (message.headers?.code || stage.era !== era) break;
        left -= 1;
        const { id } = message.json<{ id: string }>();
        const seq = Number(message.reply!.split('.').at(-4));
        stage.lives.set(
          seq,
          lifeOf(id, seq, (name) => message.headers?.get(name)),
        );
        if (stage.random() < stage.failing * stage.rejecting) {
          await reject(stage, nc, { id, seq, ...(message.headers && { kept: message.headers }) });
          if (stage.era === era) await nc.request(message.reply!, '+ACK', { timeout: 1000 });
        } else if (stage.random() < stage.failing) {
          // Half of them say so, the others say nothing: both die.
          if (stage.random() < 0.5) message.respond('-NAK');
        } else {
          const stored = await nc.request(`$KV.responses.${id}`, '{}', { timeout: 1000 });
          if (!stored.json<{ seq?: number }>().seq) continue;
          stage.answered.add(id);
          // An ack names a sequence, whichever stream it is of.
          if (stage.era === era) await nc.request(message.reply!, '+ACK', { timeout: 1000 });
        }
        if (left === 0) break;
      }
    } catch {
      await sleep(50);
    } finally {
      clearTimeout(timer);
      sub.unsubscribe();
    }
  }
  await nc.close();
}
