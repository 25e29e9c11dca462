import { describe, expect, test } from '@jest/globals';
import { beganAt, signsFor } from '../../../src/console/marks.ts';
import type { Deed, ReplayRunJson } from '../../../src/console/wire.ts';

const deed = { verb: 'replay', at: '2026-03-10T14:00:00Z', who: 'ana', host: 'h', pid: 7 } as Deed;
const run = (started_at: string, more: Partial<ReplayRunJson> = {}) =>
  ({ who: 'ana', host: 'h', pid: 7, started_at, ...more }) as ReplayRunJson;
const END = Date.parse(deed.at);

describe('what people did', () => {
  test.each([
    ['its own run', deed, [run('2026-03-10T13:50:00Z')], -600_000],
    ['the newest before it', deed, [run('2026-03-10T13:00:00Z'), run('2026-03-10T13:59:59Z')], -1000],
    ['its own, where it was short', deed, [run('2026-03-10T14:00:00Z')], 0],
    ['none that began later', deed, [run('2026-03-10T14:00:01Z')], 0],
    ['none of another person', deed, [run('2026-03-10T13:50:00Z', { who: 'jo' })], 0],
    ['none of another host', deed, [run('2026-03-10T13:50:00Z', { host: 'g' })], 0],
    ['none of another process', deed, [run('2026-03-10T13:50:00Z', { pid: 8 })], 0],
    ['none, as it is no replay', { ...deed, verb: 'apply' }, [run('2026-03-10T13:50:00Z')], 0],
  ])('stands where it began: by %s', (_, one, runs, want) => {
    expect(beganAt(one, runs) - END).toBe(want);
  });
});

describe('the signs of groups', () => {
  test.each([
    ['in order at first', {}, ['a', 'b'], { a: 0, b: 1 }],
    ['stay when another is more', { a: 0, b: 1 }, ['b', 'a'], { a: 0, b: 1 }],
    ['are free again when a group is gone', { a: 0, b: 1 }, ['c', 'b', 'd'], { b: 1, c: 0, d: 2 }],
  ])('%s', (_, before, names, want) => {
    expect(Object.fromEntries(signsFor(new Map(Object.entries(before)), names))).toEqual(want);
  });
});
