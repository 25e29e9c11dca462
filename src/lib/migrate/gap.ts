import { setTimeout as sleep } from 'node:timers/promises';
import type { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import { numberOf, textsOf } from '../model/json.ts';
import type { Hop } from '../model/migration.ts';
import type { StreamInfo } from '../nats/info.ts';
import { publish } from '../nats/message-writes.ts';
import { printHeaders } from '../nats/raw-headers.ts';
import { removeKeyed } from '../nats/removal.ts';
import { isParked, parkedConfig, primingConfig, promotedConfig, type Surplus } from './configs.ts';
import { waitHeld } from './held.ts';
import { makeCopy, notCopied, remembers } from './mirror.ts';
import { primeIds } from './prime.ts';
import {
  firstHop,
  isClustered,
  isTwo,
  lastHop,
  type Run,
  recordMade,
  SILENT_MS,
  stream,
  streamIfThere,
  tell,
  write,
} from './run.ts';
import { carryAll, keptOf, trim, waiting } from './waiting.ts';

/** The gap begins: nothing is published into the old one any more but a marker. What is needed in it is known before. */
export async function park(run: Run, hop: Hop): Promise<void> {
  const [{ config }, copy, surplus] = await Promise.all([
    stream(run, hop.from),
    stream(run, hop.to),
    surplusOf(run, hop),
  ]);
  if (!(await remembers(run, hop, copy))) return;
  // Once it is open only this tells it from another.
  await recordMade(run, hop.to, copy.created);
  if (!isParked(config)) await write(run, 'update', hop.from, parkedConfig(config));
  tell(run, hop === firstHop(run) ? 'parked' : 'reparked');
  await openKnown(run, hop, copy, surplus, holesOf(copy));
}

export async function open(run: Run, hop: Hop): Promise<void> {
  const copy = await streamIfThere(run, hop.to);
  if (!copy) return makeCopy(run, hop);
  if (!(await remembers(run, hop, copy))) return;
  await orOpenAgain(run, hop, () => recordMade(run, hop.to, copy.created));
  await openKnown(run, hop, copy, await surplusOf(run, hop));
}

/** What a stream has not between its first and its last. */
const holesOf = ({ figures: { first_seq, last_seq, messages } }: StreamInfo): number =>
  messages === 0 ? 0 : last_seq - first_seq + 1 - messages;

/** `holes`: those that the copy had when it was seen to hold all; not given where nobody looked yet. */
async function openKnown(run: Run, hop: Hop, copy: StreamInfo, surplus: Surplus, holes?: number): Promise<void> {
  const { nats, migration } = run;
  const isMirror = copy.config.mirror !== undefined;
  if (isMirror) {
    const last = await comeToMarker(run, hop);
    if (last === undefined || holesOf(last) !== holes) await orOpenAgain(run, hop, () => waitHeld(run, hop));
  }
  if (isClustered(run)) {
    if (isMirror) await write(run, 'update', hop.to, primingConfig(migration, hop));
    await primeIds(nats, hop.to, numberOf(migration.before.duplicate_window));
  }
  // One that was made anew in the gap, for its server was restarted and had forgotten its ids, has what was answered again.
  if (hop === lastHop(run) && isTwo(run) && (isClustered(run) || holes === undefined))
    await trim(run, hop, await keptOf(run));
  else if (hop === lastHop(run) && isClustered(run)) await trim(run, hop, await waiting(run, await carryAll(run)));
  await write(run, 'update', hop.to, promotedConfig(migration, hop, surplus));
}

const ASK_MS = 10;
/** So long a copy beside its stream may take to its marker: less than a lock lasts that is not renewed for want of room. */
const GAP_MS = 5000;

/**
 * Publishes a marker into the closed stream, behind which nothing is: a copy that has it has all. It is asked for while
 * the marker is on its way: what is far away would answer a round trip later.
 */
async function comeToMarker(run: Run, hop: Hop): Promise<StreamInfo | undefined> {
  const headers = printHeaders([
    { name: 'Nats-Msg-Id', value: `osapi-ops.moving.${run.migration.created}.${hop.to}` },
    { name: 'Nats-Expected-Stream', value: hop.from },
  ]);
  const seen = { marker: Number.POSITIVE_INFINITY, last: 0, copy: undefined as StreamInfo | undefined };
  const failures: unknown[] = [];
  const note = (asked: Promise<void>) => void asked.catch((error: unknown) => failures.push(error));
  note(
    publish(run.nats, movingSubject(hop.from), new Uint8Array(), headers).then(({ seq }) => {
      seen.marker = seq;
    }),
  );
  const until = performance.now() + (isClustered(run) ? SILENT_MS : GAP_MS);
  while (seen.last < seen.marker) {
    if (failures.length > 0) throw failures[0];
    if (performance.now() > until) throw await unparked(run, hop, seen.copy?.mirror?.fault);
    note(
      stream(run, hop.to).then((copy) => {
        if (copy.figures.last_seq < seen.last) return;
        seen.last = copy.figures.last_seq;
        seen.copy = copy;
      }),
    );
    await sleep(ASK_MS);
  }
  return seen.copy;
}

/** Publishers wait for nothing that is not there: they get their stream back. */
async function orOpenAgain(run: Run, hop: Hop, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await giveBack(run, hop);
    throw error;
  }
}

/** A copy that does not come to its marker is no copy: publishers get their stream back. */
async function unparked(run: Run, hop: Hop, fault: string | undefined): Promise<OpsError> {
  await giveBack(run, hop);
  return notCopied(run, hop, fault);
}

/** Of a stream that is closed, or takes what is ours, all that it takes without us. */
export async function giveBack(run: Run, hop: Hop): Promise<void> {
  const { before } = run.migration;
  const { config } = await stream(run, hop.from);
  const subject = movingSubject(hop.from);
  await removeKeyed(run.nats, hop.from, { subject });
  if (!textsOf(config.subjects).includes(subject)) return;
  const subjects = before.subjects ?? [hop.from];
  await write(run, 'update', hop.from, hop === firstHop(run) ? before : { ...config, subjects });
}

/** What the copy counts that the old one does not: acknowledged, and kept for its ids. */
async function surplusOf(run: Run, hop: Hop): Promise<Surplus> {
  if (hop === lastHop(run)) return { messages: 0, bytes: 0 };
  const [from, to] = await Promise.all([stream(run, hop.from), stream(run, hop.to)]);
  return {
    messages: Math.max(0, to.figures.messages - from.figures.messages),
    bytes: Math.max(0, to.figures.bytes - from.figures.bytes),
  };
}
