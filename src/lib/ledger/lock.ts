import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import type { Io } from '../model/io.ts';
import { isObject } from '../model/json.ts';
import { printDuration } from '../model/units.ts';
import type { Nats } from '../nats/connect.ts';
import type { KvEntry } from '../nats/kv.ts';
import { type Actor, describeActor } from './actor.ts';
import { ledger, writeLedger } from './bucket.ts';
import { ledgerKey } from './key.ts';

// A lease is a key that its holder writes again every few seconds. Whoever waits watches the revision with its own clock:
// one that stood still for the lease's length belongs to a dead process and is taken over by compare-and-set. No clock of another
// machine is believed. The holder gives up before anybody can think it dead.
export interface Lease {
  readonly lengthMs: number;
  readonly renewMs: number;
  readonly giveUpMs: number;
}
const LEASE: Lease = { lengthMs: 15_000, renewMs: 5000, giveUpMs: 12_000 };
const POLL_MS = 250;

export interface LockOptions {
  readonly actor: Actor;
  /** How long to wait for another holder. */
  readonly waitMs: number;
  readonly io: Pick<Io, 'tell' | 'signal'>;
  /** What is being done, for whoever waits: `apply`. */
  readonly verb: string;
  readonly replicas?: number;
  /** The same for all who share a lock. */
  readonly lease?: Lease;
}

interface Holder extends Actor {
  readonly id: string;
  readonly verb: string;
  /** RFC 3339, the holder's clock: for people only. */
  readonly since: string;
}

function parseHolder(entry: KvEntry): Holder | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(entry.value));
    return isObject(value) ? (value as unknown as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function held(name: string, holder: Holder | undefined, leftMs: number): OpsError {
  const whose = holder ? describeActor(holder) : 'somebody';
  const until = new Date(Date.now() + Math.max(0, leftMs)).toISOString();
  return new OpsError('LOCK_HELD', `${whose} is at work on ${name} (${holder?.verb ?? 'unknown'})`, {
    where: `bucket osapi_ops, key ${ledgerKey.lock(name)}`,
    why: `It holds the lock${holder ? ` since ${holder.since}` : ''}, and until ${until} at least; it renews it while it lives.`,
    hints: [
      'run this again when it is done, or wait longer with --lock-wait 5m',
      'a process that died lets go by itself after 15s',
    ],
  });
}

/** Takes the lock, waiting for another holder as long as allowed; gives the revision of our own lease. */
async function acquire(nats: Nats, name: string, text: string, options: LockOptions): Promise<number> {
  const kv = ledger(nats);
  const key = ledgerKey.lock(name);
  const { lengthMs } = options.lease ?? LEASE;
  const start = performance.now();
  let seen: { revision: number; at: number } | undefined;
  let told = false;
  let expected = 0;
  let refused = 0;
  for (;;) {
    const at = expected;
    const mine = await writeLedger(nats, options.replicas, () => kv.update(key, text, at));
    if (mine !== undefined) return mine;
    const entry = await kv.latest(key);
    if (entry && isOurs(entry, text)) return entry.revision;
    if (!entry || entry.deleted) {
      expected = entry?.revision ?? 0;
      // The first refusal tells the revision. More of them, with nobody there, come from a cluster that does not decide.
      if (refused++ > 0) await undecided(nats, name, start, options);
      continue;
    }
    const now = performance.now();
    if (seen?.revision !== entry.revision) seen = { revision: entry.revision, at: now };
    if (now - seen.at >= lengthMs) {
      options.io.tell({ type: 'warning', text: `${holderText(entry)} left the lock behind and is taken over` });
      expected = entry.revision;
      continue;
    }
    if (now - start >= options.waitMs) throw held(name, parseHolder(entry), lengthMs - (now - seen.at));
    if (!told) {
      const wait = printDuration(options.waitMs * 1e6);
      options.io.tell({ type: 'note', text: `Waiting up to ${wait} for ${holderText(entry)}, at work on ${name}` });
      told = true;
    }
    await sleep(Math.min(POLL_MS, Math.max(1, options.waitMs - (now - start))), undefined, {
      signal: options.io.signal,
    }).catch(() => options.io.signal.throwIfAborted());
    // The next round looks before it writes: a lease that still stands refuses revision 0 anyway.
    expected = 0;
  }
}

/** Pauses, or gives up where a cluster neither takes our write nor names another holder. */
async function undecided(nats: Nats, name: string, start: number, { io }: LockOptions): Promise<void> {
  if (performance.now() - start > 2 * nats.settings.timeoutMs) {
    throw new OpsError('CONN_NO_LEADER', `the lock of ${name} cannot be taken: the cluster does not decide`, {
      where: `bucket osapi_ops, key ${ledgerKey.lock(name)}`,
      why: 'Too few of the servers that hold the bucket are up. Nothing was touched.',
      hints: ['wait until the cluster has a quorum, then run this again'],
    });
  }
  await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => io.signal.throwIfAborted());
}

/** A write whose answer was lost may still have been stored: then the lease is ours all the same. */
const isOurs = (entry: KvEntry, text: string): boolean =>
  !entry.deleted && new TextDecoder().decode(entry.value) === text;

async function ownRevision(nats: Nats, key: string, text: string): Promise<number | undefined> {
  const entry = await ledger(nats).latest(key, { fromLeader: true });
  return entry && isOurs(entry, text) ? entry.revision : undefined;
}

const holderText = (entry: KvEntry): string => {
  const holder = parseHolder(entry);
  return holder ? describeActor(holder) : 'somebody';
};

/**
 * Does the work while holding the lock of that name. The work's signal is aborted by Ctrl-C and when the lock is lost.
 * @throws OpsError LOCK_HELD where another holder does not let go within the wait, or takes over; what `work` throws
 */
export async function withLock<T>(
  nats: Nats,
  name: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const kv = ledger(nats);
  const key = ledgerKey.lock(name);
  const holder: Holder = {
    id: randomBytes(8).toString('hex'),
    verb: options.verb,
    since: new Date().toISOString(),
    ...options.actor,
  };
  const text = JSON.stringify(holder);
  const { renewMs, giveUpMs } = options.lease ?? LEASE;
  let revision = await acquire(nats, name, text, options);
  let renewed = performance.now();
  const lost = new AbortController();
  let renewal: Promise<void> = Promise.resolve();

  const renew = async () => {
    try {
      const next = await kv.update(key, text, revision, { finish: true, timeoutMs: renewMs * 0.8 });
      const now = next ?? (await ownRevision(nats, key, text));
      if (now === undefined) return loseLock();
      revision = now;
      renewed = performance.now();
    } catch {
      // No answer: the lease may still be ours. The next beat tries again, until others could think us dead.
      if (performance.now() - renewed > giveUpMs) loseLock();
    }
  };
  const loseLock = () =>
    lost.abort(
      new OpsError('LOCK_HELD', `the lock of ${name} was lost while at work`, {
        where: `bucket osapi_ops, key ${key}`,
        why: 'The server could not be reached to renew it for too long, so that somebody else may be at work now.',
        hints: ['run this again: it goes on from where it stopped'],
      }),
    );
  const beat = setInterval(() => {
    renewal = renewal.then(renew);
  }, renewMs);
  try {
    return await work(AbortSignal.any([options.io.signal, lost.signal]));
  } finally {
    clearInterval(beat);
    await renewal;
    // What cannot be let go of now runs out by itself.
    if (!lost.signal.aborted) await kv.delete(key, revision, { finish: true }).catch(() => undefined);
  }
}
