import { describe, expect, test } from '@jest/globals';
import {
  axisTimes,
  bytes,
  count,
  duration,
  full,
  leftDead,
  moment,
  offset,
  rate,
  shortMoment,
  span,
  wholeMoment,
  withClocks,
} from '../../../src/console/format.ts';

describe('figures of the page', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [99_999, '99,999'],
    [100_000, '100 k'],
    [999_999, '999 k'],
    [1_000_000, '1 M'],
    [1_240_000, '1.24 M'],
    [12_460_000, '12.4 M'],
    [999_999_999, '999 M'],
    [1_000_000_000, '1 G'],
  ])('a count of %d is %s', (n, want) => {
    expect(count(n)).toBe(want);
  });

  test('all of its digits are kept for who looks closer', () => {
    expect(full(1_240_001)).toBe('1,240,001');
  });

  test.each([
    [0, '0.0'],
    [0.44, '0.4'],
    [99.9, '99.9'],
    [100, '100'],
    [1234.5, '1,235'],
  ])('a rate of %d is %s', (n, want) => {
    expect(rate(n)).toBe(want);
  });

  test.each([
    [0, '0 s'],
    [0.25, '250 ms'],
    [59, '59 s'],
    [60, '1 min'],
    [61, '1 min 1 s'],
    [3599, '59 min 59 s'],
    [3600, '1 h'],
    [7800, '2 h 10 min'],
    [86_399, '23 h 59 min'],
    [86_400, '1 d'],
    [180_000, '2 d 2 h'],
    [-5, '0 s'],
  ])('%d seconds are %s', (seconds, want) => {
    expect(duration(seconds)).toBe(want);
  });

  test.each([
    [0, 'all are done'],
    [1, '1 dead letter is not done, and stays dead and safe'],
    [2, '2 dead letters are not done, and stay dead and safe'],
  ])('stopped with %d left, %s', (n, want) => {
    expect(leftDead(n)).toBe(want);
  });

  test.each([
    [999, '999 B'],
    [1000, '1.0 KiB'],
    [1024 * 10, '10 KiB'],
    [1024 ** 2, '1.0 MiB'],
    [1024 ** 3, '1.0 GiB'],
  ])('%d bytes are %s', (n, want) => {
    expect(bytes(n)).toBe(want);
  });
});

describe('times of the page', () => {
  const now = Date.parse('2026-03-10T14:02:31Z');
  test.each([
    ['2026-03-10T13:00:00Z', 0, '13:00:00'],
    ['2026-03-09T23:59:59Z', 0, '2026-03-09 23:59:59'],
    ['2026-03-09T23:30:00Z', 60, '00:30:00'],
    ['2026-03-10T13:00:00Z', -300, '08:00:00'],
  ])('%s, %d minutes east, is %s', (at, east, want) => {
    expect(moment(Date.parse(at), now, east)).toBe(want);
  });

  test.each([
    [0, 'UTC'],
    [60, '+01:00'],
    [-330, '−05:30'],
  ])('%d minutes east are written %s', (east, want) => {
    expect(offset(east)).toBe(want);
  });

  test('who looks closer has both clocks and the age', () => {
    const at = Date.parse('2026-03-10T14:00:00Z');
    expect(wholeMoment(at, now, 60)).toBe('2026-03-10 15:00:00 +01:00 = 2026-03-10 14:00:00 UTC, 2 min 31 s ago');
    expect(wholeMoment(now + 1000, now, 0)).toBe('2026-03-10 14:02:32 UTC, in 1 s');
  });

  test.each([
    ['2026-03-10T00:00:00Z', '00:00:00'],
    ['2026-03-09T23:59:59Z', '03-09 23:59'],
    ['2026-01-01T00:00:00Z', '01-01 00:00'],
    ['2025-12-31T23:59:59Z', '2025-12-31'],
  ])('where there is little room %s is %s', (at, want) => {
    expect(shortMoment(Date.parse(at), now, 0)).toBe(want);
  });

  test.each([
    ['2026-03-10T13:00:00Z', '2026-03-10T14:00:00Z', '13:00 – 14:00'],
    ['2026-03-09T23:50:00Z', '2026-03-09T23:59:00Z', '03-09 23:50 – 23:59'],
    ['2026-03-09T23:50:00Z', '2026-03-10T00:10:00Z', '03-09 23:50 – 03-10 00:10'],
    ['2025-12-31T23:50:00Z', '2026-01-01T00:10:00Z', '2025-12-31 23:50 – 01-01 00:10'],
  ])('from %s to %s is %s', (from, to, want) => {
    expect(span(Date.parse(from), Date.parse(to), now, () => 0)).toBe(want);
  });

  test.each([
    ['minutes of today', ['2026-03-10T13:00:00Z', '2026-03-10T13:01:00Z'], ['13:00', '13:01']],
    ['seconds', ['2026-03-10T13:00:59Z', '2026-03-10T13:01:00Z'], ['13:00:59', '13:01:00']],
    [
      'over midnight',
      ['2026-03-09T23:00:00Z', '2026-03-09T23:30:00Z', '2026-03-10T00:00:00Z'],
      ['03-09 23:00', '23:30', '03-10 00:00'],
    ],
    ['days', ['2026-03-08T00:00:00Z', '2026-03-09T00:00:00Z'], ['03-08', '03-09']],
  ])('an axis of %s tells each label once, and the day where it begins', (_, ats, want) => {
    const told = axisTimes(
      ats.map((at) => Date.parse(at)),
      now,
      () => 0,
    );
    expect(told).toEqual(want);
  });

  test('times in a text of the process are clocks of here', () => {
    expect(withClocks('paused until 2026-03-10T15:00:00.367Z, since 2026-03-09T10:00:00Z', now, () => 330)).toBe(
      'paused until 20:30:00, since 2026-03-09 15:30:00',
    );
    expect(withClocks('at 2026-99-99T00:00:00Z', now, () => 0)).toBe('at 2026-99-99T00:00:00Z');
  });
});
