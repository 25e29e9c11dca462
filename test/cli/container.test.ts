import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { locateServer } from '../../src/lib/devserver/locate.ts';
import { ROOT, startCli } from '../support/cli.ts';
import {
  buildImage,
  type Image,
  makeRoot,
  parseContainerfile,
  type RunOptions,
  sandboxed,
} from '../support/container.ts';
import { recordingIo } from '../support/io.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(300_000);

const instructions = parseContainerfile(readFileSync(join(ROOT, 'Containerfile'), 'utf8'));
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const textOf = (name: string) => last.find((instruction) => instruction.name === name)?.text;

describe('the Containerfile', () => {
  test('names each base by tag and digest, one base for one name', () => {
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0]!);
    for (const base of bases) expect(base).toMatch(/^[a-z]+:\d+\.\d+\.\d+-[a-z0-9.-]+@sha256:[0-9a-f]{64}$/);
    expect(new Set(bases.map((base) => base.split(':')[0])).size).toBe(new Set(bases).size);
  });

  test('ends as nobody special, and stops on the signal that workers drain on', () => {
    expect(textOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(textOf('STOPSIGNAL')).toBe('SIGTERM');
    expect(textOf('LABEL')).toContain('org.opencontainers.image.licenses="Apache-2.0"');
  });

  test('copies from the context only what .dockerignore lets in', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const copied = instructions
      .filter(({ name, flags }) => name === 'COPY' && !flags.from)
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(copied.filter((source) => !allowed.includes(`!${source}`))).toEqual([]);
    expect(copied.length).toBe(allowed.filter((line) => line.startsWith('!')).length);
  });
});

/** Mounts and users are root's to give; elsewhere the workflow of CI builds and runs the image with an engine. */
needing('the right to mount').describe('what the Containerfile makes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-container-'));
  const work = join(dir, 'work');
  let image: Image;
  let server: TestServer;

  beforeAll(async () => {
    const nats = await locateServer({ env: process.env, io: recordingIo() });
    const npm = (...args: string[]) => execFileSync('npm', args, { encoding: 'utf8' }).trim();
    // npm names itself in what it runs; its global folder is another one under `npm --prefix`.
    const own = process.env.npm_execpath;
    const modules = own ? join(own, '..', '..', '..') : npm('root', '--global');
    const cache = npm('config', 'get', 'cache');
    const context = join(dir, 'context');
    for (const line of readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n'))
      if (line.startsWith('!')) cpSync(join(ROOT, line.slice(1)), join(context, line.slice(1)), { recursive: true });
    image = buildImage(instructions, {
      dir,
      context,
      caches: { '/root/.npm': cache },
      base(name, root) {
        makeRoot(root);
        const bin = join(root, 'usr', 'local', 'bin');
        if (name.startsWith('nats:')) cpSync(nats.path, join(bin, 'nats-server'));
        else {
          cpSync(process.execPath, join(bin, 'node'));
          cpSync(join(modules, 'npm'), join(bin, '..', 'lib', 'npm'), { recursive: true, dereference: true });
          symlinkSync('../lib/npm/bin/npm-cli.js', join(bin, 'npm'));
        }
      },
    });
    mkdirSync(work);
    chownSync(work, 1000, 1000);
    server = await startServer();
    for (const args of [['init', '--yes'], ['apply']]) expect(await start(args).done).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const start = (args: readonly string[], options: RunOptions = {}) => {
    const argv = [...image.entrypoint, ...(args.length > 0 ? args : image.cmd)];
    const run = { isReadOnly: true, mounts: { '/work': work }, ...options };
    return startCli([], { command: sandboxed(image, argv, { ...run, env: { NATS_URL: server.url, ...run.env } }) });
  };

  test('holds the package and the server, and no sources', () => {
    expect(readdirSync(join(image.root, 'opt', 'osapi-ops'))).toEqual(
      expect.arrayContaining(['LICENSE', 'bin', 'dist', 'oclif.manifest.json', 'package.json', 'schemas']),
    );
    expect(readdirSync(join(image.root, 'opt', 'osapi-ops'))).not.toContain('src');
    expect(readdirSync(join(image.root, 'usr', 'local', 'bin')).sort()).toEqual([
      'nats-server',
      'node',
      'npm',
      'osapi-ops',
    ]);
  });

  test('shows help on its own, and works as an ordinary user on a read-only root', async () => {
    expect(await start([]).done).toMatchObject({ code: 0, stdout: expect.stringContaining('USAGE') });
    expect(await start(['status']).done).toMatchObject({ code: 0 });
    const written = await start(['init', '/opt/osapi-ops', '--yes']).done;
    expect(written).toMatchObject({ code: 64, stderr: expect.stringContaining('EROFS') });
  });

  test('has a folder that is the user’s own where none is mounted', async () => {
    expect(await start(['init', '--yes'], { isReadOnly: false, mounts: {} }).done).toMatchObject({ code: 0 });
  });

  test('runs as any user that a cluster picks', async () => {
    for (const HOME of ['/', '']) {
      const options = { user: '12345:0', env: { HOME } };
      expect(await start(['plan', '--detailed-exitcode'], options).done).toMatchObject({ code: 0 });
    }
  });

  test('runs a server of its own with `dev`, and ends it when it is stopped', async () => {
    const dev = start(['dev', '--fresh']);
    try {
      const [url] = await dev.until('stdout', /nats:\/\/\S+/);
      expect(await start(['apply'], { env: { NATS_URL: url } }).done).toMatchObject({ code: 0 });
      dev.child.kill('SIGTERM');
      expect((await dev.done).signal).toBeNull();
      expect((await start(['status'], { env: { NATS_URL: url } }).done).code).toBe(69);
    } finally {
      dev.child.kill('SIGKILL');
    }
  });
});
