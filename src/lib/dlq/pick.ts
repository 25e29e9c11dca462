import type { Entry } from '../model/entry.ts';
import type { EntryFilter, IdPattern } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orUndefined } from '../nats/answer.ts';
import { getMessage, IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { isDeath, readDeath } from './advisory.ts';
import { orphanIn } from './dead-count.ts';
import type { Death } from './death.ts';
import { matches, wantsOrphans } from './filter.ts';
import { isAmong, meantBy, reachBack } from './id.ts';
import { Judgement, type Run, withRaw } from './judgement.ts';
import { type Group, openSource, readPages } from './sources.ts';
import { joinDeaths } from './told.ts';

/**
 * The entries of a group that are asked for by id. Newest first: an advisory older than the message it names points at
 * nothing, so that reading stops where the oldest of the originals was published.
 */
export async function* pickEntries(run: Run, group: Group): AsyncGenerator<Entry> {
  const { nats, filter, options } = run;
  const patterns = filter.ids ?? [];
  const judgement = await Judgement.open(run, group);
  const originals = await storedOriginals(run, group, patterns);
  const stop = reachBack(patterns, originals);
  const collected = new Map<string, Death[]>();
  for (const dlq of group.dlqs) {
    const source = await openSource(nats, dlq);
    if (!source) continue;
    for await (const page of readPages(nats, source, 'newest')) {
      options.signal?.throwIfAborted();
      for (const message of page) {
        const death = readDeath(message);
        if (!isDeath(death) || !judgement.standings.has(death.queue)) continue;
        if (!isAmong(patterns, death.id)) continue;
        const deaths = collected.get(death.id) ?? [];
        collected.set(death.id, [...deaths, options.raw ? withRaw(death, message) : death]);
      }
      const oldest = page.at(-1);
      if (stop !== undefined && oldest && Date.parse(oldest.time) < stop) break;
    }
  }
  yield* judgement.entries([...collected.values()].map(joinDeaths));
  if (wantsOrphans(filter)) yield* orphansAmong(judgement, originals, filter);
}

async function storedOriginals({ nats }: Run, group: Group, patterns: readonly IdPattern[]): Promise<StoredMessage[]> {
  const meant = meantBy(patterns, group.queues);
  const found = await pipelined(meant, IN_FLIGHT, ({ queue, seq }) => readIfThere(nats, queue, seq));
  return found.filter((message) => message !== undefined);
}

const readIfThere = (nats: Run['nats'], queue: string, seq: number): Promise<StoredMessage | undefined> =>
  orUndefined(answerOf(getMessage(nats, queue, seq)));

async function* orphansAmong(
  judgement: Judgement,
  originals: readonly StoredMessage[],
  filter: EntryFilter,
): AsyncGenerator<Entry> {
  for (const message of originals) {
    const standing = judgement.standings.get(message.stream);
    if (!standing || judgement.accounted(message.stream).has(message.seq)) continue;
    const entry = orphanIn(standing, message);
    for (const one of await judgement.detailed(entry ? [entry] : [])) if (matches(filter, one)) yield one;
  }
}
