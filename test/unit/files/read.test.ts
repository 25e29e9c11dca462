import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { TooLong } from '../../../src/lib/errors/system-error.ts';
import { gatherPieces, readWhole, readWholeSync } from '../../../src/lib/files/read.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-read-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'file');
writeFileSync(file, 'x'.repeat(100));

const ways = [
  { name: 'in pieces', read: readWhole },
  { name: 'at once', read: async (path: string, most: number) => readWholeSync(path, most) },
];

describe.each(ways)('a file is read $name', ({ read }) => {
  test.each([
    { most: 101, length: 100 },
    { most: 100, length: 100 },
  ])('whole, where it has no more than $most bytes', async ({ most, length }) => {
    expect(await read(file, most)).toHaveLength(length);
  });

  test('not at all, where it has one byte more', async () => {
    await expect(read(file, 99)).rejects.toThrow(new TooLong(99));
  });

  test('to its bound, where it never ends', async () => {
    await expect(read('/dev/zero', 1024 * 1024)).rejects.toThrow('it has more than 1MiB');
  });

  test.each([
    { path: dir, code: 'EISDIR' },
    { path: join(dir, 'gone'), code: 'ENOENT' },
    { path: join(file, 'below'), code: 'ENOTDIR' },
  ])('or with what the system says: $code', async ({ path, code }) => {
    await expect(read(path, 10)).rejects.toMatchObject({ code });
  });
});

test('a FIFO is read as soon as somebody writes into it, to its end', async () => {
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  const read = readWhole(join(dir, 'fifo'), 1000);
  const writer = spawn('sh', ['-c', `(sleep 0.2; echo one; sleep 0.1; echo two) > '${join(dir, 'fifo')}'`]);
  expect((await read).toString()).toBe('one\ntwo\n');
  expect((await once(writer, 'close'))[0]).toBe(0);
});

test('pieces are asked for no longer than there is room', async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given += 1;
      yield new Uint8Array(10);
    }
  }
  await expect(gatherPieces(endless(), 95)).rejects.toThrow('it has more than 95B');
  expect(given).toBe(10);
});
