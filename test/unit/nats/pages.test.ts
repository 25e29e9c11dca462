import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../../src/lib/model/json.ts';
import { readPages } from '../../../src/lib/nats/pages.ts';

const names = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `s${from + at}`);

/** Reads a listing, and tells what was asked for. */
async function read(page: (offset: number, asked: number) => Config, enough?: number) {
  const offsets: number[] = [];
  const found = await readPages({
    subject: 'LIST',
    page: async (offset) => {
      offsets.push(offset);
      return page(offset, offsets.length);
    },
    entries: ({ names }) => ((names ?? []) as string[]).map((name) => [name, name] as const),
    enough,
  });
  return { found: [...found.keys()], offsets };
}

/** As a server answers that has so many, and gives so many at a time. */
const honest =
  (total: number, size: number) =>
  (offset: number): Config => ({ total, offset, limit: size, names: names(offset, Math.min(size, total - offset)) });

describe('a listing', () => {
  test.each([
    [0, [0]],
    [3, [0]],
    [4, [0]],
    [5, [0, 4]],
    [8, [0, 4]],
    [9, [0, 4, 8]],
  ])('of %i in pages of 4 is asked for at %j, and is whole', async (total, offsets) => {
    expect(await read(honest(total, 4))).toEqual({ found: names(0, total), offsets });
  });

  test.each([
    [3, [0]],
    [4, [0]],
    [5, [0, 4, 8]],
  ])('of which %i are enough is read on only where the first page of 4 has fewer', async (enough, offsets) => {
    expect((await read(honest(9, 4), enough)).offsets).toEqual(offsets);
  });

  test('counts those that have no leader: they take room in a page', async () => {
    const pages: Record<number, Config> = {
      // Told twice where all its servers are away.
      0: { total: 5, names: ['s0', 's1'], missing: ['s1', 's2'] },
      3: { total: 5, names: ['s3', 's4'] },
    };
    expect(await read((offset) => pages[offset]!)).toEqual({ found: ['s0', 's1', 's3', 's4'], offsets: [0, 3] });
  });

  test('may shrink while it is read: what is gone is not missed', async () => {
    const page = (offset: number) => (offset < 4 ? honest(10, 4)(offset) : { total: 4, names: [] });
    expect((await read(page)).found).toEqual(names(0, 4));
  });

  test('may shift while it is read: what comes twice counts once', async () => {
    const page = (offset: number) => honest(10, 4)(Math.max(0, offset - 1));
    expect((await read(page)).found).toEqual(names(0, 10));
  });

  test('has as many pages as no server has, but no more', async () => {
    expect((await read(honest(1000, 1))).found).toHaveLength(1000);
    await expect(read(honest(1001, 1))).rejects.toMatchObject({ why: 'It counts 1001, and lists 1 at a time.' });
  });
});

describe('what cannot be a listing ends, with a name', () => {
  const refused = { code: 'SERVER_REFUSED', message: 'what answered is not JetStream', where: 'LIST' };

  test.each<[string, (offset: number, asked: number) => Config, string]>([
    ['its first page is empty', () => ({ total: 1 }), 'It counts 1, and lists none from 0 on.'],
    [
      'a later page is empty',
      (offset) => (offset === 0 ? honest(9, 4)(0) : { total: 9, names: [] }),
      'It counts 9, and lists none from 4 on.',
    ],
    ['its pages repeat', () => honest(9, 4)(0), 'It lists the same once more.'],
    ['it counts in words', () => ({ total: 'many', names: ['a'] }), 'It does not count what it lists.'],
    ['it counts in parts', () => ({ total: 1.5, names: ['a'] }), 'It does not count what it lists.'],
    ['it counts to no end', () => ({ total: 1e300, names: ['a'] }), 'It does not count what it lists.'],
    [
      'it counts further than anything goes',
      () => ({ total: 2 ** 53 - 1, names: ['a'] }),
      'It counts 9007199254740991, and lists 1 at a time.',
    ],
  ])('%s', async (_, page, why) => {
    await expect(read(page)).rejects.toMatchObject({ ...refused, why });
  });

  test('its total grows with every page: as many are read as it counted first', async () => {
    const page = (offset: number, asked: number) => ({ total: 10 + asked * 5, names: names(offset, 5) });
    expect((await read(page)).found).toHaveLength(15);
  });
});
