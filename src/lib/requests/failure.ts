import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import type { Failure } from './state.ts';

/** The failure a worker wrote down. */
export async function readFailure(_nats: Nats, _message: StoredMessage): Promise<Failure | undefined> {
  return undefined;
}
