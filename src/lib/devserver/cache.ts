import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { atLeast } from '../facts/versions.ts';

type Env = Readonly<Record<string, string | undefined>>;

export const executable = (name: string): string => (process.platform === 'win32' ? `${name}.exe` : name);

/** Where this tool keeps what it fetched, for all projects of a user. */
export function cacheDir(env: Env, platform: NodeJS.Platform = process.platform): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'osapi-ops');
  const home = env.HOME ?? homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'osapi-ops');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'osapi-ops', 'cache');
  return join(home, '.cache', 'osapi-ops');
}

const shelf = (env: Env): string => join(cacheDir(env), 'nats-server');

/** The newest server in the cache that belongs to one of these lines (`2.15`). */
export function findCached(env: Env, lines: readonly string[]): { path: string; version: string } | undefined {
  if (!existsSync(shelf(env))) return undefined;
  return readdirSync(shelf(env))
    .filter((version) => lines.some((line) => version.startsWith(`${line}.`)))
    .map((version) => ({ version, path: join(shelf(env), version, executable('nats-server')) }))
    .filter(({ path }) => existsSync(path))
    .reduce<{ path: string; version: string } | undefined>(
      (best, next) => (best && atLeast(best.version, next.version) ? best : next),
      undefined,
    );
}

/** A directory to fetch into, on the same file system as the cache, so that one rename can put it there. */
export function openWorkbench(env: Env): { dir: string; close(): void } {
  mkdirSync(shelf(env), { recursive: true });
  const dir = mkdtempSync(join(shelf(env), '.fetch-'));
  return { dir, close: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Puts a fetched server into the cache in one step. Where another process was faster, theirs stays. */
export function keepInCache(env: Env, binary: string, version: string): string {
  const bench = openWorkbench(env);
  try {
    const staged = join(bench.dir, version);
    mkdirSync(staged);
    cpSync(binary, join(staged, executable('nats-server')));
    chmodSync(join(staged, executable('nats-server')), 0o755);
    try {
      renameSync(staged, join(shelf(env), version));
    } catch (error) {
      if (!existsSync(join(shelf(env), version, executable('nats-server')))) throw error;
    }
  } finally {
    bench.close();
  }
  return join(shelf(env), version, executable('nats-server'));
}
