import { parseDimensions } from '../../dlq/dimension.ts';
import { notGone } from '../../dlq/filter.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { createStats } from '../../dlq/stats.ts';
import { callWords } from '../../model/call.ts';
import type { Context } from '../../model/context.ts';
import type { DeadStats } from '../../model/dead-stats.ts';
import type { Entry } from '../../model/entry.ts';
import type { Target } from '../../model/resource.ts';
import { strangers } from './ls.ts';
import { tellNone, tellUntold } from './none.ts';
import { tellReading } from './reading.ts';
import { type DlqChoice, withDlq } from './scope.ts';

/**
 * Counts dead letters by what they have in common; what is gone where somebody names it or asks for that state.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function statsOfDeadLetters(
  context: Context,
  choice: DlqChoice & {
    readonly by: readonly string[];
    /** Sees each of them in the same pass, with the worker's words. */
    onEntry?(entry: Entry): void;
    /** Hears that there are none at all, and not only none for which the filter holds. */
    onNone?(): void;
    /** Hears which server was asked. */
    onTarget?(target: Target): void;
  },
): Promise<DeadStats> {
  const dimensions = parseDimensions(choice.by);
  return withDlq(context, choice, async (scope) => {
    const { nats, queues, filter } = scope;
    choice.onTarget?.(nats.target);
    const strange = strangers(context);
    const words = callWords(context.connection, choice.file, 'dlq', 'replay');
    const stats = createStats(dimensions, { words, filter });
    let count = 0;
    const entries = scanEntries(nats, queues, notGone(filter), {
      order: 'newest',
      exact: false,
      asSeen: true,
      details: choice.onEntry !== undefined || dimensions.some(({ name }) => name === 'detail'),
      signal: context.io.signal,
      now: context.now().getTime(),
      onRead: tellReading(context, 'Counting'),
      onUnreadable: strange.add,
      onRemoved: strange.addRemoved,
      onCount: strange.addCount,
    });
    for await (const entry of entries) {
      stats.add(entry);
      choice.onEntry?.(entry);
      count += 1;
    }
    if (count === filter.limit)
      context.io.tell({
        type: 'note',
        text: `counted are the ${count} newest alone; there may be more than --limit allows`,
      });
    strange.tell();
    tellUntold(context, scope);
    if (count === 0 && !(await tellNone(context, scope))) choice.onNone?.();
    return stats.result();
  });
}
