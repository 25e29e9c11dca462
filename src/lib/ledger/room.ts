import { setTimeout as sleep } from 'node:timers/promises';
import { bucketStream, LEDGER_BUCKET } from '../facts/names.ts';
import { orUndefined } from '../nats/answer.ts';
import { isNoRoom } from '../nats/api-error.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { Nats } from '../nats/port.ts';
import { readSubjects } from '../nats/streams.ts';
import { inLedger, purgeKeys, type Replicas } from './bucket.ts';

const PREFIX = `$KV.${LEDGER_BUCKET}.`;
/** A cluster counts what is used a moment late: so long it is tried again after all that may go has gone. */
const CLUSTER_MS = 3000;

export const roomPatience = ({ target }: Nats): number => (target.server.cluster === undefined ? 0 : CLUSTER_MS);

const POLL_MS = 250;

/** Values of these are nothing but history once a newer one is there. */
const SUPERSEDED = /^(?:lock|applied|intent|replay|migration)\./;
/** What may go beyond that, the older half first: what was done once, and why deliveries failed. */
const DISPENSABLE = ['replay', 'history', 'failure'] as const;

const making = new WeakMap<Nats['nc'], Promise<boolean>>();

/** Makes room as `makeRoom` does; many writes that meet the same want at once share it, so that no more goes than must. */
async function makeRoomOnce(nats: Nats): Promise<boolean> {
  const made = making.get(nats.nc) ?? makeRoom(nats).finally(() => making.delete(nats.nc));
  making.set(nats.nc, made);
  return made;
}

/**
 * Makes room in the ledger, which counts for its account as well: what is least needed goes first. Nothing that a command
 * relies on is touched. False where nothing is left that may go.
 */
export async function makeRoom(nats: Nats): Promise<boolean> {
  const stored = await orUndefined(readSubjects(nats, bucketStream(LEDGER_BUCKET), `${PREFIX}>`));
  const keys = [...(stored?.subjects ?? [])].map(([subject, count]) => ({ key: subject.slice(PREFIX.length), count }));
  const old = keys.filter(({ key, count }) => count > 1 && SUPERSEDED.test(key));
  if (old.length > 0) {
    await pipelined(old, 16, ({ key }) => purgeKeys(nats, key, { keep: 1 }));
    return true;
  }
  for (const kind of DISPENSABLE) {
    const count = keys.filter(({ key }) => key.startsWith(`${kind}.`)).reduce((sum, one) => sum + one.count, 0);
    if (count === 0) continue;
    const keep = Math.floor(count / 2);
    await purgeKeys(nats, `${kind}.>`, keep > 0 ? { keep } : {});
    return true;
  }
  return false;
}

/** Does the writing; where the bucket is missing makes it, and where nothing has room any more makes room. */
export const writeLedger = <T>(nats: Nats, replicas: Replicas, write: () => Promise<T>): Promise<T> =>
  withRoom(nats, () => inLedger(nats, replicas, write));

/** Writes to the ledger, and makes room there where none is left. @throws what `write` throws; ApiError where it stays full */
export async function withRoom<T>(nats: Nats, write: () => Promise<T>): Promise<T> {
  for (const start = performance.now(); ; ) {
    try {
      return await write();
    } catch (error) {
      if (!isNoRoom(error, 'account', 'server', 'stream')) throw error;
      if (await makeRoomOnce(nats)) continue;
      if (performance.now() - start >= roomPatience(nats)) throw error;
      await sleep(POLL_MS);
    }
  }
}
