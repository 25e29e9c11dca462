import type { Entry } from '../model/entry.ts';
import type { EntryFilter, IdPattern } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orUndefined } from '../nats/answer.ts';
import { getMessage } from '../nats/messages.ts';
import { isDeath, readDeath } from './advisory.ts';
import type { Death } from './death.ts';
import { orphanEntry } from './entry.ts';
import { responsible } from './fate.ts';
import { matches, wantsOrphans } from './filter.ts';
import { matchesId } from './id.ts';
import { joinDeaths } from './index-pass.ts';
import { Judgement, type Run, withRaw } from './judgement.ts';
import { type Group, openSource, readPages } from './sources.ts';
import { copiedTo } from './standing.ts';

/**
 * The entries of a group that are asked for by id. Newest first: an advisory older than the message it names points at
 * nothing, so that reading stops where the oldest of the originals was published.
 */
export async function* pickEntries(run: Run, group: Group): AsyncGenerator<Entry> {
  const { nats, filter, options } = run;
  const patterns = filter.ids ?? [];
  const judgement = await Judgement.open(run, group);
  const originals = await storedOriginals(run, group, patterns);
  const stop = reachBack(patterns, group, originals);
  const collected = new Map<string, Death[]>();
  for (const dlq of group.dlqs) {
    const source = await openSource(nats, dlq);
    if (!source) continue;
    for await (const page of readPages(nats, source, 'newest')) {
      options.signal?.throwIfAborted();
      for (const message of page) {
        const death = readDeath(message);
        if (!isDeath(death) || !judgement.standings.has(death.queue)) continue;
        if (!patterns.some((pattern) => matchesId(pattern, death.id))) continue;
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
  const asked = group.queues.flatMap(({ queue }) =>
    patterns.filter((pattern) => (pattern.queue ?? queue) === queue).map(({ seq }) => ({ queue, seq })),
  );
  const unique = new Map(asked.map((one) => [`${one.queue}/${one.seq}`, one]));
  const found = await Promise.all([...unique.values()].map(({ queue, seq }) => readIfThere(nats, queue, seq)));
  return found.filter((message) => message !== undefined);
}

const readIfThere = (nats: Run['nats'], queue: string, seq: number): Promise<StoredMessage | undefined> =>
  orUndefined(answerOf(getMessage(nats, queue, seq)));

/** How far back records can lie, in milliseconds since 1970; `undefined` where one of the originals is not there. */
function reachBack(
  patterns: readonly IdPattern[],
  group: Group,
  originals: readonly StoredMessage[],
): number | undefined {
  const isThere = patterns.every((pattern) =>
    group.queues.some(
      ({ queue }) =>
        pattern.queue === queue && originals.some(({ stream, seq }) => stream === queue && seq === pattern.seq),
    ),
  );
  return isThere ? Math.min(...originals.map(({ time }) => Date.parse(time))) - 1000 : undefined;
}

async function* orphansAmong(
  judgement: Judgement,
  originals: readonly StoredMessage[],
  filter: EntryFilter,
): AsyncGenerator<Entry> {
  for (const message of originals) {
    const standing = judgement.standings.get(message.stream);
    if (standing?.retention !== 'workqueue' || judgement.accounted(message.stream).has(message.seq)) continue;
    const consumer = responsible('', message.subject, standing);
    if (!consumer || message.seq > consumer.delivered) continue;
    if (message.seq > consumer.ackFloor && consumer.ackPending > 0) continue;
    if (message.seq > copiedTo(standing)) continue;
    const entry = orphanEntry(message, consumer.name, consumer.maxDeliver, standing.created);
    if (matches(filter, entry)) yield entry;
  }
}
