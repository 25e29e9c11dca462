import { followDeaths } from '../../dlq/follow.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Entry } from '../../model/entry.ts';
import { type DlqChoice, withDlq } from './scope.ts';

/**
 * Tells of new deaths as they come, until Ctrl-C or until there were as many as the filter's limit.
 * @throws OpsError USAGE, NOT_FOUND where no stream captures deaths, CONN_*, DENIED_*
 */
export async function watchDeadLetters(
  context: Context,
  choice: DlqChoice,
  onEntry: (entry: Entry) => Promise<void> | undefined,
): Promise<number> {
  const { io } = context;
  return withDlq(context, choice, async ({ nats, queues, filter }) => {
    const deaf = queues.filter(({ dlqs }) => dlqs.length === 0).map(({ queue }) => queue);
    const heard = queues.filter(({ dlqs }) => dlqs.length > 0);
    if (heard.length === 0) {
      throw new OpsError('NOT_FOUND', `no stream captures the deaths of ${deaf.join(', ')}`, {
        where: nats.target.url,
        why: 'The server tells of a death once, and keeps nothing of it where no stream does.',
        hints: ['give the queue a dlq in its spec, and apply it'],
      });
    }
    if (deaf.length > 0) io.tell({ type: 'warning', text: `no stream captures the deaths of ${deaf.join(', ')}` });
    const onReady = () =>
      io.tell({ type: 'note', text: `watching ${heard.map(({ queue }) => queue).join(', ')}; Ctrl-C ends it` });
    let count = 0;
    try {
      for await (const entry of followDeaths(nats, heard, filter, { signal: io.signal, onReady })) {
        await onEntry(entry);
        count += 1;
        if (filter.limit !== undefined && count >= filter.limit) break;
      }
    } catch (error) {
      // Ctrl-C in the middle of a look is the end that was asked for.
      if (!io.signal.aborted) throw error;
    }
    return count;
  });
}
