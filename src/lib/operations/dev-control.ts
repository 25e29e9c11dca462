import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeDevContext } from '../devserver/dev-context.ts';
import { locateServer } from '../devserver/locate.ts';
import { endServers, hasServers, isAlive, readState, removeState } from '../devserver/state.ts';
import { OpsError } from '../errors/ops-error.ts';
import type { Context } from '../model/context.ts';
import type { DevReport } from '../model/dev.ts';
import { alreadyRunning, type DevOptions, devDir, refuseEvenCluster, reportOf } from './dev.ts';

/** How this very program is started again: Node, then the script. */
export type Launcher = readonly [string, ...string[]];

const STOP_MS = 20_000;

/** The development server of this project; undefined where none runs, or none is ready yet. */
export function readDevStatus(context: Context, dir?: string): DevReport | undefined {
  const at = devDir(context, dir);
  const state = readState(at);
  return state?.server && isAlive(state) ? reportOf(at, state.pid, state.server) : undefined;
}

/**
 * Stops the development server of this project and waits until it is gone.
 * @returns what was stopped; undefined where none ran
 */
export async function stopDev(context: Context, dir?: string): Promise<DevReport | undefined> {
  const at = devDir(context, dir);
  const state = readState(at);
  if (!state) return undefined;
  if (!isAlive(state)) {
    // Killed with -9. Its watchdog ends the servers and clears the files, unless that was killed as well.
    endServers(state, 'SIGTERM');
    while (hasServers(state)) await sleep(20, undefined, { signal: context.io.signal });
    if (state.server?.context) removeDevContext(context.env, state.server.urls);
    removeState(at);
    return undefined;
  }
  process.kill(state.pid, 'SIGTERM');
  const deadline = performance.now() + STOP_MS;
  while (isAlive(state)) {
    if (performance.now() > deadline) {
      throw new OpsError('DEV_FAILED', `the development server does not stop`, {
        where: `pid ${state.pid}`,
        why: `It was asked to with SIGTERM ${STOP_MS / 1000} seconds ago.`,
        hints: [`\`kill -9 ${state.pid}\` ends it and its servers; what was stored is kept`],
      });
    }
    await sleep(20, undefined, { signal: context.io.signal });
  }
  return state.server && reportOf(at, state.pid, state.server);
}

/**
 * Starts `dev` as a process of its own and returns when it is ready. One that runs already is taken as it is.
 * @throws OpsError DEV_FAILED with what the process said, DEV_NO_SERVER
 */
export async function detachDev(context: Context, options: DevOptions, launcher: Launcher): Promise<DevReport> {
  refuseEvenCluster(options);
  const dir = devDir(context, options.dir);
  const running = readState(dir);
  if (running && isAlive(running)) {
    const found = await untilReady(context, dir, running.pid, () => false);
    if (found.urls.length === options.cluster && (!options.port || options.port === found.port)) return found;
    throw alreadyRunning(dir, running);
  }
  // Fetching is told here, where somebody reads it; the process behind finds it fetched.
  const located = await locateServer(context);
  mkdirSync(dir, { recursive: true });
  const log = join(dir, 'dev.log');
  const output = openSync(log, 'w');
  const [program, ...script] = launcher;
  const child = spawn(program, [...script, 'dev', ...argumentsOf(dir, options)], {
    cwd: context.cwd,
    // It must not read from the environment that it is to detach as well, and so on for ever.
    env: { ...context.env, OSAPI_OPS_NATS_SERVER: located.path, OSAPI_OPS_DETACH: undefined },
    detached: true,
    windowsHide: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  await once(child, 'spawn');
  child.unref();
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  try {
    return await untilReady(context, dir, child.pid!, ended);
  } catch (error) {
    if (!ended()) child.kill('SIGTERM');
    if (error instanceof OpsError && error.code === 'DEV_FAILED') {
      throw new OpsError('DEV_FAILED', error.message, {
        where: log,
        why: readFileSync(log, 'utf8').trim(),
        cause: error,
      });
    }
    throw error;
  }
}

const argumentsOf = (dir: string, options: DevOptions): string[] => [
  '--dir',
  dir,
  '--cluster',
  String(options.cluster),
  ...(options.port ? ['--port', String(options.port)] : []),
  ...(options.fresh ? ['--fresh'] : []),
  ...(options.writeContext ? ['--context'] : []),
];

async function untilReady(context: Context, dir: string, pid: number, ended: () => boolean): Promise<DevReport> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const state = readState(dir);
    if (state?.server && state.pid === pid) return reportOf(dir, pid, state.server);
    if (ended()) throw new OpsError('DEV_FAILED', 'the development server ended before it was ready');
    if (performance.now() > deadline) throw new OpsError('DEV_FAILED', 'the development server is not ready in time');
    await sleep(15, undefined, { signal: context.io.signal });
  }
}
