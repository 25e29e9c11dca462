import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import { type Kept, readKept } from '../ledger/migrations.ts';
import type { Hop } from '../model/migration.ts';
import { orThrow } from '../nats/answer.ts';
import { readConsumer } from '../nats/consumers.ts';
import { removeFromCopy, removeKeyed } from '../nats/removal.ts';
import { readDeleted } from '../nats/streams.ts';
import { carryDead, type Names, namesOf, oldNames } from './dead.ts';
import { count, each, minus, storedRanges, upTo, without } from './ranges.ts';
import { FINISH, firstHop, lastHop, type Run, stream } from './run.ts';

/** A stream that keeps what was answered: where its consumers are tells what waits. */
export const keepsAnswered = ({ migration }: Run): boolean => migration.before.retention === 'limits';

/** What is to be a work queue has what was not answered, and nothing else. */
export const becomesQueue = (run: Run): boolean => keepsAnswered(run) && run.migration.after.retention === 'workqueue';

/** The dead of a stream that keeps all stay where they are, behind where its consumers go on. */
export const carryAll = (run: Run): Promise<number[]> => carryAs(run, oldNames(run.migration));

/** The same once the way back is closed: the DLQ has them by their new names. */
export const renameAll = async (run: Run): Promise<void> => {
  const { kind, name, from } = run.migration;
  if (kind !== 'bucket' && name !== from) await carryAs(run, namesOf(run.migration));
};

const carryAs = (run: Run, names: Names): Promise<number[]> => {
  const { kind, before, consumers } = run.migration;
  const isQueue = before.retention === 'workqueue' || becomesQueue(run);
  return kind !== 'bucket' && isQueue && consumers.length > 0
    ? carryDead(run.nats, run.migration, names, run.signal)
    : Promise.resolve([]);
};

/** What the old stream has but for its dead, and up to which sequence that is all. */
export async function waiting(run: Run, dead: readonly number[]): Promise<Kept> {
  const { from } = firstHop(run);
  const deleted = await orThrow(readDeleted(run.nats, from));
  const [{ figures }, ...infos] = await Promise.all([
    stream(run, from),
    ...run.migration.consumers.map((one) => orThrow(readConsumer(run.nats, from, one.from, FINISH))),
  ]);
  const positions = Object.fromEntries(infos.map(({ name, figures }) => [name, figures.delivered_stream_seq]));
  const stored = storedRanges(figures.first_seq, figures.last_seq, deleted);
  const answered = becomesQueue(run) ? upTo(stored, Math.max(0, ...Object.values(positions))) : [];
  return { ranges: minus(without(stored, dead), answered), upTo: figures.last_seq, positions };
}

/** Removes from a copy what does not wait, up to a sequence: acknowledged while it was copied, or dead. */
export async function trim(run: Run, hop: Hop, kept: Kept): Promise<void> {
  // Of our own making, and nobody's work.
  await removeKeyed(run.nats, hop.to, { subject: movingSubject(firstHop(run).from) });
  const deleted = await orThrow(readDeleted(run.nats, hop.to));
  const { figures, created } = await stream(run, hop.to);
  if (figures.messages === 0) return;
  const stored = upTo(storedRanges(figures.first_seq, figures.last_seq, deleted), kept.upTo);
  const gone = minus(stored, kept.ranges);
  if (count(gone) === 0) return;
  const first = kept.ranges[0]?.[0] ?? kept.upTo + 1;
  const front = upTo(gone, first - 1);
  const rest = minus(gone, front);
  await removeFromCopy(run.nats, { stream: hop.to, created }, Math.min(first, kept.upTo + 1), each(rest));
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
