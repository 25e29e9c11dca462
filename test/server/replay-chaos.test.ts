import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { playChaos, tellReport } from '../chaos/chaos.ts';
import { check } from '../chaos/checker.ts';

// The short form of `npm run test:chaos`, which plays all of it on every server line.
// Nothing here rests on a second try.
jest.retryTimes(0);

const said: string[] = [];
afterAll(() => void process.stderr.write(`${said.join('\n')}\n`));

const clean = { lost: [], dropped: [], doubled: [], leftover: [] };

async function play(scenario: Parameters<typeof playChaos>[0]) {
  const report = await playChaos({ patienceMs: 90_000, ...scenario });
  said.push(tellReport(report));
  return report;
}

describe('a replay that is killed at any moment', () => {
  test('loses nothing and doubles nothing, with the server killed beside it and a second replay racing', async () => {
    const report = await play({ version: '2.15', kills: 6, serverKills: 2, racing: true, seed: 11 });
    expect(report).toMatchObject({ ...clean, answered: report.accepted });
    expect(report.replayedLives).toBeGreaterThan(0);
  }, 180_000);

  test('loses nothing and doubles nothing in a full queue whose every free slot is taken by a publisher', async () => {
    const report = await play({ version: '2.12', kills: 6, maxMessages: 50, seed: 12 });
    expect(report).toMatchObject({ ...clean, answered: report.accepted });
    expect(report.replayedLives).toBeGreaterThan(0);
  }, 180_000);
});

test('a cluster of three whose nodes are killed loses nothing and doubles nothing', async () => {
  const report = await play({ version: '2.15', kills: 6, serverKills: 2, nodes: 3, outstanding: 80, seed: 15 });
  expect(report).toMatchObject({ ...clean, answered: report.accepted });
  expect(report.replayedLives).toBeGreaterThan(0);
}, 240_000);

// Killed after a step that is named, one message at a time: what is lost is certain, and how much of it.
describe('the checker sees through a protocol', () => {
  const broken = { version: '2.15', kills: 1, inFlight: 1, killAfterSteps: 1, outstanding: 60, seed: 13 } as const;

  test('that removes the original before its copy is in', async () => {
    const report = await play({ ...broken, protocol: 'removes-first' });
    expect(report).toMatchObject({ kills: 1, doubled: [], leftover: [], dropped: [] });
    expect(report.lost).toHaveLength(1);
  }, 180_000);

  test('that makes room in a full queue without a journal', async () => {
    const report = await play({ ...broken, protocol: 'no-journal', maxMessages: 40 });
    expect(report).toMatchObject({ kills: 1, doubled: [], leftover: [], dropped: [] });
    expect(report.lost).toHaveLength(1);
  }, 180_000);

  test('that lets the original stay', async () => {
    const report = await play({ ...broken, protocol: 'keeps-original' });
    expect(report).toMatchObject({ lost: [], dropped: [] });
    expect(report.leftover.length).toBeGreaterThan(0);
  }, 180_000);

  test('and finds nothing in the real one, killed at the same step', async () => {
    const report = await play(broken);
    expect(report).toMatchObject({ ...clean, kills: 1, answered: report.accepted });
  }, 180_000);
});

describe('the checker', () => {
  const lives = (...all: [string, number, number][]) =>
    new Map(all.map(([id, seq, count]) => [seq, { id, seq, count }]));

  test.each([
    {
      name: 'a request that is neither answered nor held is lost',
      seen: {
        accepted: new Set(['a']),
        answered: new Set<string>(),
        held: new Set<string>(),
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
        held: new Set<string>(),
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
        held: new Set<string>(),
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
        held: new Set<string>(),
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
        held: new Set<string>(),
        lives: lives(['a', 1, 0], ['a', 5, 1], ['a', 6, 2]),
      },
      want: clean,
    },
    {
      name: 'an answered request that is still in the queue is left over',
      seen: { accepted: new Set(['a']), answered: new Set(['a']), held: new Set(['a']), lives: lives(['a', 1, 0]) },
      want: { ...clean, leftover: ['a'] },
    },
  ])('$name', ({ seen, want }) => {
    expect(check({ removed: new Set(), ...seen })).toEqual(want);
  });
});
