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
  async added<E extends Silent>(entries: readonly E[]): Promise<E[]> {
    const silent = entries.filter(({ detail, published_at: time }) => detail === null && time !== null);
    const words = new Map<string, string>();
    const read = silent.length > ONE_BY_ONE ? (entry: E) => this.#kept(entry) : (entry: E) => this.#asked(entry);
    await pipelined(silent, ONE_BY_ONE, async (entry) => {
      const record = await read(entry);
      if (record) words.set(entry.id, record.reason);
    });
    return entries.map((entry) => ({ ...entry, detail: entry.detail ?? words.get(entry.id) ?? null }));
  }

  #asked(entry: Silent): Promise<FailureRecord | undefined> {
    return readFailure(this.#nats, { stream: entry.queue, seq: entry.seq, time: entry.published_at! }, entry);
  }

  async #kept(entry: Silent): Promise<FailureRecord | undefined> {
    const { queue, seq, published_at: time } = entry;
    const all = this.#ofQueue.get(queue) ?? readAllFailures(this.#nats, queue);
    this.#ofQueue.set(queue, all);
    return (await all).get(seq)?.findLast((record) => isOf(record, { time: time! }) && isBy(record, entry));
  }
}
