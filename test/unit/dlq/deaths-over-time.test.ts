import { describe, expect, test } from '@jest/globals';
import { createDeathsOverTime } from '../../../src/lib/dlq/deaths-over-time.ts';
import { parseDimensions } from '../../../src/lib/dlq/dimension.ts';
import { entry } from './builders.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-02T03:00:00Z');
const overTime = (deaths: readonly (readonly [at: number | null, subject?: string | null])[]) => {
  const made = createDeathsOverTime(parseDimensions(['subject']));
  for (const [at, subject = 's'] of deaths)
    made.add(entry({ subject, died_at: at === null ? null : new Date(at).toISOString() }));
  return made.result();
};

describe('deaths over time', () => {
  test('are counted by five seconds and group, those without a time apart', () => {
    const deaths = [
      [START + 1, 'a'],
      [START + 4999, 'a'],
      [START + 10_000, 'b'],
      [null],
      [START + 14_999, null],
    ] as const;
    expect(overTime(deaths)).toEqual({
      from: '2026-01-02T03:00:00.000Z',
      to: '2026-01-02T03:00:15.000Z',
      step_seconds: 5,
      groups: [
        { by: { subject: 'a' }, count: 2, counts: [2, 0, 0] },
        { by: { subject: 'b' }, count: 1, counts: [0, 0, 1] },
        { by: { subject: null }, count: 1, counts: [0, 0, 1] },
      ],
      undated: 1,
    });
  });

  test('none', () => {
    expect(overTime([])).toEqual({ from: null, to: null, step_seconds: 5, groups: [], undated: 0 });
    expect(overTime([[null]])).toMatchObject({ groups: [], undated: 1 });
  });

  test.each([
    { minutes: 19.5, step: 5, length: 235 },
    { minutes: 20, step: 15, length: 81 },
    { minutes: 239, step: 60, length: 240 },
    { minutes: 240, step: 120, length: 121 },
    { minutes: 7 * 1440, step: 3600, length: 169 },
    { minutes: 400 * 1440, step: 604_800 },
    { minutes: 60 * 365 * 1440, step: 2_592_000, length: 240 },
  ])('over $minutes minutes are in steps of $step s', ({ minutes, step, length }) => {
    const { step_seconds, groups } = overTime([[START], [START + minutes * MINUTE]]);
    expect(step_seconds).toBe(step);
    const { counts } = groups[0]!;
    if (length !== undefined) expect(counts).toHaveLength(length);
    expect([counts.length <= 240, counts[0], counts.at(-1), counts.reduce((a, b) => a + b)]).toEqual([true, 1, 1, 2]);
  });

  test.each([
    { many: 8, shown: 8, others: 0 },
    { many: 9, shown: 8, others: 2 },
    { many: 600, shown: 8, others: 593 },
  ])('of $many groups the largest have a row of their own', ({ many, shown, others }) => {
    const deaths = Array.from({ length: many }, (_, index) => [START, `s${index}`] as const);
    const { groups } = overTime([...deaths, [START, 's0']]);
    expect(groups).toHaveLength(shown);
    expect(groups[0]).toEqual({ by: { subject: 's0' }, count: 2, counts: [2] });
    expect(groups.find(({ other }) => other)?.count ?? 0).toBe(others);
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(many + 1);
  });

  test('at more minutes than are kept apart are counted in coarser ones, none lost', () => {
    const deaths = Array.from({ length: 6000 }, (_, index) => [START + index * 7 * MINUTE] as const);
    const { groups } = overTime(deaths);
    expect(groups[0]!.counts.reduce((a, b) => a + b)).toBe(6000);
  });
});
