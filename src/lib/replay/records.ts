import type { Seen } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import { type Looks, madeAnew, removeMessages } from '../nats/removal.ts';

/**
 * Removes what this run saw of DLQ streams. What is gone already is as good as removed.
 * @throws OpsError DLQ_MADE_ANEW where a DLQ is another stream by now; ApiError, CONN_*, DENIED_SUBJECT
 */
export async function removeRecords(nats: Nats, records: readonly Seen[], looks?: Looks): Promise<void> {
  const removals = await removeMessages(nats, records, looks);
  const anew = records.find((_, index) => removals[index] === 'anew');
  if (anew) throw madeAnew(anew.stream);
}
