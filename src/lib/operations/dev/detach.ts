import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { locateServer } from '../../devserver/locate.ts';
import { isAlive, readDevState } from '../../devserver/state.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { DevReport } from '../../model/dev.ts';
import { guestsOf, type Launcher } from './guests.ts';
import { alreadyRunning, type DevOptions, devDir, refuseEvenCluster, reportOf } from './index.ts';

/**
 * Starts `dev` as a process of its own and returns when it is ready. One that runs already is taken as it is.
 * @throws OpsError DEV_FAILED with what the process said, DEV_NO_SERVER
 */
export async function detachDev(context: Context, options: DevOptions, launcher: Launcher): Promise<DevReport> {
  refuseEvenCluster(options);
  const dir = devDir(context, options.dir);
  const running = readDevState(dir);
  if (running && isAlive(running)) {
    const found = await untilReady(context, dir, running.pid, () => false);
    if (found.urls.length !== options.cluster || (options.port && options.port !== found.port) || options.worker)
      throw alreadyRunning(dir, running);
    if (options.apply !== undefined) await guestsOf(context, launcher, found.url).apply(options.apply);
    return found;
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
  ...(options.apply === undefined ? [] : ['--apply', options.apply]),
  ...(options.worker === undefined ? [] : ['--worker', options.worker]),
];

async function untilReady(context: Context, dir: string, pid: number, ended: () => boolean): Promise<DevReport> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const state = readDevState(dir);
    if (state?.server && state.pid === pid) return reportOf(dir, pid, state.server);
    if (ended()) throw new OpsError('DEV_FAILED', 'the development server ended before it was ready');
    if (performance.now() > deadline) throw new OpsError('DEV_FAILED', 'the development server is not ready in time');
    await sleep(15, undefined, { signal: context.io.signal });
  }
}
