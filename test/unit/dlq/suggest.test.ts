import { describe, expect, test } from '@jest/globals';
import { createSuggestions } from '../../../src/lib/dlq/suggest.ts';
import { parseWhere } from '../../../src/lib/dlq/where.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { entry, stored } from './builders.ts';

const withPayload = (payload: string, more: Partial<Entry> = {}) =>
  entry({
    ...more,
    inner: { ...entry().inner, message: stored({ payload, headers: [{ name: 'Kind', value: 'x' }] }) },
  });
const suggest = (entries: readonly Entry[]) => {
  const made = createSuggestions();
  for (const one of entries) made.add(one);
  return new Map(made.result().map((one) => [one.key, one]));
};

describe('what dead letters could be chosen by', () => {
  test('is what was seen: of the entry, its headers, its payload', () => {
    const keys = suggest([
      withPayload('{"kind":"a","n":1,"deep":{"er":{"still":{"no":1}}},"odd key":true,"list":[1],"nil":null}'),
      withPayload('{"kind":"b","n":1}'),
      withPayload('no json'),
    ]);
    expect([...keys.keys()]).toEqual([
      'queue',
      'consumer',
      'subject',
      'reason',
      'state',
      'header:Kind',
      'json:.kind',
      'json:.n',
      'json:.["odd key"]',
    ]);
    expect(keys.get('json:.n')).toEqual({
      key: 'json:.n',
      values: [{ value: '1', count: 2, where: 'json:.n=1' }],
      more: 0,
    });
    expect(keys.get('header:Kind')!.values).toEqual([{ value: 'x', count: 3, where: 'header:Kind=x' }]);
  });

  test('of what is gone its payload says nothing', () => {
    expect([...suggest([withPayload('{"a":1}', { state: 'gone' })]).keys()]).not.toContain('json:.a');
  });

  test.each([
    { many: 20, values: 10, more: 10 },
    { many: 21, values: 0, more: 21 },
  ])('$many values of which each is another', ({ many, values, more }) => {
    const found = suggest(Array.from({ length: many }, (_, index) => withPayload(`{"id":"r${index}"}`))).get(
      'json:.id',
    )!;
    expect([found.values.length, found.more]).toEqual([values, more]);
  });

  test('a condition chooses just what has that value, whatever is in it', () => {
    const odd = '*\\\u202e\u0007 =!=';
    const one = withPayload(JSON.stringify({ v: odd }));
    const other = withPayload(JSON.stringify({ v: 'else' }));
    const { where } = suggest([one, other, one]).get('json:.v')!.values[0]!;
    const [term] = parseWhere([where]);
    expect([term!.holds(one), term!.holds(other)]).toEqual([true, false]);
  });

  test('long values and many keys stay bounded', () => {
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 'v'.repeat(5000)]));
    const keys = suggest([
      withPayload(JSON.stringify(wide).slice(0, 60_000)),
      withPayload(JSON.stringify({ a: 'v'.repeat(5000) })),
    ]);
    expect(keys.size).toBeLessThanOrEqual(60);
    expect(keys.get('json:.a')!.values[0]!.value).toHaveLength(200);
    expect(keys.get('json:.a')!.values[0]!.where).toMatch(/\*$/);
  });
});
