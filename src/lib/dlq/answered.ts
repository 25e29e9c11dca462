import { bucketStream } from '../facts/names.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getLatest } from '../nats/messages.ts';
import { answeredBy, responseSubjects } from './answers.ts';

/**
 * Which of these requests have their response in the bucket: what is answered is not dead, whatever else is still stored
 * of it. None for a user who may not read the bucket, or where there is none.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function readAnswered(nats: Nats, bucket: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const subjects = responseSubjects(bucket, ids);
  if (subjects.length === 0) return new Set();
  const found = await orElse(answerOf(getLatest(nats, bucketStream(bucket), subjects)), { missing: [], denied: [] });
  return answeredBy(bucket, found);
}
