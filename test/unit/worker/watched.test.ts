import { describe, expect, test } from '@jest/globals';
import { Echoes, isSource } from '../../../src/lib/worker/watched.ts';

test.each([
  ['handler.mjs', true],
  ['lib/answer.ts', true],
  ['lib\\\\answer.cts', true],
  ['view.tsx', true],
  ['zones.json', true],
  ['own.handler', true],
  ['other.handler', false],
  ['worker.log', false],
  ['dev.out', false],
  ['answer.mjs~', false],
  ['.osapi-dev/single/n1.json', false],
  ['lib/.answer.mjs', false],
  ['node_modules/x/index.js', false],
  ['node_modules', false],
  ['my_node_modules/x.js', true],
])('%s, changed beside the module, has it loaded anew: %s', (name, want) => {
  expect(isSource(name.replaceAll('\\\\', '\\'), 'own.handler')).toBe(want);
});

describe('a file that changes after each reload', () => {
  const AT_ONCE = 1000;
  const make = () => {
    const told: string[] = [];
    const echoes = new Echoes('own.mjs', (name) => told.push(name));
    return { told, news: (sinceMs: number, ...names: string[]) => echoes.isNews(names, sinceMs) };
  };

  test('is looked at no more after the third time, for good', () => {
    const { told, news } = make();
    expect([Number.POSITIVE_INFINITY, AT_ONCE, 5, 5, 5].map((ms) => news(ms, 'out.json'))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect([news(60_000, 'out.json'), news(5, 'out.json', 'lib.mjs')]).toEqual([false, true]);
    expect(told).toEqual(['out.json']);
  });

  test('is news as long as it changes later, or is the module itself', () => {
    const { told, news } = make();
    for (const ms of [5, 5, 5, AT_ONCE + 1, 5, 5, 5]) expect(news(ms, 'out.json')).toBe(true);
    for (let count = 0; count < 9; count += 1) expect(news(5, 'own.mjs')).toBe(true);
    expect(told).toEqual([]);
  });
});
