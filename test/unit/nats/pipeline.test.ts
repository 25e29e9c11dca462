import { describe, expect, test } from '@jest/globals';
import { inTurn, pipelined } from '../../../src/lib/nats/pipeline.ts';

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
