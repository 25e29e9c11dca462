import { parseIds } from '../../dlq/id.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { withPlaces } from '../places.ts';

/** What every dlq verb is told. */
export interface DlqChoice {
  /** As people write them: whole ids or shorthands. */
  readonly ids?: readonly string[];
  readonly filter: EntryFilter;
  /** `-f/--file`: the spec; without one, the server says what its queues are. */
  readonly file?: string;
}

export interface DlqScope {
  readonly nats: Nats;
  readonly queues: readonly QueueRef[];
  /** With the ids in it. */
  readonly filter: EntryFilter;
}

/**
 * Connects and finds the queues that a dlq verb is about.
 * @throws OpsError USAGE, NOT_FOUND, SPEC_*, CONN_*, DENIED_*
 */
export async function withDlq<T>(
  context: Context,
  { ids = [], filter, file }: DlqChoice,
  work: (scope: DlqScope) => Promise<T>,
): Promise<T> {
  const patterns = parseIds(ids);
  return withPlaces(context, { file, queues: filter.queues }, async (places) => {
    const queues = await places.someQueues();
    return work({ nats: places.nats, queues, filter: patterns.length > 0 ? { ...filter, ids: patterns } : filter });
  });
}
