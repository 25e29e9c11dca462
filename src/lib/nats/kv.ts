import { setTimeout as sleep } from 'node:timers/promises';
import { headers, type Msg } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { bucketStream } from '../facts/names.ts';
import { type Config, isObject } from '../model/json.ts';
import { ApiError, type ApiFault, isApiError, isMissing } from './api-error.ts';
import type { Kv, KvEntry, Nats, RequestOptions } from './port.ts';
import { isForeignApi, type Settings } from './settings.ts';

/** How long one write waits for its confirmation, and the pause before the next. */
const ANSWER_MS = 2000;
const RETRY_MS = 200;

async function isThere(nats: Nats, stream: string): Promise<boolean> {
  try {
    await nats.api(`STREAM.INFO.${stream}`, undefined, { finish: true });
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

const missing = (bucket: string, cause?: unknown): OpsError =>
  new OpsError('NOT_FOUND', `bucket ${bucket} does not exist`, { where: `$KV.${bucket}`, cause });

/** Where the values of a bucket are written. Through a domain or an import by way of the API's prefix, as the official clients do. */
export const putPrefix = (settings: Pick<Settings, 'apiPrefix'>, bucket: string): string =>
  isForeignApi(settings) ? `${settings.apiPrefix}.$KV.${bucket}.` : `$KV.${bucket}.`;

export function openKv(nats: Nats, bucket: string): Kv {
  const stream = bucketStream(bucket);
  const { apiPrefix } = nats.settings;
  const put = putPrefix(nats.settings, bucket);
  let isKnown = !isForeignApi(nats.settings);
  const stored = `$KV.${bucket}.`;

  /** A replicated bucket that elects a leader does not answer, or nobody does: the write is sent again. */
  async function send(subject: string, value: string | Uint8Array, options: RequestOptions): Promise<Msg> {
    const whole = options.timeoutMs ?? nats.settings.timeoutMs;
    const isClustered = nats.target.server.cluster !== undefined;
    const timeoutMs = isClustered ? Math.min(whole, ANSWER_MS) : whole;
    for (const start = performance.now(); ; ) {
      try {
        return await nats.request(subject, value, { ...options, timeoutMs });
      } catch (error) {
        if (!(error instanceof OpsError) || !['CONN_NO_JETSTREAM', 'CONN_TIMEOUT'].includes(error.code)) throw error;
        const exists = error.code === 'CONN_TIMEOUT' || (isClustered && (await isThere(nats, stream)));
        if (!exists) throw missing(bucket, error);
        if (performance.now() - start >= whole || !isClustered) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  async function write(
    key: string,
    value: string | Uint8Array,
    extra: Readonly<Record<string, string>>,
    options: RequestOptions = {},
  ): Promise<number> {
    const hdrs = headers();
    for (const [name, text] of Object.entries(extra)) hdrs.set(name, text);
    if (!isKnown && !(await isThere(nats, stream))) throw missing(bucket);
    isKnown = true;
    const reply = await send(put + key, value, { ...options, headers: hdrs });
    const answer = reply.json<Config>();
    if (isObject(answer.error)) throw new ApiError(put + key, answer.error as ApiFault);
    return Number(answer.seq);
  }

  const conditional = async (work: Promise<number>): Promise<number | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (isApiError(error, ERR.wrongLastSequence, ERR.writeInFlight)) return undefined;
      throw error;
    }
  };

  return {
    async get(key, options) {
      const found = await this.latest(key, options);
      return found?.deleted ? undefined : found;
    },
    async latest(key, options) {
      if (isForeignApi(nats.settings) || options?.fromLeader) return readThroughApi(nats, stream, stored, key);
      let reply: Msg;
      try {
        reply = await nats.request(`${apiPrefix}.DIRECT.GET.${stream}.${stored}${key}`, '');
      } catch (error) {
        if (!(error instanceof OpsError) || error.code !== 'CONN_NO_JETSTREAM') throw error;
        // Nobody serves this bucket's reads: it does not exist, or none of its servers is ready. The API knows which.
        return readThroughApi(nats, stream, stored, key);
      }
      const { headers: hdrs } = reply;
      if (!hdrs || hdrs.code === 404) return undefined;
      return {
        key,
        value: reply.data,
        deleted: isMarker(hdrs.get('KV-Operation'), hdrs.get('Nats-Marker-Reason')),
        revision: Number(hdrs.get('Nats-Sequence')),
        created: hdrs.get('Nats-Time-Stamp'),
      };
    },
    put: (key, value, options) =>
      write(key, value, options?.ttlSeconds ? { 'Nats-TTL': `${options.ttlSeconds}s` } : {}, options),
    update: (key, value, revision, options) =>
      conditional(write(key, value, { 'Nats-Expected-Last-Subject-Sequence': `${revision}` }, options)),
    delete: (key, revision, options) =>
      conditional(
        write(
          key,
          '',
          {
            'KV-Operation': 'DEL',
            ...(revision !== undefined && { 'Nats-Expected-Last-Subject-Sequence': `${revision}` }),
          },
          options,
        ),
      ),
    async purge(key, options) {
      await write(key, '', { 'KV-Operation': 'PURGE', 'Nats-Rollup': 'sub' }, options);
    },
    async keys(pattern) {
      const found: string[] = [];
      // The server answers at most 100,000 subjects at a time.
      for (let offset = 0; ; ) {
        let page: Config;
        try {
          page = await nats.api(`STREAM.INFO.${stream}`, { subjects_filter: stored + pattern, offset });
        } catch (error) {
          if (isMissing(error)) return [];
          throw error;
        }
        const subjects = isObject(page.state) && isObject(page.state.subjects) ? Object.keys(page.state.subjects) : [];
        found.push(...subjects.map((subject) => subject.slice(stored.length)));
        offset += subjects.length;
        if (subjects.length === 0 || offset >= Number(page.total ?? 0)) return found.sort();
      }
    },
  };
}

const isMarker = (operation: string, reason: string): boolean =>
  operation === 'DEL' || operation === 'PURGE' || reason !== '';

async function readThroughApi(nats: Nats, stream: string, stored: string, key: string): Promise<KvEntry | undefined> {
  try {
    const { message } = await nats.api(`STREAM.MSG.GET.${stream}`, { last_by_subj: stored + key });
    const found = isObject(message) ? message : {};
    const hdrs = Buffer.from(String(found.hdrs ?? ''), 'base64').toString('utf8');
    return {
      key,
      deleted: /^(KV-Operation: ?(DEL|PURGE)|Nats-Marker-Reason:)/m.test(hdrs),
      value: Buffer.from(String(found.data ?? ''), 'base64'),
      revision: Number(found.seq),
      created: String(found.time),
    };
  } catch (error) {
    if (isMissing(error) || isApiError(error, ERR.noMessage)) return undefined;
    throw error;
  }
}
