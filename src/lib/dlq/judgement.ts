import { RESPONSES_BUCKET } from '../facts/names.ts';
import { type JournalEntry, readJournal } from '../ledger/journal.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import type { Unreadable } from './advisory.ts';
import { readAnswered } from './answered.ts';
import { requestsOf, withAnswers } from './answers.ts';
import { readStanding } from './collect.ts';
import type { OrphanReport } from './dead-count.ts';
import type { Death } from './death.ts';
import { Details } from './details.ts';
import { journalOrphans, toEntry, withJournal } from './entry.ts';
import { type Fate, fateOf, needsNewStanding } from './fate.ts';
import { isHidden, matches, wantsOnlyOrphans } from './filter.ts';
import { fetchOriginals } from './originals.ts';
import { findOrphans } from './orphans.ts';
import { pageOf } from './pages.ts';
import { type SeqSet, SeqSets } from './seq-set.ts';
import type { Group, Order } from './sources.ts';
import type { QueueStanding } from './standing.ts';
import type { Told } from './told.ts';

export interface ScanOptions {
  /** By the time the deaths were recorded; orphans, whose death nobody knows, come last. Oldest first where left out. */
  readonly order?: Order;
  /**
   * False: each entry at its first record, without knowing the others. Then a million needs one reading; newest first
   * it tells the same, only `inner.records` may lack older ones. Read exactly all the same where records may disagree.
   */
  readonly exact?: boolean;
  /** Keeps each record as stored, for those who write it down. */
  readonly raw?: boolean;
  /** Looks up what the worker wrote down of the last delivery, where the dead letter itself does not say why. */
  readonly details?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** How many of the entries given out so far have left their queue since, by the hand of whoever reads them. */
  removed?(): number;
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
  /** What a replay has taken out of a full queue and not put back yet, by id. */
  readonly #journal: ReadonlyMap<string, JournalEntry>;

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
    this.#journal = new Map(journal.map((entry) => [entry.id, entry]));
  }

  static async open(run: Run, group: Group): Promise<Judgement> {
    const standings = await Promise.all(group.queues.map((ref) => readStanding(run.nats, ref)));
    const journals = await Promise.all(group.queues.map(({ queue }) => journalOf(run.nats, queue)));
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

  /** The wanted entries of a page, in its order. */
  async *entries(told: readonly Told[]): AsyncGenerator<Entry> {
    const { filter, options } = this.#run;
    const none = wantsOnlyOrphans(filter);
    for await (const entry of this.judged(told)) {
      if (none || !matches(filter, entry)) continue;
      if (isHidden(entry, filter, options.raw)) options.onRemoved?.(entry);
      else yield entry;
    }
  }

  /** All of a page that are dead. Large originals are fetched a few at a time. */
  async *judged(told: readonly Told[]): AsyncGenerator<Entry> {
    const size = Math.min(...[...this.standings.values()].map(pageOf));
    for (let from = 0; from < told.length; from += size) yield* this.#judgedAtOnce(told.slice(from, from + size));
  }

  async *#judgedAtOnce(told: readonly Told[]): AsyncGenerator<Entry> {
    const readAt = this.#run.clock();
    const originals = new Map<string, Map<number, StoredMessage>>();
    for (const [queue, standing] of this.standings) {
      const seqs = told.flatMap(({ death }) => (death.queue === queue && death.pointsAtOriginal ? [death.seq] : []));
      if (seqs.length > 0) originals.set(queue, await fetchOriginals(this.#run.nats, standing, seqs));
    }
    const entries: Entry[] = [];
    for (const { death, records } of told) {
      const stored = originals.get(death.queue)?.get(death.seq);
      const fate = await this.#judge(death, stored, readAt);
      if (fate.fate === 'alive') continue;
      if (fate.fate === 'replayable' && fate.original) this.accounted(death.queue).add(death.seq);
      entries.push(withJournal(toEntry(death, records, fate, this.standings.get(death.queue)!), this.#journal));
    }
    yield* await this.#told(entries);
  }

  /** Entries with what is said of them elsewhere: words of their workers, and that they are answered. */
  async #told(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const [detailed, answered] = await Promise.all([this.detailed(entries), this.#readAnswers(entries)]);
    return withAnswers(detailed, answered);
  }

  /** Entries with their workers' words, where those are asked for. */
  async detailed(entries: readonly Entry[]): Promise<readonly Entry[]> {
    return this.#details ? this.#details.added(entries) : entries;
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

  async #judge(death: Death, stored: StoredMessage | undefined, readAt: number): Promise<Fate> {
    const standing = this.standings.get(death.queue)!;
    const fate = fateOf(death, stored, standing, this.#run.now);
    if (!needsNewStanding(fate, standing, readAt)) return fate;
    // It may have come, or the consumer may have come to it, since the queue was looked at.
    const now = await readStanding(this.#run.nats, this.#refs.get(death.queue)!);
    this.standings.set(death.queue, now);
    return fateOf(death, stored, now, this.#run.now);
  }

  /** The wanted orphans of a queue, once all records were judged. */
  async *orphans(queue: string, catchUp: () => Promise<void>): AsyncGenerator<Entry> {
    const { nats, filter, options, now } = this.#run;
    const created = this.standings.get(queue)?.created;
    for (const entry of journalOrphans(this.#journal, queue, created)) if (matches(filter, entry)) yield entry;
    const records = { accounted: this.accounted(queue), removed: () => options.removed?.() ?? 0, catchUp };
    const found = findOrphans(nats, this.#refs.get(queue)!, records, now);
    for (let some: Entry[] = []; ; ) {
      const { done, value } = await found.next();
      if (!done) some.push(value);
      if (done || some.length === AT_ONCE) {
        for (const entry of await this.#told(some)) if (matches(filter, entry)) yield entry;
        some = [];
      }
      if (!done) continue;
      if (value) options.onCount?.(value);
      return;
    }
  }
}

/** None for a user who may not read the ledger: such a one sees these as gone. */
const journalOf = (nats: Nats, queue: string): Promise<JournalEntry[]> =>
  orElse(answerOf(readJournal(nats, queue)), { denied: [] });
