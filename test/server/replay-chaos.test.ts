import { describe, expect, jest, test } from '@jest/globals';
import { playForged } from '../chaos/forged.ts';
import { playTargets } from '../chaos/targets.ts';
import { clean, play } from './chaos-bench.ts';

// The short form of `npm run test:chaos`, which plays all of it on every server line.
// Nothing here rests on a second try.
jest.retryTimes(0);

describe('a replay that is killed at any moment', () => {
  test('loses nothing and doubles nothing, with the server killed beside it and a second replay racing', async () => {
    const report = await play({ version: '2.15', kills: 6, serverKills: 2, racing: true, seed: 11 });
    expect(report).toMatchObject({ ...clean, answered: report.accepted });
    expect(report.replayedLives).toBeGreaterThan(0);
  });

  test('loses nothing and doubles nothing in a full queue whose every free slot is taken by a publisher', async () => {
    const report = await play({ version: '2.12', kills: 6, maxMessages: 50, seed: 12 });
    expect(report).toMatchObject({ ...clean, answered: report.accepted });
    expect(report.replayedLives).toBeGreaterThan(0);
  });
});

// Its lock is a tenth of the real one's length, and the queue forgets the ids of copies before the stopped one goes on.
test('a replay that is stopped at any moment, and goes on beside its successor, doubles nothing and knows it', async () => {
  const report = await play({ version: '2.15', kills: 0, stops: 6, windowMs: 1000, seed: 16 });
  expect(report).toMatchObject({ ...clean, answered: report.accepted });
  // One that was done when it was stopped ends as if nothing had been.
  expect(report.stopped.filter((code) => code !== 0 && code !== 75)).toEqual([]);
  expect(report.stopped.filter((code) => code === 75).length).toBeGreaterThan(2);
}, 240_000);

// Where the ledger went, so did the lock: who held it is told at its next renewal.
test('a replay in whose middle the queue, its DLQ or the ledger is made anew touches nothing of what came since', async () => {
  const report = await play({ version: '2.15', kills: 0, remakes: 3, seed: 18 });
  expect(report).toMatchObject(clean);
  expect(report.remade.filter((code) => code !== 0 && code !== 1 && code !== 75)).toEqual([]);
  expect(report.remade).toContain(1);
});

test('forged records and archives change no stream but the queue, and keep no true dead letter from its way', async () => {
  const report = await playForged({ version: '2.15', seed: 19, rounds: 3 });
  expect(report.faults).toEqual([]);
  expect(report.moved).toBeGreaterThan(3 * 3);
});

test('a target that is replaced in the middle of a replay to it loses nothing, doubles nothing, hands nothing on', async () => {
  const { faults, ends } = await playTargets({ version: '2.12', seed: 20, rounds: 4 });
  expect(faults).toEqual([]);
  expect(ends.filter((end) => end.includes('DLQ_UNFINISHED')).length).toBeGreaterThan(0);
});

test('a cluster of three whose nodes are killed loses nothing and doubles nothing', async () => {
  const report = await play({ version: '2.15', kills: 6, serverKills: 2, nodes: 3, outstanding: 80, seed: 15 });
  expect(report).toMatchObject({ ...clean, answered: report.accepted });
  expect(report.replayedLives).toBeGreaterThan(0);
}, 240_000);
