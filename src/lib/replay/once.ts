import { scanEntries } from '../dlq/scan.ts';
import { SeqSets } from '../dlq/seq-set.ts';
import { holdsCarried } from '../dlq/sources.ts';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { Seen } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import { type MoveFacts, recordsSeen } from './copy.ts';
import { twinKey } from './imported.ts';
import type { Skipped } from './select.ts';

//   Several consumers of a stream may give up the same message: that is an entry for each of them, and one copy, which
//   goes to all. Originals are one by their sequence; what only records carry is one where it is alike to the letter.

/** What only records carry, by what it is; `undefined` where it does not tell enough to be another's too. */
const carriedKey = ({ inner: { original, message } }: Entry): string | undefined =>
  original || !message ? undefined : twinKey(message);

/** Tells entries of one message from entries of several, as they come. */
export class Once {
  readonly #isShared: (queue: string) => boolean;
  readonly #originals = new SeqSets();
  readonly #carried = new Set<string>();

  /** `isShared` tells whether several consumers may be given the same message of a queue: not on a work queue. */
  constructor(isShared: (queue: string) => boolean) {
    this.#isShared = isShared;
  }

  /** Whether an entry of the same message came before; takes note of this one. */
  isAgain(entry: Entry): boolean {
    const { queue, inner } = entry;
    if (inner.original) return !this.#originals.of(queue).add(inner.original.seq);
    const carried = this.#isShared(queue) ? carriedKey(entry) : undefined;
    if (carried === undefined) return false;
    const key = `${queue} ${carried}`;
    const isKnown = this.#carried.has(key);
    this.#carried.add(key);
    return isKnown;
  }
}

export const skippedAgain = (entry: Entry): Skipped => ({
  entry,
  why: 'together',
  text: 'its message goes with another entry: one copy goes to all consumers',
});

/**
 * The records of other entries that carry the same message as one does, whatever a filter or a limit chose: they go with
 * it, or the next run would move the message once more.
 * @throws OpsError CONN_*, DENIED_SUBJECT
 */
export async function readTwins(
  nats: Nats,
  ref: QueueRef,
  facts: Pick<MoveFacts, 'dlqsCreated'>,
  now: number,
): Promise<(entry: Entry) => readonly Seen[]> {
  const all = new Map<string, Seen[]>();
  const mayCarry = await Promise.all(ref.dlqs.map((dlq) => holdsCarried(nats, dlq, ref.queue)));
  if (mayCarry.includes(true)) {
    for await (const entry of scanEntries(nats, [ref], {}, { now })) {
      const key = carriedKey(entry);
      if (key !== undefined) all.set(key, [...(all.get(key) ?? []), ...recordsSeen(entry, facts)]);
    }
  }
  return (entry) => all.get(carriedKey(entry) ?? '') ?? [];
}
