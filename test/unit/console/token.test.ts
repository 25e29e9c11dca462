import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownToken } from '../../../src/lib/console/token.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-token-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const TOKEN = 'of-the-console-'.repeat(3);
const from = (file: string, text?: string) => {
  if (text !== undefined) writeFileSync(join(cwd, file), text);
  return ownToken({ env: {}, cwd }, file);
};

test('a token is what a file holds without its blanks, and 64 KiB of it at the most', async () => {
  expect(await from('token', `${TOKEN}\n`)).toBe(TOKEN);
  const padded = (length: number) => TOKEN.padEnd(length, '\n');
  expect(await from('full', padded(64 * 1024))).toBe(TOKEN);
  await expect(from('over', padded(64 * 1024 + 1))).rejects.toMatchObject({ code: 'USAGE_FILE' });
});

test.each([
  ['that is missing', 'none'],
  ['that is a folder', '.'],
  ['without an end', '/dev/zero'],
])('a file %s is told as that', async (_, file) => {
  await expect(from(file)).rejects.toMatchObject({
    code: 'USAGE_FILE',
    message: expect.stringContaining(`--token-file: `),
  });
});
