import type { JournalEntry } from '../ledger/journal.ts';
import type { IdPattern } from '../model/entry-filter.ts';
import type { Death } from './death.ts';
import { isOfAnother, journalledId } from './entry.ts';
import { isAmong, parseId } from './id.ts';
import { compareTimes } from './time.ts';
import type { Told } from './told.ts';

/** When the queues' streams were made (RFC 3339; empty where one does not exist), by queue. */
type Created = ReadonlyMap<string, string>;

/**
 * What replays have taken out of full queues and not put back yet: the only copy, whether or not a record speaks of it.
 * What is of a stream before the one of now is no message of that, though a number and so an id may be the same.
 */
export class Held {
  readonly #all: readonly JournalEntry[];
  readonly #created: Created;
  readonly #current: ReadonlyMap<string, JournalEntry>;
  readonly #former: ReadonlyMap<string, readonly JournalEntry[]>;
  readonly #told = new Set<JournalEntry>();

  constructor(all: readonly JournalEntry[], created: Created) {
    this.#all = all;
    this.#created = created;
    const isFormer = (one: JournalEntry) => isOfAnother(one, created.get(one.original.stream) ?? '');
    this.#current = new Map(all.flatMap((one) => (isFormer(one) ? [] : [[one.id, one]])));
    this.#former = Map.groupBy(all.filter(isFormer), ({ id }) => id);
  }

  get size(): number {
    return this.#all.length;
  }

  /** What is held of the stream as it is. */
  current(id: string): JournalEntry | undefined {
    return this.#current.get(id);
  }

  /** Whether a death is that of a message held of a former stream. */
  isFormer(death: Death): boolean {
    return this.#former.get(death.id)?.some((one) => this.#isOf(one, death)) ?? false;
  }

  /** Parts the records of one id: those of what is held of former streams, and the others. */
  part(told: Told): { readonly former: readonly (Told & { readonly held: JournalEntry })[]; readonly rest: Told } {
    let { deaths } = told;
    const former = (this.#former.get(deaths[0]!.id) ?? []).flatMap((held) => {
      const { own = [], other = [] } = Object.groupBy(deaths, (death) => (this.#isOf(held, death) ? 'own' : 'other'));
      deaths = other;
      return own.length > 0 ? [{ held, deaths: own }] : [];
    });
    return { former, rest: { ...told, deaths } };
  }

  /** Notes that what is held was told of with its records; false where it was before. */
  tell(held: JournalEntry): boolean {
    const isNew = !this.#told.has(held);
    this.#told.add(held);
    return isNew;
  }

  /** What is held of a queue, and no record spoke of. */
  untold(queue: string): JournalEntry[] {
    return this.#all.filter((one) => one.original.stream === queue && !this.#told.has(one));
  }

  /** The ids in the records of what is meant by its place in the journal. */
  placed(patterns: readonly IdPattern[]): IdPattern[] {
    return [...this.#former.values()].flat().flatMap((one) => {
      const isMeant = isAmong(patterns, journalledId(one, this.#created.get(one.original.stream) ?? ''));
      return isMeant ? (parseId(one.id) ?? []) : [];
    });
  }

  /** By the records that were written down with it; else what died under its number before the stream of now was made. */
  #isOf({ records, original }: JournalEntry, { record, pointsAtOriginal }: Death): boolean {
    const isNamed = records.some(
      ({ stream, seq, time }) => stream === record.stream && seq === record.seq && time === record.stored,
    );
    return isNamed || (pointsAtOriginal && compareTimes(record.time, this.#created.get(original.stream) ?? '') < 0);
  }
}
