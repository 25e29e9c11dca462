import { isKvKey } from '../facts/kv-key.ts';
import { bucketStream } from '../facts/names.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getLatest } from '../nats/messages.ts';
import { parseHeaders } from '../nats/raw-headers.ts';

/** A marker says that there was a response: somebody deleted it, or it expired. */
const isMarker = (headers: Uint8Array): boolean =>
  parseHeaders(headers).some(({ name }) => name === 'KV-Operation' || name === 'Nats-Marker-Reason');

/**
 * Which of these requests have their response in the bucket: what is answered is not dead, whatever else is still stored
 * of it. None for a user who may not read the bucket, or where there is none.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function readAnswered(nats: Nats, bucket: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const prefix = `$KV.${bucket}.`;
  const subjects = [...new Set(ids)].filter(isKvKey).map((id) => prefix + id);
  if (subjects.length === 0) return new Set();
  const found = await orElse(answerOf(getLatest(nats, bucketStream(bucket), subjects)), { missing: [], denied: [] });
  return new Set(found.flatMap(({ subject, headers }) => (isMarker(headers) ? [] : [subject.slice(prefix.length)])));
}
