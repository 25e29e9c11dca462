import { setTimeout as sleep } from 'node:timers/promises';
import { isDeath, readDeath } from '../dlq/advisory.ts';
import type { Death } from '../dlq/death.ts';
import { Details } from '../dlq/details.ts';
import { bucketStream } from '../facts/names.ts';
import type { QueueRef } from '../model/entry.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage, getRange, IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { readStream } from '../nats/streams.ts';
import { Fates, type Followed } from './fates.ts';
import type { Moved } from './protocol.ts';

const POLL_MS = 250;
/** So many copies are looked up in one round. */
const LOOKED_UP = 2048;

/** Where the streams stood before the first copy was published: what comes behind is news. */
export interface FollowMark {
  readonly dlqs: Readonly<Record<string, number>>;
  /** Of the responses' bucket; absent where there is none. */
  readonly responses?: number;
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
  const fates = new Fates(ref.queue, moved);
  const watch = new Watch(nats, ref, mark, fates);
  const until = performance.now() + options.timeoutMs;
  while (fates.open.size > 0 && !options.signal.aborted && performance.now() < until) {
    await watch.look(performance.now());
    options.onProgress?.(moved.length - fates.open.size);
    if (fates.open.size === 0) break;
    await sleep(Math.min(POLL_MS, Math.max(1, until - performance.now())), undefined, {
      signal: options.signal,
    }).catch(() => {});
  }
  return fates.all();
}

/** Reads what is new of copies. */
class Watch {
  readonly #nats: Nats;
  readonly #ref: QueueRef;
  readonly #fates: Fates;
  readonly #dlqs: Map<string, number>;
  #responses: number | undefined;

  constructor(nats: Nats, ref: QueueRef, mark: FollowMark, fates: Fates) {
    this.#nats = nats;
    this.#ref = ref;
    this.#fates = fates;
    this.#dlqs = new Map(Object.entries(mark.dlqs));
    this.#responses = mark.responses;
  }

  async look(now: number): Promise<void> {
    await this.#readResponses();
    await this.#readDeaths();
    await this.#lookUpCopies(now);
  }

  async #readResponses(): Promise<void> {
    if (this.#responses === undefined) return;
    const bucket = this.#ref.responses!;
    const prefix = `$KV.${bucket}.`;
    for await (const { seq, subject } of getRange(this.#nats, bucketStream(bucket), this.#responses + 1)) {
      this.#responses = seq;
      this.#fates.answered(subject.slice(prefix.length));
    }
  }

  async #readDeaths(): Promise<void> {
    const deaths: Death[] = [];
    for (const [dlq, last] of this.#dlqs) {
      for await (const message of getRange(this.#nats, dlq, last + 1)) {
        this.#dlqs.set(dlq, message.seq);
        const death = readDeath(message);
        if (isDeath(death) && this.#fates.isOf(death)) deaths.push(death);
      }
    }
    for (const death of await this.#detailed(deaths)) this.#fates.died(death, death.detail);
  }

  /** An advisory says that a copy died; what its worker wrote down says why. */
  async #detailed(deaths: readonly Death[]): Promise<(Death & { readonly detail: string | null })[]> {
    const asked = await pipelined(deaths, IN_FLIGHT, async (death) => {
      const detail = death.record.detail ?? null;
      const stored = detail === null ? await getMessage(this.#nats, death.queue, death.seq) : undefined;
      return { ...death, detail, published_at: stored?.time ?? null };
    });
    return new Details(this.#nats).added(asked);
  }

  async #lookUpCopies(now: number): Promise<void> {
    const candidates = [...this.#fates.open].filter(({ newSeq }) => newSeq !== undefined).slice(0, LOOKED_UP);
    await pipelined(candidates, IN_FLIGHT, async (moved) => {
      const stored = await getMessage(this.#nats, this.#ref.queue, moved.newSeq!);
      this.#fates.seen(moved, stored !== undefined, now);
    });
    this.#fates.settleGone(now);
  }
}
