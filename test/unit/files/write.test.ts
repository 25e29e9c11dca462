import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeText, writeWhole } from '../../../src/lib/files/write.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-write-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (...names: string[]) => join(dir, ...names);
const write = (path: string, text: string, mode?: number) =>
  writeText({ path, what: 'the text', ...(mode !== undefined && { mode }) }, text);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('what is written', () => {
  test('is a file of its own, with the permissions that were asked for, and nothing beside it', async () => {
    await write(at('new'), 'text', 0o600);
    expect({ text: readFileSync(at('new'), 'utf8'), mode: modeOf(at('new')) }).toEqual({ text: 'text', mode: '600' });
    expect(readdirSync(dir)).toEqual(['new']);
  });

  test('replaces a file, which keeps its permissions', async () => {
    writeFileSync(at('old'), 'a longer text than before');
    chmodSync(at('old'), 0o640);
    await write(at('old'), 'text', 0o600);
    expect({ text: readFileSync(at('old'), 'utf8'), mode: modeOf(at('old')) }).toEqual({ text: 'text', mode: '640' });
    expect(readdirSync(dir)).toEqual(['old']);
  });

  test.each([{ chain: ['link'] }, { chain: ['link', 'second', 'third'] }])(
    'goes where symlinks lead: $chain, also to a file that is not there yet',
    async ({ chain }) => {
      mkdirSync(at('data'));
      chain.forEach((name, index) => {
        symlinkSync(chain[index + 1] ?? 'data/file', at(name));
      });
      for (const text of ['first', 'second']) {
        await write(at('link'), text);
        expect(readFileSync(at('data', 'file'), 'utf8')).toBe(text);
      }
      expect(chain.map((name) => lstatSync(at(name)).isSymbolicLink())).toEqual(chain.map(() => true));
      expect(readdirSync(at('data'))).toEqual(['file']);
    },
  );

  test('goes into a FIFO and a device, which stay what they are', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const read = readFile(at('fifo'), 'utf8');
    await write(at('fifo'), 'through');
    expect(await read).toBe('through');
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true);
    symlinkSync('/dev/null', at('null'));
    await write(at('null'), 'away');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(lstatSync(at('null')).isSymbolicLink()).toBe(true);
  });

  test('is all there or not at all', async () => {
    writeFileSync(at('old'), 'before');
    const broken = writeWhole({ path: at('old'), what: 'it' }, async (put) => {
      await put('x'.repeat(1024 * 1024));
      throw new TypeError('half-way');
    });
    await expect(broken).rejects.toThrow(new TypeError('half-way'));
    expect(readFileSync(at('old'), 'utf8')).toBe('before');
    expect(readdirSync(dir)).toEqual(['old']);
  });

  test('may come in many parts, large and small', async () => {
    const parts = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(index * 7));
    const count = await writeWhole({ path: at('parts'), what: 'it' }, async (put) => {
      for (const part of parts) await put(part);
      return parts.length;
    });
    expect({ count, text: readFileSync(at('parts'), 'utf8') }).toEqual({ count: 300, text: parts.join('') });
  });

  test.each([
    { path: () => dir, says: 'cannot write the text: it is a directory (EISDIR)' },
    { path: () => at('gone', 'file'), says: 'cannot write the text: no such file or directory (ENOENT)' },
    { path: () => '/dev/full', says: 'cannot write the text: no space left on device (ENOSPC)' },
    { path: () => '/proc/self/fd/99', says: 'cannot write the text: no such file or directory (ENOENT)' },
  ])('or the reason is told: $says', async ({ path, says }) => {
    await expect(write(path(), 'text')).rejects.toMatchObject({ code: 'USAGE_FILE', message: says, where: path() });
  });

  test('a circle of symlinks is told', async () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    await expect(write(at('a'), 'text')).rejects.toThrow(/ELOOP/);
  });
});
