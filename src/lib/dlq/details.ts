import { type FailureRecord, isBy, isOf, readAllFailures, readFailure } from '../ledger/failure.ts';
import type { Entry } from '../model/entry.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';

/** So many are asked for one by one; for more all of their queue are read at once, and kept. */
const ONE_BY_ONE = 64;

/** What is asked of one. */
export type Silent = Pick<Entry, 'id' | 'queue' | 'consumer' | 'seq' | 'detail' | 'published_at'> & {
  readonly state?: Entry['state'];
};

/** What workers wrote down of the last delivery, for dead letters that do not say themselves why they died. */
export class Details {
  readonly #nats: Nats;
  readonly #ofQueue = new Map<string, ReturnType<typeof readAllFailures>>();

  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** The same entries, with the words of their workers where they have none. @throws OpsError CONN_* */
  async added<E extends Silent>(entries: readonly E[]): Promise<readonly E[]> {
    const silent = entries.filter(({ detail, published_at: time }) => detail === null && time !== null);
    const records = await (silent.length > ONE_BY_ONE ? this.#kept(silent) : this.#asked(silent));
    const words = new Map(silent.flatMap(({ id }, index) => (records[index] ? [[id, records[index].reason]] : [])));
    if (words.size === 0) return entries;
    return entries.map((entry) => ({ ...entry, detail: entry.detail ?? words.get(entry.id) ?? null }));
  }

  #asked(entries: readonly Silent[]): Promise<(FailureRecord | undefined)[]> {
    return pipelined(entries, ONE_BY_ONE, (entry) =>
      readFailure(this.#nats, { stream: entry.queue, seq: entry.seq, time: entry.published_at! }, entry),
    );
  }

  async #kept(entries: readonly Silent[]): Promise<(FailureRecord | undefined)[]> {
    const queues = new Set(entries.map(({ queue }) => queue));
    const read = async (queue: string) => {
      const all = this.#ofQueue.get(queue) ?? readAllFailures(this.#nats, queue);
      this.#ofQueue.set(queue, all);
      return [queue, await all] as const;
    };
    const kept = new Map(await Promise.all([...queues].map(read)));
    return entries.map((entry) =>
      kept
        .get(entry.queue)!
        .get(entry.seq)
        ?.findLast((record) => isOf(record, { time: entry.published_at! }) && isBy(record, entry)),
    );
  }
}
