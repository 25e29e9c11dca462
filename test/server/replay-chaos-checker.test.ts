import { describe, expect, jest, test } from '@jest/globals';
import { check } from '../chaos/checker.ts';
import { playForged } from '../chaos/forged.ts';
import { clean, play } from './chaos-bench.ts';

// What the short form of `npm run test:chaos` rests on.
// Nothing here rests on a second try.
jest.retryTimes(0);

// Killed after a step that is named, one message at a time: what is lost is certain, and how much of it.
describe('the checker sees through a protocol', () => {
  const broken = { version: '2.15', kills: 1, inFlight: 1, killAfterSteps: 1, outstanding: 60, seed: 13 } as const;

  test('that removes the original before its copy is in', async () => {
    const report = await play({ ...broken, protocol: 'removes-first' });
    expect(report).toMatchObject({ kills: 1, doubled: [], leftover: [], dropped: [] });
    expect(report.lost).toHaveLength(1);
  });

  test('that makes room in a full queue without a journal', async () => {
    const report = await play({ ...broken, protocol: 'no-journal', maxMessages: 40 });
    expect(report).toMatchObject({ kills: 1, doubled: [], leftover: [], dropped: [] });
    expect(report.lost).toHaveLength(1);
  });

  test('that lets the original stay', async () => {
    const report = await play({ ...broken, protocol: 'keeps-original' });
    expect(report).toMatchObject({ lost: [], dropped: [] });
    expect(report.leftover.length).toBeGreaterThan(0);
  });

  test('that removes by number what lies in a queue that was made anew', async () => {
    // Whether a number that was seen before has a new message when it is removed lies with the machine as well.
    const lost: string[] = [];
    for (let seed = 15; lost.length === 0 && seed < 21; seed++) {
      const report = await play({ version: '2.15', kills: 0, remakes: 1, seed, protocol: 'by-number' });
      expect(report).toMatchObject({ doubled: [], dropped: [], leftover: [] });
      lost.push(...report.lost);
    }
    expect(lost).not.toEqual([]);
  });

  test('and finds nothing in the real one, killed at the same step', async () => {
    const report = await play(broken);
    expect(report).toMatchObject({ ...clean, kills: 1, answered: report.accepted });
  });
});

test('the look at streams sees a replay that believes what a record says of its subject', async () => {
  const { faults } = await playForged({ version: '2.15', seed: 1, rounds: 1, naive: true });
  expect(faults).toContainEqual(expect.stringContaining('changed streams'));
});

describe('the checker', () => {
  const lives = (...all: [id: string, seq: number, count: number, of?: number][]) =>
    new Map(all.map(([id, seq, count, of]) => [seq, { id, seq, count, ...(of !== undefined && { of }) }]));

  test.each([
    {
      name: 'a request that is neither answered nor held is lost',
      seen: {
        accepted: new Set(['a']),
        answered: new Set<string>(),
        held: new Map<string, number[]>(),
        lives: lives(['a', 1, 0]),
        removed: new Set([1]),
      },
      want: { ...clean, lost: ['a'] },
    },
    {
      name: 'one whose last copy was deleted is lost, one that nobody deleted was dropped by the server',
      seen: {
        accepted: new Set(['a', 'b']),
        answered: new Set<string>(),
        held: new Map<string, number[]>(),
        lives: lives(['a', 1, 0], ['b', 2, 0], ['b', 3, 1]),
        removed: new Set([1, 2]),
      },
      want: { ...clean, lost: ['a'], dropped: ['b'] },
    },
    {
      name: 'a copy that the server dropped does not make the next one a second',
      seen: {
        accepted: new Set(['a']),
        answered: new Set(['a']),
        held: new Map<string, number[]>(),
        lives: lives(['a', 1, 0], ['a', 5, 1], ['a', 6, 1]),
        removed: new Set([1]),
      },
      want: clean,
    },
    {
      name: 'two messages of the same replay are doubled',
      seen: {
        accepted: new Set(['a']),
        answered: new Set(['a']),
        held: new Map<string, number[]>(),
        lives: lives(['a', 1, 0], ['a', 5, 1], ['a', 6, 1]),
        removed: new Set([1, 5]),
      },
      want: { ...clean, doubled: ['a replay 1: 5, 6'] },
    },
    {
      name: 'a second replay after a second death is not doubled',
      seen: {
        accepted: new Set(['a']),
        answered: new Set(['a']),
        held: new Map<string, number[]>(),
        lives: lives(['a', 1, 0], ['a', 5, 1], ['a', 6, 2]),
      },
      want: clean,
    },
    {
      name: 'an answered request that is still in the queue beside its copy is left over',
      seen: {
        accepted: new Set(['a']),
        answered: new Set(['a']),
        held: new Map([['a', [1]]]),
        lives: lives(['a', 1, 0], ['a', 5, 1, 1]),
      },
      want: { ...clean, leftover: ['a'] },
    },
    {
      name: 'one that a worker answered when it was dead already is not',
      seen: {
        accepted: new Set(['a']),
        answered: new Set(['a']),
        held: new Map([['a', [1]]]),
        lives: lives(['a', 1, 0]),
      },
      want: clean,
    },
    ...[
      { name: 'one that is dead and of which nothing tells any more is forgotten', told: [7, 8], forgotten: ['a'] },
      { name: 'one of which the DLQ never stored that is lost by the server', told: [8], unheard: ['a'] },
      { name: 'one that is dead and told of is neither', told: [7], recorded: [7] },
    ].map(({ name, told, recorded = [], forgotten = [], unheard = [] }) => ({
      name,
      seen: {
        accepted: new Set(['a', 'b']),
        answered: new Set(['b']),
        held: new Map([
          ['a', [7]],
          ['b', [8]],
        ]),
        lives: lives(['a', 7, 0], ['b', 8, 0]),
        advised: new Set([7, 8]),
        told: new Set(told),
        recorded: new Set(recorded),
      },
      want: { ...clean, forgotten, unheard },
    })),
  ])('$name', ({ seen, want }) => {
    const none = new Set<number>();
    const all = { removed: none, advised: none, told: none, recorded: none, ...seen };
    expect(check(all)).toEqual({ unheard: [], ...want });
  });
});
