import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import type { Actor } from '../ledger/actor.ts';
import { forgetMigration, type Kept, readKept, recordKept, recordMigration } from '../ledger/migrations.ts';
import type { Io } from '../model/io.ts';
import { numberOf, objectOf, textsOf } from '../model/json.ts';
import type { Hop, Migration, MigrationStep } from '../model/migration.ts';
import { splitConsumerName } from '../model/resource.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { deleteConsumer, listConsumers, pauseUntil, readConsumer, writeConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { publish } from '../nats/message-writes.ts';
import { getMessage } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { printHeaders } from '../nats/raw-headers.ts';
import { madeAnew, removeFromCopy, removeKeyed, removeMessage } from '../nats/removal.ts';
import { deleteStream, readDeleted, readStream, writeStream } from '../nats/streams.ts';
import {
  isParked,
  mirrorConfig,
  parkedConfig,
  parkSubject,
  pausedConsumer,
  primingConfig,
  promotedConfig,
  UNTIL_RESUMED,
} from './configs.ts';
import { carryDead } from './dead.ts';
import { lookAt } from './look.ts';
import { drainMs } from './plan.ts';
import { primeIds } from './prime.ts';
import { count, each, minus, storedRanges, upTo, without } from './ranges.ts';
import { tellStep } from './read.ts';
import { canUndo, recognise } from './recognise.ts';

export interface Moving {
  readonly io: Pick<Io, 'tell'>;
  /** Aborted by Ctrl-C, or when the lock is lost: what is under way ends, and no step begins. */
  readonly signal: AbortSignal;
  readonly actor: Actor;
  readonly now: Date;
}

interface Run extends Moving {
  readonly nats: Nats;
  readonly migration: Migration;
  /** What was told of the progress last. */
  readonly told: { step?: MigrationStep };
}

const POLL_MS = 50;
/** A healthy mirror hears of its stream each second. */
const FRESH_MS = 1500;
/** How long a mirror may take to say anything, or to come to a marker. */
const SILENT_MS = 15_000;
/** A write that elects a leader may take so long. */
const WRITE_MS = 10_000;

const FINISH = { finish: true } as const;

/**
 * Moves what cannot be changed in place, from wherever it stands: what is done already is found done on the server.
 * @throws OpsError MIGRATE_REFUSED, NO_ROOM, DLQ_NOT_TAKEN; INTERRUPTED, which says what remains; LOCK_HELD; ApiError, CONN_*, DENIED_SUBJECT
 */
export async function executeMigration(nats: Nats, migration: Migration, moving: Moving): Promise<void> {
  const run: Run = { ...moving, nats, migration, told: {} };
  let last: MigrationStep | undefined;
  try {
    for (;;) {
      const step = await stepOf(run);
      if (step === 'intended') await recordMigration(nats, { migration, ...run.actor, since: run.now.toISOString() });
      if (step === last && step !== 'copying' && step !== 'recopying' && step !== 'parked') throw stuck(run, step);
      last = step;
      run.signal.throwIfAborted();
      if (step === 'done') break;
      tell(run, step);
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
  const run: Run = { ...moving, nats, migration, told: {} };
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

async function stepOf({ nats, migration }: Run): Promise<MigrationStep> {
  const step = recognise(migration, await lookAt(nats, migration));
  if (step !== undefined) return step;
  throw new OpsError('MIGRATE_REFUSED', `the migration of ${migration.kind} ${migration.from} cannot go on`, {
    where: `${migration.kind} ${migration.from}`,
    why: 'What is on the server is nothing that a migration leaves behind: somebody made or removed a stream meanwhile. Nothing was touched.',
    hints: [`look at ${streamsOf(migration).join(' and ')} with the nats CLI, and remove the one that is too much`],
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
    (found) => recognise(migration, found),
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

function tell(run: Run, step: MigrationStep): void {
  if (run.told.step === step) return;
  run.told.step = step;
  run.io.tell({ type: 'note', text: `Moving ${run.migration.from}: ${tellStep(run.migration, step)}` });
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
  removed: makeConsumers,
  made: resumeConsumers,
};

const firstHop = ({ migration }: Run): Hop => migration.hops[0]!;
const lastHop = ({ migration }: Run): Hop => migration.hops.at(-1)!;
const isTwo = ({ migration }: Run): boolean => migration.hops.length > 1;
const isClustered = ({ nats }: Run): boolean => nats.target.server.cluster !== undefined;
const stream = (run: Run, name: string): Promise<StreamInfo> => orThrow(readStream(run.nats, name, FINISH));

/** Waits, or ends where it is told to. */
const pause = ({ signal }: Run, ms = POLL_MS): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());

const write = (run: Run, verb: 'create' | 'update', name: string, config: StreamInfo['config']) =>
  writeStream(run.nats, verb, name, config, {
    ...FINISH,
    timeoutMs: Math.max(WRITE_MS, run.nats.settings.timeoutMs),
  });

// --- the first copy

async function begin(run: Run): Promise<void> {
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

const makeCopy = async (run: Run, hop: Hop): Promise<void> => {
  await write(run, 'create', hop.to, mirrorConfig(run.migration, hop));
};

/** A copy that ids would be forgotten in is made anew: a server that was restarted drops the window of a mirror. */
async function remembers(run: Run, hop: Hop, copy: StreamInfo): Promise<boolean> {
  if (isClustered(run) || numberOf(copy.config.duplicate_window) > 0) return true;
  await dropCopy(run, hop);
  await makeCopy(run, hop);
  return false;
}

async function copyAndPark(run: Run): Promise<void> {
  const hop = firstHop(run);
  const copy = await stream(run, hop.to);
  if (!(await remembers(run, hop, copy))) return;
  await waitCopied(run, hop);
  await waitWindow(run, copy);
  const isFinal = !isTwo(run);
  if (isFinal && !isClustered(run)) await trim(run, hop, await waiting(run, []));
  await pauseAll(run, hop.from);
  await settle(run, hop);
  const dead = await carryAll(run);
  if (isFinal) {
    await makeConsumers(run);
    if (!isClustered(run)) await trim(run, hop, await waiting(run, dead));
  }
  run.signal.throwIfAborted();
  if (!(await remembers(run, hop, await stream(run, hop.to)))) return;
  await park(run, hop);
}

/** Waits until a mirror has all that its stream had a moment ago, and hears of what comes. */
async function waitCopied(run: Run, hop: Hop): Promise<void> {
  const began = performance.now();
  let seen = { at: began, messages: -1 };
  for (;;) {
    const [from, to] = await Promise.all([stream(run, hop.from), stream(run, hop.to)]);
    const { mirror, figures } = to;
    const behind = Math.max(mirror?.lag ?? 0, 0);
    const isFresh = mirror !== undefined && mirror.activeMs >= 0 && mirror.activeMs < FRESH_MS && !mirror.fault;
    if (isFresh && behind === 0 && (await isRead(run, hop))) return;
    const now = performance.now();
    tellCopied(run, hop, { done: figures.messages, total: Math.max(from.figures.messages, figures.messages), began });
    if (seen.messages !== figures.messages) seen = { at: now, messages: figures.messages };
    if (now - seen.at > SILENT_MS) throw notCopied(run, hop, mirror?.fault);
    await pause(run, 100);
  }
}

function tellCopied(
  { io, migration }: Run,
  { to }: Hop,
  { done, total, began }: { readonly done: number; readonly total: number; readonly began: number },
): void {
  const seconds = (performance.now() - began) / 1000;
  const rate = done / Math.max(seconds, 0.001);
  const left = rate > 0 ? Math.ceil((total - done) / rate) : 0;
  const pace = done > 0 && seconds > 0.5 ? `, ${Math.round(rate)}/s, ${left}s left` : '';
  io.tell({ type: 'progress', title: `Moving ${migration.from}: copying to ${to}${pace}`, done, total });
}

const notCopied = ({ migration }: Run, { from, to }: Hop, fault: string | undefined): OpsError =>
  new OpsError('MIGRATE_REFUSED', `${to} does not get what ${from} has${fault ? `: ${fault}` : ''}`, {
    where: `stream ${to}`,
    why: `A mirror that hears nothing from its stream is not complete, and is not opened. What is published goes to ${from}.`,
    hints: [
      `look at \`nats stream info ${to}\`, and whether the account or the disk is full`,
      `go back with \`osapi-ops apply --undo-migrate\`, or on with --migrate, once ${migration.from} can be read`,
    ],
  });

/** The server's own consumer by which a mirror reads a work queue. */
async function mirrorConsumer({ nats }: Run, { from, to }: Hop): Promise<ConsumerInfo | undefined> {
  const all = await orThrow(listConsumers(nats, from));
  return all.find(({ config }) => objectOf(config.metadata)['_nats.mirror.stream'] === to);
}

const isRead = async (run: Run, hop: Hop): Promise<boolean> => {
  const consumer = await mirrorConsumer(run, hop);
  // Of a stream of other retention it leaves none that is listed: the marker tells, behind which nothing is.
  return consumer === undefined || consumer.figures.num_pending === 0;
};

/** Ids that were published since the copy reads along are known to it: it reads along for as long as they are to be. */
async function waitWindow(run: Run, { config, created }: StreamInfo): Promise<void> {
  // What is put into a bucket is told apart by its revision, and carries no id.
  if (run.migration.kind === 'bucket') return;
  const windowMs = Math.max(numberOf(config.duplicate_window), numberOf(run.migration.before.duplicate_window)) / 1e6;
  const total = Math.ceil(windowMs / 1000);
  const first = await stream(run, String(config.name));
  // Both by the server's clock.
  let left = Date.parse(created) + windowMs - first.now;
  while (left > 0) {
    const done = Math.max(0, total - Math.ceil(left / 1000));
    const title = `Moving ${run.migration.from}: reading along for a duplicate_window`;
    run.io.tell({ type: 'progress', title, done, total });
    const step = Math.min(left, 1000);
    await pause(run, step);
    left -= step;
  }
}

/** Nobody is given anything any more. What is in hand is waited for as long as its worker may take. */
async function pauseAll(run: Run, from: string): Promise<void> {
  const { consumers } = run.migration;
  if (consumers.length === 0) return;
  const read = () => Promise.all(consumers.map((one) => orThrow(readConsumer(run.nats, from, one.from, FINISH))));
  const before = await read();
  // One by one only: what fails now is tried again before anything new is given out.
  for (const { name, config, figures } of before) {
    if (figures.paused || config.max_ack_pending === 1) continue;
    await writeConsumer(
      run.nats,
      'update',
      { stream: from, consumer: name },
      { ...config, max_ack_pending: 1 },
      FINISH,
    );
  }
  const soon = performance.now() + SOON_MS;
  while (performance.now() < soon) {
    const all = await read();
    if (all.every(({ figures }) => figures.paused || figures.num_ack_pending <= 1)) break;
    await pause(run);
  }
  await Promise.all(consumers.map((one) => pauseUntil(run.nats, from, one.from, UNTIL_RESUMED)));
  const until = performance.now() + drainMs(consumers);
  for (;;) {
    const all = await read();
    const left = all.reduce((sum, { figures }) => sum + figures.num_ack_pending, 0);
    if (left === 0) return;
    if (performance.now() > until) {
      const text = `${left} in hand ${left === 1 ? 'was' : 'were'} not answered in time: delivered again, as if the worker had been lost`;
      run.io.tell({ type: 'note', text: `Moving ${run.migration.from}: ${text}` });
      return;
    }
    await pause(run);
  }
}

/** Before workers get nothing at all, so long they get one at a time. */
const SOON_MS = 2000;

/** What workers acked is in the stream until the copy has taken it: waits until what is stored is what waits. */
async function settle(run: Run, hop: Hop): Promise<void> {
  const infos = await Promise.all(
    run.migration.consumers.map((one) => orThrow(readConsumer(run.nats, hop.from, one.from, FINISH))),
  );
  const cut = Math.max(0, ...infos.map(({ figures }) => figures.delivered_stream_seq));
  const until = performance.now() + SILENT_MS;
  for (;;) {
    const reader = await mirrorConsumer(run, hop);
    if (reader === undefined || reader.figures.ack_floor_stream_seq >= cut) return;
    const isIdle = reader.figures.num_pending === 0 && reader.figures.num_ack_pending === 0;
    if (isIdle) return;
    if (performance.now() > until) throw notCopied(run, hop, 'it does not confirm what it has');
    await pause(run);
  }
}

const carryAll = (run: Run): Promise<number[]> =>
  run.migration.kind === 'bucket' ||
  run.migration.before.retention !== 'workqueue' ||
  run.migration.consumers.length === 0
    ? Promise.resolve([])
    : carryDead(run.nats, run.migration, run.signal);

/** What the old stream has but for its dead, and up to which sequence that is all. */
async function waiting(run: Run, dead: readonly number[]): Promise<Kept> {
  const { from } = firstHop(run);
  const deleted = await orThrow(readDeleted(run.nats, from));
  const { figures } = await stream(run, from);
  const stored = storedRanges(figures.first_seq, figures.last_seq, deleted);
  return { ranges: without(stored, dead), upTo: figures.last_seq };
}

/** Removes from a copy what does not wait, up to a sequence: acknowledged while it was copied, or dead. */
async function trim(run: Run, hop: Hop, kept: Kept): Promise<void> {
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

/** The gap begins: nothing is published into the old one any more but a marker. */
async function park(run: Run, hop: Hop): Promise<void> {
  const { config } = await stream(run, hop.from);
  if (!isParked(config)) await write(run, 'update', hop.from, parkedConfig(config));
}

// --- the gap

/** A marker behind which nothing is: a copy that has it has all. */
async function open(run: Run, hop: Hop): Promise<void> {
  const { nats, migration } = run;
  const copy = await orUndefined(readStream(nats, hop.to, FINISH));
  if (!copy) return makeCopy(run, hop);
  const isFirst = hop === firstHop(run);
  if (copy.config.mirror !== undefined) {
    if (!(await remembers(run, hop, copy))) return;
    const id = `osapi-ops.moving.${migration.created}.${hop.to}`;
    const headers = printHeaders([
      { name: 'Nats-Msg-Id', value: id },
      { name: 'Nats-Expected-Stream', value: hop.from },
    ]);
    const { seq } = await publish(nats, parkSubject(hop.from), new Uint8Array(), headers);
    const until = performance.now() + SILENT_MS;
    for (let now = copy; now.figures.last_seq < seq; now = await stream(run, hop.to)) {
      if (performance.now() > until) throw await unparked(run, hop, now.mirror?.fault);
      await sleep(5);
    }
  }
  const surplus = await surplusOf(run, hop);
  const isFinal = hop === lastHop(run);
  if (isClustered(run)) {
    if (copy.config.mirror !== undefined) await write(run, 'update', hop.to, primingConfig(migration, hop));
    await primeIds(nats, hop.to, numberOf(migration.before.duplicate_window));
    if (isFinal) await trim(run, hop, isFirst ? await waiting(run, await carryAll(run)) : await keptOf(run));
  }
  await write(run, 'update', hop.to, promotedConfig(migration, hop, surplus));
}

/** A copy that does not come to its marker is no copy: publishers get their stream back. */
async function unparked(run: Run, hop: Hop, fault: string | undefined): Promise<OpsError> {
  if (hop === firstHop(run)) await write(run, 'update', hop.from, run.migration.before);
  return notCopied(run, hop, fault);
}

/** What the copy counts that the old one does not: acknowledged, and kept for its ids. */
async function surplusOf(run: Run, hop: Hop): Promise<{ messages: number; bytes: number }> {
  if (hop === lastHop(run)) return { messages: 0, bytes: 0 };
  const [from, to] = await Promise.all([stream(run, hop.from), stream(run, hop.to)]);
  return {
    messages: Math.max(0, to.figures.messages - from.figures.messages),
    bytes: Math.max(0, to.figures.bytes - from.figures.bytes),
  };
}

// --- behind the first gap

/** Writes down what waits, lets workers go on where this was the last hop, and removes the old stream. */
async function leaveOld(run: Run): Promise<void> {
  const { nats, migration } = run;
  const hop = firstHop(run);
  // Whoever works on the copy already has what waited.
  if (!(await isResumed(run, hop.to))) {
    const kept = await waiting(run, await carryAll(run));
    if (isTwo(run)) await recordKept(nats, migration, kept);
    else {
      await trim(run, hop, kept);
      await makeConsumers(run);
      await resumeConsumers(run);
    }
  }
  run.signal.throwIfAborted();
  const { created } = await stream(run, hop.from);
  if (created !== migration.created) throw madeAnew(hop.from);
  await orUndefined(deleteStream(nats, hop.from, { ...FINISH, timeoutMs: WRITE_MS }));
}

async function isResumed(run: Run, name: string): Promise<boolean> {
  const found = await Promise.all(
    run.migration.consumers.map((one) => orUndefined(readConsumer(run.nats, name, one.to, FINISH))),
  );
  return found.some((one) => one !== undefined && !isOurPause(one.config));
}

// --- the second copy, back to the name

/** @throws OpsError MIGRATE_REFUSED where it is not known: then nothing is removed */
async function keptOf({ nats, migration }: Run): Promise<Kept> {
  const kept = await readKept(nats, migration);
  if (kept) return kept;
  throw new OpsError('MIGRATE_REFUSED', `what of ${migration.from} waits is not known any more`, {
    where: 'bucket osapi_ops',
    why: 'It was written down before the old stream went, and somebody removed it from there. Nothing was removed.',
    hints: [`all is in ${lastHop({ migration } as Run).from}, what was answered too: look at it with the nats CLI`],
  });
}

async function recopy(run: Run): Promise<void> {
  const hop = lastHop(run);
  if (!(await remembers(run, hop, await stream(run, hop.to)))) return;
  await waitCopied(run, hop);
  if (!isClustered(run)) await trim(run, hop, await keptOf(run));
  await makeConsumers(run);
  run.signal.throwIfAborted();
  if (!(await remembers(run, hop, await stream(run, hop.to)))) return;
  await park(run, hop);
}

async function finish(run: Run): Promise<void> {
  const hop = lastHop(run);
  await makeConsumers(run);
  await resumeConsumers(run);
  run.signal.throwIfAborted();
  await orUndefined(deleteStream(run.nats, hop.from, { ...FINISH, timeoutMs: WRITE_MS }));
}

// --- consumers

const isOurPause = ({ pause_until }: StreamInfo['config']): boolean => pause_until === UNTIL_RESUMED;

/** Where the consumers are in the end. */
const home = ({ migration }: Run): string =>
  migration.kind === 'consumer' ? splitConsumerName(migration.from).stream : migration.hops.at(-1)!.to;

/** On a mirror, or on the stream itself: nobody is given anything by them yet. */
async function makeConsumers(run: Run): Promise<void> {
  for (const moved of run.migration.consumers) {
    const at = { stream: home(run), consumer: moved.to };
    if (await orUndefined(readConsumer(run.nats, at.stream, at.consumer, FINISH))) continue;
    await writeConsumer(run.nats, 'create', at, pausedConsumer(moved), FINISH);
  }
}

/** Our markers go first: they are nobody's work. */
async function resumeConsumers(run: Run): Promise<void> {
  const { nats, migration } = run;
  const at = home(run);
  for (const { from } of migration.hops) await removeKeyed(nats, at, { subject: parkSubject(from) });
  for (const { to, before } of migration.consumers) {
    const { config } = await orThrow(readConsumer(nats, at, to, FINISH));
    if (isOurPause(config)) await pauseUntil(nats, at, to, pausedBefore(before, run.now));
  }
}

/** Whoever paused a consumer finds it paused. */
function pausedBefore({ pause_until }: StreamInfo['config'], now: Date): string | undefined {
  return typeof pause_until === 'string' && Date.parse(pause_until) > now.getTime() ? pause_until : undefined;
}

async function restoreConsumers(run: Run, from: string): Promise<void> {
  for (const { from: consumer, before } of run.migration.consumers) {
    const info = await orUndefined(readConsumer(run.nats, from, consumer, FINISH));
    if (!info) continue;
    if (info.config.max_ack_pending !== before.max_ack_pending) {
      const { max_ack_pending } = before;
      const config = { ...info.config, ...(max_ack_pending !== undefined && { max_ack_pending }) };
      await writeConsumer(run.nats, 'update', { stream: from, consumer }, config, FINISH);
    }
    if (isOurPause(info.config)) await pauseUntil(run.nats, from, consumer, pausedBefore(before, run.now));
  }
}

/** A consumer whose fixed field changes: nothing in hand, its dead out of the queue, then the new one in its place. */
async function remakeConsumer(run: Run): Promise<void> {
  const { nats, migration, signal } = run;
  const { stream: name } = splitConsumerName(migration.from);
  await widenDlqs(run);
  await pauseAll(run, name);
  const dead = await carryAll(run);
  await removeDead(run, name, dead);
  signal.throwIfAborted();
  for (const { from } of migration.consumers)
    await orUndefined(deleteConsumer(nats, { stream: name, consumer: from }, FINISH));
}

/** What the DLQ holds by now with its payload, and the new consumer would be given again. */
async function removeDead(run: Run, name: string, seqs: readonly number[]): Promise<void> {
  const { created } = await stream(run, name);
  await pipelined(seqs, AT_ONCE, async (seq) => {
    const message = await getMessage(run.nats, name, seq, { fromLeader: true });
    if (message) await removeMessage(run.nats, { stream: name, created, seq, time: message.time });
  });
}

const AT_ONCE = 64;

// --- the way back

/** Publishers first; then what was acked meanwhile is let go by the copy, which would leave it behind; then workers. */
async function takeBack(run: Run): Promise<void> {
  const { nats, migration } = run;
  const hop = firstHop(run);
  const old = await stream(run, hop.from);
  if (isParked(old.config)) {
    await removeKeyed(nats, hop.from, { subject: parkSubject(hop.from) });
    await write(run, 'update', hop.from, migration.before);
  }
  await dropCopy(run, hop);
  await restoreConsumers(run, hop.from);
}

/** Removes a copy that is not opened. What it did not confirm yet would stay in the old stream as if it were dead. */
async function dropCopy(run: Run, hop: Hop): Promise<void> {
  const copy = await orUndefined(readStream(run.nats, hop.to, FINISH));
  if (!copy) return;
  if (hop === firstHop(run) && copy.config.mirror !== undefined) {
    await Promise.all(run.migration.consumers.map((one) => pauseUntil(run.nats, hop.from, one.from, UNTIL_RESUMED)));
    if (copy.mirror?.fault === undefined) await settle(run, hop);
  }
  await orUndefined(deleteStream(run.nats, hop.to, { ...FINISH, timeoutMs: WRITE_MS }));
}
