import { setTimeout as sleep } from 'node:timers/promises';
import { headers, type Msg } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { bucketStream } from '../facts/names.ts';
import { numberOf } from '../model/json.ts';
import { orUndefined } from './answer.ts';
import { readAnswer } from './exchange.ts';
import type { Nats, RequestOptions } from './port.ts';
import { isForeignApi, type Settings } from './settings.ts';
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
  const prefix = putPrefix(nats.settings, bucket);
  // Nobody tells there that a subject has no listener: the bucket is looked for once.
  let isKnown = !isForeignApi(nats.settings);
  return async (key, value, extra, options = {}) => {
    const hdrs = headers();
    for (const [name, text] of Object.entries(extra)) hdrs.set(name, text);
    if (!isKnown && !(await isThere(nats, bucket))) throw missing(bucket);
    isKnown = true;
    const answer = readAnswer(prefix + key, await send(nats, bucket, key, value, { ...options, headers: hdrs }));
    return numberOf(answer.seq);
  };
}

/** A replicated bucket that elects a leader does not answer, or nobody does: the write is sent again. */
async function send(
  nats: Nats,
  bucket: string,
  key: string,
  value: string | Uint8Array,
  options: RequestOptions,
): Promise<Msg> {
  const subject = putPrefix(nats.settings, bucket) + key;
  const whole = options.timeoutMs ?? nats.settings.timeoutMs;
  const isClustered = nats.target.server.cluster !== undefined;
  const timeoutMs = isClustered ? Math.min(whole, ANSWER_MS) : whole;
  for (const start = performance.now(); ; ) {
    try {
      return await nats.request(subject, value, { ...options, timeoutMs });
    } catch (error) {
      if (!(error instanceof OpsError) || !['CONN_NO_JETSTREAM', 'CONN_TIMEOUT'].includes(error.code)) throw error;
      const exists = error.code === 'CONN_TIMEOUT' || (isClustered && (await isThere(nats, bucket)));
      if (!exists) throw missing(bucket, error);
      if (performance.now() - start >= whole || !isClustered) throw error;
      await sleep(RETRY_MS);
    }
  }
}

const isThere = async (nats: Nats, bucket: string): Promise<boolean> =>
  (await orUndefined(readStream(nats, bucketStream(bucket), { finish: true }))) !== undefined;

const missing = (bucket: string, cause?: unknown): OpsError =>
  new OpsError('NOT_FOUND', `bucket ${bucket} does not exist`, { where: `$KV.${bucket}`, cause });
