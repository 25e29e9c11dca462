import { setTimeout as sleep } from 'node:timers/promises';
import { isDeath, readDeath, tellsRemoval } from '../dlq/advisory.ts';
import { bucketStream } from '../facts/names.ts';
import type { QueueRef } from '../model/entry.ts';
import type { ReplayFate } from '../model/replay.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage, getRange, IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { readStream } from '../nats/streams.ts';
import { reasonText } from './copy.ts';
import type { Moved } from './protocol.ts';

const POLL_MS = 250;
/** A copy that left the stream is acked; its response, or the record of its rejection, may come a moment later. */
const GRACE_MS = 1000;
/** So many copies are looked up in one round. */
const LOOKED_UP = 2048;

/** Where the streams stood before the first copy was published: what comes behind is news. */
export interface FollowMark {
  readonly dlqs: Readonly<Record<string, number>>;
  /** Of the responses' bucket; absent where there is none. */
  readonly responses?: number;
}

export interface Followed {
  readonly moved: Moved;
  readonly fate: ReplayFate;
  /** Why it died again. */
  readonly reason?: string;
}

async function lastSeqOf(nats: Nats, stream: string): Promise<number | undefined> {
  const info = await orElse(readStream(nats, stream), { missing: undefined, denied: undefined });
  return info?.figures.last_seq;
}

/** Notes where news will begin. To be called before anything is published. */
export async function markFollow(nats: Nats, ref: QueueRef): Promise<FollowMark> {
  const entries = await Promise.all(ref.dlqs.map(async (dlq) => [dlq, (await lastSeqOf(nats, dlq)) ?? 0] as const));
  const responses = ref.responses === undefined ? undefined : await lastSeqOf(nats, bucketStream(ref.responses));
  return { dlqs: Object.fromEntries(entries), responses };
}

/**
 * Follows copies to their end: a response under the request's id, the ack, or the next death. Those that came to none
 * within the time (or before the signal) are `unknown`.
 * @throws OpsError CONN_*, DENIED_SUBJECT
 */
export async function followMoves(
  nats: Nats,
  ref: QueueRef,
  mark: FollowMark,
  moved: readonly Moved[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal; onProgress?(settled: number): void },
): Promise<Followed[]> {
  const watch = new Watch(nats, ref, mark, moved);
  const until = performance.now() + options.timeoutMs;
  while (watch.open.size > 0 && !options.signal.aborted && performance.now() < until) {
    await watch.look(performance.now());
    options.onProgress?.(moved.length - watch.open.size);
    if (watch.open.size === 0) break;
    await sleep(Math.min(POLL_MS, Math.max(1, until - performance.now())), undefined, {
      signal: options.signal,
    }).catch(() => {});
  }
  return moved.map((one) => watch.settled.get(one) ?? { moved: one, fate: 'unknown' });
}

/** What is known so far of the copies that are followed. */
class Watch {
  readonly open: Set<Moved>;
  readonly settled = new Map<Moved, Followed>();
  readonly #nats: Nats;
  readonly #ref: QueueRef;
  readonly #dlqs: Map<string, number>;
  readonly #bySeq = new Map<number, Moved>();
  readonly #byRequest = new Map<string, Moved[]>();
  readonly #goneSince = new Map<Moved, number>();
  #responses: number | undefined;

  constructor(nats: Nats, ref: QueueRef, mark: FollowMark, moved: readonly Moved[]) {
    this.#nats = nats;
    this.#ref = ref;
    this.#dlqs = new Map(Object.entries(mark.dlqs));
    this.#responses = mark.responses;
    this.open = new Set(moved);
    for (const one of moved) {
      if (one.newSeq !== undefined) this.#bySeq.set(one.newSeq, one);
      const { requestId } = one.move;
      if (requestId !== undefined) this.#byRequest.set(requestId, [...(this.#byRequest.get(requestId) ?? []), one]);
    }
  }

  async look(now: number): Promise<void> {
    await this.#readResponses();
    await this.#readDeaths();
    await this.#lookUpCopies(now);
  }

  #settle(moved: Moved, fate: ReplayFate, reason?: string): void {
    if (!this.open.delete(moved)) return;
    this.settled.set(moved, { moved, fate, reason });
  }

  async #readResponses(): Promise<void> {
    if (this.#responses === undefined) return;
    const bucket = this.#ref.responses!;
    const prefix = `$KV.${bucket}.`;
    for await (const { seq, subject } of getRange(this.#nats, bucketStream(bucket), this.#responses + 1)) {
      this.#responses = seq;
      for (const moved of this.#byRequest.get(subject.slice(prefix.length)) ?? []) this.#settle(moved, 'answered');
    }
  }

  async #readDeaths(): Promise<void> {
    for (const [dlq, last] of this.#dlqs) {
      for await (const message of getRange(this.#nats, dlq, last + 1)) {
        this.#dlqs.set(dlq, message.seq);
        const death = readDeath(message);
        if (!isDeath(death) || death.queue !== this.#ref.queue || !death.pointsAtOriginal) continue;
        // It went, which the look at the copies finds out; acked, as far as anybody knows.
        if (tellsRemoval(death.record)) continue;
        const moved = this.#bySeq.get(death.seq);
        const { reason, detail } = death.record;
        if (moved) this.#settle(moved, 'died', reasonText(reason, detail));
      }
    }
  }

  /** A copy that is not in its stream any more was acked, unless it is answered or told dead in a moment. */
  async #lookUpCopies(now: number): Promise<void> {
    const candidates = [...this.open].filter(({ newSeq }) => newSeq !== undefined).slice(0, LOOKED_UP);
    await pipelined(candidates, IN_FLIGHT, async (moved) => {
      const stored = await getMessage(this.#nats, this.#ref.queue, moved.newSeq!);
      if (stored) this.#goneSince.delete(moved);
      else if (!this.#goneSince.has(moved)) this.#goneSince.set(moved, now);
    });
    for (const [moved, since] of this.#goneSince) if (now - since >= GRACE_MS) this.#settle(moved, 'acked');
  }
}
