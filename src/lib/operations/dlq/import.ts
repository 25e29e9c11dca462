import path from 'node:path';
import { type ArchiveLine, restored } from '../../dlq/archive.ts';
import { matches } from '../../dlq/filter.ts';
import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, EntryState, QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { publish } from '../../nats/message-writes.ts';
import { getMessage } from '../../nats/messages.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { readArchive } from '../../replay/archive-file.ts';
import { carryOriginal, type ImportMessage, restoreRecord } from '../../replay/imported.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface ImportOptions extends DlqChoice {
  /** The archive; `-` is standard input. */
  readonly archive: string;
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
}

export interface ImportOutcome {
  readonly id: string;
  readonly outcome: 'imported' | 'skipped';
  readonly error?: string;
}

export interface ImportResult {
  readonly imported: number;
  /** There already, or nothing was archived of them. */
  readonly skipped: number;
  readonly dry_run?: true;
  readonly entries: readonly ImportOutcome[];
}

const AT_ONCE = 64;
const PAGE = 500;

/**
 * Brings archived dead letters back: records as they were, and messages as dead letters that carry them, to be replayed
 * when somebody wants it. What is there already is left alone, so that importing twice changes nothing.
 * @throws OpsError USAGE_FILE, NOT_FOUND, LOCK_HELD, CONN_*, DENIED_*, INTERRUPTED
 */
export async function importDeadLetters(context: Context, options: ImportOptions): Promise<ImportResult> {
  const file = options.archive === '-' ? '-' : path.resolve(context.cwd, options.archive);
  // The whole archive is checked before anything is written: half of a damaged one is no restoration.
  const named = file === '-' ? undefined : await checkArchive(file);
  return withDlq(context, options, async ({ nats, queues, filter }) => {
    const refs = new Map(queues.map((ref) => [ref.queue, ref]));
    for (const queue of named ?? []) if (!refs.has(queue) && !filter.queues?.length) throw noQueue(queue, file);
    const run: ImportRun = {
      context,
      nats,
      refs,
      filter,
      dryRun: options.dryRun,
      there: new Map(),
      entries: [],
      counts: new Map(),
    };
    const wanted = queues.filter(({ queue }) => named === undefined || named.has(queue));
    const names = wanted.map(({ queue }) => queue);
    const work = { verb: 'import', lockWaitMs: options.lockWaitMs } as const;
    if (options.dryRun) await importAll(run, file, context.io.signal);
    else {
      await withHistory(
        context,
        nats,
        'import',
        () =>
          withQueueLocks(context, nats, names, work, (signal, held) => importAll({ ...run, nats: held }, file, signal)),
        () =>
          [...run.counts].flatMap(([queue, count]) => {
            const [summary, detail] = [`${count} imported`, { archive: options.archive }];
            return count > 0 ? [{ ref: refs.get(queue)!, summary, detail }] : [];
          }),
      ).catch((error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
        const result = importResult(run);
        throw error.with({ message: `${error.message}: ${result.imported} imported so far`, result });
      });
    }
    return { ...importResult(run), ...(options.dryRun && { dry_run: true }) };
  });
}

const importResult = ({ entries }: ImportRun): ImportResult => {
  const imported = entries.filter(({ outcome }) => outcome === 'imported').length;
  return { imported, skipped: entries.length - imported, entries };
};

interface ImportRun {
  readonly context: Context;
  readonly nats: Nats;
  readonly refs: ReadonlyMap<string, QueueRef>;
  readonly filter: EntryFilter;
  readonly dryRun: boolean;
  /** What is listed already, by id; read for each queue when its first line comes. */
  readonly there: Map<string, Promise<Map<string, EntryState>>>;
  readonly entries: ImportOutcome[];
  readonly counts: Map<string, number>;
}

async function checkArchive(file: string): Promise<Set<string>> {
  const queues = new Set<string>();
  for await (const { entry } of readArchive(file)) queues.add(entry.queue);
  return queues;
}

async function importAll(run: ImportRun, file: string, signal: AbortSignal): Promise<void> {
  const limit = run.filter.limit ?? Number.POSITIVE_INFINITY;
  let page: ArchiveLine[] = [];
  const flush = async () => {
    run.entries.push(...(await pipelined(page, AT_ONCE, (line) => importLine(run, line))));
    run.context.io.tell({ type: 'progress', title: 'Importing', done: run.entries.length });
    page = [];
  };
  let taken = 0;
  for await (const line of readArchive(file)) {
    signal.throwIfAborted();
    if (taken >= limit) break;
    if (!matches(run.filter, entryOf(line))) continue;
    taken += 1;
    page.push(line);
    if (page.length >= PAGE) await flush();
  }
  await flush();
}

/** A line as an entry, for the filters. */
const entryOf = ({ entry, original, stream_created: streamCreated }: ArchiveLine): Entry => ({
  ...entry,
  inner: { records: [], streamCreated, certain: true, ...(original && { message: restored(original) }) },
});

async function importLine(run: ImportRun, line: ArchiveLine): Promise<ImportOutcome> {
  const { entry, original, original_in: place } = line;
  const skipped = (error: string): ImportOutcome => ({ id: entry.id, outcome: 'skipped', error });
  const ref = run.refs.get(entry.queue);
  if (!ref) throw noQueue(entry.queue, 'the archive');
  const state = (await listedOf(run, ref)).get(entry.id);
  if (state === 'replayable' || state === 'orphan' || (state === 'gone' && !original))
    return skipped('it is there already');
  if (original && place === 'stream') {
    const stored = await getMessage(run.nats, original.stream, original.seq);
    if (stored?.time === original.time) return skipped('its message is in the queue');
  }
  const carried = carryOriginal(line);
  const records = state === 'gone' ? [] : line.records.map((record, index) => restoreRecord(line, record, index));
  const messages = [...records, ...(carried ? [carried] : [])];
  if (messages.length === 0) return skipped('nothing of it is in the archive');
  if (!run.dryRun) for (const message of messages) await store(run, ref, message);
  run.counts.set(ref.queue, (run.counts.get(ref.queue) ?? 0) + (run.dryRun ? 0 : 1));
  return { id: entry.id, outcome: 'imported' };
}

function listedOf(run: ImportRun, ref: QueueRef): Promise<Map<string, EntryState>> {
  let listed = run.there.get(ref.queue);
  if (!listed) {
    listed = (async () => {
      const states = new Map<string, EntryState>();
      const now = run.context.now().getTime();
      for await (const { id, state } of scanEntries(run.nats, [ref], {}, { now })) states.set(id, state);
      return states;
    })();
    run.there.set(ref.queue, listed);
  }
  return listed;
}

async function store({ nats }: ImportRun, ref: QueueRef, message: ImportMessage): Promise<void> {
  const isNowhere = (error: unknown) => (error as { code?: string }).code === 'CONN_NO_LEADER';
  const subjects = [message.subject, ...(message.otherwise === undefined ? [] : [message.otherwise])];
  for (const subject of subjects) {
    try {
      const { stream } = await publish(nats, subject, message.payload, message.headers);
      if (ref.dlqs.includes(stream)) return;
    } catch (error) {
      if (!isNowhere(error)) throw error;
    }
  }
  throw new OpsError('NOT_FOUND', `no DLQ of ${ref.queue} takes ${message.subject}`, {
    where: `queue ${ref.queue}, ${ref.dlqs.length === 0 ? 'no DLQ' : `DLQ ${ref.dlqs.join(', ')}`}`,
    why: 'What is imported would be stored nowhere. What was imported before stays, and is skipped the next time.',
    hints: ['give the queue a `dlq:` in its spec and apply it, then import again'],
  });
}

const noQueue = (queue: string, where: string): OpsError =>
  new OpsError('NOT_FOUND', `the archive is of queue ${queue}, which is not on this server`, {
    where,
    why: 'Nothing was imported.',
    hints: ['apply its spec first, or import only what is of another with --queue'],
  });
