import { expect, test } from '@jest/globals';
import { Keep } from '../../../src/lib/console/keep.ts';

const keepOf = (most: number, forMs = 60_000) => {
  const dropped: string[] = [];
  return { keep: new Keep<string>('thing', { most, forMs, drop: (value) => dropped.push(value) }), dropped };
};

test('the newest so many are kept, and of the others nothing is left', () => {
  const { keep, dropped } = keepOf(2);
  const [first, second] = [keep.put('a'), keep.put('b')];
  expect([keep.get(first), dropped]).toEqual(['a', []]);
  const third = keep.put('c');
  expect(dropped).toEqual(['a']);
  expect([keep.get(second), keep.get(third)]).toEqual(['b', 'c']);
  expect(() => keep.get(first)).toThrow('there is no such thing any more');
});

test('what nobody used for a while is dropped by who sweeps, and the rest stays', async () => {
  const { keep, dropped } = keepOf(3, 60);
  const [first, second] = [keep.put('a'), keep.put('b')];
  await new Promise((resolve) => setTimeout(resolve, 40));
  keep.get(second);
  await new Promise((resolve) => setTimeout(resolve, 40));
  keep.sweep();
  expect(dropped).toEqual(['a']);
  expect(() => keep.get(first)).toThrow('there is no such thing any more');
});

test('what nobody used for a while is dropped when somebody asks', async () => {
  const { keep, dropped } = keepOf(2, 30);
  const id = keep.put('a');
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(() => keep.get(id)).toThrow('there is no such thing any more');
  expect(dropped).toEqual(['a']);
});

test('what is taken is there once', () => {
  const { keep } = keepOf(2);
  const id = keep.put('a');
  expect(keep.take(id)).toBe('a');
  expect(() => keep.take(id)).toThrow('any more');
});

test.each([undefined, 7, '', 'x'])('what names nothing finds nothing: %p', (id) => {
  expect(() => keepOf(1).keep.get(id)).toThrow('any more');
});
