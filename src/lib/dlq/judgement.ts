import { RESPONSES_BUCKET } from '../facts/names.ts';
import { type JournalEntry, readJournal } from '../ledger/journal.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { isDeath, readDeath, type Unreadable } from './advisory.ts';
import { readAnswered } from './answered.ts';
import { requestsOf, withAnswers } from './answers.ts';
import { readStanding } from './collect.ts';
import { countsDead, type OrphanReport, orphanIn } from './dead-count.ts';
import { type Death, UNNAMED } from './death.ts';
import { Details } from './details.ts';
import { journalledEntry, journalledMessage, toEntry, withJournal } from './entry.ts';
import { type Fate, fateOf, needsNewStanding, responsible } from './fate.ts';
import { isHidden, matches, wantsOnlyOrphans } from './filter.ts';
import { Held } from './held.ts';
import type { Pages } from './index-pass.ts';
import { latest } from './moment.ts';
import { areScattered, fetchOriginals } from './originals.ts';
import { findOrphans, type Measured, measure } from './orphans.ts';
import { type Order, PAGE, pageOf, pagesAtOnce } from './pages.ts';
import {
  type Advised,
  type Bare,
  copiesAgain,
  lastAlike,
  nearBare,
  type Orphan,
  type Placing,
  pairAlike,
  placeBare,
  placedAgain,
  placeOf,
  placeOrphans,
  printOf,
  tellersOf,
} from './placing.ts';
import { type SeqSet, SeqSets } from './seq-set.ts';
import type { Group } from './sources.ts';
import type { QueueStanding } from './standing.ts';
import { compareTimes } from './time.ts';
import { lettersOf, type Told } from './told.ts';

export interface ScanOptions {
  /** By the time the deaths were recorded; orphans, whose death nobody knows, come last. Oldest first where left out. */
  readonly order?: Order;
  /** The newest of all queues first, and not of one queue after the other: then all are read at once. */
  readonly across?: boolean;
  /**
   * False: each entry at its first record, without knowing the others. Then a million needs one reading; newest first
   * it tells the same, only `inner.records` may lack older ones. Read exactly all the same where records may disagree.
   */
  readonly exact?: boolean;
  /** Keeps each record as stored, for those who write it down. */
  readonly raw?: boolean;
  /** Looks up what the worker wrote down of the last delivery, where the dead letter itself does not say why. */
  readonly details?: boolean;
  /** Whoever only looks may judge queues as they stood when they were found. */
  readonly asSeen?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** Only what is not stored in its queue, from whoever has searched that: records are read only where they may carry some. */
  readonly unstored?: boolean;
  /** How many of the entries given out so far have left their queue since, by the hand of whoever reads them. */
  removed?(): number;
  /** Hears how many records were read, of how many; where they are read twice, half of them after the first time. */
  onRead?(read: number, total: number): void;
  /** Hears of what lies in a DLQ stream and is no dead letter. */
  onUnreadable?(message: Unreadable): void;
  /** Hears of messages that the server missed while a worker had them, where they are left out as no dead letters. */
  onRemoved?(entry: Entry): void;
  /** Hears what is known of a queue's dead, once all its entries are out; not where a filter or a limit left some out. */
  onCount?(report: OrphanReport): void;
}

/** What every part of one scan works with. */
export interface Run {
  readonly nats: Nats;
  readonly filter: EntryFilter;
  readonly options: ScanOptions;
  readonly now: number;
  /** The process's own clock in milliseconds, as a standing's `readAt`. */
  clock(): number;
}

/** Who moves entries while they are read reads so many pages ahead: what is read early is old when it goes. */
const AHEAD_OF_WRITES = 2;

/** So many records, whose originals lie far apart, are judged together. */
const GATHERED = 4000;

/** So many orphans are looked up among the responses at once. */
const AT_ONCE = 256;

export const withRaw = (death: Death, raw: StoredMessage): Death => ({ ...death, record: { ...death.record, raw } });

/** Judges deaths by their queues, whose standing is read anew where a page is younger than what is known. */
export class Judgement {
  readonly standings: Map<string, QueueStanding>;
  readonly #run: Run;
  readonly #refs: ReadonlyMap<string, QueueRef>;
  readonly #details: Details | undefined;
  /** Dead and stored, with a record that says so. */
  readonly #accounted = new SeqSets();
  /** Stored, not settled when the records were read, and alike to what one carries. */
  readonly #inDoubt = new SeqSets();
  /** What replays that have not ended hold of these queues' messages. */
  readonly held: Held;

  private constructor(
    run: Run,
    refs: ReadonlyMap<string, QueueRef>,
    standings: Map<string, QueueStanding>,
    journal: readonly JournalEntry[],
  ) {
    this.#run = run;
    this.#refs = refs;
    this.standings = standings;
    const isAsked = run.options.details || run.filter.where?.some(({ key }) => key === 'detail');
    this.#details = isAsked ? new Details(run.nats) : undefined;
    this.held = new Held(journal, new Map([...standings].map(([queue, { created }]) => [queue, created])));
  }

  static async open(run: Run, group: Group): Promise<Judgement> {
    const { asSeen } = run.options;
    const [standings, journals] = await Promise.all([
      Promise.all(group.queues.map((ref) => (asSeen && ref.seen?.standing) || readStanding(run.nats, ref))),
      Promise.all(
        group.queues.map(({ queue, seen }) => (asSeen && seen?.journalled === 0 ? [] : journalOf(run.nats, queue))),
      ),
    ]);
    return new Judgement(
      run,
      new Map(group.queues.map((ref) => [ref.queue, ref])),
      new Map(standings.map((standing) => [standing.queue, standing])),
      journals.flat(),
    );
  }

  accounted(queue: string): SeqSet {
    return this.#accounted.of(queue);
  }

  /** So many are judged at once, and so often side by side: fewer where the originals are large. */
  get pace(): { readonly size: number; readonly atOnce: number; readonly gathered: number } {
    const standings = [...this.standings.values()];
    const { filter, options } = this.#run;
    const size = Math.min(...standings.map(pageOf));
    const atOnce = options.removed ? AHEAD_OF_WRITES : Math.min(...standings.map(pagesAtOnce));
    // Whoever wants a few is not kept waiting for many; of what is large little is held.
    const isFew = filter.limit !== undefined && filter.limit <= size;
    return { size, atOnce, gathered: isFew || size < PAGE ? 0 : GATHERED };
  }

  /** Whether the originals of these lie far apart: a mass that dies at once is recorded in no order. */
  areScattered(told: readonly Told[]): boolean {
    return [...this.standings].some(([queue, standing]) => areScattered(standing, seqsOf(told, queue)));
  }

  /** Those of what was judged that are asked for. */
  *wanted(entries: readonly Entry[]): Generator<Entry> {
    const { filter, options } = this.#run;
    const none = wantsOnlyOrphans(filter);
    for (const entry of entries) {
      if (none || !matches(filter, entry)) continue;
      if (isHidden(entry, filter, options.raw)) options.onRemoved?.(entry);
      else yield entry;
    }
  }

  /** All of these that are dead, by their originals, which may be known; which of them have their answer is not told yet. */
  async judge(told: readonly Told[], known?: readonly StoredMessage[]): Promise<Entry[]> {
    const readAt = this.#run.clock();
    const originals = new Map<string, Map<number, StoredMessage>>();
    await Promise.all(
      [...this.standings].map(async ([queue, standing]) => {
        if (known) {
          const own = known.filter(({ stream }) => stream === queue);
          originals.set(queue, new Map(own.map((message) => [message.seq, message])));
          return;
        }
        const seqs = seqsOf(told, queue);
        if (seqs.length > 0) originals.set(queue, await fetchOriginals(this.#run.nats, standing, seqs));
      }),
    );
    const entries: Entry[] = [];
    for (const one of told) {
      const { queue, seq, id, pointsAtOriginal } = one.deaths[0]!;
      const { former, rest } = this.held.part(one);
      for (const { held, ...own } of former) {
        if (this.held.tell(held)) entries.push(...(await this.#judgeFormer(own, held, readAt)));
      }
      if (rest.deaths.length === 0) continue;
      const stored = pointsAtOriginal ? originals.get(queue)?.get(seq) : undefined;
      const held = pointsAtOriginal ? this.held.current(id) : undefined;
      const meant = stored ?? (held && journalledMessage(held));
      for (const { death, records } of lettersOf(rest, meant, this.standings.get(queue)!.created)) {
        if (held && death.pointsAtOriginal) this.held.tell(held);
        const fate = await this.#fateOf(death, death.pointsAtOriginal ? stored : undefined, readAt);
        if (fate.fate === 'alive' || (one.wasTold && fate.fate === 'replayable' && fate.original)) continue;
        if (fate.fate === 'replayable' && fate.original) this.accounted(queue).add(seq);
        entries.push(withJournal(toEntry(death, records, fate, this.standings.get(queue)!), held));
      }
    }
    return entries;
  }

  /** What a replay took out of a stream before that of now, by its own records: whatever has its number now is another. */
  async #judgeFormer(told: Told, held: JournalEntry, readAt: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const { death, records } of lettersOf(told, journalledMessage(held), held.original.created)) {
      const fate = await this.#fateOf(death, undefined, readAt);
      if (fate.fate === 'alive') continue;
      const entry = toEntry(death, records, fate, this.standings.get(death.queue)!);
      entries.push(death.pointsAtOriginal ? journalledEntry(entry, held) : entry);
    }
    return entries;
  }

  /** Entries with what is said of them elsewhere: words of their workers, and that they are answered. */
  async told(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const [detailed, answered] = await Promise.all([
      // Their workers' words, where those are asked for.
      this.#details?.added(entries) ?? entries,
      this.#readAnswers(entries),
    ]);
    return withAnswers(detailed, answered);
  }

  async #readAnswers(entries: readonly Entry[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const answered = await Promise.all(
      [...requestsOf(entries)].map(async ([queue, ids]) => {
        const bucket = this.#refs.get(queue)?.responses ?? RESPONSES_BUCKET;
        return [queue, await readAnswered(this.#run.nats, bucket, ids)] as const;
      }),
    );
    return new Map(answered);
  }

  /** Of which messages these records are, which carry one and do not tell its sequence, as others tell; by their place. */
  async place(all: readonly Bare[], pages: Pages): Promise<ReadonlyMap<string, Placing>> {
    const again = copiesAgain(all);
    const placed = await this.#placeEach(
      all.filter((one) => !again.has(placeOf(one))),
      pages,
    );
    for (const [place, first] of again) placed.set(place, placedAgain(first, placed.get(placeOf(first))));
    return placed;
  }

  async #placeEach(bare: readonly Bare[], pages: Pages): Promise<Map<string, Placing>> {
    const isNear = nearBare(bare);
    const near: Advised[] = [];
    const pointed = new SeqSets();
    for await (const page of pages())
      for (const message of page) {
        const death = readDeath(message);
        if (!isDeath(death) || !death.pointsAtOriginal) continue;
        const { queue, consumer, seq, record, carried } = death;
        // What was told of a stream before this one says nothing of what has its number now.
        const created = this.standings.get(queue)?.created ?? '';
        if (compareTimes(latest(record), created) >= 0) pointed.of(queue).add(seq);
        if (isNear(death)) near.push({ queue, consumer, seq, record, ...(carried && { print: printOf(carried) }) });
      }
    const prints = new Map<string, string>();
    for (const [queue, standing] of this.standings) {
      const seqs = near.flatMap((one) => (one.queue === queue && one.print === undefined ? [one.seq] : []));
      for (let from = 0; from < seqs.length; from += PAGE)
        for (const message of (await fetchOriginals(this.#run.nats, standing, seqs.slice(from, from + PAGE))).values())
          prints.set(`${queue}/${message.seq}`, printOf(message));
    }
    const placed = placeBare(
      bare,
      tellersOf(near).map((one) => ({ ...one, print: one.print ?? prints.get(`${one.queue}/${one.seq}`) })),
    );
    const left = bare.filter((one) => !placed.has(placeOf(one)));
    const { dead, undecided } = await this.#storedLike(left, pointed);
    for (const [place, placing] of placeOrphans(left, dead)) placed.set(place, placing);
    const doubts = pairAlike(
      left.filter((one) => !placed.has(placeOf(one))),
      undecided,
    );
    for (const [one, { queue, message }] of doubts) {
      this.#inDoubt.of(queue).add(message.seq);
      placed.set(placeOf(one), { is: 'doubtful' });
    }
    return placed;
  }

  /** What is stored, that no record points at, and that is like what these carry: dead for certain, or not to be told. */
  async #storedLike(bare: readonly Bare[], pointed: SeqSets): Promise<Record<'dead' | 'undecided', Orphan[]>> {
    const found = { dead: [] as Orphan[], undecided: [] as Orphan[] };
    for (const [queue, own] of Map.groupBy(bare, (one) => one.queue)) {
      const standing = this.standings.get(queue)!;
      const untilSeq = lastAlike(standing, own);
      if (untilSeq === 0) continue;
      const wanted = new Set(own.map(({ print }) => print));
      const newest = own.map(({ record }) => latest(record)).reduce((a, b) => (compareTimes(a, b) > 0 ? a : b));
      for await (const message of getRange(this.#run.nats, queue, 1, { untilSeq })) {
        // What came after all of them were written is in none, nor is what follows.
        if (compareTimes(message.time, newest) > 0) break;
        if (pointed.of(queue).has(message.seq)) continue;
        const print = printOf(message);
        if (!wanted.has(print)) continue;
        const orphan = orphanIn(standing, message);
        const consumer = orphan?.consumer ?? responsible('', message.subject, standing)?.name ?? UNNAMED;
        const { seq, time } = message;
        const like = { queue, consumer, message: { seq, time }, print, created: standing.created };
        found[orphan ? 'dead' : 'undecided'].push(like);
      }
    }
    return found;
  }

  async #fateOf(death: Death, stored: StoredMessage | undefined, readAt: number): Promise<Fate> {
    const standing = this.standings.get(death.queue)!;
    const fate = fateOf(death, stored, standing, this.#run.now);
    if (!needsNewStanding(fate, standing, readAt)) return fate;
    // It may have come, or the consumer may have come to it, since the queue was looked at.
    const now = await readStanding(this.#run.nats, this.#refs.get(death.queue)!);
    this.standings.set(death.queue, now);
    return fateOf(death, stored, now, this.#run.now);
  }

  /** Counts a queue's dead, for `orphans`. */
  measure(queue: string): Promise<Measured> {
    return measure(this.#run.nats, this.#refs.get(queue)!, this.#run.now);
  }

  /** The wanted of what replays hold of a queue and no record spoke of, once all that may speak of it were judged. */
  async *untold(queue: string): AsyncGenerator<Entry> {
    const { nats, filter } = this.#run;
    const standing = this.standings.get(queue)!;
    const left = this.held.untold(queue);
    if (left.length === 0) return;
    // A replay may have put it back since; one that was killed early left it stored, where it is an orphan as others are.
    const [now, there] = await Promise.all([
      journalOf(nats, queue),
      countsDead(standing)
        ? fetchOriginals(
            nats,
            standing,
            left.map(({ original }) => original.seq),
          )
        : undefined,
    ]);
    const places = new Set(now.map(journalPlace));
    const isHeld = (one: JournalEntry) =>
      places.has(journalPlace(one)) && there?.get(one.original.seq)?.time !== one.original.time;
    const entries = left.filter(isHeld).map((one) => journalledEntry(undefined, one, standing.created));
    for (const entry of await this.told(entries)) if (matches(filter, entry)) yield entry;
  }

  /** The wanted orphans of a queue, once all records were judged. */
  async *orphans(queue: string, catchUp: () => Promise<void>, counted?: Promise<Measured>): AsyncGenerator<Entry> {
    const { nats, filter, options, now } = this.#run;
    yield* this.untold(queue);
    const records = { accounted: this.accounted(queue), removed: () => options.removed?.() ?? 0, catchUp, counted };
    const found = findOrphans(nats, this.#refs.get(queue)!, records, now);
    for (let some: Entry[] = []; ; ) {
      const { done, value } = await found.next();
      if (!done) {
        // Dead by now: the next look tells which record is of it. Until then one of both would be put back as another.
        const isInDoubt = this.#inDoubt.of(queue).has(value.seq);
        some.push(isInDoubt ? { ...value, inner: { ...value.inner, inDoubt: true } } : value);
      }
      if (done || some.length === AT_ONCE) {
        for (const entry of await this.told(some)) if (matches(filter, entry)) yield entry;
        some = [];
      }
      if (!done) continue;
      if (value) options.onCount?.(value);
      return;
    }
  }
}

/** The sequences that are told of in a queue. */
const seqsOf = (told: readonly Told[], of: string): number[] =>
  told.flatMap(({ deaths: [death] }) => (death?.queue === of && death.pointsAtOriginal ? [death.seq] : []));

const journalPlace = ({ original: { seq, time } }: JournalEntry): string => `${seq} ${time}`;

/** None for a user who may not read the ledger: such a one sees these as gone. */
const journalOf = (nats: Nats, queue: string): Promise<JournalEntry[]> =>
  orElse(answerOf(readJournal(nats, queue)), { denied: [] });
