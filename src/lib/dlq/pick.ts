import { advisorySubject } from '../facts/names.ts';
import { type Entry, entryId } from '../model/entry.ts';
import type { IdPattern } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { answerOf, orUndefined } from '../nats/answer.ts';
import { firstMessage, getMessage, getRange, IN_FLIGHT } from '../nats/messages.ts';
import { ahead, pipelined } from '../nats/pipeline.ts';
import { isDeath, readDeath } from './advisory.ts';
import { orphanIn } from './dead-count.ts';
import type { Death } from './death.ts';
import { matches, wantsOrphans } from './filter.ts';
import { isAmong, meantBy, reachBack } from './id.ts';
import { Judgement, type Run, withRaw } from './judgement.ts';
import { isBare } from './placing.ts';
import { type DlqSource, type Group, openSource, readPages, seenDlqs } from './sources.ts';
import { joinDeaths } from './told.ts';

/**
 * The entries of a group that are asked for by id. Newest first: an advisory older than the message it names points at
 * nothing, so that reading stops where the oldest of the originals was published. Whoever only looks is content with the
 * records around the one that was found. Where some do not tell which message they are of, all are needed to know: `scan`.
 */
export async function* pickEntries(run: Run, group: Group, scan: () => AsyncGenerator<Entry>): AsyncGenerator<Entry> {
  const { nats, filter, options } = run;
  const patterns = filter.ids ?? [];
  const seen = seenDlqs(options, group);
  const open = Promise.all(group.dlqs.map((dlq) => openSource(nats, dlq, seen.get(dlq))));
  const placed = placedIn(run, group, patterns);
  const [judgement, near, originals, sources] = await Promise.all([
    Judgement.open(run, group),
    placed.then((more) => [...patterns, ...more]),
    placed.then((more) => storedOriginals(run, group, [...patterns, ...more])),
    open.then((opened) => opened.flatMap((source) => (source ? [begun(run, source)] : []))),
  ]);
  const named = [...near, ...judgement.held.placed(patterns)];
  // What goes by its place in the DLQ or the journal is told apart from all others of its sequence: all of them are read.
  const isPlaced = named.length > patterns.length;
  const ids = isPlaced ? undefined : wholeIds(patterns);
  const stop = isPlaced ? undefined : reachBack(patterns, originals);
  const collected = new Map<string, Death[]>();
  let hasBare = false;
  const take = (message: StoredMessage) => {
    const death = readDeath(message);
    if (!isDeath(death) || !judgement.standings.has(death.queue)) return;
    hasBare ||= isBare(death);
    if (!isAmong(named, death.id)) return;
    const deaths = collected.get(death.id) ?? [];
    if (deaths.some(({ record }) => record.stream === message.stream && record.seq === message.seq)) return;
    collected.set(death.id, [...deaths, options.raw ? withRaw(death, message) : death]);
  };
  const isFound = () => options.asSeen === true && ids !== undefined && ids.every((id) => collected.has(id));
  const total = sources.reduce((sum, { source }) => sum + source.messages, 0);
  let read = 0;
  for (const { source, pages, late } of sources) {
    let isFirst = true;
    for (const message of await late) take(message);
    for await (const page of pages) {
      options.signal?.throwIfAborted();
      for (const message of page) take(message);
      read += page.length;
      options.onRead?.(read, total);
      const oldest = page.at(-1);
      if (isFound() || (stop !== undefined && oldest && Date.parse(oldest.time) < stop)) break;
      if (isFirst && options.asSeen && ids && page.length < source.messages) {
        for (const some of await Promise.all(patterns.map((one) => around(run, source, one)))) some.forEach(take);
        if (isFound()) break;
      }
      isFirst = false;
    }
  }
  if (hasBare) {
    yield* scan();
    return;
  }
  const told = [...collected.values()].map(joinDeaths);
  const dead = await judgement.judge(told, options.asSeen ? originals : undefined);
  const orphansToo = wantsOrphans(filter);
  const orphans = orphansToo ? orphansAmong(judgement, originals) : [];
  // Together: what is said of both elsewhere is one question.
  const all = await judgement.told([...dead, ...orphans]);
  yield* judgement.wanted(all.slice(0, dead.length));
  if (!orphansToo) return;
  for (const { queue } of group.queues) yield* judgement.untold(queue);
  for (const one of all.slice(dead.length)) if (matches(filter, one)) yield one;
}

/** Under which sequence lies what an id names by its place in a DLQ: another message's record may have the number too. */
async function placedIn({ nats }: Run, { dlqs }: Group, patterns: readonly IdPattern[]): Promise<IdPattern[]> {
  const places = patterns.flatMap(({ queue, consumer = '-', seq }) =>
    consumer === '-' ? dlqs.filter((dlq) => (queue ?? dlq) === dlq).map((dlq) => ({ dlq, seq })) : [],
  );
  const found = await pipelined(places, IN_FLIGHT, ({ dlq, seq }) => readIfThere(nats, dlq, seq));
  return found.flatMap((message) => {
    const death = message && readDeath(message);
    if (!death || !isDeath(death) || !death.pointsAtOriginal || !death.carried) return [];
    const { queue, consumer, seq, id } = death;
    return [{ text: id, queue, consumer, seq }];
  });
}

/** A source whose newest page is on its way: among it is what most people ask for. */
function begun({ nats, options }: Run, source: DlqSource) {
  const pages = ahead(readPages(nats, source, 'newest', options.asSeen ? 1 : undefined));
  // Where its end was seen a while ago, with what came since.
  const late = collect(getRange(nats, source.stream, source.last + 1));
  late.catch(() => {});
  return { source, pages, late };
}

async function collect(messages: AsyncIterable<StoredMessage>): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** So many ids are looked for where they should be; of more of them the whole is read sooner. */
const MOST_IDS = 8;

/** The ids where each is a whole one, and where they are few. */
function wholeIds(patterns: readonly IdPattern[]): readonly string[] | undefined {
  const ids = patterns.flatMap(({ queue, consumer, seq }) =>
    queue === undefined || consumer === undefined ? [] : [entryId(queue, consumer, seq)],
  );
  return ids.length === patterns.length && ids.length <= MOST_IDS ? ids : undefined;
}

/** So many places of a stream are looked at in one round trip, and so many messages are read where the search ends. */
const PLACES = 32;
const NEAR = 1000;

/**
 * The records about where that of one message lies. Messages die about in the order they were published in, so that
 * the sequences which records name grow with their own; a few looks find the place. Where they do not, it holds another.
 */
async function around(
  { nats }: Run,
  { stream, first, last }: DlqSource,
  { queue = '', consumer, seq }: IdPattern,
): Promise<StoredMessage[]> {
  const subject = advisorySubject('max_deliveries', queue, consumer);
  let [low, high] = [first, last];
  while (high - low > NEAR) {
    const step = (high - low) / (PLACES + 1);
    const places = Array.from({ length: PLACES }, (_, index) => Math.floor(low + step * (index + 1)));
    const found = await Promise.all(places.map((place) => firstMessage(nats, stream, place, subject)));
    const before = { low, high };
    for (const message of found) {
      const death = message && readDeath(message);
      if (!death || !isDeath(death) || death.record.seq > high) continue;
      if (death.seq <= seq) low = Math.max(low, death.record.seq);
      else {
        high = Math.min(high, death.record.seq);
        break;
      }
    }
    if (low >= high || (low === before.low && high === before.high)) break;
  }
  return collect(
    getRange(nats, stream, Math.max(first, low - NEAR), { untilSeq: Math.min(last, high + NEAR), subject }),
  );
}

async function storedOriginals({ nats }: Run, group: Group, patterns: readonly IdPattern[]): Promise<StoredMessage[]> {
  const meant = meantBy(patterns, group.queues);
  const found = await pipelined(meant, IN_FLIGHT, ({ queue, seq }) => readIfThere(nats, queue, seq));
  return found.filter((message) => message !== undefined);
}

const readIfThere = (nats: Run['nats'], queue: string, seq: number): Promise<StoredMessage | undefined> =>
  orUndefined(answerOf(getMessage(nats, queue, seq)));

/** Those of the originals that are dead, and no record speaks of. */
const orphansAmong = (judgement: Judgement, originals: readonly StoredMessage[]): Entry[] =>
  originals.flatMap((message) => {
    const standing = judgement.standings.get(message.stream);
    if (!standing || judgement.accounted(message.stream).has(message.seq)) return [];
    return orphanIn(standing, message) ?? [];
  });
