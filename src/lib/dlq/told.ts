import { asBuffer } from '../model/bytes.ts';
import type { DlqRecord } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { tellsRemoval } from './advisory.ts';
import type { Death } from './death.ts';
import { isAsOld } from './moment.ts';
import { agree, compareTimes } from './time.ts';

/** All records of one id, oldest first: at least one. A stream that was made anew counts from 1 again, and so does another server. */
export interface Told {
  readonly deaths: readonly Death[];
  /** Where the one that is stored was told of before. */
  readonly wasTold?: boolean;
}

/** All records of one message: the newest says when it died, the newest copy is what is left of it. */
export interface Letter {
  readonly death: Death;
  /** Oldest first. */
  readonly records: readonly DlqRecord[];
}

export const keyOfDeath = (death: Death): string =>
  death.pointsAtOriginal ? `${death.queue}/${death.consumer}` : `${death.id.split('/')[0]}//`;

export const alone = (death: Death): Told => ({ deaths: [death] });

/** Several records of one id. */
export const joinDeaths = (deaths: readonly Death[]): Told => ({
  deaths: [...deaths].sort((a, b) => compareTimes(a.record.time, b.record.time) || a.record.seq - b.record.seq),
});

const isAlike = (a: StoredMessage, b: StoredMessage): boolean =>
  a.subject === b.subject && asBuffer(a.payload).equals(asBuffer(b.payload));

/** Whether two records carry one message: alike, and published at one time, or to the letter where that is not told. */
function isSameMessage(a: StoredMessage, b: StoredMessage): boolean {
  if (!isAlike(a, b)) return false;
  return a.time !== '' && b.time !== '' ? agree(a.time, b.time) : asBuffer(a.headers).equals(asBuffer(b.headers));
}

/** Whether a record carries what is stored under its sequence: a number alone says nothing of that. */
export function isStored({ carried, record, isPlaced }: Death, stored: StoredMessage, created: string): boolean {
  if (!carried || !isAlike(carried, stored)) return false;
  if (isPlaced) return isAsOld(record, stored, created);
  if (carried.time !== '') return agree(carried.time, stored.time);
  const [a, b] = [carried, stored].map(({ headers }) => headerValue(parseHeaders(headers), 'Nats-Msg-Id'));
  return a === b && isAsOld(record, stored, created);
}

/**
 * Parts the records of one id by the messages they are of. What carries a message is of another than the stored one, or
 * than another record's, unless it is proven to be the same: it may be the only copy. The stored one's come first; where
 * none is stored, those of what died last. All others go by their place in the DLQ, as records without a sequence do.
 */
export function lettersOf({ deaths }: Told, stored?: StoredMessage, created = ''): Letter[] {
  if (deaths.length === 1 && !deaths[0]!.carried) return [join(deaths)];
  const groups: Death[][] = [];
  for (const death of deaths) {
    if (!death.carried) continue;
    const same = groups.find((group) => group.some(({ carried }) => isSameMessage(carried!, death.carried!)));
    if (same) same.push(death);
    else groups.push([death]);
  }
  const newest = deaths.findLast(({ carried }) => carried);
  const main =
    (stored
      ? groups.find((group) => group.some((death) => isStored(death, stored, created)))
      : groups.find((group) => group.includes(newest!))) ?? [];
  const others = groups.filter((group) => group !== main);
  const told = new Map<Death[], Death[]>([main, ...others].map((group) => [group, [...group]]));
  for (const death of deaths) {
    if (death.carried) continue;
    // An import writes down both: an advisory and, as of the same moment, what died then.
    const own = groups.find((group) => group.some(({ record }) => record.time === death.record.time));
    const isMain = !stored || isAsOld(death.record, stored, created);
    told.get(own ?? (isMain ? main : (others.at(-1) ?? main)))!.push(death);
  }
  return [...told].flatMap(([group, all]) => {
    if (all.length === 0) return [];
    const letter = join(joinDeaths(all).deaths);
    if (group === main || !letter.death.pointsAtOriginal) return [letter];
    const { stream, seq } = group.at(-1)!.record;
    return [{ ...letter, death: { ...letter.death, id: `${stream}/-/${seq}`, pointsAtOriginal: false } }];
  });
}

function join(sorted: readonly Death[]): Letter {
  // That the message went later says nothing of why it died.
  const newest = sorted.findLast(({ record }) => !tellsRemoval(record)) ?? sorted.at(-1)!;
  const carried = sorted.findLast((death) => death.carried)?.carried;
  return {
    death: carried && !newest.carried ? { ...newest, carried } : newest,
    records: sorted.map(({ record }) => record),
  };
}
