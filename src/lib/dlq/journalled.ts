import { bucketStream, journalSubjects, LEDGER_BUCKET } from '../facts/names.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readSubjects } from '../nats/streams.ts';

/**
 * How many messages an unfinished replay holds in its journal, by queue: they left the queue, and their copy is not in.
 * `undefined` for a user who may not read the ledger. @throws OpsError CONN_*
 */
export async function countJournalled(nats: Nats): Promise<ReadonlyMap<string, number> | undefined> {
  const every = journalSubjects('*');
  const answer = await orElse(readSubjects(nats, bucketStream(LEDGER_BUCKET), every), {
    missing: null,
    denied: undefined,
    silent: undefined,
  });
  if (answer === undefined) return undefined;
  const at = every.split('.').indexOf('*');
  const counts = new Map<string, number>();
  for (const subject of answer?.subjects.keys() ?? []) {
    const queue = subject.split('.')[at]!;
    counts.set(queue, (counts.get(queue) ?? 0) + 1);
  }
  return counts;
}
