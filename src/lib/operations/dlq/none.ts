import { whyUntold } from '../../dlq/dead-count.ts';
import { scanEntries } from '../../dlq/scan.ts';
import type { Context } from '../../model/context.ts';
import { type EntryState, TO_REPLAY } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { DlqScope } from './scope.ts';

/** It is read once more for a figure: for so long, in milliseconds. */
const COUNTING_MS = 2000;

/** Whether a filter says more than where to look, and how far. */
function isNarrow({ queues: _, ids: __, limit: ___, ...more }: EntryFilter): boolean {
  return Object.values(more).some((value) => value !== undefined && !(Array.isArray(value) && value.length === 0));
}

/**
 * Says of how many a filter chose none: `0 of 300 dead letters match`. Says nothing, and gives false, where there was
 * no filter or there is nothing to choose from.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function tellNone(
  context: Context,
  { nats, queues, filter }: DlqScope,
  { states, noun }: { states: readonly EntryState[]; noun: string } = {
    states: TO_REPLAY,
    noun: 'dead letters',
  },
): Promise<boolean> {
  if (!isNarrow(filter)) return false;
  let count = 0;
  let isWhole = true;
  const until = performance.now() + COUNTING_MS;
  const base = { states, ...(filter.queues && { queues: filter.queues }), ...(filter.ids && { ids: filter.ids }) };
  const options = { exact: false, order: 'newest', signal: context.io.signal, now: context.now().getTime() } as const;
  for await (const _ of scanEntries(nats, queues, base, options)) {
    count += 1;
    isWhole = performance.now() <= until;
    if (!isWhole) break;
  }
  if (count > 0) context.io.tell({ type: 'note', text: noneWords(count, isWhole, noun) });
  return count > 0;
}

/** Of what was not counted to its end no digit is told that only says how far it came. */
export function noneWords(count: number, isWhole: boolean, noun: string): string {
  if (isWhole) return `0 of ${count} ${noun} match`;
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return `none of the ${noun} match; there are more than ${Math.floor((count - 1) / digits) * digits}`;
}

/** Says of which queues nobody can know how many are dead, and why. */
export function tellUntold({ io }: Context, { queues, filter }: DlqScope): void {
  for (const { queue, seen, unread } of queues) {
    if (filter.queues?.length && !filter.queues.includes(queue)) continue;
    const why = whyUntold(seen?.standing, seen?.dlqs ?? [], unread);
    if (why) io.tell({ type: 'note', text: `${queue}: there may be more dead: ${why}` });
  }
}
