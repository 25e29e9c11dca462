import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CODES } from '../../../src/lib/errors/codes.ts';

test('every error code has its paragraph in docs/errors.md', () => {
  const page = readFileSync('docs/errors.md', 'utf8');
  expect(Object.keys(CODES).filter((code) => !page.includes(`## ${code}\n`))).toEqual([]);
});

test('every finding of a plan has its paragraph in docs/risks.md, and no other has', () => {
  const written = globSync('src/lib/{risk,plan,operations}/**/*.ts').flatMap(
    (file) => readFileSync(file, 'utf8').match(/(?<=')RISK_[A-Z_]+(?=')/g) ?? [],
  );
  const codes = [...new Set(written)].filter((code) => !Object.hasOwn(CODES, code)).sort();
  expect(readFileSync('docs/risks.md', 'utf8').match(/(?<=^## ).*/gm)).toEqual(codes);
});
