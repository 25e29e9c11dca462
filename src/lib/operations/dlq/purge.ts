import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveLine } from '../../dlq/archive.ts';
import { tellDlqHistory, withQueueLock } from '../../dlq/lock.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { forgetJournal, readJournal } from '../../ledger/journal.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { Nats } from '../../nats/connect.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { confirmRemovals, removeMessage } from '../../nats/removal.ts';
import { readArchive } from '../../replay/archive-file.ts';
import { checkQueue } from '../../replay/preflight.ts';
import { removeRecords } from '../../replay/records.ts';
import { exportToFile } from './export.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface PurgeOptions extends DlqChoice {
  /** Where the archive goes; a dated file in the working directory where left out. */
  readonly archive?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
}

export interface PurgeResult {
  /** Entries that went, each with its records. */
  readonly purged: number;
  /** Messages that went with them. */
  readonly originals: number;
  /** The file that `dlq import` reads; absent where nothing was purged. */
  readonly archive?: string;
  readonly dry_run?: true;
}

const PAGE = 1000;
const AT_ONCE = 256;

/**
 * Deletes dead letters, entry and message together, after writing all of them to an archive that is on disk by then.
 * What goes is what is in the archive, and nothing else.
 * @throws OpsError NOT_CONFIRMED, USAGE_FILE, LOCK_HELD, CONN_*, DENIED_*, INTERRUPTED
 */
export async function purgeDeadLetters(context: Context, options: PurgeOptions): Promise<PurgeResult> {
  const { io } = context;
  if (!options.yes && !options.dryRun && !io.interactive) throw notConfirmed('there is nobody here to ask');
  const name =
    options.archive ??
    `osapi-ops-purged-${context
      .now()
      .toISOString()
      .replace(/[-:]|\.\d+/g, '')}.ndjson`;
  const file = path.resolve(context.cwd, name);
  if (existsSync(file)) throw occupied(file);
  return withDlq(context, options, async ({ nats, queues }) => {
    const wanted = queues.filter(
      ({ queue }) => !options.filter.queues?.length || options.filter.queues.includes(queue),
    );
    return withLocks(context, nats, wanted, options, async (signal, held) => {
      const count = await exportToFile(context, options, file);
      if (count === 0 || options.dryRun) {
        await rm(file, { force: true });
        return options.dryRun ? { purged: count, originals: 0, dry_run: true } : { purged: 0, originals: 0 };
      }
      if (!options.yes) await agreeToPurge(context, count, file, nats);
      const checked = await Promise.all(wanted.map((ref) => checkQueue(held, ref)));
      const dlqsCreated = new Map(checked.flatMap((facts) => [...facts.dlqsCreated]));
      return removeArchived(context, held, wanted, { file, total: count, dlqsCreated, signal });
    });
  });
}

/** Takes the lock of each queue in turn, the same order for everybody. */
function withLocks<T>(
  context: Context,
  nats: Nats,
  queues: readonly QueueRef[],
  options: PurgeOptions,
  work: (signal: AbortSignal, nats: Nats) => Promise<T>,
  stop: AbortSignal = context.io.signal,
): Promise<T> {
  const [first, ...rest] = queues;
  if (!first) return work(stop, nats);
  return withQueueLock(context, nats, first, { verb: 'purge', lockWaitMs: options.lockWaitMs }, (signal, held) =>
    withLocks(context, held, rest, options, work, AbortSignal.any([stop, signal])),
  );
}

async function agreeToPurge({ io }: Context, count: number, file: string, nats: Nats): Promise<void> {
  const what = count === 1 ? 'a dead letter' : `${count} dead letters`;
  const text = `Delete ${what} with their messages from ${nats.target.url}? They are archived in ${file}.`;
  if (await io.ask({ type: 'confirm', text, fallback: false })) return;
  await rm(file, { force: true });
  throw notConfirmed('it was not confirmed');
}

/** What is archived, and so may go. */
interface Archived {
  readonly file: string;
  readonly total: number;
  /** When each DLQ stream was made, RFC 3339. */
  readonly dlqsCreated: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/** Deletes what the archive holds, reading it back: originals first, so that what is left in a DLQ still names them. */
async function removeArchived(
  context: Context,
  nats: Nats,
  queues: readonly QueueRef[],
  { file, total, dlqsCreated, signal }: Archived,
): Promise<PurgeResult> {
  const byQueue = new Map<string, number>();
  let purged = 0;
  let originals = 0;
  const flush = async (page: readonly ArchiveLine[]) => {
    const gone = await pipelined(page, AT_ONCE, (line) => removeOriginal(nats, line));
    await removeRecords(
      nats,
      page.flatMap(({ records }) =>
        records.map(({ stream, seq, time }) => ({ stream, created: dlqsCreated.get(stream) ?? '', seq, time })),
      ),
    );
    originals += gone.filter(Boolean).length;
    purged += page.length;
    for (const { entry } of page) byQueue.set(entry.queue, (byQueue.get(entry.queue) ?? 0) + 1);
    context.io.tell({ type: 'progress', title: 'Purging', done: purged, total });
  };
  try {
    let page: ArchiveLine[] = [];
    for await (const line of readArchive(file)) {
      signal.throwIfAborted();
      page.push(line);
      if (page.length < PAGE) continue;
      await flush(page);
      page = [];
    }
    await flush(page);
    await confirmRemovals(nats);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const { where, why, hints } = error;
    const text = `${error.message}: ${purged} of ${total} purged, all of them are archived in ${file}`;
    throw new OpsError(error.code, text, {
      ...(where !== undefined && { where }),
      why: why ?? 'What had begun was finished.',
      hints: [...hints, 'run it again for the rest'],
      result: { purged, originals, archive: file },
      cause: error,
    });
  } finally {
    for (const ref of queues) {
      const count = byQueue.get(ref.queue) ?? 0;
      if (count === 0) continue;
      const summary = `${count} purged, archived in ${file}`;
      await tellDlqHistory(context, nats, ref, { verb: 'purge', summary, detail: { archive: file } });
    }
  }
  return { purged, originals, archive: file };
}

/** Deletes the very message that was archived, not another that came to its sequence since. */
async function removeOriginal(nats: Nats, line: ArchiveLine): Promise<boolean> {
  const { original, original_in: place, records, stream_created: created } = line;
  if (!original) return false;
  if (place !== 'stream') {
    const isJournalled = records.every(({ kind }) => kind === 'advisory');
    const journal = isJournalled ? await readJournal(nats, original.stream) : [];
    const entry = journal.find((one) => one.original.seq === original.seq && one.original.time === original.time);
    if (entry) await forgetJournal(nats, entry.stored);
    return entry !== undefined;
  }
  const { stream, seq, time } = original;
  return (await removeMessage(nats, { stream, created, seq, time })) === 'removed';
}

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
