import { readStanding } from '../../dlq/collect.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { SeqSet } from '../../dlq/seq-set.ts';
import type { Context } from '../../model/context.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { QueueJob, ReplayWishes } from '../../replay/job.ts';
import { type GivenUp, isShared, redeliveredTo, redeliveryWords, wouldRedeliver } from '../../replay/redelivery.ts';
import { whySkipped } from '../../replay/select.ts';
import type { DlqScope } from './scope.ts';

/**
 * Finds which consumers would get again what they did not give up, before anything is touched; a dry run says it. Gives
 * what this was judged by: of what dies later somebody else may have acked his own.
 * @throws OpsError DLQ_REDELIVERY
 */
export async function judgeRedelivery(
  context: Context,
  { nats, queues }: DlqScope,
  filter: EntryFilter,
  { wishes, dryRun }: { readonly wishes: Omit<ReplayWishes, 'edit' | 'transform'>; readonly dryRun: boolean },
): Promise<QueueJob['isJudged']> {
  if (wishes.allowRedelivery || wishes.to !== undefined) return undefined;
  const judged = new Map<string, { readonly created: string; readonly seqs: SeqSet }>();
  const standings = await Promise.all(queues.map((ref) => ref.seen?.standing ?? readStanding(nats, ref)));
  for (const [index, standing] of standings.entries()) {
    if (!isShared(standing)) continue;
    const { queue, lastSeq, created } = standing;
    const read = async (wanted: EntryFilter): Promise<GivenUp[]> => {
      const given: GivenUp[] = [];
      const options = { now: context.now().getTime(), signal: context.io.signal };
      for await (const entry of scanEntries(nats, [queues[index]!], wanted, options)) {
        const { seq, consumer, subject } = entry;
        if (subject === null || whySkipped(entry, { maxReplays: wishes.maxReplays, lastSeq, filter: wanted })) continue;
        given.push({ seq, consumer, subject });
      }
      return given;
    };
    const given = await read(filter);
    const seqs = new SeqSet();
    for (const { seq } of given) seqs.add(seq);
    judged.set(queue, { created, seqs });
    const counts = redeliveredTo(standing, given);
    if (counts.size === 0) continue;
    const { consumers: _, ids: __, ...others } = filter;
    const all = (await read(others)).filter(({ seq }) => seqs.has(seq));
    const whole = redeliveredTo(standing, all);
    const alike = [...counts.keys()].filter((name) => (whole.get(name) ?? 0) < counts.get(name)!);
    if (!dryRun) throw wouldRedeliver(standing, counts, alike);
    context.io.tell({ type: 'warning', text: `${redeliveryWords(queue, counts)}; --allow-redelivery is needed` });
  }
  return ({ queue, seq }, created) => {
    const then = judged.get(queue);
    return !then || (then.created === created && then.seqs.has(seq));
  };
}
