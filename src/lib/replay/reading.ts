import { scanEntries } from '../dlq/scan.ts';
import { type JournalEntry, type LeftIntent, readIntent } from '../ledger/journal.ts';
import type { Entry } from '../model/entry.ts';
import { ahead } from '../nats/pipeline.ts';
import type { QueueJob } from './job.ts';
import { readJournalNow } from './recover.ts';

/** What a run leaves where it is though it may be dead: an orphan is one for certain only while nothing is in flight. */
const untold = (queue: string, uncertain: number, inFlight: number): string =>
  `${queue}: up to ${uncertain} more may be dead, without a record; which, cannot be told while workers have ${inFlight} in hand: run this again when they are done`;

/** What an earlier run may have left behind. */
export interface Left {
  readonly intent: LeftIntent | undefined;
  readonly journal: readonly JournalEntry[];
}

export async function readLeft({ nats, ref, whole }: QueueJob): Promise<Left> {
  const [intent, journal] = await Promise.all([
    readIntent(nats, ref.queue),
    readJournalNow({ nats, queue: ref.queue }),
    whole,
  ]);
  return { intent, journal };
}

/** What was read so long ago, in milliseconds, is read anew before the first of it moves. */
const STALE_MS = 1000;

/** The dead letters of a queue: the first of them are on their way from the moment this is made. */
export class Reading {
  /** Originals that are in the queue no more; those in the journal may still be. */
  removed = 0;
  readonly #entries: AsyncGenerator<Entry, void, undefined>;
  readonly #at: number;
  /** What is told once it is known that this reading is the one. */
  #told: (() => void)[] | undefined = [];

  /** `at`: by the process's own clock, in milliseconds. */
  constructor({ nats, ref, filter, wishes, now, onRead, onUnreadable, tellNote }: QueueJob, at: number) {
    this.#at = at;
    const tell = (told: () => void) => (this.#told ? this.#told.push(told) : told());
    this.#entries = ahead(
      scanEntries(nats, [ref], filter, {
        now,
        // Whether it dies again for the same reason is told where it is followed.
        details: wishes.wait || wishes.canary !== undefined,
        removed: () => this.removed,
        ...(onRead && { onRead }),
        onUnreadable: (one) => tell(() => onUnreadable?.(one)),
        onCount: ({ uncertain, inFlight }) => {
          if (uncertain > 0) tell(() => tellNote(untold(ref.queue, uncertain, inFlight)));
        },
      }),
    );
  }

  isStale(at: number): boolean {
    return at - this.#at > STALE_MS;
  }

  entries(): AsyncGenerator<Entry, void, undefined> {
    for (const told of this.#told ?? []) told();
    this.#told = undefined;
    return this.#entries;
  }

  drop(): void {
    this.#entries.return().catch(() => {});
  }
}
