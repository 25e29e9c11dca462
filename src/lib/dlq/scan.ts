import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { isDeath, readDeath } from './advisory.ts';
import type { Death } from './death.ts';
import { endsBefore, mayMatch, wantsOrphans } from './filter.ts';
import { indexDeaths } from './index-pass.ts';
import { Judgement, type Run, type ScanOptions, withRaw } from './judgement.ts';
import { ahead } from './pages.ts';
import { pickEntries } from './pick.ts';
import { SeqSets } from './seq-set.ts';
import { type DlqSource, type Group, groupQueues, type Order, openSource, readPages } from './sources.ts';
import { alone, keyOfDeath, type Told } from './told.ts';

export type { ScanOptions } from './judgement.ts';

/**
 * The dead letters of these queues: records joined with their originals, several records of one message as one entry,
 * what is alive again left out, and at the end those that no record speaks of. Memory does not grow with their number.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function* scanEntries(
  nats: Nats,
  queues: readonly QueueRef[],
  filter: EntryFilter,
  options: ScanOptions = {},
): AsyncGenerator<Entry, void, undefined> {
  const wanted = queues.filter(({ queue }) => !filter.queues?.length || filter.queues.includes(queue));
  const run: Run = { nats, filter, options, now: options.now ?? Date.now(), clock: () => performance.now() };
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for (const group of groupQueues(wanted)) {
    const entries = filter.ids?.length ? pickEntries(run, group) : scanGroup(run, group);
    for await (const entry of entries) {
      options.signal?.throwIfAborted();
      yield entry;
      if (--left <= 0) return;
    }
  }
}

/** A payload cache for DLQs that are read more than once: so many messages, so many bytes. */
const CACHED_MESSAGES = 20_000;
const CACHED_BYTES = 32 * 1024 * 1024;

async function* scanGroup(run: Run, group: Group): AsyncGenerator<Entry> {
  const { filter, options } = run;
  const judgement = await Judgement.open(run, group);
  const sources = (await Promise.all(group.dlqs.map((dlq) => openSource(run.nats, dlq)))).filter(
    (source) => source !== undefined && source.messages > 0,
  ) as DlqSource[];
  const order = options.order ?? 'oldest';
  const inGroup = (death: Death) => judgement.standings.has(death.queue);
  const mustIndex = options.exact !== false || sources.length > 1 || sources.some(({ carries }) => carries);
  const read = await reader(run, sources, order, mustIndex);
  let unreadable = options.onUnreadable ?? (() => {});
  let joined = new Map<string, Told>();
  if (mustIndex) {
    joined = await indexDeaths(read, inGroup, unreadable, options.raw ? withRaw : undefined);
    unreadable = () => {};
  }
  const seen = new SeqSets();
  const orphansToo = wantsOrphans(filter);
  for await (const page of ahead(read())) {
    const told: Told[] = [];
    for (const message of page) {
      const death = readDeath(message);
      if (!isDeath(death)) unreadable(death);
      else if (inGroup(death) && seen.of(keyOfDeath(death)).add(death.seq)) {
        const all = joined.get(death.id) ?? alone(options.raw ? withRaw(death, message) : death);
        if (orphansToo || mayMatch(filter, all)) told.push(all);
      }
    }
    yield* judgement.entries(told);
    // Newest first, all that follow died before this was stored.
    const oldest = page.at(-1);
    if (order === 'newest' && !orphansToo && sources.length === 1 && endsBefore(filter, oldest)) break;
  }
  if (!orphansToo) return;
  const late = new LateRecords(run.nats, sources);
  for (const { queue } of group.queues) {
    yield* judgement.orphans(queue, async () => {
      await sleep(ADVISORY_LATENCY);
      for (const death of await late.read())
        if (death.pointsAtOriginal) judgement.accounted(death.queue).add(death.seq);
    });
  }
}

/** An advisory is on its way to the DLQ stream for less than this, in milliseconds, where nothing is wrong. */
const ADVISORY_LATENCY = 150;

/** What was recorded after the scan began. */
class LateRecords {
  readonly #nats: Nats;
  readonly #next: Map<string, number>;
  readonly #found: Death[] = [];

  constructor(nats: Nats, sources: readonly DlqSource[]) {
    this.#nats = nats;
    this.#next = new Map(sources.map(({ stream, last }) => [stream, last + 1]));
  }

  async read(): Promise<readonly Death[]> {
    for (const [stream, from] of this.#next) {
      for await (const message of getRange(this.#nats, stream, from)) {
        this.#next.set(stream, message.seq + 1);
        const death = readDeath(message);
        if (isDeath(death)) this.#found.push(death);
      }
    }
    return this.#found;
  }
}

/** Reads all sources of a group; from memory the second time where they are small. */
async function reader(
  { nats }: Run,
  sources: readonly DlqSource[],
  order: Order,
  often: boolean,
): Promise<() => AsyncGenerator<StoredMessage[]>> {
  async function* fromServer(): AsyncGenerator<StoredMessage[]> {
    for (const source of sources) yield* readPages(nats, source, order);
  }
  const total = (of: 'messages' | 'bytes') => sources.reduce((sum, source) => sum + source[of], 0);
  if (!often || total('messages') > CACHED_MESSAGES || total('bytes') > CACHED_BYTES) return fromServer;
  const pages: StoredMessage[][] = [];
  for await (const page of fromServer()) pages.push(page);
  return async function* fromMemory() {
    yield* pages;
  };
}
