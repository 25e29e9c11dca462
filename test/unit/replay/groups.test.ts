import { expect, test } from '@jest/globals';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { GroupTable } from '../../../src/lib/replay/groups.ts';

const entry = (detail: string | null, died_at: string | null = null): Entry =>
  ({ queue: 'Q', consumer: 'w', subject: 's', reason: 'rejected', detail, died_at }) as Entry;
const groupsOf = (entries: readonly Entry[]) => {
  const table = new GroupTable();
  for (const one of entries) table.add(one);
  return table.groups();
};

test('what died of one cause is one group, whatever its numbers, with its first and last death', () => {
  const [first, last] = ['2026-01-02T03:00:00Z', '2026-01-02T03:00:01Z'];
  const all = [entry('after 2s', last), entry('after 3s', first), entry('after 4s'), entry('no\nroute'), entry(null)];
  const base = { queue: 'Q', consumer: 'w', subject: 's', reason: 'rejected' };
  const undated = { first_died_at: null, last_died_at: null };
  expect(groupsOf(all)).toEqual([
    { ...base, detail: 'after #s', count: 3, first_died_at: first, last_died_at: last },
    { ...base, ...undated, detail: 'no route', count: 1 },
    { ...base, ...undated, detail: null, count: 1 },
  ]);
});

test.each([
  [1000, 1000, 0],
  [1001, 1001, 1],
  [1002, 1001, 2],
])('of %d causes there are %d groups, and %d have no group of their own', (causes, many, unsaid) => {
  const word = (at: number) =>
    String.fromCharCode(97 + (at % 26), 97 + (Math.floor(at / 26) % 26), 97 + Math.floor(at / 676));
  const all = Array.from({ length: causes }, (_, at) => entry(word(at)));
  const groups = groupsOf([...all, entry('aaa')]);
  expect(groups).toHaveLength(many);
  expect(groups.find(({ detail }) => detail === 'aaa')).toMatchObject({ count: 2 });
  expect(groups.find(({ detail }) => detail === null)?.count ?? 0).toBe(unsaid);
});
