import { readFailure as readRecord } from '../ledger/failure.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import type { Failure } from './state.ts';

/** The failure a worker wrote down. @throws OpsError CONN_* */
export async function readFailure(nats: Nats, message: StoredMessage): Promise<Failure | undefined> {
  const record = await readRecord(nats, message);
  if (!record) return undefined;
  const { delivery, at, reason, next_delivery_at: next } = record;
  return { delivery, at, reason, ...(next !== undefined && { next }) };
}
