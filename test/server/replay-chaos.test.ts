import { describe, expect, jest, test } from '@jest/globals';
import { clean, play } from './chaos-bench.ts';

// The short form of `npm run test:chaos`, which plays all of it on every server line.
// Nothing here rests on a second try.
jest.retryTimes(0);

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
