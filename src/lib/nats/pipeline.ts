import { atLeast } from '../facts/versions.ts';
import type { Nats } from './port.ts';
import { isForeignApi } from './settings.ts';

/** Whether one server answers all, by one clock: not the leaders of a cluster, or what lies behind a domain. */
export const isOneServer = ({ target, settings }: Pick<Nats, 'target' | 'settings'>): boolean =>
  target.server.cluster === undefined && !isForeignApi(settings);

/**
 * Whether what is asked of the JetStream API over one connection is carried out in the order it was asked in: one server
 * of up to 2.10 does so. From 2.11 on several hands work on it, and of three requests a later one was answered first in
 * one of five, or of thirty (measured on 2.10, 2.11, 2.12, 2.14, 2.15).
 */
export const answersInOrder = (nats: Pick<Nats, 'target' | 'settings'>): boolean =>
  isOneServer(nats) && !atLeast(nats.target.server.version, '2.11.0');

/** Asks the JetStream API for each in this order: all at once where that is how they are answered, else one by one. */
export async function inTurn<A extends readonly (() => Promise<unknown>)[]>(
  nats: Pick<Nats, 'target' | 'settings'>,
  ...asks: A
): Promise<{ -readonly [I in keyof A]: Awaited<ReturnType<A[I]>> }> {
  const answers = await pipelined(asks, answersInOrder(nats) ? asks.length : 1, (ask) => ask());
  return answers as { -readonly [I in keyof A]: Awaited<ReturnType<A[I]>> };
}

/**
 * Does the work on what comes, with at most `limit` of it under way, and gives the results in order, each as soon as it
 * is there. Whoever stops early leaves what is under way behind; its failure is nobody's.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const underWay: Promise<R>[] = [];
  let coming: Promise<void> | undefined;
  let isOver = false;
  /** Goes on by itself while whoever reads is busy with what he was given. */
  const fill = (): void => {
    if (coming || isOver || underWay.length >= limit) return;
    const asking = async () => {
      const next = await source.next();
      coming = undefined;
      if (isOver) return;
      if (next.done) isOver = true;
      else {
        const result = work(next.value);
        result.catch(() => {});
        underWay.push(result);
        fill();
      }
    };
    coming = asking();
    coming.catch(() => {});
  };
  try {
    for (;;) {
      fill();
      if (underWay.length > 0) {
        const value = await underWay[0]!;
        underWay.shift();
        yield value;
      } else if (isOver) return;
      else await coming;
    }
  } finally {
    isOver = true;
    // It may be waiting for a page that nobody wants any more.
    void Promise.resolve(source.return?.()).catch(() => {});
  }
}

/** The same items, the first of which is on its way before anybody asks for it. */
export function ahead<T>(items: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const first = items.next();
  first.catch(() => {});
  return (async function* () {
    try {
      const { done, value } = await first;
      if (done) return;
      yield value;
      yield* items;
    } finally {
      items.return().catch(() => {});
    }
  })();
}

/** The items in parts of so many; the last one may have fewer, and there is none of nothing. */
export async function* inParts<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
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
