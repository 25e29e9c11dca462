import { expect, test } from '@jest/globals';
import { press } from '../../../src/console/press.ts';

test.each([
  { name: 'its button is pressed', key: 'p', isOff: 'false', did: ['click p'], took: true },
  { name: 'a greyed button is not pressed, and shows why', key: 'p', isOff: 'true', did: ['focus p'], took: true },
  { name: 'without a button nothing happens', key: 's', isOff: 'false', did: [], took: false },
])('a key does what its button may: $name', ({ key, isOff, did, took }) => {
  const done: string[] = [];
  const buttons = ['r', 'p'].map((of) => ({
    getAttribute: (name: string) => (name === 'aria-keyshortcuts' ? of : isOff),
    click: () => void done.push(`click ${of}`),
    focus: () => void done.push(`focus ${of}`),
  }));
  expect(press(key, buttons)).toBe(took);
  expect(done).toEqual(did);
});
