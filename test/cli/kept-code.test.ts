import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startCli } from '../support/cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-kept-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = async (args: string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await startCli(args, { env: { TMPDIR: dir, ...env } }).done;
  expect(stderr).not.toContain('BUG');
  return { code, stdout };
};
const folder = () => join(dir, `osapi-ops-code-${process.getuid!()}`);
const kept = () => readdirSync(folder()).map((file) => file.replace(/-[0-9a-f]{16}-v[\d.]+-\w+$/, ''));

describe('the code that a run leaves for the next one', () => {
  test('is kept for each command by itself, after a run that went to its end, and left alone once it is whole', async () => {
    const first = await run(['validate', 'config/prod.yaml']);
    expect(first.code).toBe(0);
    expect(await run(['dlq', 'ls', '--server', 'nats://127.0.0.1:1'])).toMatchObject({ code: 69 });
    expect(kept()).toEqual(['validate']);
    const file = join(folder(), readdirSync(folder())[0]!);
    const contents: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      expect(await run(['validate', 'config/prod.yaml'])).toEqual(first);
      contents.push(readFileSync(file, 'base64'));
    }
    // What a run calls in addition is added; the file is left alone once runs call nothing new.
    expect(contents[5]).toBe(contents[4]);
    // Help calls other things.
    expect(await run(['validate', '--help'])).toMatchObject({ code: 0 });
    expect(kept().sort()).toEqual(['help', 'validate']);
  });

  test('is made anew where it is damaged', async () => {
    const first = await run(['validate', 'config/prod.yaml']);
    const file = join(folder(), readdirSync(folder())[0]!);
    const whole = readFileSync(file);
    const flipped = Buffer.from(whole);
    flipped[Math.floor(whole.length * 0.7)]! ^= 0xff;
    for (const damaged of [flipped, whole.subarray(0, whole.length / 2), Buffer.alloc(whole.length), Buffer.alloc(0)]) {
      writeFileSync(file, damaged);
      expect(await run(['validate', 'config/prod.yaml'])).toEqual(first);
      expect(readFileSync(file).equals(damaged)).toBe(false);
    }
  });

  test('does not pile up: what other builds left of the command goes after an hour', async () => {
    await run(['validate', 'config/prod.yaml']);
    const [own = ''] = readdirSync(folder());
    const old = own.replace(/-[0-9a-f]{16}-/, '-00000000000000ff-');
    const others = [old.replace('ff-', 'fe-'), old.replace('validate', 'apply'), old.replace('-v2', '-v3')];
    for (const name of [old, ...others]) writeFileSync(join(folder(), name), '');
    for (const name of [old, ...others.slice(1)]) utimesSync(join(folder(), name), 1e9, 1e9);
    rmSync(join(folder(), own));
    await run(['validate', 'config/prod.yaml']);
    expect(readdirSync(folder()).sort()).toEqual([own, ...others].sort());
  });

  test('is neither read nor written where others could have put it, nor where nothing can be written', async () => {
    const first = await run(['validate', 'config/prod.yaml'], { NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(readdirSync(dir)).toEqual([]);
    await run(['validate', 'config/prod.yaml']);
    rmSync(join(folder(), readdirSync(folder())[0]!));
    chmodSync(folder(), 0o777);
    expect(await run(['validate', 'config/prod.yaml'])).toEqual(first);
    expect(kept()).toEqual([]);
    rmSync(folder(), { recursive: true });
    writeFileSync(folder(), '');
    expect(await run(['validate', 'config/prod.yaml'])).toEqual(first);
  });
});
