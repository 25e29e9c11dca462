import { createInbox, errors, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { asBuffer } from '../model/bytes.ts';
import { isObject, jsonIn, objectOf } from '../model/json.ts';
import { ApiError, type ApiFault } from './api-error.ts';
import { notJetStream } from './exchange.ts';
import { publishFailure } from './message-writes.ts';
import type { Nats } from './port.ts';
import { type FirstSent, isRemembered, remembersFor, sentNow } from './remembered.ts';

/** A message on its way: kept until a stream has it, so that it can be sent once more. */
interface UnderWay<T> {
  readonly item: T;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Uint8Array;
  deadline: number;
  tries: number;
  /** The last word of the server was that nobody takes it. */
  silent: boolean;
  /** When the first try was sent that may be stored. */
  first: FirstSent | undefined;
  sent: FirstSent;
}

export interface BulkOptions<T> {
  onStored(item: T, duplicate: boolean): void;
  /** An ApiError where the stream refuses it; an OpsError where its fate is not known after several tries. */
  onFault(item: T, error: unknown): void;
}

/**
 * Publishes many messages in their order. Each must carry a Nats-Msg-Id: what gets no answer is sent again, as long as its
 * stream surely knows that.
 */
export interface Bulk<T> {
  /** Resolves when there is room for the next one; `undefined` where there is already. */
  send(item: T, subject: string, payload: Uint8Array, headers: Uint8Array): Promise<void> | undefined;
  /** Resolves when nothing is under way any more. */
  drain(): Promise<void>;
  close(): void;
}

/** So many messages, and bytes, may be under way at once. */
const WINDOW = 2048;
const WINDOW_BYTES = 32 * 1024 * 1024;
const TRIES = 3;
const SWEEP_MS = 200;

/**
 * One subscription takes all answers, and no promise is made for a message: thousands are under way, and a stream
 * stores faster than that many promises could be settled.
 */
export function openBulk<T>(nats: Nats, options: BulkOptions<T>): Bulk<T> {
  const { nc, settings } = nats;
  const inbox = createInbox(settings.inboxPrefix);
  const underWay = new Map<string, UnderWay<T>>();
  let bytes = 0;
  let next = 0;
  let wake: (() => void) | undefined;
  const hasRoom = () => underWay.size < WINDOW && bytes < WINDOW_BYTES;

  const settle = (token: string, one: UnderWay<T>) => {
    underWay.delete(token);
    bytes -= one.payload.byteLength;
    // Half of the window at once: waking up for each message would cost more than sending it.
    if (wake && underWay.size <= WINDOW / 2 && bytes < WINDOW_BYTES) wake();
  };
  const put = (token: string, one: UnderWay<T>) => {
    one.deadline = performance.now() + settings.timeoutMs;
    one.tries += 1;
    one.silent = false;
    one.sent = sentNow();
    const hdrs = { encode: () => one.headers } as unknown as MsgHdrs;
    nats.mayAsk(one.subject);
    nc.publish(one.subject, one.payload, { reply: `${inbox}.${token}`, headers: hdrs });
  };
  const fail = (token: string, one: UnderWay<T>, error: unknown) => {
    settle(token, one);
    const size = one.payload.byteLength + one.headers.byteLength;
    options.onFault(one.item, error instanceof OpsError ? error : publishFailure(nats, error, one.subject, size));
  };
  const again = (token: string, one: UnderWay<T>, knownMs: number) => {
    const isSafe = one.first === undefined || isRemembered(one.first, knownMs);
    if (one.tries < TRIES && isSafe && !nc.isClosed()) put(token, one);
    else if (nc.isClosed()) fail(token, one, new errors.ClosedConnectionError());
    else fail(token, one, one.silent ? new errors.NoRespondersError(one.subject) : new errors.TimeoutError());
  };

  const take = (token: string, one: UnderWay<T>, msg: Msg) => {
    const answer = readAck(msg);
    // Another publish of its id is under way: the sweep asks again what came of that.
    if (answer === undefined) one.deadline = Math.min(one.deadline, performance.now() + SWEEP_MS * one.tries);
    else if (typeof answer === 'boolean') {
      settle(token, one);
      options.onStored(one.item, answer);
    } else fail(token, one, answer instanceof OpsError ? answer : new ApiError(one.subject, answer));
  };
  const subscription = nc.subscribe(`${inbox}.*`, {
    callback(error, msg) {
      if (error) {
        for (const [token, one] of [...underWay]) fail(token, one, error);
        return;
      }
      const token = msg.subject.slice(inbox.length + 1);
      const one = underWay.get(token);
      if (!one) return;
      // No responders: a leader may be elected just now, so that the sweep tries once more.
      if (msg.data.byteLength === 0) {
        one.silent = true;
        one.deadline = Math.min(one.deadline, performance.now() + SWEEP_MS * one.tries);
      } else take(token, one, msg);
    },
  });
  let isSweeping = false;
  const sweep = async () => {
    const now = performance.now();
    const due = [...underWay].filter(([, one]) => one.deadline < now || nc.isClosed());
    // What nobody took is stored nowhere.
    for (const [, one] of due) if (!one.silent) one.first ??= one.sent;
    const inDoubt = due.flatMap(([, one]) => (one.first && one.tries < TRIES && !nc.isClosed() ? [one.subject] : []));
    const asked = [...new Set(inDoubt)].map(
      async (subject) => [subject, await remembersFor(nats, subject).catch(() => 0)] as const,
    );
    const known = new Map(await Promise.all(asked));
    // Some were answered meanwhile.
    for (const [token, one] of due) if (underWay.get(token) === one) again(token, one, known.get(one.subject) ?? 0);
  };
  const timer = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    void sweep().finally(() => {
      isSweeping = false;
    });
  }, SWEEP_MS);
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
      const { error } = status;
      for (const [token, one] of [...underWay]) {
        if (error.operation !== 'publish' || one.subject === error.subject) fail(token, one, error);
      }
    }
  })();

  const waitFor = (isReady: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (!isReady()) return;
        wake = undefined;
        resolve();
      };
      wake();
    });

  return {
    send(item, subject, payload, block) {
      const token = (next++).toString(36);
      const one = {
        item,
        subject,
        payload,
        headers: block,
        deadline: 0,
        tries: 0,
        silent: false,
        first: undefined,
        sent: sentNow(),
      };
      underWay.set(token, one);
      bytes += payload.byteLength;
      put(token, one);
      return hasRoom() ? undefined : waitFor(hasRoom);
    },
    drain: () => waitFor(() => underWay.size === 0),
    close() {
      clearInterval(timer);
      subscription.unsubscribe();
    },
  };
}

/** An ack without a word of trouble: `{"stream":"REQUESTS","seq":17}`, with whatever more a server tells there. */
const PLAIN = /^\{"stream":\s?"(?!.*"(?:error|duplicate)")/;

/** Whether the stream had the message before, `undefined` where that is not decided; or the fault it answers with. */
function readAck({ data, subject }: Msg): boolean | undefined | ApiFault | OpsError {
  const text = asBuffer(data).toString('utf8');
  if (PLAIN.test(text)) return false;
  const answer = objectOf(jsonIn(text));
  if (isObject(answer.error)) {
    const fault = answer.error as ApiFault;
    return fault.err_code === ERR.duplicateInProcess ? undefined : fault;
  }
  if (typeof answer.stream === 'string') {
    // Clusters of 2.10 call it a duplicate of sequence 0 (nats-server#5827), where later ones say 10158.
    return answer.duplicate === true && answer.seq === 0 ? undefined : answer.duplicate === true;
  }
  return notJetStream(subject, 'Its answer is no JSON object.');
}
