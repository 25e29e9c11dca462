import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { bucketStream, bucketSubjects, LEDGER_BUCKET } from '../facts/names.ts';
import { type Config, numberOf } from '../model/json.ts';
import { ifFound, orElse, orThrow } from '../nats/answer.ts';
import { type ApiError, isApiError } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { isFresh, type Keyed, type Look, removeKeyed } from '../nats/removal.ts';
import { readStream, writeStream } from '../nats/streams.ts';

const STREAM = bucketStream(LEDGER_BUCKET);

const ELECTION_MS = 10_000;

/** How many values a key keeps: enough to look back with `nats kv history`. */
const HISTORY = 10;

function ledgerConfig(replicas: number): Config {
  return {
    name: STREAM,
    description: 'osapi-ops: what was applied, by whom, and who is at work',
    subjects: [bucketSubjects(LEDGER_BUCKET)],
    max_msgs_per_subject: HISTORY,
    discard: 'new',
    allow_rollup_hdrs: true,
    allow_direct: true,
    // For what is not worth keeping for ever; 2.10 does not know it and ignores it.
    allow_msg_ttl: true,
    num_replicas: replicas,
  };
}

/** The most replicas this connection has made sure of already. */
const ensured = new WeakMap<Nats['nc'], number>();

/** Connections to which the ledger was not there when they looked. */
const missing = new WeakSet<Nats['nc']>();

/** Looks whether there is a ledger: where there is none, the first write need not find that out. Who may not ask believes so. */
export async function findLedger(nats: Nats): Promise<boolean> {
  const isThere = await orElse(
    readStream(nats, STREAM).then((answer) => ifFound(answer, () => true)),
    { missing: false, denied: true },
  );
  if (!isThere) missing.add(nats.nc);
  return isThere;
}

/** Whether this connection has found the ledger there. */
export const isEnsured = (nats: Nats): boolean => ensured.has(nats.nc);

/**
 * Makes the ledger's bucket where it is missing; one that exists is left as it is, or gets more replicas where a
 * cluster's system has more than it. @throws ApiError
 */
export async function ensureLedger(nats: Nats, replicas = 1): Promise<void> {
  missing.delete(nats.nc);
  const wanted = nats.target.server.cluster ? replicas : 1;
  if ((ensured.get(nats.nc) ?? 0) < wanted) await makeLedger(nats, wanted);
}

/** How many replicas a ledger gets that is made now; one where it is left out. */
export type Replicas = (() => number | Promise<number>) | undefined;

/** Does the writing, and where the bucket turns out to be missing, makes it and does the writing again. */
export async function inLedger<T>(nats: Nats, replicas: Replicas, write: () => Promise<T>): Promise<T> {
  if (missing.delete(nats.nc)) await makeLedger(nats, await replicasFor(nats, replicas));
  try {
    const written = await write();
    ensured.set(nats.nc, Math.max(1, ensured.get(nats.nc) ?? 0));
    return written;
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'NOT_FOUND') throw error;
    await makeLedger(nats, await replicasFor(nats, replicas));
    return write();
  }
}

const replicasFor = async (nats: Nats, replicas: Replicas): Promise<number> =>
  nats.target.server.cluster ? ((await replicas?.()) ?? 1) : 1;

async function makeLedger(nats: Nats, wanted: number): Promise<void> {
  try {
    await writeStream(nats, 'create', STREAM, ledgerConfig(wanted));
  } catch (error) {
    if (isApiError(error, ERR.noSuitablePeers)) throw tooFewServers(nats, error);
    if (!isApiError(error, ERR.streamNameInUse)) throw error;
    await raiseReplicas(nats, wanted);
  }
  ensured.set(nats.nc, wanted);
}

const tooFewServers = (nats: Nats, cause: ApiError): OpsError =>
  new OpsError('CONN_NO_LEADER', `too few servers of cluster ${nats.target.server.cluster} are up`, {
    where: cause.subject,
    why: `No place was found for the bucket ${LEDGER_BUCKET}: ${cause.description}. Nothing was touched.`,
    hints: ['wait until the cluster has a quorum, then run this again'],
    cause,
  });

async function raiseReplicas(nats: Nats, wanted: number): Promise<void> {
  if (wanted === 1) return;
  const { config } = await orThrow(readStream(nats, STREAM));
  if (numberOf(config.num_replicas, 1) >= wanted) return;
  await writeStream(nats, 'update', STREAM, { ...config, num_replicas: wanted });
  // While the new replicas elect a leader nothing can be written.
  for (const start = performance.now(); performance.now() - start < ELECTION_MS; await sleep(250)) {
    const { cluster } = await orThrow(readStream(nats, STREAM));
    if (cluster?.leader !== undefined) return;
  }
}

/** Removes all values of keys that match, markers too. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export const purgeKeys = (nats: Nats, pattern: string, limits: Omit<Keyed, 'subject'> = {}): Promise<void> =>
  removeKeyed(nats, STREAM, { subject: `$KV.${LEDGER_BUCKET}.${pattern}`, ...limits });

/** What we stored under a key. */
export interface Own {
  readonly revision: number;
  /** No other has the same. */
  readonly text: string;
  /** When it was stored or seen last, and how long that took; absent where an earlier run stored it. */
  readonly seen?: Pick<Look, 'at' | 'took'>;
}

/** Stores it for as long as nobody stores another under that key. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function putOwn(nats: Nats, key: string, text: string): Promise<Own> {
  const at = performance.now();
  const revision = await ledger(nats).put(key, text, { finish: true });
  return { revision, text, seen: { at, took: performance.now() - at } };
}

/** Looks at it; `undefined` where it is not what is stored there now. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function lookAtOwn(
  nats: Nats,
  key: string,
  { revision, text }: Pick<Own, 'revision' | 'text'>,
): Promise<Own | undefined> {
  const at = performance.now();
  const entry = await ledger(nats).latest(key, { fromLeader: true, finish: true });
  if (!entry || entry.revision < revision || new TextDecoder().decode(entry.value) !== text) return undefined;
  return { revision: entry.revision, text, seen: { at, took: performance.now() - at } };
}

/**
 * Removes what we stored under a key with what was there before, but nothing that somebody stored since. A ledger that
 * was made anew counts from 1, so that our sequence may be beyond theirs: as any removal, this one needs a fresh look.
 * @throws as `purgeKeys`
 */
export async function purgeOwn(nats: Nats, key: string, own: Own): Promise<void> {
  const { seen } = own;
  const now = seen && isFresh(seen, performance.now()) ? own : await lookAtOwn(nats, key, own);
  if (now) await purgeKeys(nats, key, { upTo: now.revision });
}

export const ledger = (nats: Nats) => nats.kv(LEDGER_BUCKET);
