import { parseIds, requireIds } from '../../dlq/id.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { parseWhere } from '../../dlq/where.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { EntryChoice, EntryFilter } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { withPlaces } from '../places.ts';

/** What every dlq verb is told. */
export type DlqChoice = EntryChoice;

export interface DlqScope {
  readonly nats: Nats;
  readonly queues: readonly QueueRef[];
  /** With the ids and the conditions in it. */
  readonly filter: EntryFilter;
}

/**
 * Connects and finds the queues that a dlq verb is about, and that each id that was named is that of one dead letter.
 * @throws OpsError USAGE, NOT_FOUND, SPEC_*, CONN_*, DENIED_*
 */
export async function withDlq<T>(
  context: Context,
  { ids = [], where = [], filter: written, file }: DlqChoice,
  work: (scope: DlqScope) => Promise<T>,
): Promise<T> {
  const patterns = parseIds(ids);
  const terms = parseWhere(where);
  const filter: EntryFilter = { ...written, ...(terms.length > 0 && { where: terms }) };
  return withPlaces(context, { file, queues: filter.queues }, async (places) => {
    const queues = await places.someQueues();
    const { nats } = places;
    if (patterns.length === 0) return work({ nats, queues, filter });
    const found: string[] = [];
    const options = { signal: context.io.signal, now: context.now().getTime() };
    for await (const { id } of scanEntries(nats, queues, { ids: patterns }, options)) found.push(id);
    requireIds(patterns, found);
    return work({ nats, queues, filter: { ...filter, ids: patterns } });
  });
}
