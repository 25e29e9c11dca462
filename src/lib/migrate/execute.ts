import { OpsError } from '../errors/ops-error.ts';
import { readIntent, readJournal } from '../ledger/journal.ts';
import { forgetMigration, recordKept, recordMigration } from '../ledger/migrations.ts';
import { equalJson, textsOf } from '../model/json.ts';
import type { Migration, MigrationStep, Unfinished } from '../model/migration.ts';
import { splitConsumerName } from '../model/resource.ts';
import { toType } from '../model/shell.ts';
import { orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { deleteConsumer } from '../nats/consumers.ts';
import { isParked } from './configs.ts';
import { namesOf } from './dead.ts';
import { giveBack, open, park } from './gap.ts';
import { waitHeld } from './held.ts';
import { lookAt } from './look.ts';
import { dropCopy, makeCopy, remembers, settle, waitCopied, waitWindow } from './mirror.ts';
import { tellStep } from './read.ts';
import { canUndo, isCopyLost, isOurs, recognise, strangersIn } from './recognise.ts';
import {
  clock,
  consumerIfThere,
  firstHop,
  isClustered,
  isTwo,
  lastHop,
  type Moving,
  madeOf,
  noteMade,
  openRun,
  pause,
  type Run,
  removeStream,
  stranger,
  stream,
  tell,
  write,
} from './run.ts';
import { carryAll, clearDoubtful, keptOf, removeDead, renameAll, trim, waiting } from './waiting.ts';
import { forgetGivenOut, isResumed, makeConsumers, pauseAll, restoreConsumers, resumeConsumers } from './workers.ts';

/**
 * Moves what cannot be changed in place, from wherever it stands: what is done already is found done on the server.
 * @throws OpsError MIGRATE_REFUSED, NO_ROOM, DLQ_NOT_TAKEN; INTERRUPTED, which says what remains; LOCK_HELD; ApiError, CONN_*, DENIED_SUBJECT
 */
export async function executeMigration(nats: Nats, migration: Migration, moving: Moving): Promise<void> {
  const run = await openRun(nats, migration, moving);
  let last: MigrationStep | undefined;
  try {
    for (;;) {
      const step = await nextStep(run, last);
      if (step === 'intended') await writeDown(run);
      last = step;
      tell(run, step);
      if (step === 'done') break;
      run.signal.throwIfAborted();
      await ACTS[step](run);
    }
    await forgetMigration(nats, migration);
  } catch (error) {
    throw await asStopped(run, error);
  }
}

/**
 * Takes back what was begun, as long as what is published goes to the old one still.
 * @throws OpsError MIGRATE_TOO_LATE; as `executeMigration`
 */
export async function undoMigration(nats: Nats, migration: Migration, moving: Moving): Promise<void> {
  const run = await openRun(nats, migration, moving);
  try {
    const step = await stepOf(run);
    if (!canUndo(migration, step)) throw tooLate(run, step);
    if (migration.kind === 'consumer') await restoreConsumers(run, splitConsumerName(migration.from).stream);
    else await takeBack(run);
    await forgetMigration(nats, migration);
  } catch (error) {
    throw await asStopped(run, error);
  }
}

/** A copy that forgot its ids is made anew, and nothing else is done then. */
const REPEATED: ReadonlySet<MigrationStep> = new Set(['copying', 'parked', 'recopying', 'reparked']);
/** In a cluster what was written is seen a moment later: a pause that was taken away, a consumer that was made (2.14). */
const SEEN_MS = 10_000;

/** The step after this one. @throws OpsError MIGRATE_REFUSED where it is not left */
async function nextStep(run: Run, last: MigrationStep | undefined): Promise<MigrationStep> {
  for (const isOver = clock(SEEN_MS); ; await pause(run)) {
    const step = await stepOf(run);
    if (step !== last || REPEATED.has(step)) return step;
    if (isOver()) throw stuck(run, step);
  }
}

/** Before anything is touched: a later run knows all that is needed to go on, or back. */
async function writeDown({ nats, migration, journal, actor, now }: Run): Promise<void> {
  if (journal.record && equalJson(journal.record.migration, migration)) return;
  const record = { migration, ...actor, since: now.toISOString(), made: {} };
  await recordMigration(nats, record);
  journal.record = record;
}

/** How far it is. What was made and not written down is now. */
async function stepOf(run: Run): Promise<MigrationStep> {
  const { nats, migration, journal } = run;
  const found = await lookAt(nats, migration);
  const step = recognise(migration, found, madeOf(run));
  if (step !== undefined) {
    const { from, to } = migration.kind === 'consumer' ? {} : found;
    const [hop] = migration.hops;
    if (from && from.created !== migration.created) await noteMade(run, hop!.from, from.created);
    if (to && isOurs(migration, madeOf(run), hop!.to, to)) await noteMade(run, hop!.to, to.created);
    journal.isCopyLost = isCopyLost(migration, found, madeOf(run));
    return step;
  }
  const [other] = strangersIn(migration, found, madeOf(run));
  if (other !== undefined)
    throw stranger(run, { name: other, created: (other === migration.hops[0]?.from ? found.from : found.to)!.created });
  throw new OpsError('MIGRATE_REFUSED', `the migration of ${migration.kind} ${migration.from} cannot go on`, {
    where: `${migration.kind} ${migration.from}`,
    why: 'What is on the server is nothing that a migration leaves behind: somebody made or removed a stream meanwhile, or a server that was killed did not recover one, of which its log says "checksums do not match". Nothing was touched.',
    hints: [
      `look at ${streamsOf(migration).join(' and ')} with the nats CLI, and remove the one that is too much`,
      'of one that was not recovered docs/explanation/migration.md tells how it is had again',
    ],
  });
}

const streamsOf = ({ hops, before }: Migration): string[] =>
  hops.length > 0 ? [...new Set(hops.flatMap(({ from, to }) => [from, to]))] : [String(before.name)];

const stuck = ({ migration }: Run, step: MigrationStep): OpsError =>
  new OpsError('MIGRATE_REFUSED', `the migration of ${migration.kind} ${migration.from} does not get on`, {
    where: tellStep(migration, step),
    why: 'The server took every write of this step, and is where it was.',
    hints: ['run this again; `osapi-ops status` tells where it stands'],
  });

const tooLate = ({ migration }: Run, step: MigrationStep): OpsError =>
  new OpsError('MIGRATE_TOO_LATE', `the migration of ${migration.kind} ${migration.from} can only go on`, {
    where: tellStep(migration, step),
    why:
      migration.kind === 'consumer'
        ? 'The old consumer is gone.'
        : 'What is published goes to the copy by now: the old stream lacks it.',
    hints: ['go on with `osapi-ops apply --migrate`', 'then change the spec back and apply that with --migrate'],
  });

/** A failure told with where the migration stands; a lost turn stays what it is. */
async function asStopped(run: Run, error: unknown): Promise<unknown> {
  if (!(error instanceof OpsError) || ['MIGRATE_TOO_LATE', 'MIGRATE_REFUSED'].includes(error.code)) return error;
  const { migration, nats } = run;
  const step = await lookAt(nats, migration).then(
    (found) => recognise(migration, found, madeOf(run)),
    () => run.told.step,
  );
  const stands =
    step === undefined ? '' : `; the migration of ${migration.from} stands at: ${tellStep(migration, step)}`;
  const back = step !== undefined && canUndo(migration, step) ? ['or back with `osapi-ops apply --undo-migrate`'] : [];
  return error.with({
    message: `${error.message}${stands}`,
    hints: [...error.hints, 'go on with `osapi-ops apply --migrate`', ...back],
  });
}

const ACTS: Readonly<Record<Exclude<MigrationStep, 'done'>, (run: Run) => Promise<void>>> = {
  async intended(run) {
    if (run.migration.kind === 'consumer') await remakeConsumer(run);
    else await begin(run);
  },
  copying: copyAndPark,
  parked: (run) => open(run, firstHop(run)),
  promoted: leaveOld,
  dropped: (run) => makeCopy(run, lastHop(run)),
  recopying: recopy,
  reparked: (run) => open(run, lastHop(run)),
  repromoted: finish,
  removed: (run) => makeConsumers(run),
  async made(run) {
    await renameAll(run);
    await resumeConsumers(run);
  },
};

async function begin(run: Run): Promise<void> {
  await refuseUnfinishedReplay(run);
  await widenDlqs(run);
  await makeCopy(run, firstHop(run));
}

/** The DLQs take what is called by the new name too, before anything is. */
async function widenDlqs(run: Run): Promise<void> {
  for (const { stream: name, subjects } of run.migration.dlqs) {
    const { config } = await stream(run, name);
    const has = textsOf(config.subjects);
    const lacks = subjects.filter((subject) => !has.includes(subject));
    if (lacks.length > 0) await write(run, 'update', name, { ...config, subjects: [...has, ...lacks] });
  }
}

async function copyAndPark(run: Run): Promise<void> {
  const hop = firstHop(run);
  const copy = await stream(run, hop.to);
  if (!(await remembers(run, hop, copy))) return;
  await orWithoutCopy(run, async () => {
    await waitCopied(run, hop);
    await waitHeld(run, hop);
  });
  await waitWindow(run, copy);
  const isFinal = !isTwo(run);
  if (isFinal && !isClustered(run)) await trim(run, hop, await waiting(run, []));
  await orWorkersGoOn(run, hop.from, async () => {
    await pauseAll(run, hop.from);
    await settle(run, hop);
    await orWithoutCopy(run, () => waitHeld(run, hop));
    const dead = await carryAll(run);
    if (!isFinal) return;
    const kept = await waiting(run, dead);
    await makeConsumers(run, kept.positions);
    if (!isClustered(run)) await trim(run, hop, kept);
  });
  await park(run, hop);
}

/** A copy that does not get all is of no use, and fills what is full: all is as it was before it. */
async function orWithoutCopy(run: Run, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'MIGRATE_REFUSED') throw error;
    await takeBack(run);
    await forgetMigration(run.nats, run.migration);
    throw error.with({
      why: `${error.why} Nothing was closed: the copy is removed again, and publishers and workers go on.`,
      hints: [...error.hints, 'then run `osapi-ops apply --migrate` again'],
    });
  }
}

/** What ends before anything has moved leaves nobody without work: by Ctrl-C, or for want of a DLQ. */
async function orWorkersGoOn(run: Run, from: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    run.signal.throwIfAborted();
  } catch (error) {
    // Whoever lost the turn may write no more, and leaves them paused: the step says so.
    await restoreConsumers(run, from).catch(() => {});
    throw error;
  }
}

/** What a replay holds in its journal is in no stream: it belongs to the queue as it is. @throws OpsError MIGRATE_REFUSED */
async function refuseUnfinishedReplay({ nats, migration }: Run): Promise<void> {
  if (migration.kind === 'bucket') return;
  const { from } = namesOf(migration).stream;
  const [journal, intent] = await Promise.all([readJournal(nats, from), readIntent(nats, from)]);
  if (journal.length === 0 && intent === undefined) return;
  throw new OpsError('MIGRATE_REFUSED', `a replay of ${from} was begun and not ended`, {
    where: `queue ${from}`,
    why: 'What it holds in its journal, or was about to publish, belongs to the queue as it is. Nothing was touched.',
    hints: [
      `run \`${toType`osapi-ops dlq replay --queue ${from} --limit 0`}\` first: every replay begins by ending the one before`,
    ],
  });
}

/** Writes down what waits, lets workers go on where this was the last hop, and removes the old stream. */
async function leaveOld(run: Run): Promise<void> {
  const { nats, migration } = run;
  const hop = firstHop(run);
  await forgetGivenOut(run, hop.from);
  // Whoever works on the copy already has what waited.
  if (!(await isResumed(run, hop.to))) {
    const kept = await waiting(run, await carryAll(run));
    if (isTwo(run)) await recordKept(nats, migration, kept);
    else {
      await trim(run, hop, kept);
      await makeConsumers(run, kept.positions);
      await renameAll(run);
      await resumeConsumers(run);
    }
  }
  if (!isTwo(run)) await closeDoors(run);
  run.signal.throwIfAborted();
  await removeStream(run, hop.from);
}

async function recopy(run: Run): Promise<void> {
  const hop = lastHop(run);
  if (!(await remembers(run, hop, await stream(run, hop.to)))) return;
  await waitCopied(run, hop);
  await waitHeld(run, hop);
  const kept = await keptOf(run);
  if (!isClustered(run)) await trim(run, hop, kept);
  await makeConsumers(run, kept.positions);
  run.signal.throwIfAborted();
  await park(run, hop);
}

async function finish(run: Run): Promise<void> {
  const hop = lastHop(run);
  await makeConsumers(run, (await keptOf(run)).positions);
  await resumeConsumers(run);
  await closeDoors(run);
  run.signal.throwIfAborted();
  await removeStream(run, hop.from);
}

/** What may not be deleted or purged any more: not before our own marker, and what was answered, are out. */
async function closeDoors(run: Run): Promise<void> {
  const { deny_delete, deny_purge } = run.migration.after;
  if (deny_delete !== true && deny_purge !== true) return;
  const { config } = await stream(run, lastHop(run).to);
  await write(run, 'update', lastHop(run).to, { ...config, ...run.migration.after, name: lastHop(run).to });
}

/** A consumer whose fixed field changes: nothing in hand, its dead out of the queue, then the new one in its place. */
async function remakeConsumer(run: Run): Promise<void> {
  const { nats, migration } = run;
  const { stream: name } = splitConsumerName(migration.from);
  await refuseUnfinishedReplay(run);
  await widenDlqs(run);
  await orWorkersGoOn(run, name, async () => {
    await pauseAll(run, name);
    await removeDead(run, name, await carryAll(run));
  });
  for (const { from: consumer } of migration.consumers) {
    const found = await consumerIfThere(run, name, consumer);
    if (found) await orUndefined(deleteConsumer(nats, { stream: name, consumer, created: found.created }));
  }
}

/**
 * Makes room where not even a lock finds any: what holds it is a copy that is a mirror still, which is dropped. Giving
 * publishers their subjects back is always safe then. What was begun is known still, and goes on from its beginning, or
 * back. False where there is none.
 */
export async function dropCopies(nats: Nats, unfinished: readonly Unfinished[], moving: Moving): Promise<boolean> {
  let isDropped = false;
  for (const { migration } of unfinished) {
    if (migration.kind === 'consumer') continue;
    const run = await openRun(nats, migration, moving);
    const found = await lookAt(nats, migration);
    const step = recognise(migration, found, madeOf(run));
    if (found.to?.mirrorOf === undefined || step === undefined || !canUndo(migration, step)) continue;
    const text = `the lock finds no room: ${firstHop(run).to}, which is not open yet, is dropped, which makes some`;
    moving.io.tell({ type: 'warning', text });
    await takeBack(run);
    isDropped = true;
  }
  return isDropped;
}

/** Publishers first; then what was acked meanwhile is let go by the copy, or else taken out as unknown; then workers. */
async function takeBack(run: Run): Promise<void> {
  const hop = firstHop(run);
  if (isParked((await stream(run, hop.from)).config)) await forgetGivenOut(run, hop.from);
  await giveBack(run, hop);
  await dropCopy(run, hop);
  try {
    await clearDoubtful(run);
  } finally {
    await restoreConsumers(run, hop.from);
  }
}
