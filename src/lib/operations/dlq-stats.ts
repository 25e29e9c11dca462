import { scanEntries } from '../dlq/scan.ts';
import { createStats, parseDimensions } from '../dlq/stats.ts';
import type { Context } from '../model/context.ts';
import type { DeadStats } from '../model/dead-stats.ts';
import { strangers } from './dlq-ls.ts';
import { type DlqChoice, withDlq } from './dlq-queues.ts';

/**
 * Counts dead letters by what they have in common.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function statsOfDeadLetters(
  context: Context,
  choice: DlqChoice & { readonly by: string },
): Promise<DeadStats> {
  const stats = createStats(parseDimensions(choice.by));
  return withDlq(context, choice, async ({ nats, queues, filter }) => {
    const strange = strangers(context);
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
      stats.add(entry);
      if (++count % 1000 === 0) context.io.tell({ type: 'progress', title: 'dead letters', done: count });
    }
    strange.tell();
    return stats.result();
  });
}
