import { readStanding } from '../../dlq/collect.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { SeqSets } from '../../dlq/seq-set.ts';
import type { Context } from '../../model/context.ts';
import { type Entry, entryId } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import { isShared, named, neededBy } from '../../replay/redelivery.ts';
import type { DlqScope } from './scope.ts';

/**
 * What stays: how many entries; how many of them may be no dead letters at all; and by consumer of how many it still needs
 * the message, or gave it up as well.
 */
export interface Kept {
  entries: number;
  untaken: number;
  readonly needed: Map<string, number>;
  readonly givenUp: Map<string, number>;
}

export const skippedOf = ({ entries }: Kept): { readonly skipped?: number } =>
  entries > 0 ? { skipped: entries } : {};

export function tellKept({ io }: Context, { entries, untaken, needed, givenUp }: Kept): void {
  if (entries === 0) return;
  const reasons = [
    needed.size > 0 ? `other consumers still need their messages: ${named(needed)}` : '',
    givenUp.size > 0
      ? `dead letters of other consumers, not chosen here, are of the same messages: ${named(givenUp)}`
      : '',
    untaken > 0
      ? `the consumers of ${untaken} are gone, or do not take their subjects: nothing tells whether they died; who names them by id, purges them`
      : '',
  ];
  io.tell({ type: 'warning', text: `${entries} left alone: ${reasons.filter(Boolean).join('; ')}` });
}

/** Other consumers of an entry's message: who still needs it, and who gave it up in a dead letter that was not chosen. */
export type Others = (entry: Entry) => { readonly needing: readonly string[]; readonly left: readonly string[] };

/** By how the queues stand before their entries are read: as they were found, where that is given along. */
export async function lookForOthers(context: Context, { nats, queues, filter }: DlqScope): Promise<Others> {
  const standings = new Map(
    await Promise.all(
      queues.map(async (ref) => [ref.queue, ref.seen?.standing ?? (await readStanding(nats, ref))] as const),
    ),
  );
  const shared = queues.filter(({ queue }) => isShared(standings.get(queue)!));
  const options = { exact: false, signal: context.io.signal, now: context.now().getTime() };
  const consumersOf = new Map(shared.map(({ queue }) => [queue, new Set<string>()]));
  const read = async (chosen: EntryFilter) => {
    const seqs = new SeqSets();
    for await (const { queue, consumer, inner } of scanEntries(nats, shared, chosen, options)) {
      if (!inner.original) continue;
      seqs.of(entryId(queue, consumer, 0)).add(inner.original.seq);
      consumersOf.get(queue)!.add(consumer);
    }
    return (queue: string, consumer: string, seq: number) => seqs.of(entryId(queue, consumer, 0)).has(seq);
  };
  const [gaveUp, isChosen] = await Promise.all([read({}), read(filter)]);
  return ({ queue, consumer, inner: { original } }) => {
    const consumers = consumersOf.get(queue);
    if (!original || !consumers) return { needing: [], left: [] };
    const { seq, subject } = original;
    const needing = neededBy(standings.get(queue)!, { seq, consumer, subject }, (name) => gaveUp(queue, name, seq));
    const left = [...consumers].filter((name) => gaveUp(queue, name, seq) && !isChosen(queue, name, seq));
    return { needing, left };
  };
}
