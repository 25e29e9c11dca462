import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ROOT, startCli } from '../support/cli.ts';

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
    // It calls what the build did not.
    const command = ['monitoring', 'alerts', 'config/prod.yaml'];
    const first = await run(command);
    expect(first.code).toBe(0);
    expect(await run(['dlq', 'ls', '--server', 'nats://127.0.0.1:1'])).toMatchObject({ code: 69 });
    expect(kept()).toEqual(['monitoring-alerts']);
    const file = join(folder(), readdirSync(folder())[0]!);
    // A machine that runs it once is not made to write what nobody will read.
    expect(statSync(file).size).toBeLessThan(100);
    const contents: string[] = [];
    for (let round = 0; round < 7; round += 1) {
      expect(await run(command)).toEqual(first);
      contents.push(readFileSync(file, 'base64'));
    }
    expect(statSync(file).size).toBeGreaterThan(100_000);
    // What a run calls in addition is added; the file is left alone once runs call nothing new.
    expect(contents[6]).toBe(contents[5]);
    // Help calls other things.
    expect(await run(['monitoring', 'alerts', '--help'])).toMatchObject({ code: 0 });
    expect(kept().sort()).toEqual(['help', 'monitoring-alerts']);
  });

  test('is made anew where it is damaged', async () => {
    const first = await run(['validate', 'config/prod.yaml']);
    await run(['validate', 'config/prod.yaml']);
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

describe('the code that ships with a build', () => {
  const files = (root: string) => ({
    main: join(root, 'dist', 'main.cjs'),
    code: join(root, 'dist', `code-${process.versions.v8}-${process.platform}-${process.arch}`),
  });
  const isTaken = ({ main, code }: ReturnType<typeof files>) => {
    const look = `const [main, code] = process.argv.slice(1);
      const { readCode } = require(${JSON.stringify(join(ROOT, 'bin', 'load.cjs'))});
      const cachedData = readCode(code)?.data;
      const script = new (require('node:vm').Script)(require('node:fs').readFileSync(main, 'latin1'), { cachedData });
      console.log(script.cachedDataRejected === false)`;
    return spawnSync(process.execPath, ['-e', look, main, code], { encoding: 'utf8' }).stdout.trim() === 'true';
  };

  test('is taken by the Node that built it, can be read by all, and where it is damaged nothing comes of it', async () => {
    expect(isTaken(files(ROOT))).toBe(true);
    expect(statSync(files(ROOT).code).mode & 0o777).toBe(0o644);
    for (const part of ['bin', 'dist', 'config', 'schemas', 'package.json', 'oclif.manifest.json'])
      cpSync(join(ROOT, part), join(dir, part), { recursive: true });
    const copy = files(dir);
    const command = [process.execPath, join(dir, 'bin', 'run.js')];
    const validate = () =>
      startCli(['validate', 'config/prod.yaml'], { command, env: { TMPDIR: join(dir, 'none') } }).done;
    const whole = await validate();
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    const bytes = readFileSync(copy.code);
    bytes[Math.floor(bytes.length * 0.7)]! ^= 0xff;
    writeFileSync(copy.code, bytes);
    expect(isTaken(copy)).toBe(false);
    expect(await validate()).toEqual(whole);
  });
});
