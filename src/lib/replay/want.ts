import { setTimeout as sleep } from 'node:timers/promises';
import { isFoundWithout } from '../dlq/doubt.ts';
import { matches, wantsOrphans } from '../dlq/filter.ts';
import { scanEntries } from '../dlq/scan.ts';
import { LEDGER_BUCKET } from '../facts/names.ts';
import { makeRoom } from '../ledger/room.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { ApiError } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { recordsSeen } from './copy.ts';
import { checkQueue } from './preflight.ts';
import type { Move } from './protocol.ts';
import { removeRecords } from './records.ts';
import type { ReplayRun } from './run.ts';

//   A replay needs room before it frees any: for its lock, its intent, and one copy at a time. Where there is none, it
//   makes some of what goes with its messages anyway, before their copies are in:
//
//   records    of messages whose originals are stored in a work queue: killed now, they are found dead without them, as
//              orphans. What is known of their deaths is gone, the messages are not.
//   ledger     what `makeRoom` gives up there
//   time       workers ack, and a cluster counts what was freed a moment late

/** So many messages give up their records first; then twice as many, and so on. */
const FIRST = 8;
const PATIENCE_MS = 10_000;
const POLL_MS = 250;

/** What a run does about a want of room. */
export class Want {
  readonly #run: ReplayRun;
  readonly #given = new Set<string>();
  #count = FIRST;
  #since: number | undefined;

  constructor(run: ReplayRun) {
    this.#run = run;
  }

  /** Something was moved: waiting begins anew. */
  isServed(): void {
    this.#since = undefined;
  }

  /** Makes some room where there was none (`error`), or waits for it. False where none can be had. */
  async makeRoom(open: readonly Move[], error: ApiError): Promise<boolean> {
    const { nats, signal, orphansAreFound } = this.#run;
    // A stream that is full at its own limit has no more room for what goes from another.
    const isShared = error.noRoom !== 'stream';
    const giving = orphansAreFound && isShared ? givingOf(open, this.#given, this.#count) : [];
    if (giving.length > 0) {
      await removeRecords(
        nats,
        giving.flatMap(({ records }) => records),
      );
      for (const { msgId } of giving) this.#given.add(msgId);
      this.#count *= 2;
      return true;
    }
    if (await makeRoom(nats)) return true;
    // There nobody acks anything.
    if (!isShared && error.subject.includes(`$KV.${LEDGER_BUCKET}.`)) return false;
    this.#since ??= performance.now();
    if (signal.aborted || performance.now() - this.#since > PATIENCE_MS) return false;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    return true;
  }
}

/** Who give up their records next, `count` at most; `given` have done so, by message id. */
export const givingOf = (open: readonly Move[], given: ReadonlySet<string>, count: number): Move[] =>
  open.filter((move) => isFoundWithout(move) && move.records.length > 0 && !given.has(move.msgId)).slice(0, count);

/**
 * Makes room for a lock: gives up records of dead letters that are to be replayed, and would be without them, more each
 * time. False where there are no more.
 */
export function roomForLock(nats: Nats, ref: QueueRef, filter: EntryFilter, now: number): () => Promise<boolean> {
  let count = FIRST / 2;
  const isChosenWithout = (entry: Entry): boolean => {
    const inner = { ...entry.inner, records: [], detail: undefined };
    const bare: Entry = { ...entry, state: 'orphan', reason: 'max_deliveries', died_at: null, inner };
    return isFoundWithout(entry.inner) && matches(filter, bare);
  };
  return async () => {
    if (!wantsOrphans(filter)) return false;
    const facts = await checkQueue(nats, ref, { needsRoom: false });
    if (!facts.orphansAreFound) return false;
    count *= 2;
    const giving: Entry[] = [];
    for await (const entry of scanEntries(nats, [ref], filter, { now })) {
      if (entry.inner.records.length > 0 && isChosenWithout(entry)) giving.push(entry);
      if (giving.length >= count) break;
    }
    await removeRecords(
      nats,
      giving.flatMap((entry) => recordsSeen(entry, facts)),
    );
    return giving.length > 0;
  };
}
