import type { StoredMessage } from '../model/message.ts';
import { isDeath, readDeath, type Unreadable } from './advisory.ts';
import type { Death } from './death.ts';
import { SeqSets } from './seq-set.ts';
import { joinDeaths, keyOfDeath, type Told } from './told.ts';

type Pages = () => AsyncGenerator<StoredMessage[]>;

/**
 * Which messages several records speak of, and these records. Two readings, so that only the few that are told twice
 * are kept: the first one marks each message in a bit, the second collects what was marked twice.
 */
export async function indexDeaths(
  pages: Pages,
  wanted: (death: Death) => boolean,
  onUnreadable: (message: Unreadable) => void,
  keep: (death: Death, message: StoredMessage) => Death = (death) => death,
): Promise<Map<string, Told>> {
  const once = new SeqSets();
  const twice = new SeqSets();
  let repeated = 0;
  for await (const page of pages()) {
    for (const message of page) {
      const death = readDeath(message);
      if (!isDeath(death)) onUnreadable(death);
      else if (wanted(death) && !once.of(keyOfDeath(death)).add(death.seq)) {
        if (twice.of(keyOfDeath(death)).add(death.seq)) repeated += 1;
      }
    }
  }
  const joined = new Map<string, Told>();
  if (repeated === 0) return joined;
  const collected = new Map<string, Death[]>();
  for await (const page of pages()) {
    for (const message of page) {
      const death = readDeath(message);
      if (!isDeath(death) || !wanted(death) || !twice.of(keyOfDeath(death)).has(death.seq)) continue;
      const deaths = collected.get(death.id) ?? [];
      if (deaths.length === 0) collected.set(death.id, deaths);
      deaths.push(keep(death, message));
    }
  }
  for (const [id, deaths] of collected) joined.set(id, joinDeaths(deaths));
  return joined;
}
