import { expect, test } from '@jest/globals';
import { isSource } from '../../../src/lib/worker/watched.ts';

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
