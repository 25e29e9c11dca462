import type { OrphanReport } from '../dlq/orphans.ts';
import { scanEntries } from '../dlq/scan.ts';
import { OpsError } from '../errors/ops-error.ts';
import { advisorySubject } from '../facts/names.ts';
import type { QueueRef } from '../model/entry.ts';
import type { Nats } from '../nats/connect.ts';
import { countStored } from './collect.ts';
import { type DeadState, deathsOf, type QueueState } from './snapshot.ts';

/** Reading every entry and its original is for DLQs up to this many; beyond it, arithmetic has to do. */
const READABLE = 20_000;
const HOUR = 3_600_000;

interface Seen {
  oldest: number;
  lastHour: number;
  report?: OrphanReport;
}

const refOf = ({ name, consumers, dlq }: QueueState): QueueRef => ({
  queue: name,
  dlq: dlq?.name,
  dlqs: dlq ? [dlq.name] : [],
  consumers: consumers.map((consumer) => consumer.name),
});

/**
 * Looks into the DLQ of every queue that has dead messages: who has no entry, the oldest, how many of late. Queues
 * without dead cost nothing.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function scanDead(nats: Nats, queues: readonly QueueState[], now: number): Promise<QueueState[]> {
  const sick = queues.filter((queue) => deathsOf(queue) > 0);
  if (sick.length === 0) return [...queues];
  const readable = sick.filter(
    (queue) => deathsOf(queue) <= READABLE && (queue.dlq?.figures.messages ?? 0) <= READABLE,
  );
  const seen = await readEntries(nats, readable, now);
  return Promise.all(
    queues.map(async (queue) => {
      if (!queue.deadState || deathsOf(queue) === 0) return queue;
      const found = seen?.get(queue.name);
      if (!found?.report && queue.deadState.dead === 0) return queue;
      const deadState = found?.report
        ? exactly(queue.deadState, found, found.report)
        : await countUnsettled(nats, queue, queue.deadState);
      return { ...queue, deadState };
    }),
  );
}

async function readEntries(
  nats: Nats,
  queues: readonly QueueState[],
  now: number,
): Promise<Map<string, Seen> | undefined> {
  const seen = new Map<string, Seen>(
    queues.map(({ name }) => [name, { oldest: Number.POSITIVE_INFINITY, lastHour: 0 }]),
  );
  try {
    const entries = scanEntries(
      nats,
      queues.map(refOf),
      {},
      {
        exact: false,
        order: 'newest',
        now,
        signal: nats.signal,
        onCount: (report) => {
          const one = seen.get(report.queue);
          if (one) one.report = report;
        },
      },
    );
    for await (const { queue, state, died_at } of entries) {
      const one = seen.get(queue);
      const died = died_at === null ? Number.NaN : Date.parse(died_at);
      if (!one || Number.isNaN(died)) continue;
      if (died > now - HOUR) one.lastHour += 1;
      if (state === 'replayable') one.oldest = Math.min(one.oldest, died);
    }
    return seen;
  } catch (error) {
    // Who may see the figures need not be allowed to read messages.
    if (error instanceof OpsError && ['DENIED_SUBJECT', 'NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}

const exactly = (state: DeadState, { oldest, lastHour }: Seen, report: OrphanReport): DeadState => ({
  ...state,
  // Counted anew while the entries were read: both figures must be of the same moment.
  dead: report.dead,
  dying: report.dying,
  orphans: report.orphans + report.uncertain,
  exact: true,
  lastHour,
  ...(Number.isFinite(oldest) && { oldestDiedAt: oldest }),
});

/** More dead than advisories: so many have none for certain. */
async function countUnsettled(nats: Nats, { name, dlq }: QueueState, state: DeadState): Promise<DeadState> {
  if (!dlq) return { ...state, orphans: state.dead, exact: true };
  const advisories = await countStored(nats, dlq.name, advisorySubject('max_deliveries', name));
  return { ...state, orphans: Math.max(0, state.dead - advisories), exact: false };
}
