import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../model/history.ts';
import type { Io } from '../model/io.ts';
import type { Hop, Migration, MigrationStep } from '../model/migration.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import { readStream, writeStream } from '../nats/streams.ts';
import { tellStep } from './read.ts';

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
}

/** Says each step once, as it is come to. */
export function tell({ told, io, migration }: Run, step: MigrationStep): void {
  if (told.step === step) return;
  told.step = step;
  io.tell({ type: 'note', text: `Moving ${migration.from}: ${tellStep(migration, step)}` });
}

const POLL_MS = 50;

/** How long a mirror may take to say anything, or to come to a marker. */
export const SILENT_MS = 15_000;

/** A write that elects a leader may take so long. */
export const WRITE_MS = 10_000;

export const FINISH = { finish: true } as const;

export const firstHop = ({ migration }: Run): Hop => migration.hops[0]!;

export const lastHop = ({ migration }: Run): Hop => migration.hops.at(-1)!;

export const isTwo = ({ migration }: Run): boolean => migration.hops.length > 1;

export const isClustered = ({ nats }: Run): boolean => nats.target.server.cluster !== undefined;

export const stream = (run: Run, name: string): Promise<StreamInfo> => orThrow(readStream(run.nats, name, FINISH));

/** Waits, or ends where it is told to. */
export const pause = ({ signal }: Run, ms = POLL_MS): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());

export const write = (run: Run, verb: 'create' | 'update', name: string, config: StreamInfo['config']) =>
  writeStream(run.nats, verb, name, config, {
    ...FINISH,
    timeoutMs: Math.max(WRITE_MS, run.nats.settings.timeoutMs),
  });
