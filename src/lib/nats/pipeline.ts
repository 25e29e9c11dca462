import type { Nats } from './port.ts';
import { isForeignApi } from './settings.ts';

/**
 * Asks the JetStream API for each in this order. One server answers what came over one connection in the order it came,
 * so that all may leave at once; the leaders of a cluster, and what lies behind a domain, answer each in its own time.
 */
export async function inTurn<A extends readonly (() => Promise<unknown>)[]>(
  nats: Pick<Nats, 'target' | 'settings'>,
  ...asks: A
): Promise<{ -readonly [I in keyof A]: Awaited<ReturnType<A[I]>> }> {
  const isOne = nats.target.server.cluster === undefined && !isForeignApi(nats.settings);
  const answers = await pipelined(asks, isOne ? asks.length : 1, (ask) => ask());
  return answers as { -readonly [I in keyof A]: Awaited<ReturnType<A[I]>> };
}

/**
 * Does the work on every item with at most `limit` of them under way, and gives the results in the items' order.
 * The first failure rejects; what is under way then is left to end by itself.
 */
export async function pipelined<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  await Promise.all(lanes);
  return results;
}
