import { expect, test } from '@jest/globals';
import { newestFirst } from '../../../src/lib/dlq/scan.ts';

interface Dead {
  readonly id: string;
  readonly died_at: string | null;
}

/** `a3` died in second 3; nobody knows of `a?`. */
const dead = (id: string): Dead => ({ id, died_at: id.endsWith('?') ? null : `2026-01-01T00:00:0${id.at(-1)}Z` });

test.each([
  { given: [], want: [] },
  { given: [['a2', 'a1']], want: ['a2', 'a1'] },
  { given: [['a4', 'a1'], ['b3', 'b2'], []], want: ['a4', 'b3', 'b2', 'a1'] },
  { given: [['a1', 'a?'], ['b?'], ['c2']], want: ['c2', 'a1', 'a?', 'b?'] },
  { given: [['a1'], ['b1']], want: ['a1', 'b1'] },
])('of $given the newest of all comes first, and what nobody dates last', async ({ given, want }) => {
  const scans = given.map(async function* (ids) {
    for (const id of ids) yield dead(id);
  });
  const got: string[] = [];
  for await (const { id } of newestFirst(scans)) got.push(id);
  expect(got).toEqual(want);
});

test('whoever stops early ends all of them', async () => {
  const ended: string[] = [];
  const scans = ['a', 'b'].map(async function* (name) {
    try {
      for (;;) yield dead(`${name}1`);
    } finally {
      ended.push(name);
    }
  });
  for await (const _ of newestFirst(scans)) break;
  await new Promise(setImmediate);
  expect(ended).toEqual(['a', 'b']);
});
