import {
  forgetIntent,
  forgetJournal,
  type Intended,
  type Intent,
  type JournalEntry,
  type LeftIntent,
  readJournal,
} from '../ledger/journal.ts';
import type { Seen } from '../model/message.ts';
import type { FinishedRun } from '../model/replay-run.ts';
import { notTaken } from '../nats/address.ts';
import { orUndefined } from '../nats/answer.ts';
import { isNoRoom } from '../nats/api-error.ts';
import { publishCopy } from '../nats/copies.ts';
import type { StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { parseHeaderLines, printHeaders } from '../nats/raw-headers.ts';
import { removeMessage, removeMessages } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';
import { awaitLeaders, isShared } from './barrier.ts';
import { isObeyed } from './copy.ts';
import { findAnswered, findCopies, findOriginals } from './evidence.ts';
import { refusal } from './refusal.ts';
import type { ReplayRun } from './run.ts';
import { doubtfulAmong, isSame, journalOf, marksOf, settle } from './settling.ts';

/** How far the messages of an intent had come. */
export interface Settled {
  /** Message ids whose copy is in; original and records are gone now. With the copy's sequence, where it was found. */
  readonly done: ReadonlyMap<string, number | undefined>;
  /** How many of those had something left to remove. */
  readonly finished: number;
  /** Message ids that lie in the journal: the journal's pass finishes them. */
  readonly journalled: ReadonlySet<string>;
}

/**
 * Finishes what an intent had begun; touches nothing that may not have been published.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function settleIntent(run: ReplayRun, intent: Intent & { readonly written?: string }): Promise<Settled> {
  const { nats, queue, created } = run;
  const own = ownOf(run, intent.moves);
  await awaitLeaders(
    run,
    own.flatMap(({ original }) => original?.stream ?? []),
  );
  const journalled = new Set((await readJournal(nats, queue, { fromLeader: isShared(run) })).map(({ msgId }) => msgId));
  const moves = own.filter(({ msgId }) => !journalled.has(msgId));
  const there = await findOriginals(run, moves);
  const doubtful = doubtfulAmong(moves, { there, created });
  const copies = await findCopies(run, [intent.target], new Set(doubtful.map(({ msgId }) => msgId)));
  const answered = await findAnswered(
    run,
    doubtful.filter(({ msgId }) => !copies.has(msgId)),
    intent.written,
  );
  const { done, originals, records } = settle(moves, { there, created, copies, answered });
  const left = [...originals, ...records];
  const removals = [...(await removeMessages(nats, originals)), ...(await removeMessages(nats, records))];
  const removed = new Set(left.filter((_, index) => removals[index] === 'removed'));
  const isFinished = ({ msgId, original, records: all }: Intended) =>
    done.has(msgId) && [...(original ? [original] : []), ...all].some((seen) => removed.has(seen));
  return { done, finished: moves.filter(isFinished).length, journalled };
}

/**
 * Whoever may write to the ledger could name there the messages of others, to be removed by whoever replays: what a queue's
 * intent or journal speaks of lies in that queue and its DLQs.
 */
const ownOf = (run: ReplayRun, moves: readonly Intended[]): Intended[] =>
  moves
    .filter(({ original }) => original === undefined || original.stream === run.queue)
    .map((move) => ({ ...move, records: ownRecords(run, move.records) }));

const ownRecords = ({ dlqs }: ReplayRun, records: readonly Seen[]): Seen[] =>
  records.filter(({ stream }) => dlqs.includes(stream));

/** Settles what an earlier run left behind. Gives what it finished of its messages. */
export async function settleLeftIntent(run: ReplayRun, intent: LeftIntent | undefined): Promise<FinishedRun[]> {
  if (!intent) return [];
  const { done, finished } = await settleIntent(run, intent);
  await forgetIntent(run.nats, run.queue, intent.stored);
  if (intent.run) return [{ id: intent.run.id, count: finished, replayed: intent.run.moved + done.size }];
  return finished > 0 ? [{ count: finished }] : [];
}

/** What of a journal's pass finished earlier runs' messages. */
export function finishedOf(drained: readonly Drained[]): FinishedRun[] {
  const moved = drained.filter(({ outcome }) => outcome === 'moved');
  return [...Map.groupBy(moved, ({ entry }) => entry.run)].map(([id, all]) => ({
    ...(id !== undefined && { id }),
    count: all.length,
  }));
}

/** What lies in the journal, as whoever was confirmed anything of it knows it. @throws OpsError CONN_*, DENIED_SUBJECT */
export const readJournalNow = (run: Pick<ReplayRun, 'nats' | 'queue'>): Promise<JournalEntry[]> =>
  readJournal(run.nats, run.queue, { fromLeader: isShared(run) });

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
export async function drainJournal(
  run: ReplayRun,
  refused: ReadonlySet<string> = new Set(),
  read?: readonly JournalEntry[],
): Promise<Drained[]> {
  const { nats, queue } = run;
  const all = read ?? (await readJournalNow(run));
  const entries = journalOf(all, queue, run.created);
  if (entries.length === 0) return [];
  const streams = [...new Set(entries.map(({ target }) => target.stream))];
  const addresses = new Map(
    await pipelined(
      streams,
      16,
      async (name) => [name, await orUndefined(readStream(nats, name, { finish: true }))] as const,
    ),
  );
  const unsure = entries.filter(({ msgId }) => !refused.has(msgId));
  const copies = await findCopies(run, marksOf(unsure), new Set(unsure.map(({ msgId }) => msgId)));
  const answered = new Set<string>();
  for (const entry of unsure) {
    if (!copies.has(entry.msgId)) for (const id of await findAnswered(run, [entry], entry.written)) answered.add(id);
  }
  const drained = await pipelined(entries, run.inFlight, async (entry): Promise<Drained> => {
    await removeMessage(nats, entry.original);
    const isIn = copies.has(entry.msgId) || answered.has(entry.msgId);
    let newSeq = copies.get(entry.msgId);
    if (!isIn) {
      try {
        newSeq = (await publishJournalled(run, entry, addresses.get(entry.target.stream))).seq;
      } catch (error) {
        const why = refusal(error);
        if (why === undefined) throw error;
        return { entry, outcome: isNoRoom(error) ? 'waiting' : 'failed', error: why };
      }
    }
    await forgetJournal(nats, entry.stored);
    return { entry, outcome: 'moved', ...(newSeq !== undefined && { newSeq }) };
  });
  const done = drained.filter(({ outcome }) => outcome === 'moved');
  await removeMessages(
    nats,
    done.flatMap(({ entry }) => ownRecords(run, entry.records)),
  );
  return drained;
}

async function publishJournalled({ nats }: ReplayRun, entry: JournalEntry, to: StreamInfo | undefined) {
  if (!to) throw notTaken(`stream ${entry.target.stream} is not there any more`);
  if (!isSame(entry.target.created, to.created)) throw notTaken(`stream ${to.name} was made anew since`);
  // As its copy was made: without what the server would obey.
  const lines = parseHeaderLines(entry.headers);
  const headers = lines.some(({ name }) => isObeyed(name))
    ? printHeaders(lines.filter(({ name }) => !isObeyed(name)))
    : entry.headers;
  return publishCopy(nats, to, { ...entry, headers });
}
