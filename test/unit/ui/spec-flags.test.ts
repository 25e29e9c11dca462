import { describe, expect, test } from '@jest/globals';
import { filterFrom } from '../../../src/lib/ui/dlq-flags.ts';
import { durationMs, isToCome, momentFlag } from '../../../src/lib/ui/spec-flags.ts';

describe('a length of time in a flag', () => {
  test.each([
    ['500ms', 0, 500],
    ['1.5s', 0, 1500],
    ['0', 0, 0],
    ['0s', 0, 0],
    ['1ms', 1, 1],
  ])('%s, at least %i, is %i ms', (text, least, want) => {
    expect(durationMs('--wait', text, least)).toBe(want);
  });

  test.each([
    ['30', 0],
    ['5000000000', 0],
    ['-1s', 0],
    ['soon', 0],
    ['', 0],
    ['0', 1],
    ['999us', 1],
  ])('%j, at least %i, is refused', (text, least) => {
    expect(() => durationMs('--wait', text, least)).toThrow(`--wait: "${text}" is not a length of time`);
  });
});

describe('a time of the day in a flag', () => {
  // By the clock on the wall, in whatever zone the tests run.
  const now = new Date(2026, 10, 24, 3, 10, 30);
  const shown = (text: string) => {
    const at = momentFlag('--since', text, now);
    return [at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()].join(' ');
  };
  test.each([
    ['03:10', '24 3 10 0'],
    ['3:10:30', '24 3 10 30'],
    ['03:10:31', '23 3 10 31'],
    ['23:59', '23 23 59 0'],
    ['00:00', '24 0 0 0'],
    ['today', '24 0 0 0'],
    ['Yesterday', '23 0 0 0'],
    ['yesterday 22:15', '23 22 15 0'],
    ['today 22:15', '24 22 15 0'],
  ])('%s is %s', (text, want) => {
    expect(shown(text)).toBe(want);
  });

  test.each(['24:00', '12:60', '12:00:60', '12', 'yesterday 25:00', 'yesterday x', 'tomorrow', '', ' '])(
    '%j is none',
    (text) => {
      expect(() => momentFlag('--since', text, now)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  test.each([
    ['03:10:30', '24 3 10 30', false],
    ['03:10:31', '24 3 10 31', true],
    ['23:59', '24 23 59 0', true],
    ['today 22:15', '24 22 15 0', false],
    ['yesterday 22:15', '23 22 15 0', false],
    ['2h', '24 1 10 30', false],
  ])('%s is %s for who means today, to come: %s', (text, want, toCome) => {
    const at = momentFlag('--until', text, now, 'today');
    expect([at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()].join(' ')).toBe(want);
    expect(isToCome(text, now)).toBe(toCome);
  });

  test.each([
    { until: '23:59', want: '24 23:59' },
    { until: '02:00', want: '24 2:0' },
    { since: '22:00', until: '23:00', want: '23 23:0' },
    { since: '23:00', until: '22:00', want: '24 22:0' },
    { since: '22:00', until: '22:00', want: '24 22:0' },
    { since: 'yesterday', until: '23:00', want: '24 23:0' },
    { since: '02:00', until: '23:00', want: '24 23:0' },
  ])('ends today, and yesterday where it began then: $since until $until', ({ want, ...flags }) => {
    const at = new Date(filterFrom(flags, now).until!);
    expect(`${at.getDate()} ${at.getHours()}:${at.getMinutes()}`).toBe(want);
  });

  test('needs a now', () => {
    expect(() => momentFlag('--until', '12:00')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
