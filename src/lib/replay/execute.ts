import { setTimeout as sleep } from 'node:timers/promises';
import type { OpsError } from '../errors/ops-error.ts';
import type { Own } from '../ledger/bucket.ts';
import {
  forgetJournal,
  type Intent,
  type IntentRun,
  readIntent,
  writeIntent,
  writeJournal,
} from '../ledger/journal.ts';
import type { Seen } from '../model/message.ts';
import { notTaken } from '../nats/address.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import { type ApiError, isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { type CopyStored, publishCopy } from '../nats/copies.ts';
import type { StreamInfo } from '../nats/info.ts';
import { notKept } from '../nats/keeps.ts';
import {
  type Look,
  type Looks,
  lookAhead,
  looksAhead,
  madeAnew,
  type Removable,
  removeMessage,
} from '../nats/removal.ts';
import { roomIn } from '../nats/room-in.ts';
import { readStream } from '../nats/streams.ts';
import { afterFault, lanesFor, movedBy, sizeOf } from './outcome.ts';
import { type Move, type Moved, PROTOCOL, type Step } from './protocol.ts';
import { removeRecords } from './records.ts';
import { settleIntent } from './recover.ts';
import { fullQueue, isFull, isPassing } from './refusal.ts';
import type { ReplayRun } from './run.ts';
import { Want } from './want.ts';

const RETRY_MS = 250;

/** The end of a page: what became of each message, and what did not begin. */
export interface PageResult {
  readonly moved: readonly Moved[];
  /** Not begun, because the run was told to stop; or in doubt, because of the fault. */
  readonly left: readonly Move[];
  /** Message ids that the full queue refused; no copy of them exists. */
  readonly refused: ReadonlySet<string>;
  /** The page's intent, where it was written. */
  readonly intent?: Own;
  /** What ended the page before its time: CONN_* where the connection stays away, DENIED_SUBJECT, DLQ_MADE_ANEW, NO_ROOM. */
  readonly fault?: unknown;
}

/** What all of a page work with. */
interface Page {
  readonly intent: Intent;
  /** The stream that gets the copies, as it is now. */
  to: StreamInfo;
  readonly results: Map<string, Moved>;
  readonly refused: Set<string>;
}

/**
 * Moves a page of messages, in one part; where there is no room for what is written down of them, in smaller ones. What
 * they need is made of what they free: see `want.ts`. Nothing begins before the removals of the page before are confirmed.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, DLQ_MADE_ANEW, DLQ_NOT_TAKEN, NO_ROOM before anything began
 */
export async function movePage(
  run: ReplayRun,
  read: readonly Move[],
  confirmed: Promise<void> = Promise.resolve(),
): Promise<PageResult> {
  const want = new Want(run);
  const done: PageResult[] = [];
  const parts: (readonly Move[])[] = [read];
  for (let part = parts.shift(); part; part = parts.shift()) {
    const movedBefore = done.flatMap(({ moved }) => moved).filter(({ outcome }) => outcome === 'moved').length;
    const result = await movePart(run, part, want, confirmed, movedBefore).catch(
      (error: unknown): ApiError | PageResult => {
        if (isNoRoom(error)) return error;
        if (done.length === 0) throw error;
        return { moved: [], left: part!, refused: new Set(), fault: error };
      },
    );
    if (!('moved' in result)) {
      const half = Math.ceil(part.length / 2);
      if (part.length > 1) parts.unshift(part.slice(0, half), part.slice(half));
      else if (await want.makeRoom([part, ...parts].flat(), result)) parts.unshift(part);
      else done.push({ moved: [], left: [part, ...parts.splice(0)].flat(), refused: new Set(), fault: result });
      continue;
    }
    done.push(result);
    if (result.fault !== undefined || result.left.length > 0) break;
  }
  return {
    moved: done.flatMap(({ moved }) => moved),
    left: [...done.flatMap(({ left }) => left), ...parts.flat()],
    refused: new Set(done.flatMap(({ refused }) => [...refused])),
    intent: done.findLast(({ intent }) => intent !== undefined)?.intent,
    fault: done.at(-1)?.fault,
  };
}

/**
 * Moves messages: writes down what is meant, carries each through the protocol's steps, then removes the
 * records of those that are in. A lost connection is waited for, and what is in doubt is looked up before it is tried
 * again; what finds no room is tried again as others make some; a signal ends it after what has begun. The intent of a
 * part that ends with a fault stays for the next run.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, DLQ_MADE_ANEW, DLQ_NOT_TAKEN, NO_ROOM before anything began
 */
async function movePart(
  run: ReplayRun,
  read: readonly Move[],
  want: Want,
  confirmed: Promise<void>,
  movedBefore: number,
): Promise<PageResult> {
  const about = run.about && { id: run.about.id, moved: run.about.moved() + movedBefore };
  // What is meant may be written down while the stream is looked at: nothing of it begins before both are known.
  const before = run.seen;
  let intent = intentOf(read, before, about);
  let writing = writeIntent(run.nats, run.queue, intent);
  writing.catch(() => {});
  const [to] = await Promise.all([lookAtTarget(run), confirmed]);
  if (to.created !== before.created) {
    await writing.catch(() => {});
    intent = intentOf(read, to, about);
    writing = writeIntent(run.nats, run.queue, intent);
    writing.catch(() => {});
  }
  const unkept = await findUnkept(run, read, to);
  const moves = read.filter(({ msgId }) => !unkept.has(msgId));
  const page: Page = { intent, to, results: unkept, refused: new Set() };
  let written: Own | undefined;
  try {
    written = await writing;
  } catch (error) {
    if (isLost(run)) return { moved: [...unkept.values()], left: moves, refused: page.refused };
    throw error;
  }
  let open = [...moves];
  let lanes = lanesFor(run.inFlight, moves);
  let fault: unknown;
  try {
    for (let began = performance.now(); ; ) {
      const before = page.results.size;
      const { doubt, noRoom } = await moveAll(run, open, page, lanes);
      open = open.filter(({ msgId }) => !page.results.has(msgId));
      const moved = page.results.size - before;
      if (isLost(run) || open.length === 0) break;
      if (doubt) {
        open = await resolveDoubt(run, page, { open, doubt, began });
        if (page.results.size > before) began = performance.now();
        if (open.length === 0) break;
      } else if (noRoom && !run.signal.aborted) {
        if (moved > 0) want.isServed();
        else if (lanes === 1 && !(await want.makeRoom(open, noRoom))) throw noRoom;
        // As many at once as the room that each leaves to the next allows, the smallest first.
        open.sort((a, b) => sizeOf(a) - sizeOf(b));
        lanes = moved > 2 * lanes ? lanes * 2 : Math.max(1, Math.floor(lanes / 4));
      } else break;
    }
  } catch (error) {
    fault = error;
    open = open.filter(({ msgId }) => !page.results.has(msgId));
  }
  const moved = read.flatMap(({ msgId }) => page.results.get(msgId) ?? []);
  return { moved, left: open, refused: page.refused, intent: written, ...(fault !== undefined && { fault }) };
}

/** Copies get higher sequences than the stream had when it was seen. */
const intentOf = (moves: readonly Move[], to: StreamInfo, run: IntentRun | undefined): Intent => ({
  moves: moves.map(({ msgId, original, records, requestId }) => ({ msgId, records, original, requestId })),
  target: { stream: to.name, created: to.created, after: to.figures.last_seq },
  ...(run && { run }),
});

/** The stream that gets the copies; the queue must be the one that the run began with. */
async function lookAtTarget(run: ReplayRun): Promise<StreamInfo> {
  const { nats, queue, created, target } = run;
  const [to, from] = await Promise.all([
    orUndefined(readStream(nats, target, { finish: true })),
    target === queue ? undefined : orThrow(readStream(nats, queue, { finish: true })),
  ]);
  if (!to) throw notTaken(`stream ${target} is not there any more`);
  if ((from ?? to).created !== created) throw madeAnew(queue);
  run.seen = to;
  return to;
}

/**
 * Those of a page that the queue would not keep, or would drop others for: a copy is larger than its original, and what
 * only a record carries, or what stays where it is, makes no room by leaving. Another stream gets all of the page or nothing.
 * @throws OpsError NO_ROOM, DLQ_NOT_TAKEN
 */
async function findUnkept(run: ReplayRun, moves: readonly Move[], to: StreamInfo): Promise<Map<string, Moved>> {
  const unkept = new Map<string, Moved>();
  const room = await roomIn(run.nats, to);
  const isOther = run.target !== run.queue;
  for (const move of moves) {
    const why = room.take(move, isOther ? undefined : move.frees);
    if (why && isOther) throw notKept(why);
    if (why) unkept.set(move.msgId, { move, outcome: 'failed', error: fullQueue(why) });
  }
  return unkept;
}

/** Without the lock nothing goes any more: what was under way is in doubt until the next run looks it up. */
const isLost = ({ signal }: ReplayRun): boolean => signal.aborted && signal.reason?.code === 'LOCK_HELD';

/** What kept messages of a page from being carried through their steps. */
interface Halt {
  /** Left some of them in doubt. */
  readonly doubt?: OpsError;
  /** There was no room for one; nothing of it was written. No more were begun. */
  readonly noRoom?: ApiError;
}

/** Carries messages through their steps, many at once, then removes the records of those that are in. */
async function moveAll(run: ReplayRun, moves: readonly Move[], page: Page, lanes: number): Promise<Halt> {
  const { results } = page;
  let doubt: OpsError | undefined;
  let noRoom: ApiError | undefined;
  let fatal: unknown;
  let next = 0;
  const before = results.size;
  const removesRecords = run.protocol.room.includes('remove-records');
  let looks: Looks | undefined;
  let open = moves.length;
  /** The records are looked at while the last originals go. */
  const isEnding = () => {
    open -= 1;
    if (open > 0 || !removesRecords) return;
    looks = looksAhead(
      run.nats,
      moves.flatMap(({ records }) => records),
    );
  };
  const isOver = () => doubt !== undefined || noRoom !== undefined || fatal !== undefined || run.signal.aborted;
  const lane = async () => {
    while (next < moves.length && !isOver()) {
      const move = moves[next++]!;
      try {
        await run.pace?.(run.signal);
        // At a slow pace many wait here: what ended the page meanwhile ended it for them.
        if (isOver()) return;
        const moved = await moveOne(run, move, page, isEnding);
        if ('outcome' in moved) results.set(move.msgId, moved);
        else noRoom ??= moved;
      } catch (error) {
        if (isPassing(error)) doubt ??= error;
        else if (!isLost(run)) fatal ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const fresh = [...results.values()].slice(before);
  if (removesRecords) {
    try {
      await removeRecords(
        run.nats,
        fresh.filter(({ outcome }) => outcome === 'moved').flatMap(({ move }) => move.records),
        looks,
      );
    } catch (error) {
      // Nothing is in doubt: what is left of the records is removed with the others, or by the next run.
      if (isPassing(error)) doubt ??= error;
      else if (!isLost(run)) fatal ??= error;
    }
  }
  if (fatal) throw fatal;
  return { ...(doubt && { doubt }), ...(noRoom && { noRoom }) };
}

/** One message through the steps of the protocol, all but the last; or why there is no room for the first of them. */
async function moveOne(run: ReplayRun, move: Move, page: Page, isEnding: () => void): Promise<Moved | ApiError> {
  const { room, full } = run.protocol;
  const taken = new Set<Step>();
  // Without an original that goes there is nothing to journal it for.
  for (let steps: readonly Step[] = move.original ? room : PROTOCOL.room; ; steps = full) {
    try {
      return await takeSteps(run, move, page, steps, taken, isEnding);
    } catch (error) {
      const { original } = move;
      const isFullWay = steps === full;
      const after = afterFault(error, { original: original !== undefined, taken, isFullWay });
      if (after.goes === 'in-doubt') throw error;
      if (isFull(error) && !isFullWay) page.refused.add(move.msgId);
      if (after.goes === 'told') return { move, outcome: after.outcome, error: after.error };
      if (after.goes === 'no-room') return error as ApiError;
    }
  }
}

async function takeSteps(
  run: ReplayRun,
  move: Move,
  { intent, to }: Page,
  steps: readonly Step[],
  taken: Set<Step>,
  isEnding: () => void,
): Promise<Moved> {
  const { nats } = run;
  let copy: CopyStored | undefined;
  let journalled: Removable | undefined;
  let isLate = false;
  let look: Promise<Look> | undefined;
  let index = 0;
  for (const step of steps) {
    index += 1;
    // What the next step removes is looked at while this one is under way.
    const then = steps[index];
    const next = then === 'remove-original' ? move.original : then === 'forget-journal' ? journalled : undefined;
    const ahead = next && lookAhead(nats, next);
    if (then === 'remove-records') isEnding();
    switch (step) {
      case 'publish':
        copy = await publishCopy(nats, to, move);
        break;
      case 'remove-original':
        if (move.original) isLate = await isGone(nats, move.original, look);
        break;
      case 'journal':
        journalled = await writeJournal(nats, {
          ...move,
          original: move.original!,
          target: intent.target,
          ...(intent.run && { run: intent.run.id }),
        });
        break;
      case 'forget-journal':
        if (journalled) await forgetJournal(nats, [journalled], look);
        break;
      case 'remove-records':
        // With the others of the page.
        break;
    }
    look = ahead;
    taken.add(step);
  }
  return movedBy(move, copy, isLate);
}

/** Removes an original; true where it had gone by another hand. */
async function isGone(nats: Nats, original: Seen, look: Promise<Look> | undefined): Promise<boolean> {
  const removal = await removeMessage(nats, original, look);
  if (removal === 'anew') throw madeAnew(original.stream);
  return removal !== 'removed';
}

/** After a lost answer: waits for the connection, looks up what is in, and gives what is still to be moved. */
async function resolveDoubt(
  run: ReplayRun,
  page: Page,
  { open, doubt, began }: { readonly open: readonly Move[]; readonly doubt: OpsError; readonly began: number },
): Promise<Move[]> {
  run.tellWarning(`${doubt.message}: looking up what is done before going on`);
  for (;;) {
    if (run.signal.aborted || performance.now() - began > run.patienceMs) throw doubt;
    await sleep(RETRY_MS);
    try {
      page.to = await lookAtTarget(run);
      const settled = await settleIntent(run, (await readIntent(run.nats, run.queue)) ?? page.intent);
      for (const move of open) {
        const newSeq = settled.done.get(move.msgId);
        if (settled.journalled.has(move.msgId)) {
          page.results.set(move.msgId, { move, outcome: 'waiting', error: 'the message is safe in the journal' });
        } else if (settled.done.has(move.msgId)) {
          page.results.set(move.msgId, { move, outcome: 'moved', newSeq });
        }
      }
      return open.filter(({ msgId }) => !page.results.has(msgId));
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
}
