import { forgetNothing } from '../ledger/journal.ts';
import { removeNothing } from '../nats/removal.ts';
import type { ReplayRun } from './run.ts';

//   Writes that change nothing. They show whether we might; and in a cluster their answer comes from a leader that has
//   all that was confirmed before. One that was just elected answers reads from what it has so far (up to 2.10).

/** Whether more than one server holds what a replay reads, so that it matters who is asked. */
export const isShared = ({ nats }: Pick<ReplayRun, 'nats'>): boolean => nats.target.server.cluster !== undefined;

/**
 * Returns when the leaders of the ledger and of these streams know all that was confirmed to anybody.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function awaitLeaders(run: ReplayRun, streams: Iterable<string>): Promise<void> {
  if (!isShared(run)) return;
  await forgetNothing(run.nats);
  for (const stream of new Set(streams)) await removeNothing(run.nats, stream);
}
