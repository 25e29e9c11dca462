import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import { type Kept, readKept } from '../ledger/migrations.ts';
import type { Hop } from '../model/migration.ts';
import type { ConsumerFigures } from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import { getMessage } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { removeFromCopy, removeKeyed, removeMessage } from '../nats/removal.ts';
import { readDeleted } from '../nats/streams.ts';
import { type CarriedDead, carryDead, type Names, namesOf, oldNames } from './dead.ts';
import { count, each, minus, storedRanges, upTo, without } from './ranges.ts';
import { tellLost } from './read.ts';
import { consumersOn, firstHop, lastHop, type Run, stream } from './run.ts';

/** A stream that keeps what was answered: where its consumers are tells what waits. */
export const keepsAnswered = ({ migration }: Run): boolean => migration.before.retention === 'limits';

/** What is to be a work queue has what was not answered, and nothing else. */
export const becomesQueue = (run: Run): boolean => keepsAnswered(run) && run.migration.after.retention === 'workqueue';

/**
 * The dead of a stream that keeps all stay where they are, behind where its consumers go on. After a copy was removed that
 * had not confirmed all, what was answered, or died unheard, leaves the queue: the DLQ has it. Nothing tells these two
 * apart, and left where they are all of them would be dead once more as soon as nobody knows of that copy.
 */
export async function carryAll(run: Run): Promise<readonly number[]> {
  const { migration } = run;
  const { seqs, doubtful } = await carryAs(run, oldNames(migration));
  if (doubtful.length > 0 && migration.before.deny_delete !== true) await removeDead(run, firstHop(run).from, doubtful);
  return seqs;
}

/** The same of whoever goes back: what the DLQ does not take stays, and is told. */
export async function clearDoubtful(run: Run): Promise<void> {
  if (!run.journal.isCopyLost) return;
  try {
    await carryAll(run);
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'MIGRATE_REFUSED') throw error;
    run.io.tell({ type: 'warning', text: `${tellLost(run.migration)}; ${error.message}` });
  }
}

/** What the DLQ holds by now with its payload, and the new consumer would be given again. */
export async function removeDead(run: Run, name: string, seqs: readonly number[]): Promise<void> {
  const { created } = await stream(run, name);
  await pipelined(seqs, AT_ONCE, async (seq) => {
    const message = await getMessage(run.nats, name, seq, { fromLeader: true });
    if (message) await removeMessage(run.nats, { stream: name, created, seq, time: message.time });
  });
}

const AT_ONCE = 64;

/** The same once the way back is closed: the DLQ has them by their new names. */
export const renameAll = async (run: Run): Promise<void> => {
  const { kind, name, from } = run.migration;
  if (kind !== 'bucket' && name !== from) await carryAs(run, namesOf(run.migration));
};

async function carryAs(run: Run, names: Names): Promise<CarriedDead> {
  const { nats, migration, signal, journal } = run;
  const { kind, before, consumers } = migration;
  const isQueue = before.retention === 'workqueue' || becomesQueue(run);
  if (kind === 'bucket' || !isQueue || consumers.length === 0) return { seqs: [], doubtful: [] };
  const carried = await carryDead(nats, migration, names, signal, journal.isCopyLost);
  const { length } = carried.doubtful;
  if (length > 0)
    run.io.tell({ type: 'warning', text: `${tellLost(migration)}: ${length} kept in the DLQ as unknown` });
  return carried;
}

/** Up to where a consumer has settled all. While something is in hand that is what lies before it. */
const settledOf = ({ num_ack_pending, ack_floor_stream_seq, delivered_stream_seq }: ConsumerFigures): number =>
  num_ack_pending > 0 ? ack_floor_stream_seq : delivered_stream_seq;

/** What the old stream has but for its dead, and up to which sequence that is all. */
export async function waiting(run: Run, dead: readonly number[]): Promise<Kept> {
  const { from } = firstHop(run);
  const deleted = await orThrow(readDeleted(run.nats, from));
  const [{ figures }, infos] = await Promise.all([stream(run, from), consumersOn(run, from)]);
  const positions = Object.fromEntries(infos.map(({ name, figures }) => [name, settledOf(figures)]));
  const stored = storedRanges(figures.first_seq, figures.last_seq, deleted);
  const answered = becomesQueue(run) ? upTo(stored, Math.max(0, ...Object.values(positions))) : [];
  return { ranges: minus(without(stored, dead), answered), upTo: figures.last_seq, positions };
}

/** Removes from a copy what does not wait, up to a sequence: acknowledged while it was copied, or dead. */
export async function trim(run: Run, hop: Hop, kept: Kept): Promise<void> {
  const { created } = await stream(run, hop.to);
  // Of our own making, and nobody's work.
  await removeKeyed(run.nats, hop.to, { subject: movingSubject(firstHop(run).from) });
  const deleted = await orThrow(readDeleted(run.nats, hop.to));
  const { figures } = await stream(run, hop.to);
  if (figures.messages === 0) return;
  const stored = upTo(storedRanges(figures.first_seq, figures.last_seq, deleted), kept.upTo);
  const gone = minus(stored, kept.ranges);
  if (count(gone) === 0) return;
  const first = kept.ranges[0]?.[0] ?? kept.upTo + 1;
  const front = upTo(gone, first - 1);
  const rest = minus(gone, front);
  await removeFromCopy(run.nats, { stream: hop.to, created }, front.at(-1)?.[1] ?? 0, each(rest));
}

/** @throws OpsError MIGRATE_REFUSED where it is not known: then nothing is removed */
export async function keptOf({ nats, migration }: Run): Promise<Kept> {
  const kept = await readKept(nats, migration);
  if (kept) return kept;
  throw new OpsError('MIGRATE_REFUSED', `what of ${migration.from} waits is not known any more`, {
    where: 'bucket osapi_ops',
    why: 'It was written down before the old stream went, and somebody removed it from there. Nothing was removed.',
    hints: [`all is in ${lastHop({ migration } as Run).from}, what was answered too: look at it with the nats CLI`],
  });
}
