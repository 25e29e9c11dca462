import { tellsRemoval } from '../dlq/advisory.ts';
import type { Death } from '../dlq/death.ts';
import type { ReplayFate } from '../model/replay.ts';
import { reasonText } from './copy.ts';
import type { Move } from './protocol.ts';

/** A copy that is followed: not with its payload, for there may be a million. */
export interface Copy extends Pick<Move, 'id' | 'requestId' | 'died'> {
  /** Where this run learned it. */
  readonly newSeq?: number;
}

export interface Followed {
  readonly copy: Copy;
  readonly fate: ReplayFate;
  /** Why it died again. */
  readonly reason?: string;
}

/** A copy that left the stream is acked; its response, or the record of its rejection, may come a moment later. */
const GRACE_MS = 1000;

/**
 * What becomes of the copies that are followed: each is told once, as soon as it is known. Times are milliseconds of any
 * clock that goes forward.
 */
export class Fates {
  readonly open = new Set<Copy>();
  /** Heard of, and not told yet: what their workers wrote down is still to be read. */
  readonly dead = new Set<Death>();
  readonly #queue: string;
  readonly #onSettled: (followed: Followed) => void;
  readonly #bySeq = new Map<number, Copy>();
  readonly #byRequest = new Map<string, Copy[]>();
  readonly #goneSince = new Map<Copy, number>();
  /** What was heard while copies were on their way, whose sequences come with the last of them. */
  #early: { readonly requests: Set<string>; readonly deaths: Death[] } | undefined;

  constructor(queue: string, onSettled: (followed: Followed) => void) {
    this.#queue = queue;
    this.#onSettled = onSettled;
  }

  /** Copies are on their way: `add` tells which. */
  expect(): void {
    this.#early ??= { requests: new Set(), deaths: [] };
  }

  add(copies: readonly Copy[]): void {
    for (const copy of copies) {
      const { newSeq, requestId } = copy;
      this.open.add(copy);
      if (newSeq !== undefined) this.#bySeq.set(newSeq, copy);
      if (requestId !== undefined) this.#byRequest.set(requestId, [...(this.#byRequest.get(requestId) ?? []), copy]);
    }
    const { requests = [], deaths = [] } = this.#early ?? {};
    this.#early = undefined;
    for (const id of requests) this.answered(id);
    for (const death of deaths) this.heard(death);
  }

  #settle(copy: Copy, fate: ReplayFate, reason?: string): void {
    if (!this.open.delete(copy)) return;
    if (copy.newSeq !== undefined) this.#bySeq.delete(copy.newSeq);
    this.#goneSince.delete(copy);
    this.#onSettled({ copy, fate, ...(reason !== undefined && { reason }) });
  }

  /** A response is stored under a request's id. */
  answered(requestId: string): void {
    this.#early?.requests.add(requestId);
    for (const copy of this.#byRequest.get(requestId) ?? []) this.#settle(copy, 'answered');
    this.#byRequest.delete(requestId);
  }

  /** A record is stored of a death. That a copy only went is found by the look at the copies. */
  heard(death: Death): void {
    const { queue, seq, record, pointsAtOriginal } = death;
    if (queue !== this.#queue || !pointsAtOriginal || tellsRemoval(record)) return;
    if (this.#bySeq.has(seq)) this.dead.add(death);
    else this.#early?.deaths.push(death);
  }

  /** One that was heard of, whose worker may have written down more than its record says. */
  died(death: Death, detail: string | null): void {
    this.dead.delete(death);
    const copy = this.#bySeq.get(death.seq);
    if (copy) this.#settle(copy, 'died', reasonText(death.record.reason, detail ?? undefined));
  }

  /** A copy was looked up. One that is not in its stream any more was acked, unless more is told of it in a moment. */
  seen(copy: Copy, isStored: boolean, now: number): void {
    if (isStored) {
      this.#goneSince.delete(copy);
      // The others are looked up first the next time.
      if (this.open.delete(copy)) this.open.add(copy);
    } else if (!this.#goneSince.has(copy)) this.#goneSince.set(copy, now);
  }

  /** Settles those that went a while ago. */
  settleGone(now: number): void {
    for (const [copy, since] of this.#goneSince) if (now - since >= GRACE_MS) this.#settle(copy, 'acked');
  }

  /** Of those that came to no end nothing is known. */
  end(): void {
    for (const copy of this.open) this.#settle(copy, 'unknown');
  }
}
