import { describe, expect, test } from '@jest/globals';
import { type Clocks, LEASE, mostElapsed, turnLeft } from '../../../src/lib/ledger/turn.ts';

const at: Clocks = { monotonic: 1000, boot: 50_000, wall: 1_800_000_000_000 };
const after = (by: Partial<Clocks>): Clocks => ({
  monotonic: at.monotonic + (by.monotonic ?? 0),
  boot: at.boot + (by.boot ?? 0),
  wall: at.wall + (by.wall ?? 0),
});

describe('what may have passed', () => {
  test.each([
    { name: 'nothing', by: {}, want: 0 },
    { name: 'a process at work, or stopped: all clocks go on', by: { monotonic: 7, boot: 7, wall: 7 }, want: 7 },
    { name: 'a machine that slept: its monotonic clock stood', by: { monotonic: 1, boot: 90, wall: 1 }, want: 90 },
    {
      name: 'one whose boot clock stands as well, and whose wall clock is set when it wakes',
      by: { wall: 90 },
      want: 90,
    },
    { name: 'a wall clock that is set back hides nothing', by: { monotonic: 8, boot: 8, wall: -3600 }, want: 8 },
    {
      name: 'a wall clock that is set forward counts: it may have slept',
      by: { monotonic: 8, boot: 8, wall: 3600 },
      want: 3600,
    },
  ])('$name', ({ by, want }) => {
    expect(mostElapsed(at, after(by))).toBe(want);
  });
});

describe('the turn', () => {
  const limit = LEASE.giveUpMs;
  const clocks = ['monotonic', 'boot', 'wall'] as const;
  test.each(clocks.flatMap((clock) => [-1, 0, 1].map((more) => ({ clock, more }))))(
    'is over when its $clock clock says the limit is reached: $more ms of it',
    ({ clock, more }) => {
      const left = turnLeft(LEASE, at, after({ [clock]: limit + more }));
      expect(left).toBe(0 - more);
      expect(left > 0).toBe(more < 0);
    },
  );

  test('is over a good while before anybody may take the lock, and is renewed twice before that', () => {
    expect(LEASE.lengthMs - LEASE.giveUpMs).toBeGreaterThanOrEqual(3000);
    expect(LEASE.renewMs * 2).toBeLessThan(LEASE.giveUpMs);
  });
});
