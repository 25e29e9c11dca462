import { readRuns } from '../../../ledger/replays.ts';
import type { Context } from '../../../model/context.ts';
import type { ReplayRunJson } from '../../../model/replay-run.ts';
import { withPlaces } from '../../places.ts';

/** Running and recent replays, the newest first. @throws OpsError SPEC_*, CONN_*, DENIED_* */
export const listReplays = (
  context: Context,
  { file, limit }: { file?: string; limit: number },
): Promise<ReplayRunJson[]> =>
  withPlaces(context, { file }, async ({ nats }) => (await readRuns(nats)).slice(0, limit));
