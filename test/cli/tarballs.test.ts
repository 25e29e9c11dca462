import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ROOT, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(300_000);

const target = `${process.platform}-${process.arch}`;
const name = `osapi-ops-v${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}-${target}.tar.gz`;
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-tarball-'));
const installed = join(dir, 'opt', 'osapi-ops');
/** On PATH by a relative link to an absolute one, as package managers and people make them. */
const onPath = join(dir, 'bin', 'osapi-ops');
let server: TestServer;

beforeAll(async () => {
  // The Node that runs this; from its official site the packer would fetch it itself.
  const args = ['scripts/tarballs.mjs', '--out', dir, '--node', `${target}=${process.execPath}`, target];
  const made = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    // What is in it counts, not how small it is: the hardest work here is to squeeze Node.
    env: { ...process.env, NODE_OPTIONS: '', GZIP: '-1' },
  });
  if (made.status !== 0) throw new Error(made.stderr);
  for (const folder of ['opt', 'bin']) mkdirSync(join(dir, folder));
  spawnSync('tar', ['-xzf', join(dir, name), '-C', join(dir, 'opt')]);
  symlinkSync(join(installed, 'bin', 'osapi-ops'), join(dir, 'opt', 'current'));
  symlinkSync('../opt/current', onPath);
  server = await startServer();
  for (const args of [['init', '--yes'], ['apply']]) expect(await start(...args).done).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** On a machine that has a shell, and no Node, no HOME. */
const start = (...args: string[]) =>
  startCli(args, {
    command: [onPath],
    cwd: dir,
    server,
    env: { PATH: '/usr/bin:/bin', HOME: undefined, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined },
  });

describe('the stand-alone tarball', () => {
  test('is as its sum says, and holds the licences of Node and of what is bundled', () => {
    const digest = createHash('sha256')
      .update(readFileSync(join(dir, name)))
      .digest('hex');
    expect(readFileSync(join(dir, 'SHA256SUMS'), 'utf8')).toBe(`${digest}  ${name}\n`);
    for (const file of ['LICENSE', 'LICENSE.node', 'dist/THIRD_PARTY_LICENSES'])
      expect({ file, isThere: existsSync(join(installed, file)) }).toEqual({ file, isThere: true });
    expect(existsSync(join(installed, 'node_modules'))).toBe(false);
  });

  test('runs on its own Node, found through links, and has made a queue on a real server', async () => {
    const version = await start('--version').done;
    expect(version.stdout).toContain(` ${target} node-${process.version}\n`);
    expect(await start('plan', '--detailed-exitcode').done).toMatchObject({ code: 0 });
  });

  test('hears the signal that its launcher was sent', async () => {
    const worker = start('worker', 'run', '--builtin', 'echo');
    await worker.until('stderr', /\n/);
    worker.child.kill('SIGTERM');
    expect(await worker.done).toMatchObject({ code: 0, signal: null });
  });
});
