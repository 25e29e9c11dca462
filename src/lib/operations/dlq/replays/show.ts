import { OpsError } from '../../../errors/ops-error.ts';
import { readRuns } from '../../../ledger/replays.ts';
import type { Context } from '../../../model/context.ts';
import type { ReplayRunJson } from '../../../model/replay-run.ts';
import type { Nats } from '../../../nats/connect.ts';
import { withPlaces } from '../../places.ts';

/** Ids as they are made: a time and a few letters. */
const ID = /^\d{8}T\d{9}Z-[0-9a-f]{6}$/;

/** One run by its id. @throws OpsError NOT_FOUND, CONN_*, DENIED_* */
export async function oneRun(nats: Nats, id: string): Promise<ReplayRunJson> {
  // What others took over of it, or finished for it, is told by them.
  const run = ID.test(id) ? (await readRuns(nats)).find((one) => one.id === id) : undefined;
  if (run) return run;
  throw new OpsError('NOT_FOUND', `there is no replay ${id}`, {
    where: id,
    why: 'The last hundred of thirty days are kept, and only where the ledger has room.',
    hints: ['`osapi-ops dlq replays ls` prints the ids'],
  });
}

/** One replay with what failed in it and why. @throws OpsError NOT_FOUND, SPEC_*, CONN_*, DENIED_* */
export const showReplay = (context: Context, { file, id }: { file?: string; id: string }): Promise<ReplayRunJson> =>
  withPlaces(context, { file }, ({ nats }) => oneRun(nats, id));
