import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ROOT, startCli } from '../support/cli.ts';

let dir: string;

/** A package as it is installed, whose program runs on what says it is Node 16; and a tools folder with a good one. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-old-'));
  cpSync(join(ROOT, 'bin'), join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type": "module"}');
  writeFileSync(
    join(dir, 'old.cjs'),
    "if (process.argv[1].includes('run.js') && !process.env.OSAPI_OPS_LEASH) Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '16.20.2' } });\n",
  );
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const runOld = (...args: string[]) =>
  startCli(args, {
    command: [process.execPath, '--require', join(dir, 'old.cjs'), join(dir, 'bin', 'run.js')],
    cwd: dir,
  }).done;

describe('on a Node that is too old', () => {
  test('it says which one it needs, and what to do', async () => {
    const { code, stdout, stderr } = await runOld('--version');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/does not run on Node 16\.20\.2[\s\S]*It needs Node \^22[\s\S]*Try: install Node 24/);
  });

  test('with a Node of its own at hand it runs on that one: arguments, output and exit code are the same', async () => {
    const own = join(dir, 'tools', 'node', 'node_modules', 'node-here', 'bin');
    mkdirSync(own, { recursive: true });
    mkdirSync(join(dir, 'dist'));
    cpSync(process.execPath, join(own, 'node'));
    writeFileSync(
      join(dir, 'dist', 'main.cjs'),
      '(function (exports) { exports.main = async (args) => { console.log(args.join(" "), process.execPath); process.exitCode = 7; }; })',
    );
    writeFileSync(join(dir, 'dist', 'commands.json'), '{}');
    const { code, stdout } = await runOld('plan', '--json');
    expect(stdout).toBe(`plan --json ${join(own, 'node')}\n`);
    expect(code).toBe(7);
  });
});
