import {
  forgetIntent,
  forgetJournal,
  type Intended,
  type JournalEntry,
  readIntent,
  readJournal,
} from '../ledger/journal.ts';
import { isApiError } from '../nats/api-error.ts';
import { deleteMessage, publish } from '../nats/message-writes.ts';
import { getMessage } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { awaitLeaders, isShared } from './barrier.ts';
import { findAnswered, findCopies, findOriginals } from './evidence.ts';
import { isFull } from './full.ts';
import { removeRecords } from './records.ts';
import type { ReplayRun } from './run.ts';

/** How far the messages of an intent had come. */
export interface Settled {
  /** Message ids whose copy is in; original and records are gone now. With the copy's sequence, where it was found. */
  readonly done: ReadonlyMap<string, number | undefined>;
  /** Message ids that lie in the journal: the journal's pass finishes them. */
  readonly journalled: ReadonlySet<string>;
}

//   What a run finds of a message that one before it (killed, or cut off) meant to move:
//   original   journal   copy found or answered    so
//   there      there     –                         killed before the original went: the journal's pass goes on
//   there      –         yes                       killed after the publish: remove original and records
//   there      –         no                        not published, as far as anything tells: it is a dead letter as before
//   gone       there     –                         the journal's pass goes on
//   gone       –         –                         killed before the records went: remove them
//   none       –         yes / no                  (limits, rejects) remove the records / a dead letter as before

/**
 * Finishes what an intent had begun; touches nothing that may not have been published.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function settleIntent(
  run: ReplayRun,
  intent: { moves: readonly Intended[]; after: Readonly<Record<string, number>>; written?: string },
): Promise<Settled> {
  const { nats, queue } = run;
  await awaitLeaders(
    run,
    intent.moves.flatMap(({ original }) => original?.stream ?? []),
  );
  const journalled = new Set((await readJournal(nats, queue, { fromLeader: isShared(run) })).map(({ msgId }) => msgId));
  const moves = intent.moves.filter(({ msgId }) => !journalled.has(msgId));
  const there = await findOriginals(run, moves);
  const doubtful = moves.filter(({ msgId, original }) => !original || there.has(msgId));
  const copies = await findCopies(run, intent.after, new Set(doubtful.map(({ msgId }) => msgId)));
  const answered = await findAnswered(
    run,
    doubtful.filter(({ msgId }) => !copies.has(msgId)),
    intent.written,
  );
  const isIn = ({ msgId, original }: Intended) =>
    copies.has(msgId) || answered.has(msgId) || (original !== undefined && !there.has(msgId));
  const done = moves.filter(isIn);
  await pipelined(done, run.inFlight, async ({ msgId, original }) => {
    if (original && there.has(msgId)) await deleteMessage(nats, original.stream, original.seq);
  });
  await removeRecords(
    nats,
    done.flatMap(({ records }) => records),
  );
  return { done: new Map(done.map(({ msgId }) => [msgId, copies.get(msgId)])), journalled };
}

/** Settles what an earlier run left behind. Gives how many of its messages were finished. */
export async function settleLeftIntent(run: ReplayRun): Promise<number> {
  const intent = await readIntent(run.nats, run.queue);
  if (!intent) return 0;
  const { done } = await settleIntent(run, intent);
  await forgetIntent(run.nats, run.queue);
  return done.size;
}

/** What became of one journalled message in a pass. */
export interface Drained {
  readonly entry: JournalEntry;
  readonly outcome: 'moved' | 'waiting' | 'failed';
  readonly newSeq?: number;
  readonly error?: string;
}

/**
 * Publishes what lies in the journal. `refused` are messages whose publish the stream refused in this very run: of
 * those it is certain that no copy exists; for the others the stream is searched first, whatever its window.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function drainJournal(run: ReplayRun, refused: ReadonlySet<string> = new Set()): Promise<Drained[]> {
  const { nats, queue } = run;
  const entries = await readJournal(nats, queue, { fromLeader: isShared(run) });
  const unsure = entries.filter(({ msgId }) => !refused.has(msgId));
  const after = Math.min(...unsure.map((entry) => entry.after));
  const streams = unsure.length > 0 ? Object.fromEntries(run.targets.map((stream) => [stream, after])) : {};
  const copies = await findCopies(run, streams, new Set(unsure.map(({ msgId }) => msgId)));
  const answered = new Set<string>();
  for (const entry of unsure) {
    if (!copies.has(entry.msgId)) for (const id of await findAnswered(run, [entry], entry.written)) answered.add(id);
  }
  const drained = await pipelined(entries, run.inFlight, (entry) => drainOne(run, entry, copies, answered));
  const done = drained.filter(({ outcome }) => outcome === 'moved');
  await removeRecords(
    nats,
    done.flatMap(({ entry }) => entry.records),
  );
  return drained;
}

async function drainOne(
  { nats }: ReplayRun,
  entry: JournalEntry,
  copies: ReadonlyMap<string, number>,
  answered: ReadonlySet<string>,
): Promise<Drained> {
  const { original } = entry;
  const stored = await getMessage(nats, original.stream, original.seq, { fromLeader: true });
  if (stored?.time === original.time) await deleteMessage(nats, original.stream, original.seq);
  let newSeq = copies.get(entry.msgId);
  if (newSeq === undefined && !answered.has(entry.msgId)) {
    try {
      newSeq = (await publish(nats, entry.subject, entry.payload, entry.headers)).seq;
    } catch (error) {
      if (!isApiError(error)) throw error;
      return isFull(error)
        ? { entry, outcome: 'waiting', error: 'the queue is full' }
        : { entry, outcome: 'failed', error: `${error.description} (${error.errCode})` };
    }
  }
  await forgetJournal(nats, original, entry.journalSeqs);
  return { entry, outcome: 'moved', newSeq };
}
