import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { toType } from '../model/shell.ts';
import { orElse } from '../nats/answer.ts';
import { type ApiError, isApiError, isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { type Published, publish } from '../nats/message-writes.ts';
import { type HeaderLine, printHeaders, toHeaderValue } from '../nats/raw-headers.ts';
import { type FirstSent, isRemembered, remembersFor, sentNow } from '../nats/remembered.ts';
import { streamNames } from '../nats/streams.ts';

/** One request as it is published. */
export interface Outgoing {
  readonly id: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: readonly HeaderLine[];
}

/** So often is a publish tried whose fate is unknown, as long as its Nats-Msg-Id makes that harmless. */
const TRIES = 3;
const PAUSE_MS = 250;
const PASSING: readonly string[] = ['CONN_TIMEOUT', 'CONN_NO_LEADER', 'CONN_UNREACHABLE'];

/** Makes the header block of each id; the headers that all have are drawn once. */
export function headerBlocks(headers: readonly HeaderLine[]): (id: string) => Uint8Array {
  const [before, after] = Buffer.from(printHeaders([{ name: 'Nats-Msg-Id', value: '\0' }, ...headers]))
    .toString('latin1')
    .split('\0') as [string, string];
  return (id) => Buffer.from(before + toHeaderValue(id) + after, 'latin1');
}

/**
 * Publishes a request and waits until the queue has stored it.
 * @throws OpsError REQUEST_QUEUE_FULL, REQUEST_TOO_LARGE, REQUEST_UNKNOWN_KIND, SERVER_REFUSED, CONN_*, DENIED_SUBJECT
 */
export async function sendRequest(nats: Nats, request: Outgoing): Promise<Published> {
  const headers = headerBlocks(request.headers)(request.id);
  requireRoom(nats, request.subject, request.payload.byteLength + headers.byteLength);
  let first: FirstSent | undefined;
  for (let attempt = 1; ; attempt++) {
    const sent = sentNow();
    try {
      return await publish(nats, request.subject, request.payload, headers);
    } catch (error) {
      nats.signal.throwIfAborted();
      const isPassing = error instanceof OpsError && PASSING.includes(error.code);
      if (!isPassing || attempt === TRIES) throw await explainRefusal(nats, error, request);
      await sleep(PAUSE_MS * attempt);
      // Where nobody took it there is nothing to store twice.
      if (error.code !== 'CONN_NO_LEADER') first ??= sent;
      if (first && !isRemembered(first, await remembersFor(nats, request.subject))) throw explainAnswer(error, request);
    }
  }
}

/** A message beyond max_payload would cost the connection; `size` is in bytes, headers and all. @throws OpsError REQUEST_TOO_LARGE */
export function requireRoom(nats: Nats, subject: string, size: number): void {
  const limit = nats.target.server.max_payload;
  if (size <= limit) return;
  throw tooLarge(subject, `It is ${size} bytes with its headers, and max_payload of the server is ${limit}.`);
}

const tooLarge = (subject: string, why: string, cause?: unknown): OpsError =>
  new OpsError('REQUEST_TOO_LARGE', 'the request is too large', {
    where: subject,
    why: `${why} Nothing was stored.`,
    hints: ['send a reference to the data instead of the data', 'raise the limit, if such requests are meant to be'],
    cause,
  });

/** What a refused publish means to who sends a request. */
export async function explainRefusal(nats: Nats, error: unknown, request: Outgoing): Promise<unknown> {
  const { subject } = request;
  const isSilent = error instanceof OpsError && error.code === 'CONN_NO_LEADER';
  // Who may not ask is told what the publish said.
  if (!isSilent || (await orElse(streamNames(nats, { subject }), { denied: [subject] })).length > 0) {
    return explainAnswer(error, request);
  }
  return new OpsError('REQUEST_UNKNOWN_KIND', `no queue takes requests on ${subject}`, {
    where: subject,
    why: 'No stream of this account captures the subject. Nothing was stored.',
    hints: ['check the kind or the subject', 'make the queue with `osapi-ops apply SPEC`'],
    cause: error,
  });
}

/** The part of it that needs no look at the server. */
export function explainAnswer(error: unknown, { id, subject }: Pick<Outgoing, 'id' | 'subject'>): unknown {
  if (isNoRoom(error, 'stream')) return queueFull(subject, error);
  if (isApiError(error, ERR.messageTooLarge)) {
    return tooLarge(subject, 'It is beyond max_msg_size of the stream.', error);
  }
  if (!(error instanceof OpsError) || !['CONN_TIMEOUT', 'CONN_UNREACHABLE'].includes(error.code)) return error;
  return new OpsError(error.code, `${error.message}; whether the request is stored is not known`, {
    where: error.where,
    why: error.why,
    hints: [
      `\`${toType`osapi-ops request show ${id}`}\` tells whether it is there`,
      `send it again with --id ${id}: inside the queue's duplicate window that is harmless`,
    ],
    cause: error,
  });
}

const queueFull = (subject: string, error: ApiError): OpsError =>
  new OpsError('REQUEST_QUEUE_FULL', 'the queue is full: the request was not stored', {
    where: subject,
    why: `The server says: ${error.description}. Dead letters take room in the queue as well.`,
    hints: [
      'send it again when workers have caught up',
      '`osapi-ops status` shows what fills the queue; `osapi-ops dlq ls` what is dead',
    ],
    cause: error,
  });
