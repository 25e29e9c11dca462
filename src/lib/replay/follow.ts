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
/** So often it is looked while others are on their way. */
const BESIDE_MS = 1000;
/** So long the last look may take. */
const LAST_LOOK_MS = 1000;
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
 * Follows copies to their end, also while others are still on their way: a response under the request's id, the ack, or
 * the next death.
 */
export class Follower {
  readonly #fates: Fates;
  readonly #watch: Watch;
  readonly #signal: AbortSignal;
  readonly #beside: NodeJS.Timeout;
  #died = 0;
  #count = 0;
  #look: Promise<void> | undefined;

  constructor(
    nats: Nats,
    ref: QueueRef,
    mark: FollowMark,
    { signal, onSettled }: { readonly signal: AbortSignal; onSettled(followed: Followed): void },
  ) {
    this.#fates = new Fates(ref.queue, (followed) => {
      if (followed.fate === 'died') this.#died += 1;
      onSettled(followed);
    });
    this.#watch = new Watch(nats, ref, mark, this.#fates);
    this.#signal = signal;
    // What fails here is met again where the end is waited for.
    this.#beside = setInterval(() => void this.#looked().catch(() => {}), BESIDE_MS);
  }

  /** How many are followed, or were. */
  get count(): number {
    return this.#count;
  }

  /** To be called before copies are published that `add` then tells of. */
  expect(): void {
    this.#fates.expect();
  }

  add(moved: readonly Moved[]): void {
    this.#count += moved.length;
    this.#fates.add(moved.map(({ move: { id, requestId, died }, newSeq }) => ({ id, requestId, died, newSeq })));
  }

  /** One look at a time: whoever wants one while another is under way has that one. */
  #looked(): Promise<void> {
    this.#look ??= (this.#fates.open.size > 0 ? this.#watch.look(performance.now()) : Promise.resolve()).finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  /** Until all came to an end, the time is over or the run is stopped. @throws OpsError CONN_*, DENIED_SUBJECT */
  async settled(timeoutMs: number): Promise<{ readonly died: number; readonly unknown: number }> {
    const until = performance.now() + timeoutMs;
    const { open } = this.#fates;
    while (open.size > 0 && !this.#signal.aborted && performance.now() < until) {
      await this.#looked();
      if (open.size === 0) break;
      const pause = Math.min(POLL_MS, Math.max(1, until - performance.now()));
      await sleep(pause, undefined, { signal: this.#signal }).catch(() => {});
    }
    return { died: this.#died, unknown: open.size };
  }

  /** Looks once more, but not for long: somebody may have stopped it. What came to no end by now is `unknown`. */
  async end(): Promise<void> {
    clearInterval(this.#beside);
    const last = async () => {
      await this.#look?.catch(() => {});
      await this.#looked();
    };
    await Promise.race([last().catch(() => {}), sleep(LAST_LOOK_MS, undefined, { ref: false })]);
    this.#fates.end();
  }
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
    for (const [dlq, last] of this.#dlqs) {
      for await (const message of getRange(this.#nats, dlq, last + 1)) {
        this.#dlqs.set(dlq, message.seq);
        const death = readDeath(message);
        if (isDeath(death)) this.#fates.heard(death);
      }
    }
    const deaths = [...this.#fates.dead];
    const details = await this.#detailsOf(deaths);
    for (const [index, death] of deaths.entries()) this.#fates.died(death, details[index]!);
  }

  /** An advisory says that a copy died; what its worker wrote down says why. */
  async #detailsOf(deaths: readonly Death[]): Promise<(string | null)[]> {
    const asked = await pipelined(deaths, IN_FLIGHT, async (death) => {
      const detail = death.record.detail ?? null;
      const stored = detail === null ? await getMessage(this.#nats, death.queue, death.seq) : undefined;
      return { ...death, detail, published_at: stored?.time ?? null };
    });
    return (await new Details(this.#nats).added(asked)).map(({ detail }) => detail);
  }

  async #lookUpCopies(now: number): Promise<void> {
    const candidates = [...this.#fates.open].filter(({ newSeq }) => newSeq !== undefined).slice(0, LOOKED_UP);
    await pipelined(candidates, IN_FLIGHT, async (copy) => {
      const stored = await getMessage(this.#nats, this.#ref.queue, copy.newSeq!);
      this.#fates.seen(copy, stored !== undefined, now);
    });
    this.#fates.settleGone(now);
  }
}
