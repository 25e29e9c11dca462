import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveLine } from '../../dlq/archive.ts';
import { isUntold } from '../../dlq/doubt.ts';
import { isJournalPlace } from '../../dlq/entry.ts';
import { filterWords } from '../../dlq/filter-words.ts';
import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { SeqSets } from '../../dlq/seq-set.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { forgetJournal, type JournalEntry, readJournal } from '../../ledger/journal.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, QueueRef } from '../../model/entry.ts';
import type { PurgeResult } from '../../model/replay.ts';
import { shellLine } from '../../model/shell.ts';
import { isNoRoom } from '../../nats/api-error.ts';
import type { Nats } from '../../nats/connect.ts';
import { inParts, pipelined } from '../../nats/pipeline.ts';
import { confirmRemovals, removeMessage } from '../../nats/removal.ts';
import { readArchive } from '../../replay/archive-file.ts';
import { GroupTable } from '../../replay/groups.ts';
import { checkRest } from '../../replay/preflight.ts';
import { removeRecords } from '../../replay/records.ts';
import { printArchive, writeArchive } from './export.ts';
import { lookForLasting } from './lasting.ts';
import { tellNone } from './none.ts';
import { type Kept, lookForOthers, type Others, skippedOf, tellKept } from './others.ts';
import { type DlqChoice, type DlqScope, withDlq } from './scope.ts';

export interface PurgeOptions extends DlqChoice {
  /** Where the archive goes; a dated file in the working directory where left out. */
  readonly archive?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
  /** In a dry run: each that would go. */
  onChosen?(entry: Entry): void;
}

const PAGE = 1000;
const AT_ONCE = 256;

/**
 * Deletes dead letters, entry and message together, after writing all of them to an archive that is on disk by then.
 * What goes is what is in the archive, and nothing else.
 * @throws OpsError NOT_CONFIRMED, DLQ_NOT_TAKEN, DLQ_UNFINISHED where some had to stay, USAGE_FILE, LOCK_HELD, CONN_*,
 *   DENIED_*, INTERRUPTED
 */
export async function purgeDeadLetters(context: Context, options: PurgeOptions): Promise<PurgeResult> {
  if (!options.yes && !options.dryRun && !context.io.interactive) throw notConfirmed('there is nobody here to ask');
  const name =
    options.archive ??
    `osapi-ops-purged-${context
      .now()
      .toISOString()
      .replace(/[-:]|\.\d+/g, '')}.ndjson`;
  const file = path.resolve(context.cwd, name);
  if (existsSync(file)) throw occupied(file);
  return withDlq(context, { ...options, acts: true }, async (scope) => {
    const result = await purgeChosen(context, scope, file, options);
    const { purged, skipped = 0 } = result;
    if (purged + skipped === 0) await tellNone(context, scope);
    if (skipped > 0 && !options.dryRun) throw unfinished(result);
    return result;
  });
}

async function purgeChosen(
  context: Context,
  scope: DlqScope,
  file: string,
  options: PurgeOptions,
): Promise<PurgeResult> {
  const { nats, queues } = scope;
  const none: PurgeResult = { purged: 0, originals: 0 };
  if (options.dryRun) {
    const { lasting, others } = await lookAround(context, scope);
    const table = new GroupTable();
    const { purged, originals, kept } = await printPurgeable(context, scope, others, (line, entry) => {
      table.add(entry);
      options.onChosen?.(entry);
      return lasting.see(line, entry);
    });
    lasting.tell();
    tellKept(context, kept);
    return { purged, originals, ...skippedOf(kept), dry_run: true, groups: table.groups() };
  }
  const agreed = options.yes ? undefined : await agreeToPurge(context, scope, file);
  if (agreed?.shown.size === 0) return { ...none, ...skippedOf(agreed.kept) };
  const wanted = queues.filter(({ queue }) => !options.filter.queues?.length || options.filter.queues.includes(queue));
  const names = wanted.map(({ queue }) => queue);
  const work = { verb: 'purge', lockWaitMs: options.lockWaitMs } as const;
  const byQueue = new Map<string, number>();
  return withHistory(
    context,
    nats,
    'purge',
    () =>
      lockedIfRoom(context, nats, names, work, async (signal, held) => {
        // How they stood before the lock was had says nothing of now.
        const fresh = queues.map(({ seen: _, ...ref }) => ref);
        const { total, kept } = await archive(context, { ...scope, nats: held, queues: fresh }, file, agreed?.shown);
        if (total === 0) return { ...none, ...skippedOf(kept) };
        const removed = await removeArchived({ context, nats: held, file, total, wanted, signal, byQueue });
        return { ...removed, ...skippedOf(kept) };
      }),
    () =>
      wanted.flatMap((ref) => {
        const count = byQueue.get(ref.queue) ?? 0;
        const summary = `${count} purged, archived in ${file}`;
        return count > 0 ? [{ ref, summary, detail: { archive: file } }] : [];
      }),
  );
}

/**
 * Purging is what makes room, so it must not fail for want of room for its own lock. It goes on without: it removes only
 * what it archived, by what each message is, so that whoever replays the same meanwhile loses and doubles nothing.
 */
async function lockedIfRoom<T>(
  ...[context, nats, queues, how, work]: Parameters<typeof withQueueLocks<T>>
): Promise<T> {
  let isHeld = false;
  try {
    return await withQueueLocks(context, nats, queues, how, (signal, held) => {
      isHeld = true;
      return work(signal, held);
    });
  } catch (error) {
    if (isHeld || !isNoRoom(error)) throw error;
    const text = `the lock finds no room (${error.description}): purging without it, which makes some`;
    context.io.tell({ type: 'warning', text });
    return work(context.io.signal, nats);
  }
}

/** So many characters of a condition are in a question: ids may be many. */
const WIDEST = 200;

/** A line stands for all that there is of a dead letter: where that changes, its digest does. */
const shortDigest = (line: string): string => createHash('sha256').update(line).digest('base64').slice(0, 16);

/**
 * Asks a person, without holding anybody up: what they agree to, by the digests of its lines.
 * @throws OpsError NOT_CONFIRMED, DLQ_NOT_TAKEN
 */
async function agreeToPurge(
  context: Context,
  scope: DlqScope,
  file: string,
): Promise<{ readonly shown: ReadonlySet<string>; readonly kept: Kept }> {
  const shown = new Set<string>();
  const names = new Set<string>();
  const { lasting, others } = await lookAround(context, scope);
  const { kept } = await printPurgeable(context, scope, others, (line, entry) => {
    shown.add(shortDigest(line));
    names.add(entry.queue);
    return lasting.see(line, entry);
  });
  tellKept(context, kept);
  if (shown.size === 0) return { shown, kept };
  lasting.tell();
  const what = shown.size === 1 ? 'a dead letter' : `${shown.size} dead letters`;
  const chosen = shellLine(filterWords(scope.filter));
  const by = chosen === '' ? '' : ` (${chosen.length > WIDEST ? `${chosen.slice(0, WIDEST)}…` : chosen})`;
  const text = `Delete ${what} of ${[...names].join(', ')}${by} with their messages from ${scope.nats.target.url}? They are archived in ${file} first.`;
  if (await context.io.ask({ type: 'confirm', text, fallback: false })) return { shown, kept };
  throw notConfirmed('it was not confirmed');
}

/** Archives what is there now; where a person agreed, only what they were shown and nobody changed since. */
async function archive(
  context: Context,
  scope: DlqScope,
  file: string,
  agreed: ReadonlySet<string> | undefined,
): Promise<{ readonly total: number; readonly kept: Kept }> {
  let count = 0;
  const { lasting, others } = await lookAround(context, scope);
  const { kept } = await writeArchive(context, file, (onLine) =>
    printPurgeable(context, scope, others, (line, entry) => {
      if (agreed && !agreed.has(shortDigest(line))) return undefined;
      count += 1;
      lasting.see(line, entry);
      return onLine(line, entry);
    }),
  );
  try {
    if (agreed) lasting.refuse();
    else lasting.tell();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  if (!agreed) tellKept(context, kept);
  const moved = agreed ? agreed.size - count : 0;
  if (moved > 0) {
    const text = `${moved} of ${agreed!.size} were replayed, purged or changed while you were asked: they are left alone`;
    context.io.tell({ type: 'note', text });
  }
  if (count === 0) await rm(file, { force: true });
  return { total: count, kept };
}

/** What is to be known before the first is read. */
async function lookAround(context: Context, scope: DlqScope) {
  const [lasting, others] = await Promise.all([lookForLasting(context, scope), lookForOthers(context, scope)]);
  return { lasting, others };
}

/** Prints those that are dead letters and whose message is nobody else's, with how many messages there are of them. */
async function printPurgeable(
  context: Context,
  scope: DlqScope,
  others: Others,
  onLine: Parameters<typeof printArchive>[2],
): Promise<{ readonly purged: number; readonly originals: number; readonly kept: Kept }> {
  const kept: Kept = { entries: 0, untaken: 0, needed: new Map(), givenUp: new Map() };
  const count = (counts: Map<string, number>, names: readonly string[]) => {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const originals = new SeqSets();
  let [purged, messages] = [0, 0];
  await printArchive(context, scope, (line, entry) => {
    const { needing, left } = others(entry);
    const isDoubted = isUntold(entry, scope.filter);
    if (isDoubted || needing.length + left.length > 0) {
      kept.entries += 1;
      kept.untaken += isDoubted ? 1 : 0;
      count(kept.needed, needing);
      count(kept.givenUp, left);
      return undefined;
    }
    purged += 1;
    const { original, journalled } = entry.inner;
    // One message may be dead at several consumers.
    if (original ? originals.of(entry.queue).add(original.seq) : journalled) messages += 1;
    return onLine(line, entry);
  });
  return { purged, originals: messages, kept };
}

interface PurgeRun {
  readonly context: Context;
  readonly nats: Nats;
  readonly file: string;
  readonly total: number;
  /** The queues whose dead letters these are. */
  readonly wanted: readonly QueueRef[];
  readonly signal: AbortSignal;
  /** How many went, by queue. */
  readonly byQueue: Map<string, number>;
}

/** Deletes what the archive holds, reading it back: originals first, so that what is left in a DLQ still names them. */
async function removeArchived(run: PurgeRun): Promise<PurgeResult> {
  const { context, nats, file, total, wanted, signal, byQueue } = run;
  let purged = 0;
  let originals = 0;
  /** Of those whose records are gone too. */
  let whole = 0;
  const dlqsCreated = new Map<string, string>();
  const journals = journalsOf(nats);
  const flush = async (page: readonly ArchiveLine[]) => {
    await pipelined(page, AT_ONCE, async (line) => {
      if (await removeOriginal(nats, line, journals)) originals += 1;
    });
    await removeRecords(
      nats,
      page.flatMap(({ records }) =>
        records.map(({ stream, seq, time }) => ({ stream, created: dlqsCreated.get(stream) ?? '', seq, time })),
      ),
    );
    whole = originals;
    purged += page.length;
    for (const { entry } of page) byQueue.set(entry.queue, (byQueue.get(entry.queue) ?? 0) + 1);
    context.io.tell({ type: 'progress', title: 'Purging', done: purged, total });
  };
  try {
    const checked = await Promise.all(wanted.map((ref) => checkRest(nats, ref)));
    for (const facts of checked) for (const [stream, created] of facts.dlqsCreated) dlqsCreated.set(stream, created);
    for await (const page of inParts(readArchive({ path: file, name: file }), PAGE)) {
      signal.throwIfAborted();
      await flush(page);
    }
    await confirmRemovals(nats);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const left = total - purged;
    const half = originals > whole ? `, and the messages of ${originals - whole} more whose records are left` : '';
    throw error.with({
      message: `${error.message}: ${purged} of ${total} purged${half}; the archive ${file} holds all ${total}, ${left} of them not purged`,
      why: error.why ?? 'What had begun was finished.',
      hints: [...error.hints, 'run it again for the rest; an import of the archive skips what is still there'],
      result: { purged, originals, archive: file, not_purged: left },
    });
  }
  return { purged, originals, archive: file };
}

type Journals = (queue: string) => Promise<ReadonlyMap<string, JournalEntry>>;

const keyOf = ({ seq, time }: { readonly seq: number; readonly time: string }): string => `${seq} ${time}`;

/** What lies in the journal of a queue, by its original: read once, however many of it go. */
function journalsOf(nats: Nats): Journals {
  const read = async (queue: string) =>
    new Map((await readJournal(nats, queue)).map((one) => [keyOf(one.original), one] as const));
  const journals = new Map<string, ReturnType<typeof read>>();
  return (queue) => {
    const journal = journals.get(queue) ?? read(queue);
    journals.set(queue, journal);
    return journal;
  };
}

/** Deletes the very message that was archived, not another that came to its sequence since. */
async function removeOriginal(nats: Nats, line: ArchiveLine, journals: Journals): Promise<boolean> {
  const { entry: of, original, original_in: place, records, stream_created: created } = line;
  if (!original) return false;
  if (place !== 'stream') {
    const isJournalled = isJournalPlace(of.id) || records.every(({ kind }) => kind === 'advisory');
    const entry = isJournalled ? (await journals(original.stream)).get(keyOf(original)) : undefined;
    if (entry) await forgetJournal(nats, entry.stored);
    return entry !== undefined;
  }
  const { stream, seq, time } = original;
  return (await removeMessage(nats, { stream, created, seq, time })) === 'removed';
}

const unfinished = (result: PurgeResult): OpsError =>
  new OpsError('DLQ_UNFINISHED', `${result.purged} purged; ${result.skipped} left alone`, {
    why: 'Their messages may be live: to other consumers, or because nothing but a record says that they died. What was said above tells which.',
    hints: [
      'run it again when these consumers are done with them',
      'choose the dead letters of all their consumers, to purge them together',
      'name those that their consumers do not take by their ids: `osapi-ops dlq ls --ndjson`, then `osapi-ops dlq purge --ids FILE`',
    ],
    result,
  });

const notConfirmed = (why: string): OpsError =>
  new OpsError('NOT_CONFIRMED', `nothing was purged: ${why}`, {
    where: 'osapi-ops dlq purge',
    why: 'A purge deletes dead letters and their messages.',
    hints: ['if that is what you want, say so with --yes', 'see what would go with --dry-run'],
  });

const occupied = (file: string): OpsError =>
  new OpsError('USAGE_FILE', `the archive ${file} exists already`, {
    where: file,
    why: 'It may hold dead letters of another purge, and is not written over.',
    hints: ['name another file with --archive'],
  });
