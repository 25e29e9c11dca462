import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import { numberOf, objectOf, textsOf } from '../model/json.ts';
import type { Hop } from '../model/migration.ts';
import { toType } from '../model/shell.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import { listConsumers, pauseUntil } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { readStream } from '../nats/streams.ts';
import { isParked, mirrorConfig, UNTIL_RESUMED } from './configs.ts';
import { passThrough } from './prime.ts';
import {
  consumersOn,
  FINISH,
  firstHop,
  isClustered,
  isOfRun,
  noteMade,
  patienceMs,
  pause,
  type Run,
  recordMade,
  removeStream,
  stream,
  streamIfThere,
  write,
} from './run.ts';
import { carryAll } from './waiting.ts';

/** A queue that is never still is copied but for so many: milliseconds of the gap, which is over when all is. */
const NEAR = 1000;
/** A healthy mirror hears of its stream each second. */
const FRESH_MS = 1500;

/**
 * Makes a copy. A second mirror of a work queue was seen to take with it what had died and lay before where its consumer
 * stood (2.15.1): the dead are in the DLQ, payload and all, before any reads.
 */
export const makeCopy = async (run: Run, hop: Hop): Promise<void> => {
  if (hop === firstHop(run)) await carryAll(run);
  await recordMade(run, hop.to, undefined);
  // Refuses what is somebody else's; what has our label is what was asked for.
  await streamIfThere(run, hop.to);
  const { created } = await write(run, 'create', hop.to, mirrorConfig(run.migration, hop));
  await noteMade(run, hop.to, created);
  run.journal.isCopyLost = false;
};

/** A copy that ids would be forgotten in is made anew: a server that was restarted drops the window of a mirror. */
export async function remembers(run: Run, hop: Hop, copy: StreamInfo): Promise<boolean> {
  if (isClustered(run) || numberOf(copy.config.duplicate_window) > 0) return true;
  await dropCopy(run, hop);
  await makeCopy(run, hop);
  return false;
}

/** Waits until a mirror has all that its stream had a moment ago, and hears of what comes. */
export async function waitCopied(run: Run, hop: Hop): Promise<void> {
  const began = performance.now();
  let seen = { at: began, messages: -1 };
  for (;;) {
    const [from, to] = await Promise.all([stream(run, hop.from), stream(run, hop.to)]);
    const { mirror, figures } = to;
    const behind = Math.max(mirror?.lag ?? 0, 0);
    const isFresh = mirror !== undefined && mirror.activeMs >= 0 && mirror.activeMs < FRESH_MS && !mirror.fault;
    if (isFresh && behind <= NEAR && (await isRead(run, hop))) return;
    const now = performance.now();
    tellCopied(run, hop, { done: figures.messages, total: Math.max(from.figures.messages, figures.messages), began });
    if (seen.messages !== figures.messages) seen = { at: now, messages: figures.messages };
    if (now - seen.at > patienceMs(run)) throw notCopied(run, hop, mirror?.fault);
    await pause(run, 100);
  }
}

/** In seconds. */
const SOON = 0.5;

function tellCopied(
  { io, migration }: Run,
  { to }: Hop,
  { done, total, began }: { readonly done: number; readonly total: number; readonly began: number },
): void {
  const seconds = (performance.now() - began) / 1000;
  // What is copied at once, or has come and is only waited for, is nothing to watch.
  if (seconds < SOON || done >= total) return;
  const rate = done / Math.max(seconds, 0.001);
  const left = rate > 0 ? Math.ceil((total - done) / rate) : 0;
  const pace = done > 0 ? `, ${Math.round(rate)}/s, ${left}s left` : '';
  io.tell({ type: 'progress', title: `Moving ${migration.from}: copying to ${to}${pace}`, done, total });
}

export const notCopied = ({ migration }: Run, { from, to }: Hop, fault: string | undefined): OpsError =>
  new OpsError('MIGRATE_REFUSED', `${to} does not get what ${from} has${fault ? `: ${fault}` : ''}`, {
    where: `stream ${to}`,
    why: `A mirror that hears nothing from its stream is not complete, and is not opened. What is published goes to ${from}.`,
    hints: [
      `look at \`${toType`nats stream info ${to}`}\`, and whether the account or the disk is full`,
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
  if (consumer === undefined) return run.migration.before.retention !== 'workqueue' || hop !== firstHop(run);
  return consumer.figures.num_pending <= NEAR;
};

/** Ids that were published since the copy reads along are known to it: it reads along for as long as they are to be. */
export async function waitWindow(run: Run, { config, created }: StreamInfo): Promise<void> {
  // What is put into a bucket is told apart by its revision, and carries no id.
  if (run.migration.kind === 'bucket') return;
  const windowMs = Math.max(numberOf(config.duplicate_window), numberOf(run.migration.before.duplicate_window)) / 1e6;
  const total = Math.ceil(windowMs / 1000);
  const first = await stream(run, String(config.name));
  // Both by the server's clock.
  let left = Date.parse(created) + windowMs - first.now;
  while (left > 0) {
    const done = Math.max(0, total - Math.ceil(left / 1000));
    const title = `Moving ${run.migration.from}: reading along for the duplicate_window, in seconds`;
    run.io.tell({ type: 'progress', title, done, total });
    const step = Math.min(left, 1000);
    await pause(run, step);
    left -= step;
  }
}

/** What workers acked is in the stream until the copy has taken it: waits until what is stored is what waits. */
export async function settle(run: Run, hop: Hop): Promise<void> {
  const infos = await consumersOn(run, hop.from);
  const cut = Math.max(0, ...infos.map(({ figures }) => figures.delivered_stream_seq));
  const began = performance.now();
  for (let isNudged = false; ; ) {
    const reader = await mirrorConsumer(run, hop);
    if (reader === undefined || reader.figures.ack_floor_stream_seq >= cut) return;
    const { num_pending: behind, num_ack_pending: unconfirmed } = reader.figures;
    if (behind === 0 && unconfirmed === 0) return;
    const waited = performance.now() - began;
    if (waited > patienceMs(run)) throw notCopied(run, hop, 'it does not confirm what it has');
    if (waited > IDLE_MS && !isNudged) {
      isNudged = true;
      await nudge(run, hop, numberOf(reader.config.max_ack_pending, LEAST_NUDGES));
    }
    await pause(run);
  }
}

/** A mirror confirms what it has when nothing has come for a second, */
const IDLE_MS = 1300;
/** and when so much is not confirmed that its flow control asks: 1000 of 2.14 and 2.15, whose queue is never still. */
const LEAST_NUDGES = 1000;

/** Has the mirror confirm what it has: so many empty messages that it must, on a subject of our own, and removed again. */
async function nudge(run: Run, { from }: Hop, count: number): Promise<void> {
  const { nats, migration, now } = run;
  const { config } = await stream(run, from);
  if (isParked(config)) return;
  const subjects = [...new Set([...textsOf(config.subjects), movingSubject(from)])];
  await write(run, 'update', from, { ...config, subjects, max_msgs: -1, max_bytes: -1 });
  const id = `osapi-ops.nudge.${migration.created}.${now.getTime()}`;
  try {
    await passThrough(
      nats,
      from,
      Array.from({ length: count }, (_, index) => `${id}.${index}`),
    );
  } finally {
    await write(run, 'update', from, migration.before);
  }
}

/** Removes a copy that is not opened. What it did not confirm stays in the old stream as if it were dead: it is looked for. */
export async function dropCopy(run: Run, hop: Hop): Promise<void> {
  const copy = await orUndefined(readStream(run.nats, hop.to, FINISH));
  // One of somebody else's making is left as it is.
  if (!copy || !isOfRun(run, copy)) return;
  run.journal.isCopyLost = !(await isConfirmed(run, hop, copy));
  // Known by its label until it is gone, so that it is not missed then: but where it is to be. What is full has no room
  // for that before.
  const made = run.journal.isCopyLost ? copy.created : undefined;
  const isNoted = await noteMade(run, hop.to, made);
  await removeStream(run, hop.to);
  if (!isNoted) await noteMade(run, hop.to, made);
}

/** Whether a copy has confirmed all that workers answered: nobody is given anything more, and it is waited for. */
async function isConfirmed(run: Run, hop: Hop, { config, mirror, figures }: StreamInfo): Promise<boolean> {
  if (hop !== firstHop(run) || config.mirror === undefined) return true;
  await Promise.all(run.migration.consumers.map((one) => pauseUntil(run.nats, hop.from, one.from, UNTIL_RESUMED)));
  try {
    if (mirror?.fault !== undefined) throw notCopied(run, hop, mirror.fault);
    await settle(run, hop);
    return true;
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'MIGRATE_REFUSED') throw error;
    // It has stopped, and would stop whoever goes back: without it there is room again.
    run.io.tell({ type: 'warning', text: `${hop.to} is dropped without: ${error.message}` });
    return figures.messages === 0 || run.migration.before.retention !== 'workqueue';
  }
}
