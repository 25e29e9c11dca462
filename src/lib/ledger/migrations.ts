import { OpsError } from '../errors/ops-error.ts';
import type { Actor } from '../model/history.ts';
import { isObject, jsonIn } from '../model/json.ts';
import type { Made, Migration } from '../model/migration.ts';
import { toType } from '../model/shell.ts';
import type { Nats } from '../nats/connect.ts';
import type { KvEntry } from '../nats/port.ts';
import { ledger, purgeKeys } from './bucket.ts';
import { ledgerKey } from './key.ts';
import { whoIsAtWork } from './lock.ts';
import { pack, unpack } from './pack.ts';
import { writeLedger } from './room.ts';
import { isMigrationRecord } from './shape.ts';

// What is being moved is written down before anything is touched, and forgotten when it is done. How far it is stands in
// no record: the server alone tells that, so that no write of ours can be lost between two steps. Which streams it made
// does: another of the same name is somebody else's.

/** A migration that was begun, by whom and when (RFC 3339). */
export interface MigrationRecord extends Actor {
  readonly migration: Migration;
  readonly since: string;
  readonly made: Made;
}

/** By what it is called until it is done: two changes of one thing are never under way at once. */
const nameOf = ({ kind, from }: Pick<Migration, 'kind' | 'from'>): string => `${kind} ${from}`;

/** Writes down what is about to be moved, and what was made for it. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function recordMigration(nats: Nats, record: MigrationRecord): Promise<void> {
  const { migration } = record;
  const key = ledgerKey.migration(nameOf(migration));
  const replicas = () => Number(migration.before.num_replicas ?? 1);
  await writeLedger(nats, replicas, () => ledger(nats).put(key, JSON.stringify(record), { finish: true }));
}

/**
 * All that were begun and not ended. None where there is no ledger.
 * @throws OpsError MIGRATE_REFUSED where one cannot be read: what it moves is not known, so nothing is; CONN_*, DENIED_SUBJECT
 */
export async function readMigrations(nats: Nats): Promise<MigrationRecord[]> {
  return Promise.all((await ledger(nats).values(ledgerKey.migration('*'))).map((entry) => parseRecord(nats, entry)));
}

/** What is written down of one; `undefined` where it was not begun. @throws as `readMigrations` */
export async function readMigration(nats: Nats, migration: Migration): Promise<MigrationRecord | undefined> {
  const entry = await ledger(nats).get(ledgerKey.migration(nameOf(migration)), { fromLeader: true });
  return entry && parseRecord(nats, entry);
}

async function parseRecord(nats: Nats, { key, value }: KvEntry): Promise<MigrationRecord> {
  const record = jsonIn(value);
  if (isMigrationRecord(record)) return record as MigrationRecord;
  const busy = await whoIsAtWork(nats).catch(() => []);
  const isBusy = busy.length > 0;
  throw new OpsError('MIGRATE_REFUSED', 'a migration was begun here, and its record cannot be read', {
    where: `bucket osapi_ops, key ${key}`,
    why: `It was damaged, or written by a newer version of this tool. Which queue is half moved is not known.${isBusy ? ` At work now: ${busy.join('; ')}.` : ''}`,
    hints: [
      ...(isBusy ? ['wait until who is at work is done, or ask: it may be what is being moved'] : []),
      'update osapi-ops, and run this again',
      `where nothing is half moved (\`nats stream ls\` shows no *_moving): \`${toType`nats kv del osapi_ops ${key}`}\``,
    ],
  });
}

/** Forgets a migration that is done, or undone. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function forgetMigration(nats: Nats, migration: Migration): Promise<void> {
  const name = nameOf(migration);
  // What would be gone on with is forgotten first: what it needs is of no use without it.
  await purgeKeys(nats, ledgerKey.migration(name));
  await purgeKeys(nats, ledgerKey.moved(name, '>'));
}

/** What the first copy is to have of what it has, while the old stream, which told it, is gone. */
export interface Kept {
  /** The last sequence that the old stream gave. */
  readonly upTo: number;
  /** Spans of sequences that wait: both ends are meant. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Where each consumer goes on, by its old name: what it was given last, and had settled. */
  readonly positions: Readonly<Record<string, number>>;
}

/** In the order of the pieces; the last says how many there are. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function recordKept(nats: Nats, migration: Migration, kept: Kept): Promise<void> {
  const name = nameOf(migration);
  const pieces = pack(kept, Math.min(nats.target.server.max_payload - 4096, 512 * 1024));
  for (const [index, piece] of pieces.entries()) {
    await writeLedger(nats, undefined, () =>
      ledger(nats).put(ledgerKey.moved(name, index + 1), piece, { finish: true }),
    );
  }
  await writeLedger(nats, undefined, () =>
    ledger(nats).put(ledgerKey.moved(name, 0), `${pieces.length}`, { finish: true }),
  );
}

/** `undefined` where it was not written whole, or is none of ours. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readKept(nats: Nats, migration: Migration): Promise<Kept | undefined> {
  const name = nameOf(migration);
  const read = (index: number) => ledger(nats).get(ledgerKey.moved(name, index), { fromLeader: true });
  const head = await read(0);
  const count = Number(head ? new TextDecoder().decode(head.value) : 0);
  if (!Number.isSafeInteger(count) || count < 1 || count > 1000) return undefined;
  const pieces = await Promise.all(Array.from({ length: count }, (_, index) => read(index + 1)));
  try {
    const kept = unpack(pieces.flatMap((piece) => piece?.value ?? [])) as Partial<Kept>;
    return typeof kept.upTo === 'number' && Array.isArray(kept.ranges) && isObject(kept.positions)
      ? (kept as Kept)
      : undefined;
  } catch {
    return undefined;
  }
}
