import type { OrphanReport } from '../../dlq/dead-count.ts';
import { isUntold } from '../../dlq/doubt.ts';
import { scanEntries } from '../../dlq/scan.ts';
import type { SeenQueue } from '../../dlq/standing.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, EntryState } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import { byOrder, type EntryOrder } from '../../model/entry-order.ts';
import { shellLine } from '../../model/shell.ts';
import { tellNone, tellUntold } from './none.ts';
import { tellReading } from './reading.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface DlqListing {
  readonly listed: Readonly<Record<EntryState, number>>;
  /** One for each queue whose dead could be counted. */
  readonly counts: readonly OrphanReport[];
  /** How many there are in all where a limit left some out; `isWhole` where all were counted. */
  readonly all?: { readonly count: number; readonly isWhole: boolean };
  /** Whether there are dead letters, and the filter chose none of them. */
  readonly isFiltered: boolean;
}

export interface ListOptions extends DlqChoice {
  /** The smallest first: then nothing is given out before all were read. Newest first where left out. */
  readonly sort?: EntryOrder | undefined;
  readonly reverse?: boolean;
  /** Counts also what the limit leaves out, as far as that is done in a moment. */
  readonly countAll?: boolean;
}

/** What a limit leaves out is counted for so long, in milliseconds. */
const COUNTING_MS = 2000;

/**
 * Lists dead letters, each as soon as it is known.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function listDeadLetters(
  context: Context,
  choice: ListOptions,
  onEntry: (entry: Entry) => Promise<void> | undefined,
): Promise<DlqListing> {
  return withDlq(context, choice, async (scope) => {
    const { nats, queues, filter } = scope;
    const listed = { replayable: 0, parked: 0, gone: 0, orphan: 0 };
    const counts: OrphanReport[] = [];
    const strange = strangers(context);
    const { limit = Number.POSITIVE_INFINITY, ...unlimited } = filter;
    const { sort, reverse, countAll } = choice;
    // A line on the screen says enough of how far it is.
    const tellRead = tellReading(context, 'Reading');
    const entries = scanEntries(nats, queues, sort || countAll ? unlimited : filter, {
      order: 'newest',
      across: true,
      exact: false,
      details: true,
      asSeen: true,
      signal: context.io.signal,
      now: context.now().getTime(),
      onRead: (read, total) => (count === 0 || sort) && tellRead(read, total),
      onUnreadable: strange.add,
      onRemoved: strange.addRemoved,
      onCount(report) {
        counts.push(report);
        strange.addCount(report);
      },
    });
    const missing = endsAtHits(queues, filter) && !sort ? new Set(filter.requestIds) : undefined;
    let count = 0;
    let isWhole = true;
    let until = Number.POSITIVE_INFINITY;
    const sorted: Entry[] = [];
    let untaken = 0;
    const give = async (entry: Entry) => {
      listed[entry.state] += 1;
      if (isUntold(entry, filter)) untaken += 1;
      await onEntry(entry);
    };
    for await (const entry of entries) {
      count += 1;
      if (sort) sorted.push(withoutPayload(entry));
      else if (count <= limit) await give(entry);
      if (missing?.delete(entry.request_id ?? '') && missing.size === 0) break;
      if (count === limit) until = performance.now() + COUNTING_MS;
      if (sort || performance.now() <= until) continue;
      isWhole = false;
      break;
    }
    if (sort) {
      sorted.sort(byOrder(sort));
      for (const entry of (reverse ? sorted.reverse() : sorted).slice(0, limit)) await give(entry);
    }
    strange.tell();
    if (untaken > 0) context.io.tell({ type: 'note', text: untakenNote(untaken) });
    tellUntold(context, scope);
    const isEmpty = Object.values(listed).every((count) => count === 0);
    return {
      listed,
      counts,
      ...(count > limit && { all: { count, isWhole } }),
      isFiltered: isEmpty && (await tellNone(context, scope)),
    };
  });
}

/** On a work queue a request is one message: whoever asks for it by its id need not wait for the rest. */
const endsAtHits = (queues: readonly SeenQueue[], { requestIds }: EntryFilter): boolean =>
  requestIds !== undefined &&
  requestIds.length > 0 &&
  queues.every(({ seen }) => seen?.standing.retention === 'workqueue');

/** What is kept of an entry until all are sorted. */
const withoutPayload = ({ inner: { message: _, original: __, ...inner }, ...entry }: Entry): Entry => ({
  ...entry,
  inner,
});

interface Stranger {
  readonly stream: string;
  readonly seq: number;
  readonly why: string;
}

/** Gathers what lies in DLQ streams and is no dead letter, and how many nobody can list, and tells of it once. */
export function strangers({ io }: Context): {
  add(one: Stranger): void;
  addRemoved(): void;
  addCount(report: OrphanReport): void;
  tell(): void;
} {
  let count = 0;
  let first: Stranger | undefined;
  let removed = 0;
  const counts: OrphanReport[] = [];
  return {
    addCount: (report) => void counts.push(report),
    addRemoved() {
      removed += 1;
    },
    add(one) {
      count += 1;
      if (!first || (one.stream === first.stream && one.seq < first.seq)) first = one;
    },
    tell() {
      if (removed > 0) {
        const text = `${removed === 1 ? 'a message was' : `${removed} messages were`} acked, taken back or dropped while in flight: left out as no dead ${removed === 1 ? 'letter' : 'letters'}; see --state gone`;
        io.tell({ type: 'note', text });
      }
      for (const text of counts.flatMap(countNotes)) io.tell({ type: 'note', text });
      if (!first) return;
      const { stream, seq, why } = first;
      const what = count === 1 ? 'a message is no dead letter' : `${count} messages are no dead letters`;
      const which = `${count === 1 ? '' : 'the first is '}${stream} sequence ${seq}: ${why}`;
      const remove = shellLine(['nats', 'stream', 'rmm', stream, String(seq)]);
      io.tell({ type: 'warning', text: `${what} and left out (${which}); \`${remove}\` removes it` });
    },
  };
}

const untakenNote = (count: number): string =>
  `${count} whose consumers are gone, or do not take their subjects: nothing tells whether they died before that, or somebody only wrote so; replay and purge leave them, unless they are named by id`;

/** What a listing cannot show, in words. */
function countNotes({ queue, uncertain, dying, inFlight }: OrphanReport): string[] {
  const notes: string[] = [];
  if (uncertain > 0) {
    notes.push(
      `${queue}: ${uncertain} more dead without an advisory, not to be told from the ${inFlight} in flight; look again when those are settled`,
    );
  }
  if (dying > 0) {
    notes.push(
      `${queue}: up to ${dying} more are dying: past their last ack wait, dead when the next pull request comes`,
    );
  }
  return notes;
}
