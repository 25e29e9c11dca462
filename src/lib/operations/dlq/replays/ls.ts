import { readRuns } from '../../../ledger/replays.ts';
import type { Context } from '../../../model/context.ts';
import type { ReplayRunJson } from '../../../model/replay-run.ts';
import { withPlaces } from '../../places.ts';

export interface RunFilter {
  readonly limit: number;
  readonly queue?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
}

/** The first of those that have any of the queues, and any of the states. */
export const chooseRuns = (runs: readonly ReplayRunJson[], { limit, queue, state }: RunFilter): ReplayRunJson[] =>
  runs
    .filter((run) => (!state || state.includes(run.state)) && (!queue || queue.some((one) => run.queues.includes(one))))
    .slice(0, limit);

/** Running and recent replays, the newest first. @throws OpsError SPEC_*, CONN_*, DENIED_* */
export const listReplays = (
  context: Context,
  { file, ...filter }: RunFilter & { file?: string },
): Promise<ReplayRunJson[]> =>
  withPlaces(context, { file }, async ({ nats }) => chooseRuns(await readRuns(nats), filter));
