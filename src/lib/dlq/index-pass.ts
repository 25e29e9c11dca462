import { asBuffer } from '../model/bytes.ts';
import type { DlqRecord } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { isDeath, readDeath, tellsRemoval, type Unreadable } from './advisory.ts';
import type { Death } from './death.ts';
import { SeqSets } from './seq-set.ts';
import { compareTimes } from './time.ts';

/** All records of one message: the newest says when it died, the newest copy is what is left of it. */
export interface Told {
  readonly death: Death;
  /** Oldest first. */
  readonly records: readonly DlqRecord[];
}

export const keyOfDeath = (death: Death): string =>
  death.pointsAtOriginal ? `${death.queue}/${death.consumer}` : `${death.record.stream}//`;

export const alone = (death: Death): Told => ({ death, records: [death.record] });

const isSameMessage = (a: StoredMessage, b: StoredMessage): boolean =>
  a.subject === b.subject &&
  asBuffer(a.payload).equals(asBuffer(b.payload)) &&
  asBuffer(a.headers).equals(asBuffer(b.headers));

/** Several records of one message as one. */
export function joinDeaths(deaths: readonly Death[]): Told {
  const sorted = [...deaths].sort((a, b) => compareTimes(a.record.time, b.record.time) || a.record.seq - b.record.seq);
  // That the message went later says nothing of why it died.
  const newest = sorted.findLast(({ record }) => !tellsRemoval(record)) ?? sorted.at(-1)!;
  const carried = sorted.findLast((death) => death.carried)?.carried;
  // A sequence that was used again, or named by somebody else: another message is another dead letter, and its record is
  // the only copy of it. It stays, and is an entry once this one has gone.
  const same = sorted.filter((death) => !death.carried || !carried || isSameMessage(death.carried, carried));
  return {
    death: carried && !newest.carried ? { ...newest, carried } : newest,
    records: same.map(({ record }) => record),
  };
}

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
