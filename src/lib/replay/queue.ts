import { setTimeout as sleep } from 'node:timers/promises';
import { scanEntries } from '../dlq/scan.ts';
import { SeqSet } from '../dlq/seq-set.ts';
import type { Own } from '../ledger/bucket.ts';
import { forgetIntent, lookAtIntent } from '../ledger/journal.ts';
import type { Seen } from '../model/message.ts';
import { orThrow } from '../nats/answer.ts';
import { isNoRoom } from '../nats/api-error.ts';
import { readConsumer } from '../nats/consumers.ts';
import { getMessage, IN_FLIGHT } from '../nats/messages.ts';
import { isOneServer, pipelined } from '../nats/pipeline.ts';
import { confirmRemovals } from '../nats/removal.ts';
import { canaryAfter, canaryFault } from './canary.ts';
import { Chooser, isOfSeveral } from './choosing.ts';
import { recordsSeen } from './copy.ts';
import { movePage, type PageResult } from './execute.ts';
import type { Followed } from './fates.ts';
import { Follower, markFollow } from './follow.ts';
import type { QueueJob } from './job.ts';
import { createPacer, inFlightFor, pageSize, roomFor } from './pace.ts';
import { type CheckedQueue, checkQueue } from './preflight.ts';
import { type Move, type Moved, PROTOCOL } from './protocol.ts';
import { type Left, Reading, readLeft } from './reading.ts';
import { removeRecords } from './records.ts';
import { drainJournal, finishedOf, settleLeftIntent } from './recover.ts';
import type { ReplayRun } from './run.ts';

/** As many as a scan gives at a time: the next are read while these move. */
const PAGE = 1000;
const PAGE_BYTES = 16 * 1024 * 1024;
/** So many may wait in the journal before no more are taken: each has lost its place to somebody else. */
const MOST_WAITING = 256;
const POLL_MS = 250;
/** How long a full queue is waited for without a single message getting in. */
const FULL_PATIENCE_MS = 10_000;
const PATIENCE_MS = 30_000;

/**
 * Replays the dead letters of one queue. Must hold the queue's lock.
 * @throws OpsError DLQ_CANNOT_REMOVE, DLQ_DIED_AGAIN, CONN_*, DENIED_SUBJECT
 */
export async function replayQueue(job: QueueJob): Promise<void> {
  const { nats, ref, signal } = job;
  // In a cluster nothing of an earlier run is read before the leaders have answered.
  const isEarly = isOneServer(nats);
  const left = isEarly ? readLeft(job) : undefined;
  left?.catch(() => {});
  const reading = isEarly ? new Reading(job, performance.now()) : undefined;
  const [facts, rttMs] = await Promise.all([checkQueue(nats, ref), job.wishes.maxInFlight ? 0 : nats.nc.rtt()]);
  const replay = new QueueReplay(job, facts, rttMs);
  let died: unknown;
  try {
    await replay.carryOut(left ?? readLeft(job), reading);
  } catch (error) {
    // That messages of others may have gone matters more than why it ended; that nobody can say, less.
    await replay.confirm().catch((fault: unknown) => {
      if ((fault as { code?: string }).code === 'DLQ_MADE_ANEW') throw fault;
    });
    // Both end a run in which nothing is in doubt.
    if ((error as { code?: string }).code !== 'DLQ_DIED_AGAIN' && !isNoRoom(error)) throw error;
    died = error;
  }
  await replay.confirm();
  // What was begun is done; neither an interruption nor a dead canary leaves behind what the next run has to look up.
  if (!signal.aborted || signal.reason?.code === 'INTERRUPTED') nats.leave(replay.forgetIntent());
  if (died) throw died;
}

class QueueReplay {
  readonly #job: QueueJob;
  readonly #facts: CheckedQueue;
  readonly #run: ReplayRun;
  readonly #chooser: Chooser;
  /** Sequences of originals whose copy is in. */
  readonly #moved = new SeqSet();
  readonly #refused = new Set<string>();
  readonly #waiting = new Map<string, Moved>();
  #follower: Follower | undefined;
  #canaryLeft: number;
  #reading: Reading | undefined;

  /** Whether the streams are still those that the page before removed messages from: asked while the next is read. */
  #confirmed: Promise<void> = Promise.resolve();
  /** Of the last intent that was written. */
  #intent: Promise<Own> | undefined;

  constructor(job: QueueJob, facts: CheckedQueue, rttMs: number) {
    const { nats, ref, signal, wishes } = job;
    this.#job = job;
    this.#facts = facts;
    const pacer = wishes.rate === undefined ? undefined : createPacer(wishes.rate, () => performance.now());
    const protocol = job.protocol ?? PROTOCOL;
    this.#run = {
      nats,
      queue: ref.queue,
      created: facts.created,
      target: job.target?.name ?? ref.queue,
      seen: job.target ?? facts.info,
      dlqs: ref.dlqs,
      ...(ref.responses !== undefined && { responses: ref.responses }),
      // Where a publish makes the stream drop its oldest, the original goes first, so that nothing has to be dropped.
      protocol: facts.drops ? { room: protocol.full, full: protocol.full } : protocol,
      orphansAreFound: facts.orphansAreFound,
      inFlight: wishes.maxInFlight ?? inFlightFor(rttMs),
      signal,
      patienceMs: PATIENCE_MS,
      ...(job.runId !== undefined && { about: { id: job.runId, moved: () => job.tally.replayed } }),
      ...(pacer && {
        pace: async (stop: AbortSignal) => {
          const wait = pacer();
          if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => {});
        },
      }),
      tellWarning: job.tellWarning,
    };
    this.#canaryLeft = wishes.canary ?? 0;
    this.#chooser = new Chooser(job, facts);
  }

  /** What was written down of the last page is of no use any more; where it stays, the next run finds all of it done. */
  async forgetIntent(): Promise<void> {
    const { nats, ref, tellWarning } = this.#job;
    if (this.#intent === undefined) return;
    await forgetIntent(nats, ref.queue, await this.#intent).catch((error: unknown) =>
      tellWarning(
        `${ref.queue}: what was written down of this run could not be forgotten: ${(error as Error).message}`,
      ),
    );
  }

  /** @throws OpsError DLQ_MADE_ANEW where messages of a stream that was made anew may have gone */
  async confirm(): Promise<void> {
    await this.#confirmed;
    await confirmRemovals(this.#job.nats);
  }

  async carryOut(left: Promise<Left>, reading: Reading | undefined): Promise<void> {
    const { nats, ref, wishes, tally, signal } = this.#job;
    const { intent, journal } = await left;
    const settled = await settleLeftIntent(this.#run, intent);
    // What an intent left behind may have gone through the journal.
    const found = await drainJournal(this.#run, undefined, intent ? undefined : journal);
    for (const { entry, outcome, error } of found) {
      if (outcome === 'moved') continue;
      this.#waiting.set(entry.msgId, { move: entry, outcome: 'waiting' });
      this.#refused.add(entry.msgId);
      tally.left(entry.id, `${error ?? 'the queue is full'}; the message is safe in the journal`);
    }
    const finished = [...settled, ...finishedOf(found)];
    tally.finished.push(...finished);
    const count = finished.reduce((sum, one) => sum + one.count, 0);
    if (finished.length > 0) this.#job.onFinished?.();
    if (count > 0) this.#job.tellNote(`${ref.queue}: finished ${count} that an earlier run had begun`);
    await this.#job.begin?.();
    // What an earlier run had begun is not as it was read.
    const isOld = intent !== undefined || journal.length > 0 || reading?.isStale(performance.now());
    if (isOld) reading?.drop();
    else this.#reading = reading;
    if (wishes.wait || this.#canaryLeft > 0) {
      const onSettled = (followed: Followed) => tally.followed(followed);
      this.#follower = new Follower(nats, ref, await markFollow(nats, ref), { signal, onSettled });
    }
    try {
      await this.#chooser.open();
      for await (const page of this.#pages()) {
        // Told to stop, the reading says what is left and ends.
        await this.#movePage(page);
        if (this.#waiting.size >= MOST_WAITING && !(await this.#drain(MOST_WAITING / 2))) break;
      }
      await this.#drain(0);
      await this.#removeLeftOut();
      // Fewer than were to be sent ahead are followed, too.
      await this.#follower?.settled(wishes.waitMs);
    } finally {
      await this.#follower?.end();
    }
  }

  /**
   * Other consumers' entries of what moved, those too that the filter left out: the copy goes to them as well, and nothing
   * is left of the message that they speak of.
   */
  async #removeLeftOut(): Promise<void> {
    const { nats, ref, wishes, signal, now, tellNote } = this.#job;
    if (this.#moved.size === 0 || signal.aborted) return;
    await removeRecords(nats, this.#chooser.leftOf(this.#moved));
    if (!isOfSeveral(this.#facts) || wishes.to !== undefined) return;
    const records: Seen[] = [];
    let entries = 0;
    for await (const entry of scanEntries(nats, [ref], { states: ['gone'] }, { now })) {
      if (signal.aborted) return;
      if (entry.inner.cause !== 'acked_or_removed' || !this.#moved.has(entry.seq)) continue;
      records.push(...recordsSeen(entry, this.#facts));
      entries += 1;
    }
    if (entries === 0) return;
    await removeRecords(nats, records);
    tellNote(`${ref.queue}: ${entries} of other consumers went with them: their messages were replayed to all`);
  }

  #noteMoved({ original, seq = original?.seq }: Move): void {
    if (seq !== undefined) this.#moved.add(seq);
  }

  #whyStopped(): string {
    return this.#job.signal.reason?.code === 'LOCK_HELD' ? 'the lock was lost' : 'interrupted';
  }

  /** Entries as pages of moves; those that cannot move are told on the way. */
  async *#pages(): AsyncGenerator<Move[]> {
    const { tally, signal } = this.#job;
    let page: Move[] = [];
    let bytes = 0;
    let size = await this.#pageSize();
    this.#reading ??= new Reading(this.#job, performance.now());
    try {
      for await (const entry of this.#reading.entries()) {
        if (signal.aborted) {
          tally.left(entry.id, this.#whyStopped());
          break;
        }
        const move = await this.#chooser.moveOf(entry);
        if (!move) continue;
        page.push(move);
        bytes += move.payload.byteLength + move.headers.byteLength;
        if (page.length < size && bytes < PAGE_BYTES) continue;
        yield page;
        page = [];
        bytes = 0;
        size = await this.#pageSize();
      }
    } catch (error) {
      // The interruption ends the reading too; what was read and not begun stays.
      if (!signal.aborted) throw error;
      for (const { id } of page) tally.left(id, this.#whyStopped());
      return;
    }
    if (page.length > 0) yield page;
  }

  /** How many may go now: all of a page, what the canary or the rate allows, or what the queue has room to work on. */
  async #pageSize(): Promise<number> {
    const { wishes, signal } = this.#job;
    const size = pageSize(PAGE, this.#canaryLeft, wishes.rate);
    if (wishes.maxPending === undefined) return size;
    for (;;) {
      const room = roomFor(size, wishes.maxPending, await this.#pending());
      if (room > 0 || signal.aborted) return Math.max(1, room);
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #pending(): Promise<number> {
    const { nats, ref } = this.#job;
    const infos = await Promise.all(
      ref.consumers.map((consumer) => orThrow(readConsumer(nats, ref.queue, consumer, { finish: true }))),
    );
    return infos.reduce((sum, { figures }) => sum + figures.num_pending, 0);
  }

  async #movePage(read: readonly Move[]): Promise<void> {
    const { tally, signal } = this.#job;
    const result = await this.#tryPage(read).catch((error: unknown) => {
      for (const { id } of read) tally.left(id, signal.aborted ? this.#whyStopped() : 'it was not begun');
      throw error;
    });
    if (!result) return;
    const { moved, left, refused, intent, fault } = result;
    // Looked at beside that, so that forgetting it takes no look of its own.
    this.#intent = intent && lookAtIntent(this.#job.nats, this.#job.ref.queue, intent);
    this.#confirmed = confirmRemovals(this.#job.nats);
    this.#confirmed.catch(() => {});
    for (const id of refused) this.#refused.add(id);
    for (const one of moved) {
      tally.moved(one);
      if (one.outcome !== 'failed' && one.move.original && this.#reading) this.#reading.removed += 1;
      if (one.outcome === 'waiting' && one.move.original) this.#waiting.set(one.move.msgId, one);
      if (one.outcome === 'moved') this.#noteMoved(one.move);
    }
    this.#follower?.add(moved.filter(({ outcome }) => outcome === 'moved'));
    const why =
      fault === undefined
        ? this.#whyStopped()
        : isNoRoom(fault)
          ? 'there is no room for its copy'
          : 'what became of it is looked up by the next run';
    for (const { id } of left) tally.left(id, why);
    this.#job.onProgress(moved.length);
    if (fault !== undefined) throw fault;
    if (this.#canaryLeft > 0) await this.#judgeCanary(moved);
  }

  async #tryPage(read: readonly Move[]): Promise<PageResult | undefined> {
    const { wishes } = this.#job;
    const page = wishes.rate !== undefined || wishes.maxPending !== undefined ? await this.#stillThere(read) : read;
    if (page.length === 0) return undefined;
    this.#follower?.expect();
    return movePage(this.#run, page, this.#confirmed);
  }

  /** At a slow pace a late ack may come between reading and publishing. */
  async #stillThere(page: readonly Move[]): Promise<Move[]> {
    const { nats } = this.#job;
    const there = await pipelined(page, IN_FLIGHT, async ({ original }) =>
      original ? (await getMessage(nats, original.stream, original.seq))?.time === original.time : true,
    );
    return page.filter((_, index) => there[index]);
  }

  async #judgeCanary(moved: readonly Moved[]): Promise<void> {
    const { tally, tellNote, ref, wishes, signal } = this.#job;
    this.#canaryLeft = canaryAfter(this.#canaryLeft, moved.length);
    if (this.#canaryLeft > 0) return;
    const follower = this.#follower!;
    tellNote(`${ref.queue}: ${follower.count} sent ahead; waiting for what becomes of them`);
    const settled = await follower.settled(wishes.waitMs);
    // Whoever ends the waiting has learned nothing of those sent ahead.
    if (signal.aborted) return;
    const fault = canaryFault(ref.queue, follower.count, settled, tally.deaths);
    if (fault) throw fault;
    if (wishes.wait) return;
    await follower.end();
    this.#follower = undefined;
  }

  /** Publishes what waits in the journal until at most `enough` are left; false where the full queue takes no more. */
  async #drain(enough: number): Promise<boolean> {
    const { tally, signal } = this.#job;
    let last = performance.now();
    while (this.#waiting.size > enough) {
      this.#follower?.expect();
      const drained = await drainJournal(this.#run, this.#refused);
      const arrived: Moved[] = [];
      for (const { entry, outcome, newSeq } of drained) {
        const one = this.#waiting.get(entry.msgId);
        if (outcome !== 'moved' || !one) continue;
        last = performance.now();
        this.#waiting.delete(entry.msgId);
        tally.arrived(one.move.id, newSeq);
        this.#noteMoved(one.move);
        arrived.push({ ...one, outcome, ...(newSeq !== undefined && { newSeq }) });
      }
      this.#follower?.add(arrived);
      if (this.#waiting.size <= enough) break;
      if (signal.aborted || performance.now() - last > FULL_PATIENCE_MS) return false;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
    return true;
  }
}
