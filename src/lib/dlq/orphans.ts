import type { Entry, QueueRef } from '../model/entry.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { isOneServer } from '../nats/pipeline.ts';
import { readSubjects } from '../nats/streams.ts';
import { readStanding } from './collect.ts';
import {
  countsDead,
  coversAll,
  type DeadCount,
  deadCount,
  figuresOf,
  isOneMoment,
  lastOrphan,
  type OrphanReport,
  orphanIn,
  orphanReport,
  unaccounted,
  uncoveredAmong,
} from './dead-count.ts';
import type { SeqSet } from './seq-set.ts';
import type { QueueStanding } from './standing.ts';

const TRIES = 5;

export interface Measured {
  readonly count: DeadCount;
  readonly standing: QueueStanding;
}

/**
 * A queue's figures, of one moment where its dead are counted by them. @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function measure(nats: Nats, ref: QueueRef, nowMs: number): Promise<Measured> {
  const read = () => readStanding(nats, ref);
  // The stream's figures must be of the same moment as the consumers': two looks at once tell it where one server
  // answers; else, and where they do not, one after the other.
  let [before, standing] = isOneServer(nats) ? await Promise.all([read(), read()]) : [undefined, await read()];
  let steady = !countsDead(standing) || (before !== undefined && isOneMoment(before, standing));
  for (let attempt = 0; attempt < TRIES && !steady; attempt++) {
    [before, standing] = [standing, await read()];
    steady = figuresOf(before) === figuresOf(standing);
  }
  return { count: deadCount(standing, await countUncovered(nats, standing), steady, nowMs), standing };
}

/** Messages that wait for nobody: subjects that no consumer's filter lets in. Streams that keep what was acked keep those too. */
export async function countUncovered(nats: Nats, standing: QueueStanding): Promise<number> {
  if (standing.retention !== 'workqueue' || coversAll(standing)) return 0;
  if (standing.consumers.length === 0) return standing.messages;
  return uncoveredAmong((await orThrow(readSubjects(nats, standing.queue))).subjects, standing);
}

/** What `findOrphans` has to know of the records. */
export interface Records {
  /** Dead and stored, with a record: by sequence. */
  readonly accounted: SeqSet;
  /** How many of these left the queue while the records were read: a replay moves one page while the next is read. */
  removed(): number;
  /** Adds what was recorded since, and waits for what is on its way. */
  catchUp(): Promise<void>;
  /** The count, where it was taken already: once all records had been judged. */
  readonly counted?: Promise<Measured>;
}

/** Finds dead messages that no record speaks of. Whether there are any is a sum; only then the stream is read. */
export async function* findOrphans(
  nats: Nats,
  ref: QueueRef,
  records: Records,
  nowMs: number,
): AsyncGenerator<Entry, OrphanReport | undefined> {
  const { accounted } = records;
  const missingOf = ({ count }: Measured) => unaccounted(count, accounted.size, records.removed());
  let measured = await (records.counted ?? measure(nats, ref, nowMs));
  if (!countsDead(measured.standing)) return undefined;
  if (missingOf(measured) > 0) {
    // What died since the records were read may be all there is to it.
    await records.catchUp();
    measured = await measure(nats, ref, nowMs);
  }
  const { count, standing } = measured;
  let missing = missingOf(measured);
  let late = 0;
  if (missing > 0) {
    // Those that had just died are dead in the count, and have their advisory by now.
    const before = accounted.size;
    await records.catchUp();
    late = accounted.size - before;
  }
  let orphans = 0;
  if (missing > 0) {
    for await (const message of getRange(nats, ref.queue, 1, { untilSeq: lastOrphan(standing) })) {
      const orphan = accounted.has(message.seq) ? undefined : orphanIn(standing, message);
      if (!orphan) continue;
      orphans += 1;
      yield orphan;
      missing -= 1;
      if (missing <= 0 && count.steady) break;
    }
  }
  return orphanReport(count, { accounted: accounted.size, orphans, missing, late });
}
