import { createInbox, errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { asBuffer } from '../model/bytes.ts';
import type { Nats } from './port.ts';

/** An answer as it came: the header block byte for byte, and the payload. */
export interface RawReply {
  /** Empty where the message has none. */
  readonly headers: Uint8Array;
  readonly data: Uint8Array;
}

export interface AskOptions {
  readonly headers?: Uint8Array;
  readonly timeoutMs: number;
}

/**
 * Requests without the official client's header parser, which trims, decodes and, for names it does not like, throws.
 * One subscription for all answers and one timer for all timeouts: thousands may be under way.
 */
export interface Wire {
  /** Rejects with the client library's errors (timeout, no responders, permission, closed). */
  ask(subject: string, payload: Uint8Array | string, options: AskOptions): Promise<RawReply>;
  /** An answer of many messages. `onReply` tells when it was the last; the timeout counts from message to message. */
  askMany(
    subject: string,
    payload: string,
    timeoutMs: number,
    onReply: (reply: RawReply) => 'more' | 'last',
  ): Promise<void>;
}

interface Pending {
  readonly subject: string;
  readonly timeoutMs: number;
  deadline: number;
  take(reply: RawReply): 'more' | 'last';
  fail(error: Error): void;
}

const wires = new WeakMap<NatsConnection, Wire>();
const SWEEP_MS = 100;
const NO_BYTES = new Uint8Array(0);

/** The connection's wire; made on first use. What is asked through it asks the gates of `nats` first. */
export function wireOf(nats: Nats): Wire {
  const wire = wires.get(nats.nc) ?? createWire(nats.nc, nats.settings.inboxPrefix);
  wires.set(nats.nc, wire);
  return {
    ask(subject, ...rest) {
      nats.mayAsk(subject);
      return wire.ask(subject, ...rest);
    },
    askMany(subject, ...rest) {
      nats.mayAsk(subject);
      return wire.askMany(subject, ...rest);
    },
  };
}

/** The client keeps header and payload in one buffer and gives away only the parsed header. */
interface Insides {
  readonly _msg: { readonly hdr: number };
  readonly _rdata?: Uint8Array;
}

/** A message with its headers as they came. */
export function rawReply(msg: Msg): RawReply {
  const { _msg, _rdata } = msg as unknown as Insides;
  if (!_rdata) return { headers: NO_BYTES, data: NO_BYTES };
  const end = Math.max(0, _msg.hdr);
  return { headers: _rdata.subarray(0, end), data: _rdata.subarray(end) };
}

const NO_RESPONDERS = Buffer.from('NATS/1.0 503');

/**
 * The server says that nobody listens (from 2.12 on with the subject in a header). A stored message may begin with
 * the same status: a direct get adds the stream's name to it.
 */
const isNoResponders = ({ headers, data }: RawReply): boolean =>
  data.byteLength === 0 &&
  NO_RESPONDERS.equals(headers.subarray(0, NO_RESPONDERS.length)) &&
  !asBuffer(headers).includes('\r\nNats-Stream: ');

function createWire(nc: NatsConnection, inboxPrefix: string): Wire {
  const inbox = createInbox(inboxPrefix);
  const pending = new Map<string, Pending>();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  const drop = (token: string) => {
    pending.delete(token);
    if (pending.size === 0 && timer) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const failAll = (is: (one: Pending) => boolean, error: Error) => {
    for (const [token, one] of [...pending]) {
      if (!is(one)) continue;
      drop(token);
      one.fail(error);
    }
  };
  const sweep = () => {
    const now = performance.now();
    failAll((one) => one.deadline < now, new errors.TimeoutError());
  };

  nc.subscribe(`${inbox}.*`, {
    callback(error, msg) {
      if (error) return failAll(() => true, error);
      const token = msg.subject.slice(inbox.length + 1);
      const one = pending.get(token);
      if (!one) return;
      const reply = rawReply(msg);
      if (isNoResponders(reply)) {
        drop(token);
        one.fail(new errors.NoRespondersError(one.subject));
        return;
      }
      one.deadline = performance.now() + one.timeoutMs;
      if (one.take(reply) === 'last') drop(token);
    },
  });
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError) {
        const { error } = status;
        if (error.operation === 'publish') failAll((one) => one.subject === error.subject, error);
        else if (error.subject.startsWith(inbox)) failAll(() => true, error);
      } else if (status.type === 'disconnect') {
        // An answer to what was asked before cannot come any more.
        failAll(() => true, new errors.ClosedConnectionError());
      }
    }
    failAll(() => true, new errors.ClosedConnectionError());
  })();

  function send(subject: string, payload: Uint8Array | string, headers: Uint8Array | undefined, one: Pending): void {
    const token = (next++).toString(36);
    pending.set(token, one);
    timer ??= setInterval(sweep, SWEEP_MS);
    const hdrs = headers?.byteLength ? ({ encode: () => headers } as unknown as MsgHdrs) : undefined;
    try {
      nc.publish(subject, payload, { reply: `${inbox}.${token}`, ...(hdrs && { headers: hdrs }) });
    } catch (error) {
      drop(token);
      one.fail(error as Error);
    }
  }

  return {
    ask: (subject, payload, { headers, timeoutMs }) =>
      new Promise((resolve, reject) =>
        send(subject, payload, headers, {
          subject,
          timeoutMs,
          deadline: performance.now() + timeoutMs,
          take(reply) {
            resolve(reply);
            return 'last';
          },
          fail: reject,
        }),
      ),
    askMany: (subject, payload, timeoutMs, onReply) =>
      new Promise((resolve, reject) =>
        send(subject, payload, undefined, {
          subject,
          timeoutMs,
          deadline: performance.now() + timeoutMs,
          take(reply) {
            const what = onReply(reply);
            if (what === 'last') resolve();
            return what;
          },
          fail: reject,
        }),
      ),
  };
}
