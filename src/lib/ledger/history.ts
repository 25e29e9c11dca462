import { randomBytes } from 'node:crypto';
import { conceal, concealAll } from '../errors/conceal.ts';
import type { Actor, HistoryRecord } from '../model/history.ts';
import { jsonIn } from '../model/json.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { ledger, purgeKeys } from './bucket.ts';
import { ledgerKey, toToken } from './key.ts';
import { writeLedger } from './room.ts';
import { isHistory } from './shape.ts';

export interface HistoryEntry {
  /** Of the record that this one replaces. */
  readonly id?: string;
  readonly system: string;
  readonly verb: string;
  readonly actor: Actor;
  readonly at: Date;
  readonly tool: string;
  readonly summary: string;
  readonly detail?: unknown;
}

/** How many records the ledger keeps, and after how many writes of the bucket the older ones go. */
const KEPT = 5000;
const SWEEP_EVERY = 512;

/** `20261124T001344123Z-9f3a1c`: sorts by time, and two runs at once do not meet. */
const historyId = (at: Date): string => `${at.toISOString().replace(/[-:.]/g, '')}-${randomBytes(3).toString('hex')}`;

/** Writes down what was done. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function appendHistory(nats: Nats, entry: HistoryEntry): Promise<HistoryRecord> {
  const { actor, at, detail, id = historyId(at), ...rest } = entry;
  const record: HistoryRecord = {
    id,
    at: at.toISOString(),
    ...rest,
    summary: conceal(rest.summary),
    ...actor,
    server: nats.target.server.version,
    ...(detail !== undefined && { detail: concealAll(detail) }),
  };
  const whole = JSON.stringify(record);
  const fits = Buffer.byteLength(whole) < nats.target.server.max_payload / 2;
  const text = fits ? whole : JSON.stringify({ ...record, detail: { left_out: 'too large for one record' } });
  const kv = ledger(nats);
  const key = ledgerKey.history(record.system, record.id);
  const revision = await writeLedger(nats, undefined, () => kv.put(key, text, { finish: true }));
  // Who may write a record need not be allowed to purge.
  if (revision % SWEEP_EVERY === 0) await purgeKeys(nats, 'history.>', { keep: KEPT }).catch(() => {});
  return record;
}

export interface HistoryFilter {
  readonly system?: string;
  readonly since?: Date;
  /** The newest so many. */
  readonly limit?: number;
}

/** Records, newest first; what cannot be read is left out. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readHistory(nats: Nats, filter: HistoryFilter = {}): Promise<HistoryRecord[]> {
  const kv = ledger(nats);
  const keys = await kv.keys(`history.${filter.system === undefined ? '*' : toToken(filter.system)}.*`);
  const idOf = (key: string) => key.slice(key.lastIndexOf('.') + 1);
  const since = filter.since ? historyId(filter.since).slice(0, -'-000000'.length) : '';
  const newest = keys
    .filter((key) => idOf(key) >= since)
    .sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1))
    .slice(0, filter.limit ?? keys.length);
  const entries = await pipelined(newest, 128, (key) => kv.get(key));
  return entries.flatMap((entry) => {
    const record = entry && jsonIn(entry.value);
    return isHistory(record) ? [record as HistoryRecord] : [];
  });
}
