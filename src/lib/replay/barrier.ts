import { forgetIntent, forgetJournal } from '../ledger/journal.ts';
import type { Nats } from '../nats/connect.ts';
import { deleteMessage } from '../nats/message-writes.ts';
import type { ReplayRun } from './run.ts';

//   Writes that change nothing. They show whether we might; and in a cluster their answer comes from a leader that has
//   all that was confirmed before. One that was just elected answers reads from what it has so far (up to 2.10).

/** No message has this sequence. (One beyond the end would do as well, but a cluster of 2.10 resets the stream over it.) */
const NOWHERE = 0;

/** Deletes a message that is not there. @throws as `deleteMessage` */
export const deleteNothing = (nats: Nats, stream: string): Promise<boolean> => deleteMessage(nats, stream, NOWHERE);

/** Removes from the ledger what is not there, in both ways. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function forgetNothing(nats: Nats, queue: string): Promise<void> {
  await forgetIntent(nats, `${queue} none`);
  await forgetJournal(nats, { stream: queue, seq: NOWHERE, time: '' }, [NOWHERE]);
}

/** Whether more than one server holds what a replay reads, so that it matters who is asked. */
export const isShared = ({ nats }: ReplayRun): boolean => nats.target.server.cluster !== undefined;

/**
 * Returns when the leaders of the ledger and of these streams know all that was confirmed to anybody.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function awaitLeaders(run: ReplayRun, streams: Iterable<string>): Promise<void> {
  if (!isShared(run)) return;
  await forgetNothing(run.nats, run.queue);
  for (const stream of new Set(streams)) await deleteNothing(run.nats, stream);
}
