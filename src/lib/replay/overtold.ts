import { readStanding } from '../dlq/collect.ts';
import { isCovered } from '../dlq/dead-count.ts';
import { isDoubtful } from '../dlq/doubt.ts';
import { scanEntries } from '../dlq/scan.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { Nats } from '../nats/connect.ts';

/** What cannot be told of a queue whose records call more messages dead than there are. */
export interface Overtold {
  /** So many records at least are false. */
  readonly count: number;
  readonly inFlight: number;
  /** Whether an entry may be one of these. */
  isDoubtful(entry: Entry): boolean;
}

/** A late ack while the records are read looks the same: it is looked at so often. */
const LOOKS = 3;

/**
 * Whether the records of a work queue call more of its messages dead than its figures leave (messages, without what
 * waits, is in flight, or waits for nobody); `undefined` where they do not, and for other streams, whose figures do not
 * tell how many are dead.
 * @throws OpsError CONN_*, DENIED_SUBJECT
 */
export async function findOvertold(nats: Nats, ref: QueueRef, now: number): Promise<Overtold | undefined> {
  let found: Overtold | undefined;
  for (let look = 0; look < LOOKS; look++) {
    const standing = await readStanding(nats, ref);
    let untaken = 0;
    let over = 0;
    const onCount = ({ accounted, dead, inFlight }: { accounted: number; dead: number; inFlight: number }) => {
      over = accounted - dead;
      found = { count: 0, inFlight, isDoubtful: (entry) => isDoubtful(entry, standing, now) };
    };
    for await (const { inner } of scanEntries(nats, [ref], {}, { now, onCount })) {
      if (inner.original && inner.records.length > 0 && !isCovered(standing, inner.original.subject)) untaken += 1;
    }
    if (!found || over <= untaken) return undefined;
    found = { ...found, count: over - untaken };
  }
  return found;
}

export const overtoldWords = (queue: string, { count, inFlight }: Overtold): string =>
  `${queue}: records call ${count} more dead than can be, while workers have ${inFlight} in hand: what died lately stays; run this again when they are done`;
