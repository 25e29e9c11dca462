import { scanEntries } from '../../dlq/scan.ts';
import { createStats, parseDimensions } from '../../dlq/stats.ts';
import { isOf, readAllFailures } from '../../ledger/failure.ts';
import type { Context } from '../../model/context.ts';
import type { DeadStats } from '../../model/dead-stats.ts';
import type { Entry } from '../../model/entry.ts';
import type { Nats } from '../../nats/connect.ts';
import { strangers } from './ls.ts';
import { tellNone } from './none.ts';
import { type DlqChoice, withDlq } from './scope.ts';

/**
 * Counts dead letters by what they have in common.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function statsOfDeadLetters(
  context: Context,
  choice: DlqChoice & { readonly by: string },
): Promise<DeadStats> {
  const dimensions = parseDimensions(choice.by);
  const stats = createStats(dimensions);
  const wantsDetail = dimensions.some(({ name }) => name === 'detail');
  return withDlq(context, choice, async (scope) => {
    const { nats, queues, filter } = scope;
    const strange = strangers(context);
    const detailed = wantsDetail ? withDetail(nats) : undefined;
    let count = 0;
    const entries = scanEntries(nats, queues, filter, {
      order: 'newest',
      exact: false,
      signal: context.io.signal,
      now: context.now().getTime(),
      onUnreadable: strange.add,
      onRemoved: strange.addRemoved,
    });
    for await (const entry of entries) {
      stats.add(detailed ? await detailed(entry) : entry);
      if (++count % 1000 === 0) context.io.tell({ type: 'progress', title: 'dead letters', done: count });
    }
    strange.tell();
    if (count === 0) await tellNone(context, scope);
    return stats.result();
  });
}

/** Adds what the worker wrote down of the last delivery, where the dead letter itself does not say why. */
function withDetail(nats: Nats): (entry: Entry) => Promise<Entry> {
  const failures = new Map<string, ReturnType<typeof readAllFailures>>();
  return async (entry) => {
    const { inner, queue, seq, published_at: time } = entry;
    if (inner.detail !== undefined || time === null) return entry;
    const ofQueue = failures.get(queue) ?? readAllFailures(nats, queue);
    failures.set(queue, ofQueue);
    const record = (await ofQueue).get(seq);
    return record && isOf(record, { time }) ? { ...entry, inner: { ...inner, detail: record.reason } } : entry;
  };
}
