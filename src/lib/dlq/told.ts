import { asBuffer } from '../model/bytes.ts';
import type { DlqRecord } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { tellsRemoval } from './advisory.ts';
import type { Death } from './death.ts';
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
