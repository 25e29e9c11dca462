import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { asBuffer } from '../model/bytes.ts';
import type { ClusterFigures } from '../model/resource.ts';
import { type CopyKind, notTaken, ownPrefixes, whyNotTaken } from './address.ts';
import { orUndefined } from './answer.ts';
import { isApiError } from './api-error.ts';
import { RETRY_MS } from './exchange.ts';
import type { StreamInfo } from './info.ts';
import { publish } from './message-writes.ts';
import { getMessage } from './messages.ts';
import type { Nats } from './port.ts';
import { headerValue, parseHeaders, withHeader } from './raw-headers.ts';
import { readStream } from './streams.ts';

/** A message as it is to lie in another stream, or again in its own. */
export interface Copy {
  readonly subject: string;
  /** With its Nats-Msg-Id. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  readonly kind: CopyKind;
}

/** What the stream has of a copy. */
export interface CopyStored {
  readonly seq: number;
  /** `before`: an earlier publish of the same id is stored. `left`: one was, and is there no more. */
  readonly how: 'stored' | 'before' | 'left';
}

/** What a copy is when it is published, in bytes, at the most: the guard and another id are added to its headers. */
export const copySize = ({ headers, payload }: Pick<Copy, 'headers' | 'payload'>, stream: string): number =>
  headers.byteLength + payload.byteLength + `Nats-Expected-Stream: ${stream}\r\n`.length + SUFFIX;

/** The largest message that a stream of this server gets, in bytes, headers and all, and whose limit that is. */
export function largestIn(
  nats: Nats,
  { name, config }: StreamInfo,
): { readonly bytes: number; readonly whose: string } {
  const { max_payload } = nats.target.server;
  const { max_msg_size: most } = config;
  return typeof most === 'number' && most > 0 && most < max_payload
    ? { bytes: most, whose: `max_msg_size of stream ${name}` }
    : { bytes: max_payload, whose: 'max_payload of the server' };
}

/** Why a copy is too large for `publishCopy`; `undefined` where it is not. */
export function whyOversize(nats: Nats, to: StreamInfo, copy: Pick<Copy, 'headers' | 'payload'>): string | undefined {
  const size = copySize(copy, to.name) - SUFFIX;
  const { bytes, whose } = largestIn(nats, to);
  return size > bytes
    ? `the message is too large: with its headers it is ${size} bytes, and ${whose} is ${bytes}`
    : undefined;
}

/** The longest that `storeCopy` puts behind an id: a point and a sequence. */
const SUFFIX = 21;

/** How long nobody may answer on a subject that a stream with a leader takes, in milliseconds. */
const SILENT_MS = 2000;

/**
 * Whether it is a leader that is missing where nobody answers. One of several that has just been elected, or has just gone,
 * is named before it answers, and for seconds after.
 */
export const lacksLeader = ({ leader, replicas }: ClusterFigures, isSilentForLong: boolean): boolean =>
  leader === undefined || (isSilentForLong && replicas.length > 0);

/** No stream answered: none takes the subject, or the one that does has no leader. */
const isSilence = (error: unknown): boolean =>
  (error as { code?: string }).code === 'CONN_NO_LEADER' && !isApiError(error);

/**
 * Publishes a copy into the stream it is meant for, or nowhere: what the stream does not take now is never sent, and
 * what has moved to another stream meanwhile is refused there. "Duplicate" is believed only as far as the stored
 * message goes.
 * @throws OpsError DLQ_NOT_TAKEN; ApiError where the stream refuses it; CONN_NO_LEADER, CONN_*, DENIED_SUBJECT: then
 * nobody knows whether it is stored
 */
export async function publishCopy(nats: Nats, to: StreamInfo, copy: Copy): Promise<CopyStored> {
  const headers = withHeader(copy.headers, { name: 'Nats-Expected-Stream', value: to.name });
  const until = performance.now() + SILENT_MS;
  for (let now: StreamInfo | undefined = to; ; await sleep(RETRY_MS)) {
    if (!now) throw notTaken(`stream ${to.name} is not there any more`);
    const why = whyNotTaken(now, copy.subject, copy.kind, ownPrefixes(nats));
    if (why !== undefined) throw notTaken(why);
    try {
      const { stream, seq, duplicate } = await publish(nats, copy.subject, copy.payload, headers);
      if (stream !== to.name) throw strayed(copy.subject, to.name, stream);
      if (!duplicate) return { seq, how: 'stored' };
      return { seq, how: (await holds(nats, to.name, seq, copy)) ? 'before' : 'left' };
    } catch (error) {
      if (isApiError(error, ERR.streamMismatch)) {
        throw notTaken(`stream ${to.name} does not take ${copy.subject} any more: another stream does`, error);
      }
      if (!isSilence(error)) throw error;
      now = await orUndefined(readStream(nats, to.name, { finish: true }));
      const isOver = performance.now() > until;
      if (now?.cluster && lacksLeader(now.cluster, isOver)) throw error;
      if (isOver) throw notTaken(`nobody answers on ${copy.subject}, though ${to.name} takes it`);
    }
  }
}

/** Whether a stream holds the copy under this sequence: a message of its id and payload. */
async function holds(nats: Nats, stream: string, seq: number, copy: Copy): Promise<boolean> {
  const idOf = (headers: Uint8Array) => headerValue(parseHeaders(headers), 'Nats-Msg-Id');
  const stored = await getMessage(nats, stream, seq, { fromLeader: true });
  if (!stored || idOf(stored.headers) !== idOf(copy.headers)) return false;
  return asBuffer(stored.payload).equals(copy.payload);
}

const strayed = (subject: string, wanted: string, stream: string): OpsError =>
  new OpsError('SERVER_REFUSED', `a copy on ${subject} went to stream ${stream}, not to ${wanted}`, {
    where: subject,
    why: 'Something between us and the server answers, or maps, this subject. The original was kept.',
    hints: ['look for a service that listens on this subject, and for subject mappings of the account'],
  });

/** So many copies of one message may have been stored and removed within a duplicate window. */
const MOST_ROUNDS = 100;

/**
 * Publishes a copy so that it is stored when this returns: where the stream knows its id from a message that is there
 * no more, under another id, the same in every run. `make` gives the copy for an id.
 * @throws as `publishCopy`
 */
export async function storeCopy(
  nats: Nats,
  to: StreamInfo,
  id: string,
  make: (id: string) => Copy,
): Promise<CopyStored> {
  let last: CopyStored | undefined;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    last = await publishCopy(nats, to, make(last ? `${id}.${last.seq}` : id));
    if (last.how !== 'left') return last;
  }
  throw new OpsError('SERVER_REFUSED', `stream ${to.name} does not store ${id}`, {
    where: `stream ${to.name}`,
    why: `It was stored and removed ${MOST_ROUNDS} times within its duplicate window.`,
    hints: ['wait until the duplicate window is over, then run this again'],
  });
}
