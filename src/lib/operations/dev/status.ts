import { isAlive, readDevState } from '../../devserver/state.ts';
import type { Context } from '../../model/context.ts';
import type { DevReport } from '../../model/dev.ts';
import { devDir, reportOf } from './index.ts';

/** The development server of this project; undefined where none runs, or none is ready yet. */
export function readDevStatus(context: Context, dir?: string): DevReport | undefined {
  const at = devDir(context, dir);
  const state = readDevState(at);
  return state?.server && isAlive(state) ? reportOf(at, state.pid, state.server) : undefined;
}
