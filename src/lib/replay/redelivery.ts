import { covers, type QueueStanding } from '../dlq/standing.ts';
import { OpsError } from '../errors/ops-error.ts';

/** A message that is to be published again, and a consumer that gave it up. */
export interface GivenUp {
  readonly seq: number;
  readonly consumer: string;
  readonly subject: string;
}

/** Whether a copy can reach anybody but the consumer that gave its original up: a work queue has one for each subject. */
export const isShared = ({ retention, consumers }: QueueStanding): boolean =>
  retention !== 'workqueue' && consumers.length > 1;

/** The consumers that would get copies of what they did not give up, with how many. Pure. */
export function redeliveredTo(standing: QueueStanding, all: Iterable<GivenUp>): ReadonlyMap<string, number> {
  const bySeq = Map.groupBy(all, ({ seq }) => seq);
  const counts = new Map<string, number>();
  for (const entries of bySeq.values()) {
    for (const consumer of standing.consumers) {
      const isOther = entries.every((entry) => entry.consumer !== consumer.name);
      if (isOther && covers(consumer, entries[0]!.subject))
        counts.set(consumer.name, (counts.get(consumer.name) ?? 0) + 1);
    }
  }
  return counts;
}

/**
 * The other consumers that still need a message which one of them gave up: they have not come to it, or may have it in
 * flight and are not known to have given it up. Pure.
 */
export const neededBy = (
  { consumers }: Pick<QueueStanding, 'consumers'>,
  { seq, consumer, subject }: GivenUp,
  gaveUp: (consumer: string) => boolean,
): string[] =>
  consumers
    .filter((one) => one.name !== consumer && covers(one, subject))
    .filter((one) => seq > one.delivered || (seq > one.ackFloor && one.ackPending > 0 && !gaveUp(one.name)))
    .map(({ name }) => name);

/** `audit (3), billing (1)`. */
export const named = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} (${count})`).join(', ');

/** Who would get what again, in words. */
export const redeliveryWords = (queue: string, counts: ReadonlyMap<string, number>): string =>
  `${queue}: other consumers would get the messages again: ${named(counts)}`;

/** `alike`: those of them that gave the messages up as well, and are left out by the filter alone. */
export const wouldRedeliver = (
  { queue, retention }: QueueStanding,
  counts: ReadonlyMap<string, number>,
  alike: readonly string[] = [],
): OpsError =>
  new OpsError('DLQ_REDELIVERY', redeliveryWords(queue, counts), {
    where: `stream ${queue}`,
    why: `Its retention is ${retention}: a copy goes to each consumer that takes its subject. Nothing was replayed.`,
    hints: [
      ...(alike.length > 0 ? [withOthers(alike)] : []),
      'if they can take them again, say so with --allow-redelivery',
      'or publish where only one of them reads, with --to SUBJECT',
    ],
  });

const withOthers = (alike: readonly string[]): string =>
  `replay them together with what ${alike.join(', ')} gave up, without --consumer or ids: one copy is for all that gave it up`;
