import { describe, expect, test } from '@jest/globals';
import { ahead, inOrder, inParts, inTurn, pipelined } from '../../../src/lib/nats/pipeline.ts';

/** Work that ends when it is told to, and how much of it was under way at once. */
function work() {
  const ends: (() => void)[] = [];
  let underWay = 0;
  const seen = { most: 0, begun: 0 };
  const ask = async (item: number): Promise<number> => {
    seen.begun += 1;
    underWay += 1;
    seen.most = Math.max(seen.most, underWay);
    await new Promise<void>((resolve) => ends.push(resolve));
    underWay -= 1;
    return item * 10;
  };
  const endAll = async () => {
    for (let end = ends.shift(); end; end = ends.shift()) {
      end();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { ask, endAll, seen };
}

describe('work on many', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [9, 3],
  ])('with at most %i at once has %i of three under way, and gives them in their order', async (limit, most) => {
    const { ask, endAll, seen } = work();
    const all = pipelined([1, 2, 3], limit, ask);
    await endAll();
    expect(await all).toEqual([10, 20, 30]);
    expect(seen).toEqual({ most, begun: 3 });
  });

  test('on none begins nothing', async () => {
    const { ask, seen } = work();
    expect(await pipelined([], 5, ask)).toEqual([]);
    expect(seen.begun).toBe(0);
  });

  test('begins nothing more once one failed', async () => {
    const begun: number[] = [];
    const fault = new TypeError('no');
    const all = pipelined([1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      if (item === 1) throw fault;
      return item;
    });
    await expect(all).rejects.toBe(fault);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([1, 2]);
  });

  test.each([
    { name: 'one server of 2.10', version: '2.10.29', cluster: undefined, apiPrefix: '$JS.API', most: 2 },
    { name: 'one server of 2.11', version: '2.11.0', cluster: undefined, apiPrefix: '$JS.API', most: 1 },
    { name: 'a cluster', version: '2.10.29', cluster: 'c', apiPrefix: '$JS.API', most: 1 },
    { name: 'a domain', version: '2.10.29', cluster: undefined, apiPrefix: '$JS.hub.API', most: 1 },
  ])('of $name has $most under way at once', async ({ version, cluster, apiPrefix, most }) => {
    const { ask, endAll, seen } = work();
    const nats = { target: { server: { version, cluster } }, settings: { apiPrefix } };
    const all = inTurn(
      nats as unknown as Parameters<typeof inTurn>[0],
      () => ask(1),
      () => ask(2),
    );
    await endAll();
    expect(await all).toEqual([10, 20]);
    expect(seen).toEqual({ most, begun: 2 });
  });
});

describe('one after the other', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const listOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
  };

  test('the first item is on its way before anybody asks for it, and no more than that', async () => {
    const asked: number[] = [];
    async function* items() {
      for (let item = 1; item <= 3; item++) {
        asked.push(item);
        yield item;
      }
    }
    const early = ahead(items());
    await turn();
    expect(asked).toEqual([1]);
    expect(await listOf(early)).toEqual([1, 2, 3]);
  });

  test('what fails before it is asked for fails for who asks', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it could
    async function* items(): AsyncGenerator<number> {
      throw new Error('no such stream');
    }
    const early = ahead(items());
    await turn();
    await expect(early.next()).rejects.toThrow('no such stream');
  });

  test.each([
    { limit: 1, begun: [1, 2] },
    { limit: 2, begun: [1, 2, 3] },
    { limit: 5, begun: [1, 2, 3, 4] },
  ])('with $limit at once the next are worked on while one is read', async ({ limit, begun }) => {
    const started: number[] = [];
    const results = inOrder([1, 2, 3, 4], limit, async (item) => {
      started.push(item);
      return item * 10;
    });
    expect((await results.next()).value).toBe(10);
    expect((await results.next()).value).toBe(20);
    await turn();
    expect(started).toEqual(begun);
    expect(await listOf(results)).toEqual([30, 40]);
  });
});

test.each([
  [0, []],
  [1, [1]],
  [2, [2]],
  [3, [2, 1]],
  [4, [2, 2]],
])('%i items are parts of two at the most', async (count, sizes) => {
  const items = async function* () {
    for (let item = 0; item < count; item++) yield item;
  };
  const parts: number[][] = [];
  for await (const part of inParts(items(), 2)) parts.push(part);
  expect(parts.map(({ length }) => length)).toEqual(sizes);
  expect(parts.flat()).toEqual(Array.from({ length: count }, (_, item) => item));
});
