import { scanEntries } from '../../dlq/scan.ts';
import type { SeenQueue } from '../../dlq/standing.ts';
import type { Context } from '../../model/context.ts';
import type { Entry } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import type { ReplayResult, TransformSample } from '../../model/replay.ts';
import { ownPrefixes, whyNotTaken } from '../../nats/address.ts';
import { orThrow } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { whyOversize } from '../../nats/copies.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { notKept } from '../../nats/keeps.ts';
import { roomIn } from '../../nats/room-in.ts';
import { readStream } from '../../nats/streams.ts';
import { Asked } from '../../replay/asked.ts';
import { makeMove } from '../../replay/copy.ts';
import { GroupTable } from '../../replay/groups.ts';
import type { ReplayWishes } from '../../replay/job.ts';
import { Once, skippedAgain } from '../../replay/once.ts';
import { findOvertold, type Overtold, overtoldWords } from '../../replay/overtold.ts';
import type { Move } from '../../replay/protocol.ts';
import { allowsTtl, toQueueFacts } from '../../replay/queue-facts.ts';
import { elsewhere, fullQueue } from '../../replay/refusal.ts';
import { skipNotes, whySkipped } from '../../replay/select.ts';
import { Tally } from '../../replay/tally.ts';
import type { Transform } from '../../replay/transform.ts';
import { isBroken } from '../../replay/transformed.ts';
import { strangers } from './ls.ts';
import { tellReading } from './reading.ts';

/** So many messages are shown as a transform would change them. */
const SAMPLES = 3;

/** What a server, or our own guard, would say against a copy. */
function whyRefused(nats: Nats, to: StreamInfo, move: Move): string | undefined {
  const untaken = whyNotTaken(to, move.subject, move.kind, ownPrefixes(nats));
  return untaken === undefined ? whyOversize(nats, to, move) : elsewhere(untaken);
}

interface PreviewOptions {
  readonly wishes: Omit<ReplayWishes, 'edit' | 'transform'>;
  readonly transform: Transform | undefined;
  readonly keepEntries: boolean;
  /** Each that would move. */
  onChosen?(entry: Entry): void;
}

/** Of queues in which something is in flight: what their records cannot be believed of. It is told. */
async function overtoldOf(
  { io, now }: Context,
  nats: Nats,
  queues: readonly SeenQueue[],
): Promise<ReadonlyMap<string, Overtold>> {
  const all = new Map<string, Overtold>();
  for (const ref of queues) {
    if (!ref.seen?.standing.consumers.some(({ ackPending }) => ackPending > 0)) continue;
    const overtold = await findOvertold(nats, ref, now().getTime());
    if (!overtold) continue;
    all.set(ref.queue, overtold);
    io.tell({ type: 'warning', text: overtoldWords(ref.queue, overtold) });
  }
  return all;
}

/** What a replay would do, without doing it. */
export async function previewReplay(
  context: Context,
  nats: Nats,
  queues: readonly SeenQueue[],
  filter: EntryFilter,
  { wishes, keepEntries, transform, onChosen }: PreviewOptions,
  target: StreamInfo | undefined,
): Promise<ReplayResult> {
  const tally = new Tally(keepEntries);
  const table = new GroupTable();
  const strange = strangers(context);
  const infos = new Map(
    await Promise.all(queues.map(async ({ queue }) => [queue, await orThrow(readStream(nats, queue))] as const)),
  );
  // Every queue has its room, or all of them that of the one target.
  const rooms = new Map(
    await Promise.all(
      (target ? [target] : [...infos.values()]).map(async (info) => [info.name, await roomIn(nats, info)] as const),
    ),
  );
  const dlqsCreated = new Map<string, string>();
  let journalled = 0;
  const asked = transform && new Asked(transform, context.io.signal);
  const samples: TransformSample[] = [];
  let changed = 0;
  let broken = 0;
  const overtold = await overtoldOf(context, nats, queues);
  const once = new Once((name) => infos.get(name)!.config.retention !== 'workqueue');
  const entries = scanEntries(nats, queues, filter, {
    details: true,
    now: context.now().getTime(),
    signal: context.io.signal,
    onUnreadable: strange.add,
    onCount: strange.addCount,
    onRead: tellReading(context, 'Choosing'),
  });
  for await (const entry of entries) {
    const info = infos.get(entry.queue)!;
    const facts = toQueueFacts(info);
    const { lastSeq } = facts;
    const skipped = whySkipped(entry, { maxReplays: wishes.maxReplays, lastSeq, filter, ...overtold.get(entry.queue) });
    if (skipped?.why === 'journalled') journalled += 1;
    else if (skipped) {
      tally.skip(skipped);
      continue;
    } else if (once.isAgain(entry)) {
      tally.skip(skippedAgain(entry));
      continue;
    } else {
      const to = target ?? info;
      const how = { allowTtl: allowsTtl(to), to: wishes.to };
      const made = await asked?.ask(entry, how);
      if (made === null) tally.skip({ entry, why: 'transform', text: 'the transform skips it' });
      // Its faults are told together.
      if (asked && !made) continue;
      const edited = made?.edited;
      const move = makeMove(entry, { ...facts, dlqsCreated }, { ...how, edited });
      const why = whyRefused(nats, to, move);
      if (why !== undefined) {
        tally.fail(entry.id, why);
        continue;
      }
      const isOther = to.name !== entry.queue;
      const unkept = rooms.get(to.name)!.take(move, isOther ? undefined : move.frees);
      if (unkept && isOther) throw notKept(unkept);
      if (unkept) {
        tally.fail(entry.id, fullQueue(unkept));
        continue;
      }
      if (made && made.changes.length > 0) {
        changed += 1;
        if (isBroken(entry.inner.message!, made.edited)) broken += 1;
        if (samples.length < SAMPLES) samples.push({ id: entry.id, changes: made.changes });
      }
    }
    tally.wouldReplay(entry.id);
    onChosen?.(entry);
    table.add(entry);
  }
  asked?.judge();
  if (broken > 0) {
    const text = `the payload of ${broken} was JSON, and as changed it is none: whoever reads it as JSON fails`;
    context.io.tell({ type: 'warning', text });
  }
  strange.tell();
  if (journalled > 0) {
    const text = `${journalled} of them in the journal of a replay that has not ended: all that lies there goes in first, whatever the filter`;
    context.io.tell({ type: 'note', text });
  }
  for (const text of skipNotes(tally.skips)) context.io.tell({ type: 'note', text });
  for (const [why, count] of Object.entries(tally.errors)) {
    context.io.tell({ type: 'warning', text: `${count} could not be replayed: ${why}` });
  }
  return { ...tally.result(), dry_run: true, groups: table.groups(), ...(transform && { changed, samples }) };
}
