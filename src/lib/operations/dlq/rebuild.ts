import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, QueueRef } from '../../model/entry.ts';
import type { Nats } from '../../nats/connect.ts';
import { storeCopy } from '../../nats/copies.ts';
import { notKept, type Room } from '../../nats/keeps.ts';
import { inParts, pipelined } from '../../nats/pipeline.ts';
import { printHeaders } from '../../nats/raw-headers.ts';
import { roomIn } from '../../nats/room-in.ts';
import { type DlqPlace, placeInDlq, readDlqs } from '../../replay/dlq-place.ts';
import { rebuildAdvisory } from '../../replay/rebuilt.ts';
import { tellNone } from './none.ts';
import { tellReading } from './reading.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface RebuildOptions extends DlqChoice {
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
}

export interface RebuildResult {
  readonly rebuilt: number;
  /** Dead without an advisory as well, but not to be told from what is in flight now. */
  readonly uncertain: number;
  readonly dry_run?: true;
  readonly entries: readonly { readonly id: string }[];
}

const PAGE = 1000;
const AT_ONCE = 256;

/**
 * Writes the missing entry of every orphan. Running it twice changes nothing: what has an entry is no orphan.
 * @throws OpsError NOT_FOUND where no stream takes the entries, NO_ROOM and DLQ_NOT_TAKEN where one would not keep them,
 *   LOCK_HELD, CONN_*, DENIED_*, INTERRUPTED
 */
export async function rebuildEntries(context: Context, options: RebuildOptions): Promise<RebuildResult> {
  return withDlq(context, { ...options, acts: true }, async (scope) => {
    const { nats, queues, filter } = scope;
    const entries: { id: string }[] = [];
    let uncertain = 0;
    const find = async (ref: QueueRef, onPage: (page: Entry[]) => Promise<void>, signal: AbortSignal) => {
      const orphans = scanEntries(
        nats,
        [ref],
        { ...filter, states: ['orphan'] },
        {
          now: context.now().getTime(),
          signal,
          onRead: tellReading(context, 'Reading'),
          onCount: (report) => {
            uncertain += report.uncertain;
          },
        },
      );
      for await (const page of inParts(orphans, PAGE)) {
        const stored = page.filter(({ inner }) => inner.original);
        await onPage(stored);
        entries.push(...stored.map(({ id }) => ({ id })));
      }
    };
    for (const ref of queues) {
      if (options.dryRun) {
        const rooms = new Map<string, Promise<Room>>();
        const check = async (page: Entry[]) =>
          void (await planEntries({ context, nats, ref, rooms, dryRun: true }, page));
        await find(ref, check, context.io.signal);
        continue;
      }
      const before = entries.length;
      const work = { verb: 'rebuild', lockWaitMs: options.lockWaitMs } as const;
      await withHistory(
        context,
        nats,
        'rebuild',
        () =>
          withQueueLocks(context, nats, [ref.queue], work, (signal, held) =>
            find(ref, (page) => writeEntries(context, held, ref, page), signal),
          ),
        () => {
          const count = entries.length - before;
          return count > 0 ? [{ ref, summary: `${count} entries rebuilt` }] : [];
        },
      ).catch((error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
        const result: RebuildResult = { rebuilt: entries.length, uncertain, entries };
        throw error.with({ message: `${error.message}: ${entries.length} rebuilt so far`, result });
      });
    }
    if (entries.length === 0) await tellNone(context, scope, { states: ['orphan'], noun: 'orphans' });
    return {
      rebuilt: options.dryRun ? 0 : entries.length,
      uncertain,
      ...(options.dryRun && { dry_run: true }),
      entries,
    };
  });
}

interface Planning {
  /** Told before anything is tried: that a DLQ would refuse some. */
  readonly dryRun?: boolean;
  readonly context: Context;
  readonly nats: Nats;
  readonly ref: QueueRef;
  /** What is left of each DLQ's, by name. */
  readonly rooms: Map<string, Promise<Room>>;
}

/** What a page would write and where. @throws OpsError NOT_FOUND, NO_ROOM, DLQ_NOT_TAKEN before anything is written */
async function planEntries(
  { context, nats, ref, rooms, dryRun }: Planning,
  page: readonly Entry[],
): Promise<DlqPlace[]> {
  if (page.length === 0) return [];
  const dlqs = await readDlqs(nats, ref);
  const planned: DlqPlace[] = [];
  for (const entry of page) {
    const { msgId, ...advisory } = rebuildAdvisory(entry, context.now());
    const headers = (id: string) => printHeaders([{ name: 'Nats-Msg-Id', value: id }]);
    const place = placeInDlq(nats, dlqs, { ...advisory, id: msgId, headers });
    if (typeof place === 'string') throw noDlq(ref, place);
    const { dlq, id, copyFor } = place;
    const room = rooms.get(dlq.name) ?? roomIn(nats, dlq);
    rooms.set(dlq.name, room);
    const why = (await room).take(copyFor(id)) ?? (dryRun ? (await room).whyFull() : undefined);
    if (why) throw notKept(why);
    planned.push(place);
  }
  return planned;
}

async function writeEntries(context: Context, nats: Nats, ref: QueueRef, page: readonly Entry[]): Promise<void> {
  const planned = await planEntries({ context, nats, ref, rooms: new Map() }, page);
  await pipelined(planned, AT_ONCE, ({ dlq, id, copyFor }) => storeCopy(nats, dlq, id, copyFor));
}

const noDlq = (ref: QueueRef, why: string): OpsError =>
  new OpsError('NOT_FOUND', `no stream captures the deaths of ${ref.queue}`, {
    where: `queue ${ref.queue}`,
    why: `An entry would be stored nowhere: ${why}.`,
    hints: ['give the queue a `dlq:` in its spec and apply it', 'replay orphans without entries: `dlq replay`'],
  });
