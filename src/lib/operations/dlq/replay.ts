import path from 'node:path';
import { notGone } from '../../dlq/filter.ts';
import { filterWords } from '../../dlq/filter-words.ts';
import { type DlqWork, withHistory, withQueueLocksAhead } from '../../dlq/lock.ts';
import type { SeenQueue } from '../../dlq/standing.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { identifyActor } from '../../ledger/actor.ts';
import { keepRun, type RunLog } from '../../ledger/replays.ts';
import { callWords } from '../../model/call.ts';
import type { Context } from '../../model/context.ts';
import { type Entry, MOST_REPLAYS, type QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import { fateWords, isBadReplay, type ReplayFate, type ReplayResult } from '../../model/replay.ts';
import { shellLine, withArguments } from '../../model/shell.ts';
import { isNoRoom } from '../../nats/api-error.ts';
import type { Nats } from '../../nats/connect.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { type EditRecord, requireEditor } from '../../replay/edit.ts';
import type { QueueJob, ReplayWishes } from '../../replay/job.ts';
import { findOvertold, type Overtold, overtoldWords } from '../../replay/overtold.ts';
import { timeLeft } from '../../replay/pace.ts';
import { replayQueue } from '../../replay/queue.ts';
import { tellReasons } from '../../replay/refusal.ts';
import { skipNotes } from '../../replay/select.ts';
import { Tally } from '../../replay/tally.ts';
import { loadTransform, type Transform } from '../../replay/transform.ts';
import { roomForLock } from '../../replay/want.ts';
import { transformOf, type WrittenEdit } from '../../replay/written-edit.ts';
import { type Chosen, canCountMeanwhile, countChosen, type Taken, take } from './chosen.ts';
import { editAll, versionOf } from './edits.ts';
import { strangers } from './ls.ts';
import { tellNone } from './none.ts';
import { previewReplay } from './preview.ts';
import { tellReading } from './reading.ts';
import { judgeRedelivery } from './redelivery.ts';
import { type DlqChoice, type DlqScope, withDlq } from './scope.ts';
import { targetOf } from './target.ts';

export interface ReplayOptions extends DlqChoice {
  readonly wishes: Omit<ReplayWishes, 'edit' | 'transform'>;
  readonly dryRun: boolean;
  readonly edit: boolean;
  /** A module that makes another message of each. */
  readonly transform?: string | undefined;
  /** What to make of each instead, written down. */
  readonly written?: WrittenEdit | undefined;
  readonly lockWaitMs: number;
  /** Holds on to an outcome for each entry. */
  readonly keepEntries: boolean;
  /** The words of the line that does the same, where the ids that were looked at are too many for one. */
  readonly words?: readonly string[];
  /** In a dry run: each that would move. */
  onChosen?(entry: Entry): void;
  /** Hears its id among the replays of the server, once it has something to move. */
  onRun?(id: string): void;
}

/**
 * Moves dead letters back into their queues.
 * @throws OpsError DLQ_UNFINISHED, DLQ_DIED_AGAIN, DLQ_CANNOT_REMOVE, LOCK_HELD, INTERRUPTED (each with the result so
 *   far), NO_ROOM, DLQ_NOT_TAKEN, USAGE, NOT_FOUND, CONN_*, DENIED_*
 */
export async function replayDeadLetters(context: Context, options: ReplayOptions): Promise<ReplayResult> {
  if (options.edit) requireEditor(context.env);
  const { transform: file } = options;
  if (file === undefined) return replayChosen(context, options, options.written && transformOf(options.written));
  const transform = await loadTransform(path.resolve(context.cwd, file), context.io.signal);
  try {
    return await replayChosen(context, options, transform);
  } finally {
    await transform.end();
  }
}

async function replayChosen(
  context: Context,
  options: ReplayOptions,
  transform: Transform | undefined,
): Promise<ReplayResult> {
  const { wishes } = options;
  return withDlq(context, { ...options, acts: true }, async (found) => {
    const scope = { ...found, queues: queuesToReplay(context, found) };
    const { nats, queues, filter } = scope;
    const wanted = notGone(filter);
    const target = wishes.to === undefined ? undefined : await targetOf(nats, wishes.to, queues);
    const isJudged = await judgeRedelivery(context, scope, wanted, options);
    if (options.dryRun) {
      if (options.edit) context.io.tell({ type: 'note', text: EDITOR_LATER });
      const preview = await previewReplay(context, nats, queues, wanted, { ...options, transform }, target);
      if (isOfNone(preview)) await tellNone(context, scope);
      return preview;
    }
    const tally = new Tally(options.keepEntries);
    const taken: Taken | undefined = !transform && canCountMeanwhile(queues) ? new Map() : undefined;
    const counting = countChosen(context, nats, queues, wanted, wishes, transform, taken);
    // Who waits for it hears of its fault.
    counting.catch(() => {});
    const all = queues.map(({ queue }) => queue);
    let chosenOf: readonly string[] = all;
    void counting.then(
      ({ total, byQueue }) => {
        if (total > 0) chosenOf = all.filter((queue) => byQueue.has(queue));
      },
      () => {},
    );
    // A module may fail at any of them: nothing moves before it was asked for all.
    if (transform) {
      const { total, changed } = await counting;
      if (changed === 0 && total > 0)
        context.io.tell({
          type: 'warning',
          text: `the transform changes nothing: 0 of ${total} are another than before`,
        });
    }
    const stop = new AbortController();
    // Stopped from elsewhere it ends as by Ctrl-C.
    const io = { ...context.io, signal: AbortSignal.any([context.io.signal, stop.signal]) };
    const here = { ...context, io };
    const log = keepRun({
      actor: identifyActor(context.env),
      at: context.now(),
      canary: wishes.canary,
      queues: () => chosenOf,
      line: replayLine(context, options, filter),
      figures: () => tally.figures(),
      onStop: (by) => stop.abort(new OpsError('INTERRUPTED', `stopped by ${by}`)),
    });
    return withLog(nats, log, wishes.canary, async () => {
      for (const ref of queues) {
        if (wanted.limit !== undefined && tally.replayed + tally.failed + tally.skipped >= wanted.limit) break;
        await replayOne(
          here,
          nats,
          ref,
          { ...options, filter: wanted, transform, counting, taken, log, isJudged },
          tally,
          target,
        );
      }
      // It may still be under way; of how many it was is all that is lost where it fails.
      if (taken) await counting.catch(() => {});
      if (isOfNone(tally)) await tellNone(context, scope);
      return finish(here, tally);
    });
  });
}

/** Without those whose stream is gone, but for what was asked for by name: nothing of theirs can go back. */
function queuesToReplay({ io }: Context, { queues, filter, named }: DlqScope): DlqScope['queues'] {
  const isAsked = ({ queue }: SeenQueue) =>
    filter.queues?.includes(queue) || named.some((entry) => entry.queue === queue && entry.state !== 'gone');
  const there = queues.filter((ref) => !ref.isGone || isAsked(ref));
  const gone = queues.filter((ref) => !there.includes(ref)).map(({ queue }) => queue);
  if (gone.length > 0 && !filter.ids)
    io.tell({ type: 'note', text: `left out, as there is no such stream any more: ${gone.join(', ')}` });
  return there;
}

/** The record of a run, however it ends; where its turn was lost nothing more is written. */
async function withLog(
  nats: Nats,
  log: RunLog,
  canary: number | undefined,
  work: () => Promise<ReplayResult>,
): Promise<ReplayResult> {
  try {
    const result = await work();
    const { replayed, fates } = result;
    const isBad = isBadReplay(result, canary);
    const why = isBad && fates ? `of ${replayed} replayed ${fateWords(fates).join(', ')}` : undefined;
    nats.leave(log.end(nats, isBad ? 'failed' : 'done', why));
    return result;
  } catch (error) {
    const { code, message } = error as OpsError;
    if (code === 'LOCK_HELD') log.drop();
    else nats.leave(log.end(nats, code === 'INTERRUPTED' ? 'interrupted' : 'failed', message));
    throw error;
  }
}

/** The line that does the same, and so goes on with what is left. */
function replayLine(
  context: Context,
  { wishes, transform, edit, file, ids, idsFrom, words }: ReplayOptions,
  filter: EntryFilter,
): string {
  if (words) return shellLine(words);
  const isFromFile = idsFrom !== undefined && idsFrom !== '-' && !ids?.length;
  const { ids: patterns, ...rest } = filter;
  const option = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [name, String(value)];
  const named = isFromFile ? [] : (patterns ?? []).map(({ text }) => text);
  const flags = [
    ...filterWords(rest),
    ...(isFromFile && patterns ? ['--ids', idsFrom] : []),
    ...option('--limit', filter.limit),
    ...option('--rate', wishes.rate === undefined ? undefined : `${wishes.rate}/s`),
    ...option('--max-in-flight', wishes.maxInFlight),
    ...option('--max-pending', wishes.maxPending),
    ...option('--max-replays', wishes.maxReplays === MOST_REPLAYS ? undefined : wishes.maxReplays),
    ...option('--canary', wishes.canary),
    ...option('--to', wishes.to),
    ...option('--transform', transform),
    ...(wishes.allowRedelivery ? ['--allow-redelivery'] : []),
    ...(wishes.wait ? ['--wait'] : []),
    ...(edit ? ['--edit'] : []),
  ];
  return shellLine(withArguments(callWords(context.connection, file, 'dlq', 'replay'), named, flags));
}

const isOfNone = ({ replayed, skipped, failed, remaining }: Omit<ReplayResult, 'entries'>): boolean =>
  replayed + skipped + failed + remaining === 0;

type Fates = Readonly<Record<ReplayFate, number>>;

interface Run extends Omit<ReplayOptions, 'transform'> {
  readonly transform: Transform | undefined;
  readonly counting: Promise<Chosen>;
  /** Where they are counted while the first of them move. */
  readonly taken: Taken | undefined;
  readonly log: RunLog;
  readonly isJudged: QueueJob['isJudged'];
}

async function replayOne(
  context: Context,
  nats: Nats,
  ref: QueueRef,
  options: Run,
  tally: Tally,
  target: StreamInfo | undefined,
): Promise<void> {
  const { io } = context;
  const { wishes, filter, transform, counting, taken, log, isJudged } = options;
  const before = { ...tally, fates: { ...tally.fates } };
  const edits: EditRecord[] = [];
  const strange = strangers(context);
  let total = 0;
  const moving = tellMoving(context, ref.queue);
  const left =
    filter.limit === undefined ? {} : { limit: filter.limit - tally.replayed - tally.failed - tally.skipped };
  const edited = options.edit ? await editAll(context, nats, ref, { ...filter, ...left }, wishes, edits) : undefined;
  const work: DlqWork = {
    verb: 'replay',
    lockWaitMs: options.lockWaitMs,
    makeRoom: roomForLock(nats, ref, { ...filter, ...left }, context.now().getTime()),
  };
  const replaying = () =>
    withQueueLocksAhead(context, nats, [ref.queue], work, async (signal, held, whole) => {
      let overtold: Overtold | undefined;
      const counted = counting.then((chosen) => {
        tally.chosen = chosen.total;
        total = chosen.byQueue.get(ref.queue) ?? 0;
        return chosen;
      });
      counted.catch(() => {});
      let isBegun = false;
      const beginLog = () => {
        if (isBegun) return;
        isBegun = true;
        log.begin(held);
        options.onRun?.(log.id);
      };
      const begin = async () => {
        if (taken) return;
        const chosen = await counted;
        if (chosen.total > 0) beginLog();
        if (chosen.doubtful.has(ref.queue)) overtold = await findOvertold(held, ref, context.now().getTime());
        if (overtold) io.tell({ type: 'warning', text: overtoldWords(ref.queue, overtold) });
      };
      await replayQueue({
        whole,
        begin,
        runId: log.id,
        onFinished: beginLog,
        nats: held,
        ref,
        filter: { ...filter, ...left },
        wishes: {
          ...wishes,
          ...(edited && { edit: async (entry: Entry) => edited.get(versionOf(entry)) }),
          ...(transform && { transform: transform.file, edit: (entry: Entry) => transform.apply(entry, signal) }),
        },
        tally,
        signal,
        ...(target !== undefined && { target }),
        now: context.now().getTime(),
        onUnreadable: strange.add,
        isDoubtful: (entry) => overtold?.isDoubtful(entry) === true,
        ...(isJudged && { isJudged }),
        ...(taken && {
          onTaken({ queue, id }: Entry) {
            take(taken, queue, id);
            beginLog();
          },
        }),
        onRead: moving.read,
        onProgress: (count) => moving.moved(count, total),
        tellNote: (text) => io.tell({ type: 'note', text }),
        tellWarning: (text) => io.tell({ type: 'warning', text }),
      });
    });
  const told = (isCut: boolean) => {
    // Cut short, what it never came to remains as well.
    const whole = isCut || io.signal.aborted ? total : 0;
    const result = resultSince(tally, before, whole);
    if (result === undefined) return [];
    const { summary, fates } = result;
    const detail = {
      filter: filterDetail(filter),
      to: wishes.to,
      ...(fates && { fates }),
      ...(edits.length > 0 && { edits }),
      ...(transform && { transform: { file: transform.file, digest: transform.digest } }),
    };
    return [{ ref, summary, detail }];
  };
  try {
    await withHistory(context, nats, 'replay', replaying, told);
  } catch (error) {
    throw error instanceof OpsError ? withResult(error, tally) : error;
  } finally {
    strange.tell();
  }
}

/** Tells how many were read until the first one went, and from there on how many went, how quickly, and how long still. */
function tellMoving(context: Context, queue: string) {
  const read = tellReading(context, 'Reading');
  /** When the first went: how long all were read before says nothing of how long the rest takes. */
  let first: { readonly at: number; readonly count: number } | undefined;
  let done = 0;
  return {
    read: (count: number, all: number) => done === 0 && read(count, all),
    moved(count: number, total: number) {
      done += count;
      first ??= { at: performance.now(), count };
      const elapsed = performance.now() - first.at;
      const since = done - first.count;
      const rate = elapsed < 1000 ? '' : ` (${Math.round((since * 1000) / elapsed)}/s`;
      const rest = timeLeft(since, total - first.count, elapsed);
      const title = `Replaying ${queue}${rate && `${rate}${rest && `, ${rest}`})`}`;
      context.io.tell({ type: 'progress', title, done, ...(total > 0 && { total: Math.max(total, done) }) });
    },
  };
}

type Figures = Pick<Tally, 'replayed' | 'skipped' | 'failed' | 'remaining' | 'fates'>;

/** What was done since `before` was counted, of so many at least; `undefined` where that is nothing. */
function resultSince(now: Figures, before: Figures, whole: number): { summary: string; fates?: Fates } | undefined {
  const since = (of: 'replayed' | 'skipped' | 'failed' | 'remaining') => now[of] - before[of];
  const [replayed, failed] = [since('replayed'), since('failed')];
  const remaining = Math.max(since('remaining'), whole - replayed - failed);
  if (replayed + failed + remaining === 0) return undefined;
  const fates = {
    answered: now.fates.answered - before.fates.answered,
    acked: now.fates.acked - before.fates.acked,
    died: now.fates.died - before.fates.died,
    unknown: now.fates.unknown - before.fates.unknown,
  };
  const became = fateWords(fates).join(', ');
  const summary = `${replayed} replayed${became && ` (${became})`}, ${since('skipped')} skipped, ${failed} failed, ${remaining} remaining`;
  return { summary, ...(became && { fates }) };
}

const filterDetail = ({ ids, where, ...filter }: EntryFilter): unknown => ({
  ...filter,
  ...(where && { where: where.map(({ text }) => text) }),
  ...(ids && { ids: ids.map(({ text }) => text) }),
});

/** Out of a store in which not even the records and notes that may go make room for one copy. */
const AWAY =
  'take some out, and put them back when there is room: `osapi-ops dlq purge --limit 10 --archive FILE`, then `dlq replay`, then `dlq import FILE`';

/** The same error with what was done so far. */
function withResult(error: OpsError, tally: Tally): OpsError {
  const result = tally.cut();
  const { replayed, remaining } = result;
  const rest = remaining > 0 ? `, ${tally.chosen === undefined ? 'at least ' : ''}${remaining} remain` : '';
  const begun = tally.replayed + tally.remaining > 0;
  const isCut = error.code === 'INTERRUPTED' || (error.code === 'LOCK_HELD' && begun);
  // A module that failed when it was asked again, or something that came of it.
  const isBegun = isCut || begun || error.code === 'USAGE_FILE';
  return error.with({
    message: isBegun ? `${error.message}: ${replayed} replayed${rest}` : error.message,
    why: error.why ?? (isCut ? 'What had begun was finished; nothing is half-way.' : undefined),
    hints: isCut ? ['run it again: it goes on with the rest'] : [...(isNoRoom(error) ? [AWAY] : []), ...error.hints],
    result,
  });
}

function finish(context: Context, tally: Tally): ReplayResult {
  const { io } = context;
  for (const text of skipNotes(tally.skips)) io.tell({ type: 'note', text });
  if (tally.before > 0) io.tell({ type: 'note', text: leftSince(tally.before) });
  const { signal } = io;
  if (signal.aborted) throw withResult(signal.reason as OpsError, tally);
  tally.settle();
  const result = tally.result();
  const { failed, remaining } = result;
  if (failed + remaining === 0) return result;
  const parts = [failed > 0 ? `${failed} could not be replayed` : '', remaining > 0 ? `${remaining} remain` : ''];
  throw new OpsError('DLQ_UNFINISHED', `${tally.replayed} replayed; ${parts.filter(Boolean).join(', ')}`, {
    why: tellReasons(Object.entries(tally.errors)),
    hints: ['nothing is lost: mend the reason and run it again'],
    result,
  });
}

const leftSince = (count: number): string =>
  `${count} had been published by an earlier run and left the queue since: worked on, or removed; they are not published again`;

const EDITOR_LATER = '--edit: a dry run opens no editor; they are shown as they would move unedited';
