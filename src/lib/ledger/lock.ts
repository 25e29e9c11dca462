import { randomBytes } from 'node:crypto';
import { hostname, uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { bucketStream, LEDGER_BUCKET } from '../facts/names.ts';
import type { Actor } from '../model/history.ts';
import type { Io } from '../model/io.ts';
import { jsonIn } from '../model/json.ts';
import { printDuration } from '../model/units.ts';
import { orUndefined } from '../nats/answer.ts';
import { isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { Gate } from '../nats/gate.ts';
import type { KvEntry } from '../nats/port.ts';
import { isFresh } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';
import { describeActor } from './actor.ts';
import { inLedger, ledger, lookAtOwn, type Own, purgeOwn } from './bucket.ts';
import { ledgerKey } from './key.ts';
import { makeRoom, roomPatience, withRoom } from './room.ts';
import { isHolder } from './shape.ts';
import { type Clocks, LEASE, type Lease, turnLeft } from './turn.ts';

// A lock is a key that its holder writes again every few seconds. Whoever waits watches the revision with its own clock:
// one that stood still for the lease's length belongs to a dead process and is taken over by compare-and-set. No clock of another
// machine is believed. The holder gives up before anybody can think it dead.
const POLL_MS = 250;
/** How often the lock is looked at while its holder is at work: so that a look is young enough to let go by. */
const LOOK_EVERY_MS = 100;
const NEVER = { at: Number.NEGATIVE_INFINITY, took: 0 };

export interface LockOptions {
  readonly actor: Actor;
  /** How long to wait for another holder. */
  readonly waitMs: number;
  readonly io: Pick<Io, 'tell' | 'signal'>;
  /** What is being done, for whoever waits: `apply`. */
  readonly verb: string;
  /** Asked for where the ledger is made with this lock. */
  readonly replicas?: () => number | Promise<number>;
  /** Makes room for a lock that finds none though nobody holds it, where the ledger has nothing to give up; false where it cannot. */
  makeRoom?(): Promise<boolean>;
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
  const value = jsonIn(entry.value);
  return isHolder(value) ? (value as Holder) : undefined;
}

/** The key itself is for machines: `lock.the=20dead…`. */
const whereOf = (name: string): string => `bucket osapi_ops, the lock of ${name}`;

function held(name: string, holder: Holder | undefined, leftMs: number): OpsError {
  const whose = holder ? describeActor(holder) : 'somebody';
  const until = new Date(Date.now() + Math.max(0, leftMs)).toISOString();
  return new OpsError('LOCK_HELD', `${whose} is at work on ${name} (${holder?.verb ?? 'unknown'})`, {
    where: whereOf(name),
    why: `It holds the lock${holder ? ` since ${holder.since}` : ''}, and until ${until} at least; it renews it while it lives.`,
    hints: [
      'run this again when it is done, or wait longer with --lock-wait 5m',
      'a process that died lets go by itself after 15s',
    ],
  });
}

/** Reading the boot clock is a look into /proc: within so many milliseconds it is what it was. */
const BOOT_LOOK_MS = 20;
let boot = { read: Number.NEGATIVE_INFINITY, at: 0 };

function readClocks(): Clocks {
  const monotonic = performance.now();
  if (monotonic - boot.read > BOOT_LOOK_MS) boot = { read: monotonic, at: uptime() * 1000 };
  return { monotonic, boot: boot.at, wall: Date.now() };
}

/** Our own lock as it was stored last, and what the clocks said when that write was sent. */
interface Taken {
  readonly revision: number;
  readonly sent: Clocks;
  /** How long that took, in milliseconds. */
  readonly took: number;
}

const takenBy = (revision: number, sent: Clocks): Taken => ({
  revision,
  sent,
  took: performance.now() - sent.monotonic,
});

/** What was seen of the locks that somebody waits for. Who held them all may be dead: then all of them are free at once. */
interface Watch {
  readonly start: number;
  readonly seen: Map<string, { readonly revision: number; readonly at: number }>;
}

const newWatch = (): Watch => ({ start: performance.now(), seen: new Map() });

/** The lock as it is; since when it stands so is kept. */
async function look(nats: Nats, name: string, { seen }: Watch): Promise<KvEntry | undefined> {
  const entry = await ledger(nats).latest(ledgerKey.lock(name));
  if (entry && seen.get(name)?.revision !== entry.revision)
    seen.set(name, { revision: entry.revision, at: performance.now() });
  return entry;
}

/** Takes the lock, waiting for another holder as long as allowed. Meanwhile `later` ones, which it needs as well, are watched. */
async function acquire(
  nats: Nats,
  name: string,
  text: string,
  options: LockOptions,
  { watch, later }: { readonly watch: Watch; readonly later: readonly string[] },
): Promise<Taken> {
  const kv = ledger(nats);
  const key = ledgerKey.lock(name);
  const { lengthMs } = options.lease ?? LEASE;
  const start = performance.now();
  let told = false;
  let expected = 0;
  let refused = 0;
  let fullSince: number | undefined;
  for (;;) {
    const at = expected;
    const sent = readClocks();
    const mine = await inLedger(nats, options.replicas, () => kv.update(key, text, at)).catch((error: unknown) => {
      if (isNoRoom(error)) return error;
      throw error;
    });
    if (typeof mine === 'number') return takenBy(mine, sent);
    const [entry] = await Promise.all([
      look(nats, name, watch),
      // What stands in the way of it is told where it is taken.
      ...later.map((each) => look(nats, each, watch).catch(() => undefined)),
    ]);
    if (entry && isOurs(entry, text)) return takenBy(entry.revision, sent);
    const now = performance.now();
    const seenAt = watch.seen.get(name)?.at ?? now;
    const isFree = !entry || entry.deleted || now - seenAt >= lengthMs;
    if (mine && isFree) {
      // Nobody else is at work: the lock only finds no room.
      expected = entry?.revision ?? 0;
      fullSince ??= performance.now();
      if (await makeRoom(nats)) continue;
      if (isNoRoom(mine, 'account', 'server', 'disk') && (await options.makeRoom?.())) continue;
      if (performance.now() - fullSince >= roomPatience(nats)) throw mine;
      await pause(options.io.signal);
      continue;
    }
    if (!entry || entry.deleted) {
      expected = entry?.revision ?? 0;
      // The first refusal tells the revision. More of them, with nobody there, come from a cluster that does not decide.
      if (refused++ > 0) await undecided(nats, name, start, options);
      continue;
    }
    if (isFree) {
      options.io.tell({ type: 'warning', text: `${holderText(entry)} left the lock behind and is taken over` });
      expected = entry.revision;
      continue;
    }
    const waited = now - watch.start;
    if (waited >= options.waitMs) throw held(name, parseHolder(entry), lengthMs - (now - seenAt));
    if (!told) {
      const wait = printDuration(options.waitMs * 1e6);
      options.io.tell({ type: 'note', text: `Waiting up to ${wait} for ${holderText(entry)}, at work on ${name}` });
      told = true;
    }
    await pause(options.io.signal, Math.min(POLL_MS, Math.max(1, options.waitMs - waited)));
    // The next round looks before it writes: a lease that still stands refuses revision 0 anyway.
    expected = 0;
  }
}

const pause = (signal: AbortSignal, ms = POLL_MS): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());

/** Pauses, or gives up where a cluster neither takes our write nor names another holder. */
async function undecided(nats: Nats, name: string, start: number, { io }: LockOptions): Promise<void> {
  if (performance.now() - start > 2 * nats.settings.timeoutMs) {
    throw new OpsError('CONN_NO_LEADER', `the lock of ${name} cannot be taken: the cluster does not decide`, {
      where: whereOf(name),
      why: 'Too few of the servers that hold the bucket are up. Nothing was touched.',
      hints: ['wait until the cluster has a quorum, then run this again'],
    });
  }
  await pause(io.signal);
}

/** A write whose answer was lost may still have been stored: then the lease is ours all the same. */
const isOurs = (entry: KvEntry, text: string): boolean =>
  !entry.deleted && new TextDecoder().decode(entry.value) === text;

async function ownRevision(nats: Nats, key: string, text: string): Promise<number | undefined> {
  const entry = await ledger(nats).latest(key, { fromLeader: true });
  return entry && isOurs(entry, text) ? entry.revision : undefined;
}

/** Who else is at work now, and on what: whose locks were written again within their length, by the server's clock. */
export async function whoIsAtWork(nats: Nats, { lengthMs }: Lease = LEASE): Promise<string[]> {
  const [locks, info] = await Promise.all([
    ledger(nats).values(ledgerKey.lock('*')),
    orUndefined(readStream(nats, bucketStream(LEDGER_BUCKET))),
  ]);
  const live = locks.filter(({ created }) => !info || info.now - Date.parse(created) <= lengthMs);
  const isSelf = (holder: Holder | undefined) => holder?.pid === process.pid && holder.host === hostname();
  const others = live.map(parseHolder).filter((holder) => !isSelf(holder));
  const told = others.map((holder) =>
    holder ? `${describeActor(holder)} (${holder.verb}, since ${holder.since})` : 'somebody',
  );
  return [...new Set(told)];
}

/**
 * Passes where nobody holds a lock, or who does is dead: seen by its writing the lock again, which it does within seconds.
 * @throws OpsError LOCK_HELD
 */
export async function requireFree(
  nats: Nats,
  name: string,
  { io, lease = LEASE }: Pick<LockOptions, 'io' | 'lease'>,
): Promise<void> {
  const look = () => ledger(nats).latest(ledgerKey.lock(name));
  const [first, info] = await Promise.all([look(), orUndefined(readStream(nats, bucketStream(LEDGER_BUCKET)))]);
  // Both by the server's clock: one of long ago need not be watched.
  if (!first || !info || info.now - Date.parse(first.created) > lease.lengthMs) return;
  const start = performance.now();
  for (let now: KvEntry | undefined = first; now && !now.deleted; now = await look()) {
    if (now.revision !== first.revision) throw held(name, parseHolder(now), lease.lengthMs);
    if (performance.now() - start > lease.giveUpMs) return;
    await pause(io.signal);
  }
}

const holderText = (entry: KvEntry): string => {
  const holder = parseHolder(entry);
  return holder ? describeActor(holder) : 'somebody';
};

const lostLock = (name: string, why: string): OpsError =>
  new OpsError('LOCK_HELD', `the lock of ${name} was lost while at work`, {
    where: whereOf(name),
    why,
    hints: ['run this again: it goes on from where it stopped'],
  });

const MAY_BE_OVER =
  'It was not renewed in time, so that somebody else may be at work now: this process or its machine was stopped or asleep, a clock was set, or the server did not answer. Nothing was written since.';
const TAKEN_AWAY = 'Somebody else took it, or removed it. Nothing was written since.';

const newHolder = ({ verb, actor }: LockOptions): string => {
  const id = randomBytes(8).toString('hex');
  return JSON.stringify({ id, verb, since: new Date().toISOString(), ...actor } satisfies Holder);
};

/**
 * Does the work while holding the locks of these names. The connection that the work is given lets a write go only while
 * they are surely ours; its signal is aborted by Ctrl-C, and when one is lost. They are taken in this order, the same for
 * all who want some of them, so that nobody waits for somebody who waits for him; all that are free at once, and let go
 * of together, at the latest when the connection is closed.
 * @throws OpsError LOCK_HELD where another holder does not let go within the wait, or a lock was lost; what `work` throws
 */
export async function withLocks<T>(
  nats: Nats,
  names: readonly string[],
  options: LockOptions,
  work: Work<T>,
): Promise<T> {
  const text = newHolder(options);
  const takeFree = async (name: string): Promise<Taken | undefined> => {
    const sent = readClocks();
    const revision = await inLedger(nats, options.replicas, () => ledger(nats).update(ledgerKey.lock(name), text, 0));
    return revision === undefined ? undefined : takenBy(revision, sent);
  };
  // What stands in the way is told where the lock is taken by itself.
  const free = names.length < 2 ? [] : await Promise.all(names.map((name) => takeFree(name).catch(() => undefined)));
  const missed = free.indexOf(undefined);
  if (missed >= 0) {
    const early = free.splice(missed);
    await Promise.all(
      early.map((taken, index) => taken && release(nats, ledgerKey.lock(names[missed + index]!), ownOf(taken, text))),
    );
  }
  const releases: Promise<void>[] = [];
  const watch = newWatch();
  const next = (index: number, signal: AbortSignal, inner: Nats, isFirst = false): Promise<T> => {
    const name = names[index];
    if (name === undefined) return work(signal, inner, isFirst);
    const io = { ...options.io, tell: options.io.tell.bind(options.io), signal };
    return hold(inner, name, { ...options, io }, (s, n, first) => next(index + 1, s, n, isFirst || first), text, {
      watch,
      later: names.slice(index + 1),
      taken: free[index],
      releases,
    });
  };
  try {
    return await next(0, options.io.signal, nats);
  } finally {
    for (const released of releases) nats.leave(released);
  }
}

/** `isFirst`: this lock is the first thing that was ever written into the ledger, so that nobody held one before. */
type Work<T> = (signal: AbortSignal, nats: Nats, isFirst: boolean) => Promise<T>;

async function hold<T>(
  nats: Nats,
  name: string,
  options: LockOptions,
  work: Work<T>,
  text: string,
  {
    taken,
    releases,
    ...others
  }: { watch: Watch; later: readonly string[]; taken: Taken | undefined; releases: Promise<void>[] },
): Promise<T> {
  const kv = ledger(nats);
  const key = ledgerKey.lock(name);
  const { lease = LEASE } = options;
  let own = taken ?? (await acquire(nats, name, text, options, others));
  const isFirst = own.revision === 1;
  const lost = new AbortController();

  const lose = (why: string) => {
    if (lost.signal.aborted) return;
    lost.abort(lostLock(name, why));
    nats.cut();
  };
  /** Looked at beside what the work asks for, the last of it too: letting go then takes no look of its own. */
  let looking: Promise<void> | undefined;
  /** What that gave last. */
  const last: { seen: Own | undefined } = { seen: ownOf(own, text) };
  let lookedAt = own.sent.monotonic;
  const left = () => turnLeft(lease, own.sent, readClocks());
  const turn: Gate = {
    assertHeld() {
      if (left() <= 0) lose(MAY_BE_OVER);
      lost.signal.throwIfAborted();
    },
    asked() {
      const now = performance.now();
      if (now - lookedAt < LOOK_EVERY_MS) return;
      lookedAt = now;
      looking = lookAtOwn(nats, key, { revision: own.revision, text }).then(
        (found) => {
          last.seen = found;
        },
        () => {},
      );
    },
  };
  const renew = async () => {
    if (left() <= 0) return lose(MAY_BE_OVER);
    const now = readClocks();
    try {
      const timeoutMs = lease.renewMs * 0.8;
      const next = await withRoom(nats, () => kv.update(key, text, own.revision, { finish: true, timeoutMs }));
      if (next === undefined) {
        // An earlier renewal may have come without its answer: when it was sent is not known, so the time stays.
        const revision = await ownRevision(nats, key, text);
        if (revision === undefined) return lose(TAKEN_AWAY);
        own = { ...own, revision };
      } else {
        own = takenBy(next, now);
        last.seen = ownOf(own, text);
      }
    } catch {
      // No answer: the next beat tries again, until others could think us dead.
    }
  };
  let renewal: Promise<void> = Promise.resolve();
  const beat = setInterval(() => {
    renewal = renewal.then(renew);
  }, lease.renewMs);
  let end: NodeJS.Timeout;
  const watch = () => {
    const wait = left();
    if (wait <= 0) lose(MAY_BE_OVER);
    else end = setTimeout(watch, wait);
  };
  watch();
  try {
    const result = await work(AbortSignal.any([options.io.signal, lost.signal]), nats.behind(turn), isFirst);
    // Work that was told to stop may end as if nothing had happened.
    lost.signal.throwIfAborted();
    return result;
  } catch (error) {
    // What is met once the turn is over came of that; the timer that tells may be late.
    if (left() <= 0) lose(MAY_BE_OVER);
    throw lost.signal.aborted ? asLost(lost.signal.reason as OpsError, error) : error;
  } finally {
    clearInterval(beat);
    clearTimeout(end!);
    await renewal;
    if (!lost.signal.aborted && left() > 0) {
      // One that is under way beside what goes last is not waited for where the one before is young enough.
      if (!isFresh(last.seen?.seen ?? NEVER, performance.now())) await looking;
      if (last.seen) releases.push(release(nats, key, last.seen));
    }
  }
}

/** Whatever else the work met came of the cut; what it says was done by then is kept. */
function asLost(lost: OpsError, error: unknown): OpsError {
  if (!(error instanceof OpsError) || error.code === 'LOCK_HELD') return error instanceof OpsError ? error : lost;
  return error.result === undefined
    ? lost
    : lost.with({ message: `${lost.message}; ${error.message}`, result: error.result });
}

const ownOf = ({ revision, sent, took }: Taken, text: string): Own => ({
  revision,
  text,
  seen: { at: sent.monotonic, took },
});

/** Lets go: what is left of a lock that was taken once more is not ours. What cannot be let go of runs out by itself. */
async function release(nats: Nats, key: string, own: Own): Promise<void> {
  // Nothing stays of it, so that the next one takes it with its first write.
  await purgeOwn(nats, key, own)
    .catch(() => ledger(nats).delete(key, own.revision, { finish: true }))
    .catch(() => undefined);
}
