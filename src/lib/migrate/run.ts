import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { type MigrationRecord, readMigration, recordMigration } from '../ledger/migrations.ts';
import type { Actor } from '../model/history.ts';
import type { Io } from '../model/io.ts';
import type { Hop, Made, Migration, MigrationStep } from '../model/migration.ts';
import { toType } from '../model/shell.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import { isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { readConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { deleteStream, readStream, writeStream } from '../nats/streams.ts';
import { labelOf } from './configs.ts';
import { tellStep } from './read.ts';
import { isOurs } from './recognise.ts';

export interface Moving {
  readonly io: Pick<Io, 'tell'>;
  /** Aborted by Ctrl-C, or when the lock is lost: what is under way ends, and no step begins. */
  readonly signal: AbortSignal;
  readonly actor: Actor;
  readonly now: Date;
}

export interface Run extends Moving {
  readonly nats: Nats;
  readonly migration: Migration;
  /** What was told of the progress last. */
  readonly told: { step?: MigrationStep };
  readonly journal: Journal;
}

/** What is written down of it. */
interface Journal {
  record?: MigrationRecord;
  /** Its copy was there, and was removed before it confirmed all: what workers acked meanwhile may be stored still. */
  isCopyLost?: boolean;
}

/** It as it was found written down. @throws OpsError MIGRATE_REFUSED, CONN_*, DENIED_SUBJECT */
export async function openRun(nats: Nats, migration: Migration, moving: Moving): Promise<Run> {
  const record = await readMigration(nats, migration);
  return { ...moving, nats, migration, told: {}, journal: { ...(record && { record }) } };
}

export const madeOf = ({ journal }: Run): Made => journal.record?.made ?? {};

/** Writes down that a stream was made, and when; or that it is about to be removed. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function recordMade(run: Run, name: string, created: string | undefined): Promise<void> {
  const { nats, journal, migration, actor, now } = run;
  const { [name]: before, ...others } = madeOf(run);
  if (before === created) return;
  const since = now.toISOString();
  const made = created === undefined ? others : { ...others, [name]: created };
  const record = { ...actor, since, ...journal.record, migration, made };
  await recordMigration(nats, record);
  journal.record = record;
}

/** The same where there is room for it: until it is opened a copy is known by its label too. False where there is none. */
export async function noteMade(run: Run, name: string, created: string | undefined): Promise<boolean> {
  try {
    await recordMade(run, name, created);
    return true;
  } catch (error) {
    if (isNoRoom(error)) return false;
    throw error;
  }
}

/** A stream of somebody else's under a name of the migration. */
export const stranger = ({ migration }: Run, { name, created }: Pick<StreamInfo, 'name' | 'created'>): OpsError =>
  new OpsError(
    'MIGRATE_REFUSED',
    `stream ${name} is not of the migration of ${migration.from}: somebody made it anew`,
    {
      where: `stream ${name}, made ${created}`,
      why: 'What it holds is not known. It is left as it is, and nothing goes on beside it.',
      hints: [
        `look at \`${toType`nats stream info ${name}`}\`; if nobody needs it, remove it with \`${toType`nats stream rm ${name}`}\``,
        'then go on with `osapi-ops apply --migrate`; `osapi-ops status` tells whether it can still go back',
      ],
    },
  );

/** Whether a stream is the one that is moved, or was made for it. */
export function isOfRun(run: Run, { name, created, config }: StreamInfo): boolean {
  const label = labelOf(config);
  return isOurs(run.migration, madeOf(run), name, { created, ...(label !== undefined && { label }) });
}

/** @throws OpsError MIGRATE_REFUSED where a stream of one of its names is somebody else's */
function requireOurs(run: Run, info: StreamInfo): StreamInfo {
  const isNamed = run.migration.hops.some(({ from, to }) => info.name === from || info.name === to);
  if (!isNamed || isOfRun(run, info)) return info;
  throw stranger(run, info);
}

/** Says each step once, as it is come to. */
export function tell({ told, io, migration }: Run, step: MigrationStep): void {
  if (told.step === step) return;
  told.step = step;
  io.tell({ type: 'note', text: `Moving ${migration.from}: ${tellStep(migration, step)}` });
}

const POLL_MS = 50;

/** How long a mirror may take to come to a marker, in a gap. */
export const SILENT_MS = 15_000;

/** A write that elects a leader may take so long. */
export const WRITE_MS = 10_000;

export const FINISH = { finish: true } as const;

export const firstHop = ({ migration }: Run): Hop => migration.hops[0]!;

export const lastHop = ({ migration }: Run): Hop => migration.hops.at(-1)!;

export const isTwo = ({ migration }: Run): boolean => migration.hops.length > 1;

export const isClustered = ({ nats }: Run): boolean => nats.target.server.cluster !== undefined;

/**
 * How long a mirror may take to say anything. Where one of three servers was killed it asks again after 10 s, then after 20,
 * 30 and 40 more (nats-server 2.14 and 2.15, calculateRetryBackoff): of 24 kills it read on after 38 or 43 s twice, and after
 * more than 60 s where the machine was busy.
 */
export const patienceMs = (run: Run): number => (isClustered(run) ? 120_000 : SILENT_MS);

/** A stream of the migration, or one of its DLQs. @throws OpsError MIGRATE_REFUSED where somebody made it anew; NOT_FOUND */
export const stream = async (run: Run, name: string): Promise<StreamInfo> =>
  requireOurs(run, await orThrow(readStream(run.nats, name, FINISH)));

/** The same; `undefined` where it is not there. */
export async function streamIfThere(run: Run, name: string): Promise<StreamInfo | undefined> {
  const info = await orUndefined(readStream(run.nats, name, FINISH));
  return info && requireOurs(run, info);
}

/** The consumers that are moved, by what they are called now, in their order. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, NOT_FOUND */
export const consumersOn = ({ nats, migration }: Run, name: string): Promise<ConsumerInfo[]> =>
  Promise.all(migration.consumers.map(({ from }) => orThrow(readConsumer(nats, name, from, FINISH))));

/** One of them; `undefined` where it is not there. */
export const consumerIfThere = ({ nats }: Run, name: string, consumer: string): Promise<ConsumerInfo | undefined> =>
  orUndefined(readConsumer(nats, name, consumer, FINISH));

/** Removes a stream of the migration, where it is there: that one, and none of its name that was made since. */
export async function removeStream(run: Run, name: string): Promise<void> {
  const info = await streamIfThere(run, name);
  if (info) await orUndefined(deleteStream(run.nats, { stream: name, created: info.created }, { timeoutMs: WRITE_MS }));
}

/** Tells whether so many milliseconds are over. */
export function clock(ms: number): () => boolean {
  const until = performance.now() + ms;
  return () => performance.now() > until;
}

/** Waits, or ends where it is told to. */
export const pause = ({ signal }: Run, ms = POLL_MS): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());

export const write = async (run: Run, verb: 'create' | 'update', name: string, config: StreamInfo['config']) =>
  requireOurs(
    run,
    await writeStream(run.nats, verb, name, config, {
      ...FINISH,
      timeoutMs: Math.max(WRITE_MS, run.nats.settings.timeoutMs),
    }),
  );
