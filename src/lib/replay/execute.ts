import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { forgetJournal, type Intent, readIntent, writeIntent, writeJournal } from '../ledger/journal.ts';
import { orThrow } from '../nats/answer.ts';
import { isApiError } from '../nats/api-error.ts';
import { deleteMessage, publish } from '../nats/message-writes.ts';
import { readStream } from '../nats/streams.ts';
import { isFull } from './full.ts';
import { type Move, type Moved, PROTOCOL, type Step } from './protocol.ts';
import { removeRecords } from './records.ts';
import { settleIntent } from './recover.ts';
import type { ReplayRun } from './run.ts';

/** Payloads under way at once, in bytes, however many messages that are. */
const BYTES_IN_FLIGHT = 32 * 1024 * 1024;
const RETRY_MS = 250;

/** The end of a page: what became of each message, and what did not begin. */
export interface PageResult {
  readonly moved: readonly Moved[];
  /** Not begun, because the run was told to stop. */
  readonly left: readonly Move[];
  /** Message ids that the full queue refused; no copy of them exists. */
  readonly refused: ReadonlySet<string>;
}

/**
 * Moves a page of messages: writes down what is meant, carries each through the protocol's steps, then removes the
 * records of those that are in. A lost connection is waited for, and what is in doubt is looked up before it is tried
 * again; a signal ends it after what has begun.
 * @throws OpsError CONN_* where the connection stays away, DENIED_SUBJECT; the intent then stays for the next run
 */
export async function movePage(run: ReplayRun, moves: readonly Move[]): Promise<PageResult> {
  const intent: Intent = {
    moves: moves.map(({ msgId, subject, original, records, requestId }) => ({
      msgId,
      subject,
      records,
      original,
      requestId,
    })),
    after: await lastSequences(run),
  };
  const results = new Map<string, Moved>();
  const refused = new Set<string>();
  try {
    await writeIntent(run.nats, run.queue, intent);
  } catch (error) {
    if (isLost(run)) return { moved: [], left: moves, refused };
    throw error;
  }
  let open = [...moves];
  for (let began = performance.now(); ; ) {
    const doubt = await moveAll(run, open, intent, results, refused);
    open = open.filter(({ msgId }) => !results.has(msgId));
    if (doubt === undefined || isLost(run)) break;
    const before = results.size;
    open = await resolveDoubt(run, { intent, open, results, doubt, began });
    if (results.size > before) began = performance.now();
    if (open.length === 0) break;
  }
  const moved = moves.flatMap(({ msgId }) => results.get(msgId) ?? []);
  return { moved, left: open, refused };
}

/** The last sequence of each stream that gets copies. */
async function lastSequences({ nats, targets, queue, created }: ReplayRun): Promise<Record<string, number>> {
  const entries = await Promise.all(
    [...new Set([queue, ...targets])].map(async (stream) => {
      const info = await orThrow(readStream(nats, stream, { finish: true }));
      if (stream === queue && info.created !== created) throw madeAnew(queue);
      return [stream, info.figures.last_seq] as const;
    }),
  );
  return Object.fromEntries(entries.filter(([stream]) => targets.includes(stream)));
}

const madeAnew = (queue: string): OpsError =>
  new OpsError('NOT_FOUND', `stream ${queue} was made anew while this ran`, {
    where: `stream ${queue}`,
    why: 'What was to be replayed went with the stream before. Nothing of the new one was removed.',
    hints: ['run this again: it looks at the stream as it is now'],
  });

/** Without the lock nothing goes any more: what was under way is in doubt until the next run looks it up. */
const isLost = ({ signal }: ReplayRun): boolean => signal.aborted && signal.reason?.code === 'LOCK_HELD';

const isPassing = (error: unknown): error is OpsError => error instanceof OpsError && error.code.startsWith('CONN_');

/**
 * Carries messages through their steps, many at once, then removes the records of those that are in. Gives the error
 * that left some of them in doubt, if any.
 */
async function moveAll(
  run: ReplayRun,
  moves: readonly Move[],
  intent: Intent,
  results: Map<string, Moved>,
  refused: Set<string>,
): Promise<OpsError | undefined> {
  let doubt: OpsError | undefined;
  let fatal: unknown;
  let next = 0;
  const before = results.size;
  const lane = async () => {
    while (next < moves.length && !doubt && !fatal && !run.signal.aborted) {
      const move = moves[next++]!;
      try {
        await run.pace?.(run.signal);
        if (run.signal.aborted) return;
        results.set(move.msgId, await moveOne(run, move, intent, refused));
      } catch (error) {
        if (isPassing(error)) doubt ??= error;
        else if (!isLost(run)) fatal ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: lanesFor(run, moves) }, lane));
  const fresh = [...results.values()].slice(before);
  if (run.protocol.room.includes('remove-records')) {
    try {
      await removeRecords(
        run.nats,
        fresh.filter(({ outcome }) => outcome === 'moved').flatMap(({ move }) => move.records),
      );
    } catch (error) {
      // Nothing is in doubt: what is left of the records is removed with the others, or by the next run.
      if (isPassing(error)) doubt ??= error;
      else if (!isLost(run)) fatal ??= error;
    }
  }
  if (fatal) throw fatal;
  return doubt;
}

function lanesFor({ inFlight }: ReplayRun, moves: readonly Move[]): number {
  const bytes = moves.reduce((sum, { payload, headers }) => sum + payload.byteLength + headers.byteLength, 0);
  const average = bytes / Math.max(1, moves.length);
  return Math.max(1, Math.min(inFlight, moves.length, Math.max(4, Math.floor(BYTES_IN_FLIGHT / (average + 1)))));
}

/** One message through the steps of the protocol, all but the last. */
async function moveOne(run: ReplayRun, move: Move, intent: Intent, refused: Set<string>): Promise<Moved> {
  try {
    // Without an original that goes there is nothing to journal it for.
    return await takeSteps(run, move, intent, move.original ? run.protocol.room : PROTOCOL.room);
  } catch (error) {
    if (!isApiError(error)) {
      if ((error as { code?: string }).code === 'SERVER_REFUSED') return failed(move, (error as Error).message);
      throw error;
    }
    if (!isFull(error)) return failed(move, `${error.description} (${error.errCode})`);
  }
  refused.add(move.msgId);
  if (!move.original)
    return { move, outcome: 'waiting', error: 'the queue is full, and removing this makes no room in it' };
  try {
    return await takeSteps(run, move, intent, run.protocol.full);
  } catch (error) {
    if (isFull(error))
      return { move, outcome: 'waiting', error: 'the queue is full; the message is safe in the journal' };
    if (!isApiError(error)) throw error;
    const why = `${error.description} (${error.errCode})`;
    return { move, outcome: 'waiting', error: `${why}; the message is safe in the journal` };
  }
}

const failed = (move: Move, error: string): Moved => ({ move, outcome: 'failed', error });

async function takeSteps(run: ReplayRun, move: Move, intent: Intent, steps: readonly Step[]): Promise<Moved> {
  const { nats, queue } = run;
  let newSeq: number | undefined;
  let journalSeq = 0;
  let isBefore = false;
  let isLate = false;
  for (const step of steps) {
    switch (step) {
      case 'publish': {
        const stored = await publish(nats, move.subject, move.payload, move.headers);
        newSeq = stored.seq;
        isBefore = stored.duplicate;
        // No new message has a sequence that the stream had given before this page, unless it is another stream.
        if (!isBefore && stored.stream === queue && newSeq <= (intent.after[queue] ?? 0)) throw madeAnew(queue);
        break;
      }
      case 'remove-original':
        if (move.original) isLate = !(await deleteMessage(nats, move.original.stream, move.original.seq));
        break;
      case 'journal':
        journalSeq = await writeJournal(nats, { ...move, original: move.original!, after: intent.after[queue] ?? 0 });
        break;
      case 'forget-journal':
        await forgetJournal(nats, move.original!, [journalSeq]);
        break;
      case 'remove-records':
        // With the others of the page.
        break;
    }
  }
  return {
    move,
    outcome: 'moved',
    newSeq,
    ...(isBefore && { before: true }),
    ...(isLate && !isBefore && { late: true }),
  };
}

/** After a lost answer: waits for the connection, looks up what is in, and gives what is still to be moved. */
async function resolveDoubt(
  run: ReplayRun,
  page: {
    readonly intent: Intent;
    readonly open: readonly Move[];
    readonly results: Map<string, Moved>;
    readonly doubt: OpsError;
    readonly began: number;
  },
): Promise<Move[]> {
  run.tellWarning(`${page.doubt.message}: looking up what is done before going on`);
  for (;;) {
    if (run.signal.aborted || performance.now() - page.began > run.patienceMs) throw page.doubt;
    await sleep(RETRY_MS);
    try {
      const settled = await settleIntent(run, (await readIntent(run.nats, run.queue)) ?? page.intent);
      for (const move of page.open) {
        const newSeq = settled.done.get(move.msgId);
        if (settled.journalled.has(move.msgId)) {
          page.results.set(move.msgId, { move, outcome: 'waiting', error: 'the message is safe in the journal' });
        } else if (settled.done.has(move.msgId)) {
          page.results.set(move.msgId, { move, outcome: 'moved', newSeq });
        }
      }
      return page.open.filter(({ msgId }) => !page.results.has(msgId));
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
}
