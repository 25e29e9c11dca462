import { afterEach, describe, expect, test } from '@jest/globals';
import { type ReadRows, Views } from '../../../src/lib/console/views.ts';
import type { EntryJson } from '../../../src/lib/model/entry.ts';

const row = (seq: number): EntryJson => ({
  id: `${seq % 2 ? 'Q' : 'R'}/w/${seq}`,
  queue: seq % 2 ? 'Q' : 'R',
  consumer: 'w',
  seq,
  subject: 's',
  request_id: null,
  state: 'replayable',
  reason: 'max_deliveries',
  detail: null,
  deliveries: 1,
  died_at: null,
  published_at: null,
  size: 0,
  replays: 0,
});

const views = new Views();
afterEach(() => views.close());

/** A list of so many rows; `given` counts how far it was read, `reads` how often it was begun. */
function list(length: number, gone: ReadonlySet<number> = new Set()) {
  const seen = { given: 0, reads: 0 };
  const read: ReadRows = async (looked, { tell, signal }, onRow) => {
    if (!looked) seen.reads += 1;
    tell({ type: 'note', text: 'begun' });
    for (let seq = 1; seq <= length; seq++) {
      if (looked && (!looked.has(row(seq).id) || gone.has(seq))) continue;
      if (!looked) seen.given += 1;
      await onRow(row(seq));
      signal.throwIfAborted();
    }
  };
  return { read, seen };
}

const seqs = ({ rows }: { rows: readonly EntryJson[] }) => rows.map(({ seq }) => seq);

describe('pages', () => {
  test('are read once, as far as they are wanted', async () => {
    const { read, seen } = list(1000);
    const first = await views.page(read, undefined, 300);
    expect(seqs(first)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(seen).toEqual({ given: 300, reads: 1 });
    expect(first.told).toEqual([{ type: 'note', text: 'begun' }]);
    const second = await views.page(read, first.next!, 300);
    expect([seqs(second)[0], second.from, second.told]).toEqual([301, 300, []]);
    expect(seen).toEqual({ given: 600, reads: 1 });
  });

  test.each([
    { length: 0, limit: 2, pages: [[]] },
    { length: 1, limit: 2, pages: [[1]] },
    { length: 2, limit: 2, pages: [[1, 2], []] },
    { length: 3, limit: 2, pages: [[1, 2], [3]] },
  ])('$length rows end where there are no more', async ({ length, limit, pages }) => {
    const { read } = list(length);
    const got: number[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await views.page(read, cursor, limit);
      got.push(seqs(page));
      cursor = page.next;
    }
    expect(got).toEqual(pages);
  });

  test('that were given before are found by their ids, without what went since', async () => {
    const { read, seen } = list(10, new Set([4]));
    const first = await views.page(read, undefined, 3);
    const second = await views.page(read, first.next!, 3);
    expect(seqs(second)).toEqual([4, 5, 6]);
    const again = await views.page(read, first.next!, 3);
    expect([seqs(again), again.next]).toEqual([[5, 6], second.next]);
    expect(seen).toEqual({ given: 6, reads: 1 });
  });

  test('of a list that is closed are read anew, down to there', async () => {
    const { read, seen } = list(10);
    const page = await views.page(read, 'gone:4', 3);
    expect([seqs(page), page.from]).toEqual([[5, 6, 7], 4]);
    expect(seen).toEqual({ given: 7, reads: 1 });
  });

  test('asked for at once are given one after the other', async () => {
    const { read } = list(6);
    const first = await views.page(read, undefined, 2);
    const id = first.next!.split(':')[0];
    const all = await Promise.all([2, 4].map((from) => views.page(read, `${id}:${from}`, 2)));
    expect(all.map(seqs)).toEqual([
      [3, 4],
      [5, 6],
    ]);
  });

  test('fail as the list does', async () => {
    const failing: ReadRows = async () => {
      throw new Error('away');
    };
    await expect(views.page(failing, undefined, 2)).rejects.toThrow('away');
    await expect(views.page(list(1).read, 'no cursor', 2)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('of more lists than are kept close the one that was used longest ago', async () => {
    const lists = Array.from({ length: 9 }, () => list(10));
    const cursors: string[] = [];
    for (const { read } of lists) cursors.push((await views.page(read, undefined, 1)).next!);
    await views.page(lists[0]!.read, cursors[0], 1);
    await views.page(lists[8]!.read, cursors[8], 1);
    expect(lists.map(({ seen }) => seen.reads)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

test('a page that is long in coming is waited for; a list that nobody reads is closed', async () => {
  const now = performance.now.bind(performance);
  try {
    const gate = Promise.withResolvers<void>();
    const slow: ReadRows = async (_looked, { signal }, onRow) => {
      await gate.promise;
      signal.throwIfAborted();
      await onRow(row(1));
    };
    const coming = views.page(slow, undefined, 10);
    const idle = list(10);
    const { next } = await views.page(idle.read, undefined, 2);
    performance.now = () => now() + 10 * 60_000;
    await views.page(list(1).read, undefined, 1);
    gate.resolve();
    expect(seqs(await coming)).toEqual([1]);
    await views.page(idle.read, next!, 2);
    expect(idle.seen.reads).toBe(2);
  } finally {
    performance.now = now;
  }
});
