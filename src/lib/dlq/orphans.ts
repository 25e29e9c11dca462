import { subjectCovers } from '../facts/subjects.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { inTurn } from '../nats/pipeline.ts';
import { readSubjects } from '../nats/streams.ts';
import { readStanding } from './collect.ts';
import { orphanEntry } from './entry.ts';
import { responsible } from './fate.ts';
import type { SeqSet } from './seq-set.ts';
import { type ConsumerStanding, copiedTo, covers, heldFor, type QueueStanding } from './standing.ts';

/** What a queue's figures say of its dead. All are counts of messages. */
export interface DeadCount {
  readonly queue: string;
  /** Stored, and neither waiting nor in flight. */
  readonly dead: number;
  readonly ready: number;
  readonly inFlight: number;
  /**
   * At most so many of those in flight are past their last ack wait: nothing happens to them until the next pull
   * comes, then they are dead. Exact where max_deliver is 2 and the server 2.12 or newer.
   */
  readonly dying: number;
  /** On subjects that no consumer covers: waiting for nobody. */
  readonly uncovered: number;
  /** At most so many are stored only because a mirror or source has not taken them yet, and are counted as dead. */
  readonly held: number;
  /** False where the figures moved while they were read, each time. */
  readonly steady: boolean;
}

export interface OrphanReport extends DeadCount {
  /** Dead with a record in a DLQ stream. */
  readonly accounted: number;
  /** Dead for certain, without a record. */
  readonly orphans: number;
  /** Dead without a record as well, but not to be told from what is in flight now. */
  readonly uncertain: number;
}

const TRIES = 5;

/**
 * Counts a work queue's dead by arithmetic: messages - waiting - in flight. `undefined` for other streams, which keep
 * what was acked, and for queues without a consumer, where nothing was ever tried.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function countDead(nats: Nats, ref: QueueRef, nowMs: number): Promise<DeadCount | undefined> {
  return (await measure(nats, ref, nowMs))?.count;
}

interface Measured {
  readonly count: DeadCount;
  readonly standing: QueueStanding;
}

async function measure(nats: Nats, ref: QueueRef, nowMs: number): Promise<Measured | undefined> {
  const read = () => readStanding(nats, ref);
  // The stream's figures must be of the same moment as the consumers': these are read before and after.
  let [before, standing] = await inTurn(nats, read, read);
  if (standing.retention !== 'workqueue' || standing.consumers.length === 0) return undefined;
  const isSteady = () => figuresOf(before) === figuresOf(standing);
  for (let attempt = 1; attempt < TRIES && !isSteady(); attempt++) [before, standing] = [standing, await read()];
  const steady = isSteady();
  const sum = (of: (consumer: ConsumerStanding) => number) => standing.consumers.reduce((all, one) => all + of(one), 0);
  const ready = sum(({ pending }) => pending);
  const inFlight = sum(({ ackPending }) => ackPending);
  const uncovered = await countUncovered(nats, standing);
  const dead = Math.max(0, standing.messages - ready - inFlight - uncovered);
  const held = Math.min(dead, heldFor(standing));
  const dying = dyingOf(standing, dead, nowMs);
  const count = { queue: ref.queue, dead, ready, inFlight, dying, uncovered, held, steady };
  return { count, standing };
}

/** Equal as long as nothing moves. */
export const figuresOf = ({ messages, lastSeq, consumers }: QueueStanding): string =>
  JSON.stringify([
    messages,
    lastSeq,
    ...consumers.map(({ name, delivered, ackFloor, pending, ackPending }) => [
      name,
      delivered,
      ackFloor,
      pending,
      ackPending,
    ]),
  ]);

/** At most so many in flight that are past their last ack wait. */
export function dyingOf({ consumers }: QueueStanding, dead: number, nowMs: number): number {
  return consumers.reduce((all, { ackPending, lastActive, waits, maxDeliver, redelivered }) => {
    const longest = Math.max(...waits) / 1e6;
    // With one delivery only, death is not lazy: it comes when the ack wait is over (measured on 2.10, 2.12, 2.15).
    const isLazy = maxDeliver > 1;
    if (ackPending === 0 || !isLazy || !lastActive || Date.parse(lastActive) + longest > nowMs) return all;
    // The server counts the dead among the redelivered.
    return all + Math.min(ackPending, Math.max(0, redelivered - dead));
  }, 0);
}

/** Messages that wait for nobody: subjects that no consumer's filter lets in. */
export async function countUncovered(nats: Nats, { queue, subjects, consumers }: QueueStanding): Promise<number> {
  const covered = (subject: string) =>
    consumers.some(({ filters }) => filters.length === 0 || filters.some((filter) => subjectCovers(filter, subject)));
  if (subjects.every(covered)) return 0;
  const found = await orThrow(readSubjects(nats, queue));
  return [...found.subjects].reduce((sum, [subject, messages]) => (covered(subject) ? sum : sum + messages), 0);
}

/** What `findOrphans` has to know of the records. */
export interface Records {
  /** Dead and stored, with a record: by sequence. */
  readonly accounted: SeqSet;
  /** How many of these left the queue while the records were read: a replay moves one page while the next is read. */
  removed(): number;
  /** Adds what was recorded since, and waits for what is on its way. */
  catchUp(): Promise<void>;
}

/**
 * Finds dead messages that no record speaks of. Whether there are any is a sum; only then the stream is read.
 *
 *   stored, no record, sequence   up to the consumer's ack floor        dead: it is never delivered again
 *                                 up to delivered, nothing in flight    dead
 *                                 up to delivered, something in flight  dead or in flight: counted, not listed
 *                                 above delivered                       waiting
 */
export async function* findOrphans(
  nats: Nats,
  ref: QueueRef,
  records: Records,
  nowMs: number,
): AsyncGenerator<Entry, OrphanReport | undefined> {
  const { accounted } = records;
  const unaccounted = ({ count }: Measured) => count.dead - (accounted.size - records.removed());
  let measured = await measure(nats, ref, nowMs);
  if (measured && unaccounted(measured) > 0) {
    // What died since the records were read may be all there is to it.
    await records.catchUp();
    measured = await measure(nats, ref, nowMs);
  }
  if (!measured) return undefined;
  const { count, standing } = measured;
  let missing = unaccounted(measured);
  let late = 0;
  if (missing > 0) {
    // Those that had just died are dead in the count, and have their advisory by now.
    const before = accounted.size;
    await records.catchUp();
    late = accounted.size - before;
  }
  let orphans = 0;
  const last = Math.min(copiedTo(standing), Math.max(0, ...standing.consumers.map(({ delivered }) => delivered)));
  if (missing > 0) {
    for await (const message of getRange(nats, ref.queue, 1, { untilSeq: last })) {
      if (accounted.has(message.seq)) continue;
      const consumer = responsible('', message.subject, standing);
      if (!consumer || !covers(consumer, message.subject) || message.seq > consumer.delivered) continue;
      if (message.seq > consumer.ackFloor && consumer.ackPending > 0) continue;
      orphans += 1;
      yield orphanEntry(message, consumer.name, consumer.maxDeliver, standing.created);
      missing -= 1;
      if (missing <= 0 && count.steady) break;
    }
  }
  return { ...count, accounted: accounted.size, orphans, uncertain: Math.max(0, missing - late - count.held) };
}
