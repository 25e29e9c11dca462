import type { StoredMessage } from '../model/message.ts';
import { isDeath, readDeath, type Unreadable } from './advisory.ts';
import type { Death } from './death.ts';
import { type Bare, bareOf, isBare, type Placing, placedAs } from './placing.ts';
import { SeqSets } from './seq-set.ts';
import { joinDeaths, keyOfDeath, type Told } from './told.ts';

export type Pages = () => AsyncGenerator<StoredMessage[]>;

/** Reads a record: what it tells by itself, and what others tell of it. */
export type Read = (message: StoredMessage) => Death | Unreadable;

export interface Index {
  /** Those that several records speak of, by id. */
  readonly joined: ReadonlyMap<string, Told>;
  readonly read: Read;
}

/**
 * Which messages several records speak of, and these records. Two readings, so that only the few that are told twice
 * are kept: the first one marks each message in a bit, the second collects what was marked twice. Where some do not tell
 * which message they are of, `place` finds it, and all are read as it says.
 */
export async function indexDeaths(
  pages: Pages,
  wanted: (death: Death) => boolean,
  onUnreadable: (message: Unreadable) => void,
  place: (bare: readonly Bare[], pages: Pages) => Promise<ReadonlyMap<string, Placing>>,
  keep: (death: Death, message: StoredMessage) => Death = (death) => death,
): Promise<Index> {
  const bare: Bare[] = [];
  const first = await markTwice(pages, readDeath, wanted, onUnreadable, (death) => {
    if (isBare(death)) bare.push(bareOf(death));
  });
  const placed = bare.length > 0 ? await place(bare, pages) : new Map<string, Placing>();
  const read: Read = (message) => {
    const placing = placed.get(`${message.stream}/${message.seq}`);
    const death = readDeath(message);
    return placing && isDeath(death) ? placedAs(death, placing) : death;
  };
  const twice = placed.size > 0 ? await markTwice(pages, read, wanted) : first;
  const joined = new Map<string, Told>();
  if (!twice) return { joined, read };
  const collected = new Map<string, Death[]>();
  for await (const page of pages()) {
    for (const message of page) {
      const death = read(message);
      if (!isDeath(death) || !wanted(death) || !twice.of(keyOfDeath(death)).has(death.seq)) continue;
      const deaths = collected.get(death.id) ?? [];
      if (deaths.length === 0) collected.set(death.id, deaths);
      deaths.push(keep(death, message));
    }
  }
  for (const [id, deaths] of collected) joined.set(id, joinDeaths(deaths));
  return { joined, read };
}

/** What is told of more than once; `undefined` where nothing is. */
async function markTwice(
  pages: Pages,
  read: Read,
  wanted: (death: Death) => boolean,
  onUnreadable: (message: Unreadable) => void = () => {},
  onDeath: (death: Death) => void = () => {},
): Promise<SeqSets | undefined> {
  const once = new SeqSets();
  const twice = new SeqSets();
  let isRepeated = false;
  for await (const page of pages()) {
    for (const message of page) {
      const death = read(message);
      if (!isDeath(death)) onUnreadable(death);
      else if (wanted(death)) {
        onDeath(death);
        if (once.of(keyOfDeath(death)).add(death.seq)) continue;
        twice.of(keyOfDeath(death)).add(death.seq);
        isRepeated = true;
      }
    }
  }
  return isRepeated ? twice : undefined;
}
