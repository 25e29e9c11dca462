import { setTimeout as sleep } from 'node:timers/promises';
import { removeDevContext } from '../../devserver/dev-context.ts';
import { endServers, hasServers, isAlive, readDevState, removeState } from '../../devserver/state.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { DevReport } from '../../model/dev.ts';
import { devDir, reportOf } from './index.ts';

const STOP_MS = 20_000;

/**
 * Stops the development server of this project and waits until it is gone.
 * @returns what was stopped; undefined where none ran
 */
export async function stopDev(context: Context, dir?: string): Promise<DevReport | undefined> {
  const at = devDir(context, dir);
  const state = readDevState(at);
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
