import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, QueueRef } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { isDeath, readDeath, type Unreadable } from './advisory.ts';
import { matches } from './filter.ts';
import { Judgement } from './judgement.ts';
import { type DlqSource, openSource } from './sources.ts';
import { alone, type Told } from './told.ts';

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** What dies from now on is told. */
  onReady?(): void;
  onUnreadable?(message: Unreadable): void;
}

/** How often the DLQ streams are looked at, in milliseconds. */
const EVERY = 200;
/** How often their bounds are asked for: a stream that was re-created counts from 1 again. In looks. */
const BOUNDS_EVERY = 25;
/** A worker publishes its reject before it takes the message out: for so many looks it may still be in flight. */
const PATIENCE = 50;

/**
 * New deaths as they are recorded, until the signal: those that lie there already are not told.
 * @throws OpsError CONN_*, DENIED_SUBJECT
 */
export async function* followDeaths(
  nats: Nats,
  queues: readonly QueueRef[],
  filter: EntryFilter,
  { signal, onReady = () => {}, onUnreadable = () => {} }: FollowOptions,
): AsyncGenerator<Entry> {
  const dlqs = [...new Set(queues.flatMap((ref) => ref.dlqs))];
  const run = { nats, filter, options: { details: true }, now: Date.now(), clock: () => performance.now() };
  const [judgement, ...opened] = await Promise.all([
    Judgement.open(run, { queues, dlqs }),
    ...dlqs.map((dlq) => openSource(nats, dlq)),
  ]);
  const next = new Map(dlqs.map((dlq, index) => [dlq, (opened[index]?.last ?? 0) + 1]));
  onReady();
  let waiting: { readonly told: Told; looks: number }[] = [];
  for (let look = 1; !signal.aborted; look++) {
    const told: Told[] = [];
    for (const [dlq, from] of next) {
      if (look % BOUNDS_EVERY === 0) rewind(next, dlq, await openSource(nats, dlq));
      for await (const message of getRange(nats, dlq, next.get(dlq) ?? from)) {
        next.set(dlq, message.seq + 1);
        const death = readDeath(message);
        if (!isDeath(death)) onUnreadable(death);
        else if (judgement.standings.has(death.queue)) told.push(alone(death));
      }
    }
    const all = [...waiting, ...told.map((one) => ({ told: one, looks: 0 }))];
    waiting = [];
    for (const one of all) {
      let isDead = false;
      for (const entry of await judgement.told(await judgement.judge([one.told]))) {
        isDead = true;
        if (entry.inner.cause !== 'removed_in_flight' && matches(filter, entry)) yield entry;
      }
      if (!isDead && one.looks < PATIENCE) waiting.push({ told: one.told, looks: one.looks + 1 });
    }
    await sleep(EVERY, undefined, { signal }).catch(() => {});
  }
}

function rewind(next: Map<string, number>, dlq: string, source: DlqSource | undefined): void {
  if (source && source.last + 1 < next.get(dlq)!) next.set(dlq, source.first);
}
