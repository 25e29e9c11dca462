import { tellsRemoval } from '../dlq/advisory.ts';
import type { Death } from '../dlq/death.ts';
import type { ReplayFate } from '../model/replay.ts';
import { reasonText } from './copy.ts';
import type { Moved } from './protocol.ts';

export interface Followed {
  readonly moved: Moved;
  readonly fate: ReplayFate;
  /** Why it died again. */
  readonly reason?: string;
}

/** A copy that left the stream is acked; its response, or the record of its rejection, may come a moment later. */
const GRACE_MS = 1000;

/** What is known so far of the copies that are followed. Times are milliseconds of any clock that goes forward. */
export class Fates {
  readonly open: Set<Moved>;
  readonly #queue: string;
  readonly #all: readonly Moved[];
  readonly #bySeq: ReadonlyMap<number | undefined, Moved>;
  readonly #byRequest: ReadonlyMap<string | undefined, readonly Moved[]>;
  readonly #settled = new Map<Moved, Followed>();
  readonly #goneSince = new Map<Moved, number>();

  constructor(queue: string, moved: readonly Moved[]) {
    this.#queue = queue;
    this.#all = moved;
    this.open = new Set(moved);
    this.#bySeq = new Map(moved.map((one) => [one.newSeq, one]));
    this.#byRequest = Map.groupBy(moved, ({ move }) => move.requestId);
  }

  #settle(moved: Moved, fate: ReplayFate, reason?: string): void {
    if (this.open.delete(moved)) this.#settled.set(moved, { moved, fate, reason });
  }

  /** A response is stored under a request's id. */
  answered(requestId: string): void {
    for (const moved of this.#byRequest.get(requestId) ?? []) this.#settle(moved, 'answered');
  }

  /** Whether a record tells of a copy's death. That a copy only went is found by the look at the copies. */
  isOf({ queue, seq, record, pointsAtOriginal }: Death): boolean {
    return queue === this.#queue && pointsAtOriginal && !tellsRemoval(record) && this.#bySeq.has(seq);
  }

  /** A record is stored of a death, whose worker may have written down more than it says. */
  died(death: Death, detail: string | null = death.record.detail ?? null): void {
    if (!this.isOf(death)) return;
    this.#settle(this.#bySeq.get(death.seq)!, 'died', reasonText(death.record.reason, detail ?? undefined));
  }

  /** A copy was looked up. One that is not in its stream any more was acked, unless more is told of it in a moment. */
  seen(moved: Moved, isStored: boolean, now: number): void {
    if (isStored) this.#goneSince.delete(moved);
    else if (!this.#goneSince.has(moved)) this.#goneSince.set(moved, now);
  }

  /** Settles those that went a while ago. */
  settleGone(now: number): void {
    for (const [moved, since] of this.#goneSince) if (now - since >= GRACE_MS) this.#settle(moved, 'acked');
  }

  /** What became of each; of those that came to no end nothing is known. */
  all(): Followed[] {
    return this.#all.map((moved) => this.#settled.get(moved) ?? { moved, fate: 'unknown' });
  }
}
