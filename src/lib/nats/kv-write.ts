import { setTimeout as sleep } from 'node:timers/promises';
import { headers } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { bucketStream } from '../facts/names.ts';
import { asBuffer } from '../model/bytes.ts';
import { numberOf } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orUndefined } from './answer.ts';
import { isApiError } from './api-error.ts';
import { readAnswer } from './exchange.ts';
import type { Nats, RequestOptions } from './port.ts';
import { headerValue, parseHeaders } from './raw-headers.ts';
import { isForeignApi, type Settings } from './settings.ts';
import { parseApiMessage } from './stored.ts';
import { readStream } from './streams.ts';

/** How long one write waits for its confirmation, and the pause before the next. */
const ANSWER_MS = 2000;
const RETRY_MS = 200;

/**
 * What stands before a key where a value is written. Through a domain or an import that goes by way of the API's prefix
 * too, as the official clients do.
 */
export const putPrefix = (settings: Pick<Settings, 'apiPrefix'>, bucket: string): string =>
  `${isForeignApi(settings) ? `${settings.apiPrefix}.` : ''}$KV.${bucket}.`;

/** Writes a value with these headers; gives its revision. @throws ApiError, OpsError NOT_FOUND, CONN_*, DENIED_SUBJECT */
export type Write = (
  key: string,
  value: string | Uint8Array,
  extra: Readonly<Record<string, string>>,
  options?: RequestOptions,
) => Promise<number>;

export function openWriter(nats: Nats, bucket: string): Write {
  // Nobody tells there that a subject has no listener: the bucket is looked for once.
  let isKnown = !isForeignApi(nats.settings);
  return async (key, value, extra, options = {}) => {
    if (!isKnown && !(await isThere(nats, bucket))) throw missing(bucket);
    isKnown = true;
    return send(nats, bucket, { key, value, extra }, options);
  };
}

interface Written {
  readonly key: string;
  readonly value: string | Uint8Array;
  readonly extra: Readonly<Record<string, string>>;
}

/** A write that goes only while the key's revision is this one. */
export const ifStill = (revision: number) => ({ [EXPECTED]: `${revision}` });
const EXPECTED = 'Nats-Expected-Last-Subject-Sequence';

/** True where somebody else wrote the key meanwhile. */
export const isConflict = (error: unknown): boolean => isApiError(error, ERR.wrongLastSequence, ERR.writeInFlight);

/**
 * A replicated bucket that elects a leader does not answer, or nobody does: the write is sent again. The first may have
 * been stored all the same, and another's since: so it is looked at before, and goes over what was seen and nothing else.
 */
async function send(nats: Nats, bucket: string, written: Written, options: RequestOptions): Promise<number> {
  const { key, value, extra } = written;
  const subject = putPrefix(nats.settings, bucket) + key;
  const whole = options.timeoutMs ?? nats.settings.timeoutMs;
  const isClustered = nats.target.server.cluster !== undefined;
  const timeoutMs = isClustered ? Math.min(whole, ANSWER_MS) : whole;
  let seen: Readonly<Record<string, string>> = {};
  for (const start = performance.now(); ; ) {
    try {
      const hdrs = headers();
      for (const [name, text] of Object.entries({ ...seen, ...extra })) hdrs.set(name, text);
      const reply = await nats.request(subject, value, { ...options, timeoutMs, headers: hdrs });
      return numberOf(readAnswer(subject, reply).seq);
    } catch (error) {
      const isOvertaken = EXPECTED in seen && !(EXPECTED in extra) && isConflict(error);
      if (!isOvertaken) {
        if (!(error instanceof OpsError) || !['CONN_NO_JETSTREAM', 'CONN_TIMEOUT'].includes(error.code)) throw error;
        const exists = error.code === 'CONN_TIMEOUT' || (isClustered && (await isThere(nats, bucket)));
        if (!exists) throw missing(bucket, error);
      }
      const left = whole - (performance.now() - start) - RETRY_MS;
      if (left <= 0 || !isClustered) throw error;
      await sleep(RETRY_MS);
      // Whoever renews a lock has no longer than that.
      const look = readNewest(nats, bucketStream(bucket), `$KV.${bucket}.${key}`, { finish: true, timeoutMs: left });
      const stored = await look.catch(() => {
        throw error;
      });
      if (stored && isSame(written, stored)) return stored.seq;
      seen = ifStill(stored?.seq ?? 0);
    }
  }
}

const OPERATION = 'KV-Operation';

const isSame = ({ value, extra }: Written, { payload, headers: block }: StoredMessage): boolean =>
  asBuffer(payload).equals(Buffer.from(value)) && headerValue(parseHeaders(block), OPERATION) === extra[OPERATION];

/** The newest message of a subject, as its stream's leader has it. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function readNewest(
  nats: Nats,
  stream: string,
  subject: string,
  options?: RequestOptions,
): Promise<StoredMessage | undefined> {
  const name = `STREAM.MSG.GET.${stream}`;
  const answer = await orUndefined(answerOf(nats.api(name, { last_by_subj: subject }, options)));
  return answer && parseApiMessage(stream, name, answer);
}

const isThere = async (nats: Nats, bucket: string): Promise<boolean> =>
  (await orUndefined(readStream(nats, bucketStream(bucket), { finish: true }))) !== undefined;

const missing = (bucket: string, cause?: unknown): OpsError =>
  new OpsError('NOT_FOUND', `bucket ${bucket} does not exist`, { where: `$KV.${bucket}`, cause });
