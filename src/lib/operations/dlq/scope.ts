import { parseIds } from '../../dlq/id.ts';
import { locateQueues } from '../../dlq/locate.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { withNats } from '../../nats/open.ts';
import { chooseSources, loadForWork } from '../spec-source.ts';

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
  const [source] = chooseSources(context, { file });
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  return withNats(context, loaded, async (nats) => {
    const queues = await locateQueues(nats, {
      ...(filter.queues && { queues: filter.queues }),
      ...(loaded && { spec: loaded.spec }),
    });
    if (queues.length === 0) throw noQueues(nats);
    return work({ nats, queues, filter: patterns.length > 0 ? { ...filter, ids: patterns } : filter });
  });
}

const noQueues = (nats: Nats): OpsError =>
  new OpsError('NOT_FOUND', 'there is no queue on this server', {
    where: `${nats.target.url}, account ${nats.target.account} (chosen by ${nats.target.chosenBy})`,
    why: 'No stream there is a work queue, and none captures the advisories of dead messages.',
    hints: ['check that this is the right server and account', 'make a queue with `osapi-ops apply SPEC`'],
  });
