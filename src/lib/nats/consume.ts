import { createInbox, errors, type Msg } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { asBuffer } from '../model/bytes.ts';
import { printDuration } from '../model/units.ts';
import { readConsumer } from './consumers.ts';
import { isDisconnect, isNoRespondersError, isTimeoutError } from './errors.ts';
import { failure } from './exchange.ts';
import type { Nats } from './port.ts';
import { replyStatus } from './stored.ts';
import { type RawReply, rawReply, wireOf } from './wire.ts';

/** A message that a consumer gave us, to be acknowledged. Nothing in it is decoded. */
export interface Delivery {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  readonly stream: string;
  readonly consumer: string;
  /** The sequence in the stream. */
  readonly seq: number;
  /** 1 for the first time. */
  readonly delivery: number;
  /** When the stream stored it, in microseconds since 1970 by the server's clock. */
  readonly publishedUs: number;
  /** How many messages the consumer had left for us then. */
  readonly pending: number;
  readonly ackSubject: string;
}

/** What an ack subject tells. */
type AckFacts = Pick<Delivery, 'stream' | 'consumer' | 'seq' | 'delivery' | 'publishedUs' | 'pending'>;

//   $JS.ACK.<stream>.<consumer>.<delivery>.<seq>.<consumer seq>.<time>.<pending>
//   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivery>.<seq>.<consumer seq>.<time>.<pending>.<random>
/** Reads an ack subject, of either form; `undefined` for any other subject. */
export function parseAckSubject(subject: string): AckFacts | undefined {
  const tokens = subject.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  const at = tokens.length === 9 ? 2 : tokens.length >= 11 ? 4 : -1;
  if (at < 0) return undefined;
  const [stream, consumer, delivery, seq, , time, pending] = tokens.slice(at);
  return {
    stream: stream!,
    consumer: consumer!,
    delivery: Number(delivery),
    seq: Number(seq),
    // Nanoseconds are more than a number holds exactly.
    publishedUs: Number(time!.slice(0, -3)),
    pending: Number(pending),
  };
}

export const ACK = '+ACK';
export const WORKING = '+WPI';
/** Gives it back, for another delivery after a delay; at once where that is 0. */
export const nak = (delayMs: number): string =>
  delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}` : '-NAK';
/** Ends it: a work queue removes the message. The reason is in the advisory. */
export const term = (reason: string): string => `+TERM ${reason.replace(/\s+/g, ' ').slice(0, 256)}`;

/** Sends an acknowledgement without waiting for the server's word. Lost where the connection is down just now. */
export function acknowledge(nats: Nats, { ackSubject }: Delivery, what: string): void {
  if (!nats.nc.isClosed()) nats.nc.publish(ackSubject, what);
}

const CONFIRM_TRIES = 5;
const CONFIRM_MS = 2000;

/** Sends an acknowledgement until the server confirms it; false where it did not. @throws OpsError DENIED_SUBJECT */
export async function confirm(nats: Nats, { ackSubject }: Delivery, what: string): Promise<boolean> {
  for (let attempt = 0; attempt < CONFIRM_TRIES; attempt++) {
    try {
      await wireOf(nats).ask(ackSubject, what, { timeoutMs: CONFIRM_MS });
      return true;
    } catch (error) {
      if (!isTimeoutError(error) && !isDisconnect(error) && !isNoRespondersError(error)) {
        throw failure(nats, error, ackSubject, CONFIRM_MS);
      }
      if (nats.nc.isClosed()) return false;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
    }
  }
  return false;
}

export interface PullOptions {
  readonly stream: string;
  readonly consumer: string;
  /** The most messages one request may ask for, where the consumer limits it. */
  readonly maxBatch?: number;
  readonly maxExpiresMs?: number;
  /** How many more messages are wanted now, beyond those already asked for. */
  wanted(outstanding: number): number;
  onDelivery(delivery: Delivery): void;
  /** Something stands in the way: told again and again as long as it does. */
  onTrouble(what: string): void;
  onFatal(error: OpsError): void;
  readonly patience?: Patience;
}

/** In milliseconds. */
export interface Patience {
  /** How often trouble is told. */
  readonly tellMs: number;
  /** How long a consumer may not exist. One that is made again, as by a migration, is there within seconds. */
  readonly goneMs: number;
}

const PATIENCE: Patience = { tellMs: 10_000, goneMs: 60_000 };

export interface Puller {
  /** Asks for more where more is wanted. */
  pull(): void;
  /** Asks for nothing more; resolves when nothing can arrive any more. */
  stop(): Promise<void>;
}

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2000;
/** So long without a sign from the consumer, and what was asked of it counts as forgotten. */
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

/** Pulls messages of a durable consumer, through lost connections and changes of leader, until it is stopped. */
export function createPuller(nats: Nats, options: PullOptions): Puller {
  const { nc, settings } = nats;
  const { stream, consumer, patience = PATIENCE } = options;
  const inbox = createInbox(settings.inboxPrefix);
  const subject = `${settings.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  const expires = Math.min(EXPIRES_MS, options.maxExpiresMs || EXPIRES_MS);
  const body = {
    expires: Math.round(expires * 1e6),
    // The server wants at most half of the time that the request lives.
    idle_heartbeat: Math.round(Math.min(HEARTBEAT_MS, expires / 2) * 1e6),
  };
  let outstanding = 0;
  let lastSign = performance.now();
  let blockedUntil = 0;
  let troubles = 0;
  let stopped = false;
  let next = 0;
  let isLooking = false;
  let lastTold = Number.NEGATIVE_INFINITY;
  /** Since when it surely does not exist. */
  let goneSince: number | undefined;

  /** What was asked for is gone; the next request waits a little longer each time. */
  const forget = (why: string | undefined) => {
    outstanding = 0;
    if (why === undefined) return;
    blockedUntil = performance.now() + Math.min(PAUSE_MS * 2 ** troubles, LONGEST_PAUSE_MS);
    if (troubles++ >= 2) void look(why);
  };

  const works = () => {
    troubles = 0;
    goneSince = undefined;
  };

  /** Whether it is there at all: one without a leader is waited for as long as it takes, one that does not exist is not. */
  const look = async (why: string): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    const answer = await readConsumer(nats, stream, consumer).catch(() => undefined);
    isLooking = false;
    if (stopped) return;
    const now = performance.now();
    goneSince = answer?.is === 'missing' ? (goneSince ?? now) : undefined;
    const left = goneSince === undefined ? undefined : goneSince + patience.goneMs - now;
    if (left !== undefined && left <= 0) return options.onFatal(gone(nats, options, patience));
    if (now - lastTold < patience.tellMs) return;
    lastTold = now;
    const missing = `there is no consumer ${stream}/${consumer}: it is waited for, ${Math.ceil((left ?? 0) / 1000)}s more`;
    options.onTrouble(left === undefined ? why : missing);
  };

  const pull = (): void => {
    if (stopped || nc.isClosed() || performance.now() < blockedUntil) return;
    const wanted = Math.min(options.wanted(outstanding), options.maxBatch || Number.MAX_SAFE_INTEGER);
    if (wanted <= 0) return;
    if (outstanding === 0) lastSign = performance.now();
    outstanding += wanted;
    nc.publish(subject, JSON.stringify({ batch: wanted, ...body }), { reply: `${inbox}.${next++}` });
  };

  const onStatus = (reply: RawReply): void => {
    const status = replyStatus(reply);
    if (status === 100) {
      goneSince = undefined;
      return;
    }
    const text = asBuffer(reply.headers).toString('utf8');
    const left = /^Nats-Pending-Messages: ?(\d+)/m.exec(text)?.[1];
    const words = /^NATS\/1\.0 \d+ ?(.*)$/m.exec(text)?.[1]?.trim() ?? '';
    // Its time is over, as it is each half minute on an empty queue.
    if (status === 408 || status === 404) {
      outstanding = left === undefined ? 0 : Math.max(0, outstanding - Number(left));
      works();
    } else if (status === 503) forget('nothing answers for the consumer: it is gone, or has no leader');
    else forget(`the server ended the request: ${status} ${words}`);
    pull();
  };

  const sub = nc.subscribe(`${inbox}.*`, {
    callback(error, msg: Msg) {
      if (error) return options.onFatal(failure(nats, error, `${inbox}.*`));
      lastSign = performance.now();
      const facts = msg.reply ? parseAckSubject(msg.reply) : undefined;
      const reply = rawReply(msg);
      if (!facts) return onStatus(reply);
      works();
      outstanding = Math.max(0, outstanding - 1);
      options.onDelivery({
        ...facts,
        subject: msg.subject,
        headers: reply.headers,
        payload: reply.data,
        ackSubject: msg.reply!,
      });
    },
  });

  void (async () => {
    for await (const status of nc.status()) {
      if (stopped) return;
      if (status.type === 'disconnect') forget(undefined);
      else if (status.type === 'reconnect') pull();
      else if (status.type === 'error' && status.error instanceof errors.PermissionViolationError) {
        const { subject: where } = status.error;
        const ours = where === subject || where.startsWith(`$JS.ACK.${stream}.${consumer}.`) || where.startsWith(inbox);
        if (ours) options.onFatal(failure(nats, status.error, where));
      }
    }
    if (!stopped) {
      options.onFatal(new OpsError('CONN_UNREACHABLE', `the connection to ${nats.target.url} was closed for good`));
    }
  })();

  const timer = setInterval(() => {
    if (outstanding > 0 && performance.now() - lastSign > SILENCE_MS) {
      lastSign = performance.now();
      forget(nc.isClosed() ? undefined : 'the consumer is silent: its server restarts, or it has no leader');
    }
    pull();
  }, 100);

  return {
    pull,
    async stop() {
      stopped = true;
      clearInterval(timer);
      // What is under way to us still arrives before the server's word that nothing more comes.
      if (!nc.isClosed()) await Promise.race([sub.drain().catch(() => {}), new Promise((r) => setTimeout(r, 1000))]);
    },
  };
}

const gone = ({ target }: Nats, { stream, consumer }: PullOptions, { goneMs }: Patience): OpsError =>
  new OpsError('NOT_FOUND', `consumer ${stream}/${consumer} is gone: nothing comes any more`, {
    where: `${target.url}, account ${target.account}`,
    why: `For ${printDuration(goneMs * 1e6)} it has not been there: it was removed, or its queue got another name.`,
    hints: [
      'start the worker with the names of now: --queue and --consumer, or the spec of now',
      '`osapi-ops apply SPEC` makes what is missing',
    ],
  });
