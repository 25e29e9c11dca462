import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { isObject } from '../model/json.ts';
import { ApiError, type ApiFault, isApiError } from './api-error.ts';
import { isNoRespondersError } from './errors.ts';
import { failure, RETRY_MS, readJson } from './exchange.ts';
import type { Nats } from './port.ts';
import { isRemembered, remembersFor, sentNow } from './remembered.ts';
import { type RawReply, wireOf } from './wire.ts';

export interface PublishOptions {
  readonly timeoutMs?: number;
}

export interface Published {
  readonly stream: string;
  readonly seq: number;
  /** The stream knows the Nats-Msg-Id and stored nothing. */
  readonly duplicate: boolean;
}

/**
 * Publishes to whatever stream captures the subject and waits for its word. After a failure other than an ApiError
 * nobody knows whether the message is stored, and it is not tried again. Where the answer is that an earlier publish of
 * the same message id is not decided yet, it asks again until that is, for it may still come to nothing; but only while
 * the stream surely knows that id: later it would be stored twice.
 * @throws ApiError where the stream refuses it; OpsError CONN_*, DENIED_SUBJECT
 */
export async function publish(
  nats: Nats,
  subject: string,
  payload: Uint8Array,
  headers?: Uint8Array,
  { timeoutMs = nats.settings.timeoutMs }: PublishOptions = {},
): Promise<Published> {
  const first = sentNow();
  for (const until = performance.now() + timeoutMs; ; ) {
    try {
      return await publishOnce(nats, subject, payload, headers, { timeoutMs });
    } catch (error) {
      if (!isApiError(error, ERR.duplicateInProcess) || performance.now() + RETRY_MS > until) throw error;
      await sleep(RETRY_MS);
      if (!isRemembered(first, await remembersFor(nats, subject))) throw error;
    }
  }
}

async function publishOnce(
  nats: Nats,
  subject: string,
  payload: Uint8Array,
  headers: Uint8Array | undefined,
  { timeoutMs }: Required<PublishOptions>,
): Promise<Published> {
  let reply: RawReply;
  try {
    reply = await wireOf(nats).ask(subject, payload, { timeoutMs, ...(headers && { headers }) });
  } catch (error) {
    throw publishFailure(nats, error, subject, payload.byteLength + (headers?.byteLength ?? 0));
  }
  const answer = readJson(subject, reply);
  if (isObject(answer.error)) throw new ApiError(subject, answer.error as ApiFault);
  const { stream, seq, duplicate: known } = answer;
  if (typeof stream !== 'string' || !Number.isSafeInteger(seq)) throw notStored(subject);
  const duplicate = known === true;
  // Clusters of 2.10 call it a duplicate of sequence 0 (nats-server#5827), where later ones say 10158.
  if (duplicate && seq === 0) throw new ApiError(subject, UNDECIDED);
  return { stream, seq: seq as number, duplicate };
}

const UNDECIDED: ApiFault = { err_code: ERR.duplicateInProcess, description: 'duplicate message id is in process' };

const notStored = (subject: string): OpsError =>
  new OpsError('SERVER_REFUSED', 'what answered is no stream', {
    where: subject,
    why: 'It names no stream and no sequence: nobody says that the message is stored.',
    hints: ['look for a service that listens on this subject'],
  });

/** What a publish that got no answer means. */
export function publishFailure(nats: Nats, error: unknown, subject: string, size: number): OpsError {
  if (size > nats.target.server.max_payload) {
    return new OpsError('SERVER_REFUSED', `the message is too large for this server: ${size} bytes`, {
      where: subject,
      why: `Its max_payload is ${nats.target.server.max_payload} bytes, headers included.`,
      hints: ['raise max_payload of the server'],
      cause: error,
    });
  }
  if (isNoRespondersError(error)) {
    return new OpsError('CONN_NO_LEADER', `no stream takes messages on ${subject} now`, {
      where: subject,
      why: 'Nothing was stored: no stream captures the subject, or its stream has no leader at the moment.',
      hints: ['check the subjects of the stream; in a cluster, wait for a leader and run this again'],
      cause: error,
    });
  }
  return failure(nats, error, subject);
}
