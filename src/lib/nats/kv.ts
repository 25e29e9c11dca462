import { OpsError } from '../errors/ops-error.ts';
import { bucketStream } from '../facts/names.ts';
import type { StoredMessage } from '../model/message.ts';
import { orUndefined } from './answer.ts';
import { ifStill, isConflict, openWriter, readNewest } from './kv-write.ts';
import { ANOTHERS, readMessage } from './messages.ts';
import { pipelined } from './pipeline.ts';
import type { Kv, KvEntry, Nats, ReadOptions } from './port.ts';
import { headerValue, parseHeaders } from './raw-headers.ts';
import { isForeignApi } from './settings.ts';
import { readSubjects } from './streams.ts';
import { rawReply } from './wire.ts';

/** Keys read at once. */
const AT_ONCE = 64;

/** Opens a bucket; nothing is asked before it is used. */
export function openKv(nats: Nats, bucket: string): Kv {
  const write = openWriter(nats, bucket);
  const latest = (key: string, options?: ReadOptions) => readLatest(nats, bucket, key, options);
  return {
    latest,
    async get(key, options) {
      const found = await latest(key, options);
      return found?.deleted ? undefined : found;
    },
    put: (key, value, { ttlSeconds, alone, ...options } = {}) => {
      const extra = { ...(ttlSeconds && { 'Nats-TTL': `${ttlSeconds}s` }), ...(alone && { 'Nats-Rollup': 'sub' }) };
      return write(key, value, extra, options);
    },
    update: (key, value, revision, options) => conditional(write(key, value, ifStill(revision), options)),
    delete: (key, revision, options) =>
      conditional(write(key, '', { 'KV-Operation': 'DEL', ...(revision !== undefined && ifStill(revision)) }, options)),
    keys: (pattern) => readKeys(nats, bucket, pattern),
    values: (pattern) => readValues(nats, bucket, pattern),
  };
}

/** `undefined` where somebody else wrote the key meanwhile. */
const conditional = (written: Promise<number>): Promise<number | undefined> =>
  written.catch((error: unknown) => {
    if (isConflict(error)) return undefined;
    throw error;
  });

async function readLatest(
  nats: Nats,
  bucket: string,
  key: string,
  options: ReadOptions = {},
): Promise<KvEntry | undefined> {
  const stream = bucketStream(bucket);
  const subject = `$KV.${bucket}.${key}`;
  const isDirect = !isForeignApi(nats.settings) && !options.fromLeader;
  const direct = isDirect ? await readDirect(nats, stream, subject) : 'nobody';
  const message =
    direct === 'nobody' ? await readNewest(nats, stream, subject, { finish: options.finish === true }) : direct;
  return message && toEntry(bucket, message);
}

/** The newest of all comes along with the list of keys: where there is one key, as mostly, nothing more is asked. */
async function readValues(nats: Nats, bucket: string, pattern: string): Promise<KvEntry[]> {
  const guess = async () => {
    const newest = await readDirect(nats, bucketStream(bucket), `$KV.${bucket}.${pattern}`);
    return newest && newest !== 'nobody' ? toEntry(bucket, newest) : undefined;
  };
  const [keys, newest] = await Promise.all([
    readKeys(nats, bucket, pattern),
    // What stands in the way of it is met again, and told, where the key itself is read.
    isForeignApi(nats.settings) ? undefined : guess().catch(() => undefined),
  ]);
  const values = await pipelined(keys, AT_ONCE, (key) =>
    newest?.key === key ? Promise.resolve(newest) : readLatest(nats, bucket, key),
  );
  return values.filter((value) => value !== undefined && !value.deleted) as KvEntry[];
}

/**
 * `nobody` where no server answers reads of the bucket: it does not exist, none is ready, or a mirror of it did. The API
 * knows which.
 */
async function readDirect(nats: Nats, stream: string, subject: string): Promise<StoredMessage | undefined | 'nobody'> {
  const where = `${nats.settings.apiPrefix}.DIRECT.GET.${stream}.${subject}`;
  try {
    const message = readMessage(stream, where, rawReply(await nats.request(where, '')));
    return message === ANOTHERS ? 'nobody' : message;
  } catch (error) {
    if (error instanceof OpsError && error.code === 'CONN_NO_JETSTREAM') return 'nobody';
    throw error;
  }
}

function toEntry(bucket: string, { subject, seq, time, payload, headers }: StoredMessage): KvEntry {
  const key = subject.slice(`$KV.${bucket}.`.length);
  const lines = parseHeaders(headers);
  const isMarker = /^(DEL|PURGE)$/.test(headerValue(lines, 'KV-Operation') ?? '');
  const deleted = isMarker || (headerValue(lines, 'Nats-Marker-Reason') ?? '') !== '';
  return { key, value: payload, deleted, revision: seq, created: time };
}

async function readKeys(nats: Nats, bucket: string, pattern: string): Promise<string[]> {
  const prefix = `$KV.${bucket}.`;
  const found = await orUndefined(readSubjects(nats, bucketStream(bucket), prefix + pattern));
  return [...(found?.subjects.keys() ?? [])].map((subject) => subject.slice(prefix.length)).sort();
}
