import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { ahead, inOrder } from '../nats/pipeline.ts';
import { isDeath, readDeath } from './advisory.ts';
import type { Death } from './death.ts';
import { endsBefore, mayMatch, wantsOrphans } from './filter.ts';
import { type Index, indexDeaths } from './index-pass.ts';
import { Judgement, type Run, type ScanOptions, withRaw } from './judgement.ts';
import type { Measured } from './orphans.ts';
import { type Order, PAGE } from './pages.ts';
import { pickEntries } from './pick.ts';
import { SeqSet, SeqSets } from './seq-set.ts';
import {
  carriesOriginals,
  type DlqSource,
  type Group,
  groupQueues,
  holdsCarried,
  openSource,
  readPages,
  seenDlqs,
} from './sources.ts';
import type { SeenQueue } from './standing.ts';
import { alone, keyOfDeath, type Told } from './told.ts';

export type { ScanOptions } from './judgement.ts';

/**
 * The dead letters of these queues: records joined with their originals, several records of one message as one entry,
 * what is alive again left out, and at the end those that no record speaks of. Memory does not grow with their number.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function* scanEntries(
  nats: Nats,
  queues: readonly SeenQueue[],
  filter: EntryFilter,
  options: ScanOptions = {},
): AsyncGenerator<Entry, void, undefined> {
  const wanted = queues.filter(({ queue }) => !filter.queues?.length || filter.queues.includes(queue));
  const run: Run = { nats, filter, options, now: options.now ?? Date.now(), clock: () => performance.now() };
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  const scans = groupQueues(wanted).map((group) =>
    filter.ids?.length ? pickEntries(run, group, () => scanGroup(run, group)) : scanGroup(run, group),
  );
  for (const entries of options.across && scans.length > 1 ? [newestFirst(scans)] : scans) {
    for await (const entry of entries) {
      options.signal?.throwIfAborted();
      yield entry;
      if (--left <= 0) return;
    }
  }
}

/** What several give newest first, as one: of their next ones the newest; those whose death nobody knows come last. */
export async function* newestFirst<E extends Pick<Entry, 'died_at'>>(
  scans: readonly AsyncGenerator<E, void, undefined>[],
): AsyncGenerator<E, void, undefined> {
  const diedAt = ({ died_at: died }: E) => (died === null ? Number.NEGATIVE_INFINITY : Date.parse(died));
  try {
    const next = async (scan: AsyncGenerator<E, void, undefined>) => ({ scan, ...(await scan.next()) });
    const heads = await Promise.all(scans.map(next));
    for (;;) {
      const open = heads.filter((head) => !head.done);
      const [first] = open.sort((a, b) => diedAt(b.value as E) - diedAt(a.value as E) || 0);
      if (!first) return;
      yield first.value as E;
      heads[heads.indexOf(first)] = await next(first.scan);
    }
  } finally {
    // One may be waiting for a page that nobody wants any more.
    for (const scan of scans) void scan.return().catch(() => {});
  }
}

/**
 * The dead that are stored in their queue, those answered since among them, by sequence, of those a record speaks of: no
 * orphan waits for anything. None for a user who may not read them.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function readStoredDead(
  nats: Nats,
  ref: QueueRef,
  isMeant: (message: StoredMessage) => boolean = () => true,
): Promise<SeqSet> {
  const dead = new SeqSet();
  const read = async () => {
    const entries = scanEntries(
      nats,
      [ref],
      { states: ['replayable', 'parked', 'gone'], recorded: true },
      { order: 'newest', exact: false, signal: nats.signal },
    );
    for await (const { inner } of entries) if (inner.original && isMeant(inner.original)) dead.add(inner.original.seq);
    return dead;
  };
  return orElse(answerOf(read()), { missing: dead, denied: dead });
}

/** A payload cache for DLQs that are read more than once: so many messages, so many bytes. */
const CACHED_MESSAGES = 20_000;
const CACHED_BYTES = 32 * 1024 * 1024;

async function* scanGroup(run: Run, group: Group): AsyncGenerator<Entry> {
  const { nats, filter, options } = run;
  const opening = Judgement.open(run, group);
  const carrying = Promise.all(options.exact === false ? group.dlqs.map((dlq) => carriesOriginals(nats, dlq)) : []);
  for (const asked of [opening, carrying]) asked.catch(() => {});
  const seen = seenDlqs(options, group);
  const opened = await Promise.all(group.dlqs.map((dlq) => openSource(nats, dlq, seen.get(dlq))));
  const there = opened.filter((source) => source !== undefined);
  const sources = there.filter(({ messages }) => messages > 0);
  const order = options.order ?? 'oldest';
  if (options.unstored && !(await mayCarry(nats, group)) && (await opening).held.size === 0) return;
  const isExact = options.exact !== false || sources.length > 1;
  let read = reader(run, sources, order, isExact);
  const judgement = await opening;
  const inGroup = (death: Death) => judgement.standings.has(death.queue);
  let unreadable = options.onUnreadable ?? (() => {});
  let index: Index = { joined: new Map(), read: readDeath };
  let isJoined = false;
  const place: Judgement['place'] = (bare, pages) => judgement.place(bare, pages);
  if (isExact || (await carrying).includes(true)) {
    if (!isExact) read = reader(run, sources, order, true);
    index = await indexDeaths(read, inGroup, unreadable, place, options.raw ? withRaw : undefined);
    isJoined = true;
    unreadable = () => {};
  }
  let dead = new SeqSets();
  /** Told by a record alone, before it was known that others carry their originals. */
  let early = new SeqSets();
  const orphansToo = wantsOrphans(filter);
  const { size, atOnce, gathered } = judgement.pace;
  /** Batches that are read, and not judged yet. */
  let open = 0;
  let isRead = false;
  /** To somebody who may take them away. */
  let isGiven = false;
  const counted = new Map<string, Promise<Measured>>();
  /** Whether whoever takes away what he is given has taken none yet. */
  const isWhole = () => (options.removed?.() ?? 0) === 0;
  /** The dead are counted as soon as all records were judged; but not while somebody takes them away. */
  const count = () => {
    if (!isRead || open > 0 || !orphansToo || isGiven || counted.size > 0) return;
    for (const { queue } of group.queues) {
      const measured = judgement.measure(queue);
      measured.catch(() => {});
      counted.set(queue, measured);
    }
  };
  async function* batches(): AsyncGenerator<readonly Told[]> {
    const told: Told[] = [];
    for await (const page of read()) {
      for (const message of page) {
        let death = index.read(message);
        if (isDeath(death) && inGroup(death) && death.carried && !isJoined) {
          // On an advisory's subject, where the DLQ takes no other: it may be of another message than they are.
          index = await indexDeaths(reader(run, sources, order, true), inGroup, () => {}, place);
          isJoined = true;
          [early, dead] = [dead, new SeqSets()];
          death = index.read(message);
        }
        if (!isDeath(death)) unreadable(death);
        else if (inGroup(death)) {
          const wasTold = early.of(keyOfDeath(death)).has(death.seq);
          // Told by itself, it must not stand for another message that has its number now.
          const isFormer = !isJoined && judgement.held.isFormer(death);
          if ((wasTold && !death.carried) || (!isFormer && !dead.of(keyOfDeath(death)).add(death.seq))) continue;
          const all = index.joined.get(death.id) ?? alone(options.raw ? withRaw(death, message) : death);
          if (orphansToo || mayMatch(filter, all)) told.push(wasTold ? { ...all, wasTold } : all);
        }
      }
      // Gathered with those of the next pages they are read as ranges, and not each by itself.
      if (told.length >= gathered || !judgement.areScattered(told)) yield* cut(told.splice(0));
    }
    yield* cut(told);
    isRead = true;
    count();
  }
  function* cut(told: readonly Told[]): Generator<readonly Told[]> {
    const isTogether = told.length > PAGE;
    for (let from = 0; from < told.length; from += isTogether ? gathered : size) {
      open += 1;
      yield told.slice(from, from + (isTogether ? gathered : size));
    }
  }
  const judgedNow = async (told: readonly Told[]) => {
    const entries = await judgement.judge(told);
    open -= 1;
    count();
    return judgement.told(entries);
  };
  /** What is under way: of what was gathered no more than two, for what lies between is read and held as well. */
  let [before, last]: Promise<unknown>[] = [];
  const judged = (told: readonly Told[]) => {
    const turn = told.length > PAGE ? before : undefined;
    const result = turn ? turn.then(() => judgedNow(told)) : judgedNow(told);
    [before, last] = [last, result.catch(() => {})];
    return result;
  };
  for await (const entries of inOrder(batches(), atOnce, judged)) {
    isGiven ||= options.removed !== undefined;
    yield* judgement.wanted(entries);
  }
  if (!orphansToo) return;
  const late = new LateRecords(nats, there);
  for (const { queue } of group.queues) {
    if (options.unstored) {
      yield* judgement.untold(queue);
      continue;
    }
    const catchUp = async () => {
      await sleep(ADVISORY_LATENCY);
      for (const death of await late.read())
        if (death.pointsAtOriginal) judgement.accounted(death.queue).add(death.seq);
    };
    yield* judgement.orphans(queue, catchUp, isWhole() ? counted.get(queue) : undefined);
  }
}

/** Whether some of the records may carry their messages. */
const mayCarry = async (nats: Nats, { queues }: Group): Promise<boolean> =>
  (await Promise.all(queues.flatMap(({ queue, dlqs }) => dlqs.map((dlq) => holdsCarried(nats, dlq, queue))))).includes(
    true,
  );

/** An advisory is on its way to the DLQ stream for less than this, in milliseconds, where nothing is wrong. */
const ADVISORY_LATENCY = 150;

/** What was recorded after the scan began. */
class LateRecords {
  readonly #nats: Nats;
  readonly #next: Map<string, number>;
  readonly #found: Death[] = [];

  constructor(nats: Nats, sources: readonly DlqSource[]) {
    this.#nats = nats;
    this.#next = new Map(sources.map(({ stream, last }) => [stream, last + 1]));
  }

  async read(): Promise<readonly Death[]> {
    for (const [stream, from] of this.#next) {
      for await (const message of getRange(this.#nats, stream, from)) {
        this.#next.set(stream, message.seq + 1);
        const death = readDeath(message);
        if (isDeath(death)) this.#found.push(death);
      }
    }
    return this.#found;
  }
}

/** Reads all sources of a group, from now on; from memory the second time where they are small. */
function reader(
  { nats, filter, options }: Run,
  sources: readonly DlqSource[],
  order: Order,
  often: boolean,
): () => AsyncGenerator<StoredMessage[]> {
  // Whoever wants a few may be served by the first page.
  const atOnce = filter.limit !== undefined && filter.limit <= PAGE ? 1 : undefined;
  const total = (of: 'messages' | 'bytes') => sources.reduce((sum, source) => sum + source[of], 0);
  // Whoever counts what nothing speaks of needs every record, and whoever acts all of a message.
  const isBounded = order === 'newest' && options.exact === false && (options.unstored || !wantsOrphans(filter));
  let seen = 0;
  async function* fromServer(): AsyncGenerator<StoredMessage[]> {
    for (const source of sources) {
      for await (const page of readPages(nats, source, order, atOnce)) {
        seen += page.length;
        // Where all are read twice, each reading is half of the way.
        const read = Math.floor(seen / (often ? 2 : 1));
        options.onRead?.(read, Math.max(read, total('messages')));
        yield page;
        // Newest first, all that follow died before this was stored.
        if (isBounded && endsBefore(filter, page.at(-1))) break;
      }
    }
  }
  /** The first page is on its way before anybody asks for it. */
  let begun: AsyncGenerator<StoredMessage[]> | undefined = ahead(inOrder(fromServer(), 1, async (page) => page));
  function onceBegun(): AsyncGenerator<StoredMessage[]> {
    const pages = begun ?? fromServer();
    begun = undefined;
    return pages;
  }
  if (!often || total('messages') > CACHED_MESSAGES || total('bytes') > CACHED_BYTES) return onceBegun;
  let pages: StoredMessage[][] | undefined;
  return async function* fromMemory() {
    if (!pages) {
      pages = [];
      for await (const page of onceBegun()) pages.push(page);
    }
    yield* pages;
  };
}
