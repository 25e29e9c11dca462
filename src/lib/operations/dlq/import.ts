import path from 'node:path';
import { type ArchiveLine, restored } from '../../dlq/archive.ts';
import { matches } from '../../dlq/filter.ts';
import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { agree } from '../../dlq/time.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import { type Entry, type EntryJson, entryId, type QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { ImportOutcome, ImportResult } from '../../model/replay.ts';
import { ownPrefixes, whyForbidden } from '../../nats/address.ts';
import { orElse } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { storeCopy } from '../../nats/copies.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { notKept, type Room } from '../../nats/keeps.ts';
import { getMessage } from '../../nats/messages.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { readRoom } from '../../nats/room-in.ts';
import { readStream } from '../../nats/streams.ts';
import { type Archive, readArchive } from '../../replay/archive-file.ts';
import { type DlqPlace, placeInDlq, readDlqs } from '../../replay/dlq-place.ts';
import { contentOf, importMessages } from '../../replay/imported.ts';
import { tellReasons } from '../../replay/refusal.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface ImportOptions extends DlqChoice {
  /** The archive; `-` is standard input. */
  readonly archive: string;
  /** How it is called, where its file is of nobody who reads that. */
  readonly named?: string;
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
}

const AT_ONCE = 64;
const PAGE = 500;

/**
 * Brings archived dead letters back: records as they were, and messages as dead letters that carry them, to be replayed
 * when somebody wants it. What is there already is left alone, so that importing twice changes nothing; what has no
 * place here is told, and the others are imported.
 * @throws OpsError DLQ_UNFINISHED with the result, NO_ROOM, DLQ_NOT_TAKEN, USAGE_FILE, NOT_FOUND, LOCK_HELD, CONN_*, DENIED_*, INTERRUPTED
 */
export async function importDeadLetters(context: Context, options: ImportOptions): Promise<ImportResult> {
  const isInput = options.archive === '-';
  const file: Archive = {
    path: isInput ? '-' : path.resolve(context.cwd, options.archive),
    name: isInput ? 'standard input' : (options.named ?? options.archive),
  };
  // The whole archive is checked before anything is written: half of a damaged one is no restoration.
  const named = isInput ? undefined : await checkArchive(context, file);
  return withDlq(context, options, async ({ nats, queues, filter }) => {
    const refs = new Map(queues.map((ref) => [ref.queue, ref]));
    for (const queue of named?.queues ?? [])
      if (!refs.has(queue) && !filter.queues?.length) throw await noQueue(nats, queue, file.name);
    const run: ImportRun = {
      context,
      nats,
      refs,
      filter,
      dryRun: options.dryRun,
      ...(named && { length: named.lines }),
      there: new Map(),
      rooms: new Map(),
      entries: [],
      counts: new Map(),
      lines: new Set(),
      placeless: new Set(),
    };
    const wanted = queues.filter(({ queue }) => named === undefined || named.queues.has(queue));
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
            const [summary, detail] = [`${count} imported`, { archive: options.named ?? options.archive }];
            return count > 0 ? [{ ref: refs.get(queue)!, summary, detail }] : [];
          }),
      ).catch((error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
        const result = importResult(run);
        throw error.with({ message: `${error.message}; ${result.imported} imported so far`, result });
      });
    }
    return finishImport(run);
  });
}

function importResult({ entries, dryRun }: ImportRun): ImportResult {
  const count = (wanted: ImportOutcome['outcome']) => entries.filter(({ outcome }) => outcome === wanted).length;
  const [imported, skipped, failed] = [count('imported'), count('skipped'), count('failed')];
  return { imported, skipped, failed, ...(dryRun && { dry_run: true }), entries };
}

interface ImportRun {
  readonly context: Context;
  readonly nats: Nats;
  readonly refs: ReadonlyMap<string, QueueRef>;
  readonly filter: EntryFilter;
  readonly dryRun: boolean;
  /** Of its archive, in lines, where that could be read before. */
  readonly length?: number;
  /** What is listed already, by id, and where entries go; read for each queue when its first line comes. */
  readonly there: Map<string, Promise<Place>>;
  /** What is left of each DLQ stream's, by name. */
  readonly rooms: Map<string, Promise<Room>>;
  readonly entries: ImportOutcome[];
  readonly counts: Map<string, number>;
  /** What a line of the archive was of. */
  readonly lines: Set<string>;
  /** Taken back, but of subjects on which nothing is published. */
  readonly placeless: Set<string>;
}

interface Listed {
  readonly published_at: string | null;
  /** Whether its message is there: to be replayed, or with its answer. */
  readonly hasMessage: boolean;
}

/** A queue, as far as an import has to know it. */
interface Place {
  /** What is listed already, by queue, consumer and sequence: several messages may have them. */
  readonly listed: ReadonlyMap<string, readonly Listed[]>;
  /** How many records that carry a message are stored, by content: a place in a DLQ is not theirs for good. */
  readonly carried: Map<string, number>;
  /** Its DLQ streams. */
  readonly dlqs: readonly StreamInfo[];
}

const placeless = (count: number): string =>
  `${count} of these say that their messages were on subjects on which nothing is published ($JS, $SYS, inboxes, or none that a message can have): they can be replayed with --to only`;

function finishImport(run: ImportRun): ImportResult {
  const result = importResult(run);
  const { imported, failed, entries, dry_run: dryRun } = result;
  if (run.placeless.size > 0) run.context.io.tell({ type: 'warning', text: placeless(run.placeless.size) });
  if (failed === 0) return result;
  const reasons = Map.groupBy(
    entries.filter(({ outcome }) => outcome === 'failed'),
    ({ error }) => error,
  );
  const text = dryRun
    ? `${imported} would be imported; ${failed} could not be`
    : `${imported} imported; ${failed} could not be`;
  throw new OpsError('DLQ_UNFINISHED', text, {
    why: tellReasons([...reasons].map(([why = '', all]) => [why, all.length])),
    hints: [
      'look at these lines of the archive: what they name is taken by no DLQ of their queue, or they are too large',
    ],
    result,
  });
}

/** The queues that an archive is about, and how many lines it has. */
async function checkArchive({ io }: Context, file: Archive): Promise<{ queues: Set<string>; lines: number }> {
  const queues = new Set<string>();
  let lines = 0;
  for await (const { entry } of readArchive(file)) {
    queues.add(entry.queue);
    lines += 1;
    if (lines % PAGE === 0) io.tell({ type: 'progress', title: 'Checking the archive', done: lines });
  }
  return { queues, lines };
}

async function importAll(run: ImportRun, file: Archive, signal: AbortSignal): Promise<void> {
  const limit = run.filter.limit ?? Number.POSITIVE_INFINITY;
  let page: ArchiveLine[] = [];
  const flush = async () => {
    const planned = await pipelined(page, AT_ONCE, (line) => planLine(run, line));
    await requireRoom(run, planned);
    await carryOutAll(run, planned);
    const total = run.length === undefined ? undefined : Math.min(run.length, limit);
    run.context.io.tell({
      type: 'progress',
      title: run.dryRun ? 'Reading the archive' : 'Importing',
      done: run.entries.length,
      total,
    });
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
  detail: entry.detail ?? null,
  inner: { records: [], streamCreated, ...(original && { message: restored(original) }) },
});

/** What is to be written of a line. */
interface Planned {
  readonly id: string;
  readonly queue: string;
  readonly places: readonly DlqPlace[];
}

/** Nothing of a page is written where a DLQ would drop its oldest for it. @throws OpsError NO_ROOM, DLQ_NOT_TAKEN */
async function requireRoom(run: ImportRun, page: readonly (Planned | ImportOutcome)[]): Promise<void> {
  // Dead letters go on coming: what a page before found is old news, but for a dry run, which fills nothing.
  if (!run.dryRun) run.rooms.clear();
  for (const plan of page) {
    for (const { dlq, id, copyFor } of 'places' in plan ? plan.places : []) {
      const room = run.rooms.get(dlq.name) ?? readRoom(run.nats, dlq.name);
      run.rooms.set(dlq.name, room);
      const why = (await room).take(copyFor(id)) ?? (run.dryRun ? (await room).whyFull() : undefined);
      if (why) throw notKept(why);
    }
  }
}

/** A failure ends it when what was under way is answered as well: all that was confirmed counts. */
async function carryOutAll(run: ImportRun, page: readonly (Planned | ImportOutcome)[]): Promise<void> {
  const errors: unknown[] = [];
  const outcomes = await pipelined(page, AT_ONCE, async (plan) => {
    if (errors.length > 0) return [];
    return carryOut(run, plan).then(
      (outcome) => [outcome],
      (error: unknown) => {
        errors.push(error);
        return [];
      },
    );
  });
  run.entries.push(...outcomes.flat());
  if (errors.length > 0) throw errors[0];
}

async function carryOut(run: ImportRun, plan: Planned | ImportOutcome): Promise<ImportOutcome> {
  if ('outcome' in plan) return plan;
  const { id, queue, places } = plan;
  let isNew = run.dryRun;
  for (const { dlq, id, copyFor } of run.dryRun ? [] : places) {
    const { how } = await storeCopy(run.nats, dlq, id, copyFor);
    isNew ||= how === 'stored';
  }
  if (!isNew) return { id, outcome: 'skipped', error: 'there already' };
  run.counts.set(queue, (run.counts.get(queue) ?? 0) + (run.dryRun ? 0 : 1));
  return { id, outcome: 'imported' };
}

async function planLine(run: ImportRun, line: ArchiveLine): Promise<Planned | ImportOutcome> {
  const { entry, original, original_in: place } = line;
  const skipped = (error: string): ImportOutcome => ({ id: entry.id, outcome: 'skipped', error });
  const key = `${entry.id} ${original?.time ?? entry.published_at ?? ''}`;
  if (run.lines.has(key)) return skipped('an earlier line of the archive is the same');
  run.lines.add(key);
  const ref = run.refs.get(entry.queue);
  if (!ref) throw await noQueue(run.nats, entry.queue, 'the archive');
  const { listed, carried, dlqs } = await placeOf(run, ref);
  const record = line.records.find(({ kind }) => kind !== 'advisory');
  if (record && takesOne(carried, contentOf(restored(record)))) return skipped('there already');
  const hasMessage = record ? undefined : isWhole(listed.get(keyOf(entry)) ?? [], original?.time);
  if (hasMessage || (hasMessage === false && !original)) return skipped('there already');
  if (original && place === 'stream') {
    const stored = await getMessage(run.nats, ref.queue, original.seq);
    if (stored?.time === original.time) return skipped('its message is in the queue');
  }
  const all = importMessages(line);
  // Of one whose message is gone the records are there.
  const messages = hasMessage === false ? all.slice(line.records.length) : all;
  if (messages.length === 0) return skipped('nothing of it is in the archive');
  if (dlqs.length === 0) throw noDlq(ref);
  // All of it, or nothing: half of an entry would be another one.
  const places = messages.map((message) => placeInDlq(run.nats, dlqs, message));
  const why = places.find((one) => typeof one === 'string');
  if (why !== undefined) return { id: entry.id, outcome: 'failed', error: why };
  if (original && whyForbidden(original.subject, 'stored', ownPrefixes(run.nats)) !== undefined)
    run.placeless.add(entry.id);
  return { id: entry.id, queue: ref.queue, places: places.filter((one) => typeof one === 'object') };
}

const keyOf = ({ queue, consumer, seq }: EntryJson): string => entryId(queue, consumer, seq);

/**
 * Whether what is listed of the message that was published at this time has it; `undefined` where nothing is listed.
 * Where either does not tell a time, it is taken for the same.
 */
function isWhole(listed: readonly Listed[], time: string | undefined): boolean | undefined {
  const same = listed.filter(({ published_at: at }) => !time || at === null || agree(at, time));
  return same.length === 0 ? undefined : same.some(({ hasMessage }) => hasMessage);
}

/** Counts one of these out; false where none is left. */
function takesOne(counts: Map<string, number>, key: string): boolean {
  const count = counts.get(key) ?? 0;
  if (count > 0) counts.set(key, count - 1);
  return count > 0;
}

function placeOf(run: ImportRun, ref: QueueRef): Promise<Place> {
  let place = run.there.get(ref.queue);
  if (!place) {
    const read = async () => {
      const listed = new Map<string, Listed[]>();
      const carried = new Map<string, number>();
      const now = run.context.now().getTime();
      for await (const entry of scanEntries(run.nats, [ref], {}, { now, raw: true })) {
        const { published_at, inner } = entry;
        const hasMessage = inner.message !== undefined;
        listed.set(keyOf(entry), [...(listed.get(keyOf(entry)) ?? []), { published_at, hasMessage }]);
        for (const { raw, kind } of inner.records) {
          const content = raw && kind !== 'advisory' ? contentOf(raw) : undefined;
          if (content !== undefined) carried.set(content, (carried.get(content) ?? 0) + 1);
        }
      }
      return { listed, carried };
    };
    place = Promise.all([read(), readDlqs(run.nats, ref)]).then(([found, dlqs]) => ({ ...found, dlqs }));
    run.there.set(ref.queue, place);
  }
  return place;
}

const noDlq = (ref: QueueRef): OpsError =>
  new OpsError('NOT_FOUND', `the queue ${ref.queue} has no DLQ`, {
    where: `queue ${ref.queue}`,
    why: 'What is imported would be stored nowhere. What was imported before stays, and is skipped the next time.',
    hints: ['give the queue a `dlq:` in its spec and apply it, then import again'],
  });

async function noQueue(nats: Nats, queue: string, where: string): Promise<OpsError> {
  const exists = (await orElse(readStream(nats, queue), { missing: undefined, denied: undefined })) !== undefined;
  return new OpsError(
    'NOT_FOUND',
    exists
      ? `the archive is of ${queue}, which is a stream of this server and no queue: no consumer's deaths in it go to a DLQ`
      : `the archive is of queue ${queue}, which is not on this server`,
    {
      where,
      why: 'Nothing was imported.',
      hints: [
        exists
          ? 'give the queue a `dlq:` in its spec and apply it, then import again'
          : 'apply its spec first, or import only what is of another with --queue',
      ],
    },
  );
}
