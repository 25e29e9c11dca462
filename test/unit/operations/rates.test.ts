import { describe, expect, test } from '@jest/globals';
import { type Counted, RateRing } from '../../../src/lib/operations/status/rates.ts';

const START = 1_000_000_000;
const counted = (at: number, more: Partial<Counted> = {}): Counted => ({
  at: START + at,
  stored: 0,
  alive: 0,
  dead: 0,
  recorded: null,
  ...more,
});
const ratesOf = (now: number, ...all: Counted[]) => {
  const ring = new RateRing();
  for (const one of all) ring.add(one);
  return ring.rates(START + now);
};

describe('rates', () => {
  test('come from what was stored, what went, and what died', () => {
    const { now, at, step_seconds } = ratesOf(
      10_000,
      counted(0, { stored: 100, alive: 50, recorded: 7, dead: 9 }),
      counted(10_000, { stored: 200, alive: 125, recorded: 12, dead: 0 }),
    );
    expect(now).toEqual({ in: 10, out: 2, dead: 0.5 });
    expect([step_seconds, at]).toEqual([5, [START, START + 5000]]);
  });

  test('of deaths without a DLQ by how many are dead; what was replayed is no negative death', () => {
    expect(ratesOf(10_000, counted(0, { dead: 3 }), counted(10_000, { dead: 8 })).now.dead).toBe(0.5);
    expect(ratesOf(10_000, counted(0, { dead: 8 }), counted(10_000, { dead: 3 })).now.dead).toBe(0);
    expect(ratesOf(10_000, counted(0, { dead: null }), counted(10_000, { dead: 3 })).now.dead).toBeNull();
  });

  test.each<{ name: string; after: Partial<Counted>; out: number | null }>([
    { name: 'an answer', after: { alive: 40 }, out: 1 },
    { name: 'a death', after: { alive: 40, dead: 10, recorded: 10 }, out: 0 },
    { name: 'a death without a DLQ', after: { alive: 40, dead: 10, recorded: null }, out: 0 },
    { name: 'a reject, which a record carries', after: { alive: 40, dead: 10, recorded: 10 }, out: 0 },
    { name: 'a replay with no worker at work', after: { stored: 110, alive: 60 }, out: 0 },
    { name: 'a replay whose copies were answered', after: { stored: 110 }, out: 1 },
    { name: 'a purge of the dead', after: {}, out: 0 },
    { name: 'a replay with deaths and answers', after: { stored: 110, alive: 40, recorded: 10 }, out: 1 },
    { name: 'nobody knows who is alive', after: { alive: null }, out: null },
    { name: 'nobody knows who died', after: { dead: null, recorded: null }, out: null },
  ])('what is out was answered: $name', ({ after, out }) => {
    const first = { stored: 100, alive: 50, recorded: after.recorded === null ? null : 0, dead: 0 };
    expect(ratesOf(10_000, counted(0, first), counted(10_000, { ...first, ...after })).now.out).toBe(out);
  });

  test('what one look has a moment early and the next makes good is nothing; no rate is negative', () => {
    const looks = [0, 2000, 4000].map((at, index) => counted(at, { alive: index === 1 ? 7 : 5, recorded: 0 }));
    expect(ratesOf(4000, ...looks).now.out).toBe(0);
    expect(ratesOf(2000, ...looks.slice(0, 2)).now.out).toBe(0);
  });

  test('of one look nobody knows', () => {
    expect(ratesOf(2000, counted(0)).now).toEqual({ in: null, out: null, dead: null });
    expect(ratesOf(0)).toMatchObject({ at: [], in: [] });
  });

  test.each([
    { apart: 30_000, want: 1 },
    { apart: 30_001, want: null },
  ])('between looks $apart ms apart', ({ apart, want }) => {
    const { now } = ratesOf(apart, counted(0), counted(apart, { stored: apart / 1000, alive: apart / 1000 }));
    expect(now.in).toBe(want);
  });

  test('begin anew with a stream that was made anew, and do not mind a clock that is set back', () => {
    const { now } = ratesOf(
      20_000,
      counted(0, { stored: 500 }),
      counted(10_000, { stored: 5 }),
      counted(20_000, { stored: 15 }),
    );
    expect(now.in).toBe(1);
    const back = ratesOf(10_000, counted(0), counted(10_000, { stored: 10 }), counted(5000, { stored: 999 }));
    expect(back.now.in).toBe(1);
  });

  test('are kept for ten minutes, in bounded memory', () => {
    const looks = Array.from({ length: 2000 }, (_, index) => counted(index * 2000, { stored: index * 2 }));
    const { at, in: incoming } = ratesOf(2000 * 1999, ...looks);
    expect(at).toHaveLength(120);
    expect(incoming.every((rate) => Math.abs(rate! - 1) < 1e-9)).toBe(true);
  });
});
