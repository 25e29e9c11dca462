import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CODES } from '../../../src/lib/errors/codes.ts';

test('every error code has its paragraph in docs/errors.md', () => {
  const page = readFileSync('docs/errors.md', 'utf8');
  expect(Object.keys(CODES).filter((code) => !page.includes(`## ${code}\n`))).toEqual([]);
});
