import { type FailureRecord, isOf, readAllFailures, readFailure } from '../ledger/failure.ts';
import type { Entry } from '../model/entry.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';

/** So many are asked for one by one; for more all of their queue are read at once, and kept. */
const ONE_BY_ONE = 64;

/** What is asked of one. */
export type Silent = Pick<Entry, 'id' | 'queue' | 'seq' | 'detail' | 'published_at'>;

/** What workers wrote down of the last delivery, for dead letters that do not say themselves why they died. */
export class Details {
  readonly #nats: Nats;
  readonly #ofQueue = new Map<string, Promise<ReadonlyMap<number, FailureRecord>>>();

  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** The same entries, with the words of their workers where they have none. @throws OpsError CONN_* */
  async added<E extends Silent>(entries: readonly E[]): Promise<E[]> {
    const silent = entries.filter(({ detail, published_at: time }) => detail === null && time !== null);
    const words = new Map<string, string>();
    const read = silent.length > ONE_BY_ONE ? (entry: E) => this.#kept(entry) : (entry: E) => this.#asked(entry);
    await pipelined(silent, ONE_BY_ONE, async (entry) => {
      const record = await read(entry);
      if (record && isOf(record, { time: entry.published_at! })) words.set(entry.id, record.reason);
    });
    return entries.map((entry) => ({ ...entry, detail: entry.detail ?? words.get(entry.id) ?? null }));
  }

  #asked({ queue, seq, published_at: time }: Silent): Promise<FailureRecord | undefined> {
    return readFailure(this.#nats, { stream: queue, seq, time: time! });
  }

  async #kept({ queue, seq }: Silent): Promise<FailureRecord | undefined> {
    const all = this.#ofQueue.get(queue) ?? readAllFailures(this.#nats, queue);
    this.#ofQueue.set(queue, all);
    return (await all).get(seq);
  }
}
