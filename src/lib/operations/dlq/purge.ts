import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveLine } from '../../dlq/archive.ts';
import { readStanding } from '../../dlq/collect.ts';
import { filterWords } from '../../dlq/filter-words.ts';
import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { SeqSets } from '../../dlq/seq-set.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { forgetJournal, readJournal } from '../../ledger/journal.ts';
import type { Context } from '../../model/context.ts';
import { type Entry, entryId, type QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { ReplayGroup } from '../../model/replay.ts';
import { shellLine } from '../../model/shell.ts';
import { orUndefined } from '../../nats/answer.ts';
import { isNoRoom } from '../../nats/api-error.ts';
import type { Nats } from '../../nats/connect.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { confirmRemovals, removeMessage } from '../../nats/removal.ts';
import { readStream } from '../../nats/streams.ts';
import { readArchive } from '../../replay/archive-file.ts';
import { GroupTable } from '../../replay/groups.ts';
import { checkQueue } from '../../replay/preflight.ts';
import { removeRecords } from '../../replay/records.ts';
import { isShared, named, neededBy } from '../../replay/redelivery.ts';
import { tellReasons } from '../../replay/refusal.ts';
import { printArchive, writeArchive } from './export.ts';
import { whyNotImported, whyTooLarge } from './import.ts';
import { tellNone } from './none.ts';
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

export interface PurgeResult {
  /** Entries that went, each with its records. */
  readonly purged: number;
  /** Messages that went with them. */
  readonly originals: number;
  /** Entries that stay, because their messages are other consumers' as well; absent where there is none. */
  readonly skipped?: number;
  /** The file that `dlq import` reads; absent where nothing was purged. */
  readonly archive?: string;
  /** Of a run that was stopped: in the archive, and not known to be removed. */
  readonly not_purged?: number;
  readonly dry_run?: true;
  /** In a dry run: what would go. */
  readonly groups?: readonly ReplayGroup[];
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
    const lasting = await lookForLasting(context, scope);
    const table = new GroupTable();
    const { purged, originals, kept } = await printPurgeable(context, scope, (line, entry) => {
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
        const { total, kept } = await archive(context, { ...scope, nats: held }, file, agreed?.shown);
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
  const lasting = await lookForLasting(context, scope);
  const { kept } = await printPurgeable(context, scope, (line, entry) => {
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
  const lasting = await lookForLasting(context, scope);
  const { kept } = await writeArchive(context, file, (onLine) =>
    printPurgeable(context, scope, (line, entry) => {
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

/** What stays: how many entries; and by consumer of how many it still needs the message, or gave it up as well. */
interface Kept {
  entries: number;
  readonly needed: Map<string, number>;
  readonly givenUp: Map<string, number>;
}

const skippedOf = ({ entries }: Kept): Pick<PurgeResult, 'skipped'> => (entries > 0 ? { skipped: entries } : {});

function tellKept({ io }: Context, { entries, needed, givenUp }: Kept): void {
  if (entries === 0) return;
  const reasons = [
    needed.size > 0 ? `other consumers still need their messages: ${named(needed)}` : '',
    givenUp.size > 0
      ? `dead letters of other consumers, not chosen here, are of the same messages: ${named(givenUp)}`
      : '',
  ];
  io.tell({ type: 'warning', text: `${entries} left alone: ${reasons.filter(Boolean).join('; ')}` });
}

/** Prints those whose message is nobody else's as well, with how many messages there are of them. */
async function printPurgeable(
  context: Context,
  scope: DlqScope,
  onLine: Parameters<typeof printArchive>[2],
): Promise<{ readonly purged: number; readonly originals: number; readonly kept: Kept }> {
  const others = await lookForOthers(context, scope);
  const kept: Kept = { entries: 0, needed: new Map(), givenUp: new Map() };
  const count = (counts: Map<string, number>, names: readonly string[]) => {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const originals = new SeqSets();
  let [purged, messages] = [0, 0];
  await printArchive(context, scope, (line, entry) => {
    const { needing, left } = others(entry);
    if (needing.length + left.length > 0) {
      kept.entries += 1;
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

/** Other consumers of an entry's message: who still needs it, and who gave it up in a dead letter that was not chosen. */
type Others = (entry: Entry) => { readonly needing: readonly string[]; readonly left: readonly string[] };

/** By how the queues stand before their entries are read. */
async function lookForOthers(context: Context, { nats, queues, filter }: DlqScope): Promise<Others> {
  const standings = new Map(
    await Promise.all(queues.map(async (ref) => [ref.queue, await readStanding(nats, ref)] as const)),
  );
  const shared = queues.filter(({ queue }) => isShared(standings.get(queue)!));
  const options = { exact: false, signal: context.io.signal, now: context.now().getTime() };
  const consumersOf = new Map(shared.map(({ queue }) => [queue, new Set<string>()]));
  const read = async (chosen: EntryFilter) => {
    const seqs = new SeqSets();
    for await (const { queue, consumer, inner } of scanEntries(nats, shared, chosen, options)) {
      if (!inner.original) continue;
      seqs.of(entryId(queue, consumer, 0)).add(inner.original.seq);
      consumersOf.get(queue)!.add(consumer);
    }
    return (queue: string, consumer: string, seq: number) => seqs.of(entryId(queue, consumer, 0)).has(seq);
  };
  const gaveUp = await read({});
  const isChosen = shared.length > 0 ? await read(filter) : gaveUp;
  return ({ queue, consumer, inner: { original } }) => {
    const consumers = consumersOf.get(queue);
    if (!original || !consumers) return { needing: [], left: [] };
    const { seq, subject } = original;
    const needing = neededBy(standings.get(queue)!, { seq, consumer, subject }, (name) => gaveUp(queue, name, seq));
    const left = [...consumers].filter((name) => gaveUp(queue, name, seq) && !isChosen(queue, name, seq));
    return { needing, left };
  };
}

/**
 * Tells before anything goes what an import could not bring back: what no DLQ of its queue takes as things are. What is
 * too large to come back as a dead letter is refused: its archive would be the only place it has.
 */
async function lookForLasting(context: Context, { nats, queues }: DlqScope) {
  const dlqs = new Map<string, readonly StreamInfo[]>(
    await Promise.all(
      queues.map(async (ref) => {
        const infos = await Promise.all(ref.dlqs.map((dlq) => orUndefined(readStream(nats, dlq))));
        return [ref.queue, infos.filter((info) => info !== undefined)] as const;
      }),
    ),
  );
  const reasons = new Map<string, number>();
  const large: string[] = [];
  let first = '';
  const refuse = () => {
    if (large.length > 0) throw tooLargeToImport(large, first);
  };
  return {
    see(line: string, entry: Entry): undefined {
      const all = dlqs.get(entry.queue) ?? [];
      const why = whyNotImported(nats, all, entry);
      if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
      const size = whyTooLarge(nats, all, line);
      if (size === undefined) return;
      first ||= size;
      large.push(entry.id);
    },
    /** @throws OpsError DLQ_NOT_TAKEN */
    refuse,
    /** @throws OpsError DLQ_NOT_TAKEN */
    tell(): void {
      refuse();
      if (reasons.size === 0) return;
      const text = `\`dlq import\` could not bring all of this back as things are: ${tellReasons([...reasons])}`;
      context.io.tell({ type: 'warning', text });
    },
  };
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
  const dlqsCreated = new Map<string, string>();
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
    const checked = await Promise.all(wanted.map((ref) => checkQueue(nats, ref, { needsRoom: false })));
    for (const facts of checked) for (const [stream, created] of facts.dlqsCreated) dlqsCreated.set(stream, created);
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
    const left = total - purged;
    throw error.with({
      message: `${error.message}: ${purged} of ${total} purged; the archive ${file} holds all ${total}, ${left} of them not purged`,
      why: error.why ?? 'What had begun was finished.',
      hints: [...error.hints, 'run it again for the rest; an import of the archive skips what is still there'],
      result: { purged, originals, archive: file, not_purged: left },
    });
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

const unfinished = (result: PurgeResult): OpsError =>
  new OpsError('DLQ_UNFINISHED', `${result.purged} purged; ${result.skipped} left alone`, {
    why: 'Their messages are those of other consumers too: to them they are live, or dead letters that were not chosen.',
    hints: [
      'run it again when these consumers are done with them',
      'choose the dead letters of all their consumers, to purge them together',
    ],
    result,
  });

const notConfirmed = (why: string): OpsError =>
  new OpsError('NOT_CONFIRMED', `nothing was purged: ${why}`, {
    where: 'osapi-ops dlq purge',
    why: 'A purge deletes dead letters and their messages.',
    hints: ['if that is what you want, say so with --yes', 'see what would go with --dry-run'],
  });

const MOST_IDS = 5;

function tooLargeToImport(ids: readonly string[], why: string): OpsError {
  const more = ids.length > MOST_IDS ? `, and ${ids.length - MOST_IDS} more` : '';
  const them = ids.length === 1 ? 'it' : 'them';
  return new OpsError(
    'DLQ_NOT_TAKEN',
    `nothing was purged: \`dlq import\` could not bring ${ids.length} of these back`,
    {
      where: ids.slice(0, MOST_IDS).join(', ') + more,
      why: `${why}. An archive that nothing reads back would be all that is left.`,
      hints: [
        `raise the limit, then purge ${them}: import needs it as well`,
        'or purge the others, chosen with --ids FILE or with a filter',
      ],
    },
  );
}

const occupied = (file: string): OpsError =>
  new OpsError('USAGE_FILE', `the archive ${file} exists already`, {
    where: file,
    why: 'It may hold dead letters of another purge, and is not written over.',
    hints: ['name another file with --archive'],
  });
