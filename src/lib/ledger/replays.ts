import { randomBytes } from 'node:crypto';
import { conceal } from '../errors/conceal.ts';
import { bucketStream, LEDGER_BUCKET } from '../facts/names.ts';
import type { Actor } from '../model/history.ts';
import { jsonIn } from '../model/json.ts';
import type { ReplayRunJson, RunFigures } from '../model/replay-run.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import type { KvEntry } from '../nats/port.ts';
import { readStream } from '../nats/streams.ts';
import { ledger, purgeKeys } from './bucket.ts';
import { ledgerKey } from './key.ts';
import { isReplayRun } from './shape.ts';

// A run writes its record again each second, by compare-and-set: whoever wants it to stop writes that into the record, and
// the run's next write tells it. All of it is for people: a ledger that is full, or may not be written, stops no replay.

/** A record as it is stored. */
export type StoredRun = Omit<
  ReplayRunJson,
  'state' | 'updated_at' | 'seconds_left' | 'taken_over_by' | 'finished_by'
> & {
  readonly state: Exclude<ReplayRunJson['state'], 'unfinished'>;
};

const BEAT_MS = 1000;
/** A run that was not heard of for so long does not run any more. */
const SILENT_MS = 15_000;
/** How many are kept, and for how long. */
const KEPT = 100;
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** So many ends of runs are between two looks at what is too old. */
const SWEEP_EVERY = 8;

const stamp = (at: Date): string => at.toISOString().replace(/[-:.]/g, '');

/** A record that is kept while a run goes on. */
export interface RunLog {
  readonly id: string;
  /** Begins, where that did not happen yet; writes go through this connection from now on. */
  begin(nats: Nats): void;
  /** Writes how it ended. Never fails. */
  end(nats: Nats, state: StoredRun['state'], error?: string): Promise<void>;
  /** Writes nothing more. */
  drop(): void;
}

export interface RunAbout {
  readonly actor: Actor;
  readonly at: Date;
  /** So many go ahead, and the others wait for what becomes of them. */
  readonly canary?: number | undefined;
  readonly line: string;
  /** Those of which it chose some, as far as that is known. */
  queues(): readonly string[];
  figures(): RunFigures;
  /** Somebody wants it to stop. */
  onStop(by: string): void;
}

/** Prepares the record of a run; nothing is written before it begins. */
export function keepRun({ actor, at, canary, queues, line, figures, onStop }: RunAbout): RunLog {
  const id = `${stamp(at)}-${randomBytes(3).toString('hex')}`;
  const key = ledgerKey.replay(id);
  let through: Nats | undefined;
  let beat: NodeJS.Timeout | undefined;
  let revision = 0;
  let stoppedBy: string | undefined;
  let last: Promise<void> = Promise.resolve();
  const textOf = (state: StoredRun['state'], error?: string): string => {
    const { failures, ...counts } = figures();
    const record: StoredRun = {
      id,
      state,
      ...actor,
      started_at: at.toISOString(),
      queues: queues(),
      line: conceal(line),
      ...(canary !== undefined && { canary }),
      ...counts,
      failures: failures.map((one) => ({ ...one, error: conceal(one.error).slice(0, 500) })),
      ...(error !== undefined && { error: conceal(error) }),
      ...(stoppedBy !== undefined && { stopped_by: stoppedBy }),
    };
    return JSON.stringify(record);
  };
  const write = async (nats: Nats) => {
    const written = await ledger(nats).update(key, textOf('running'), revision, { timeoutMs: BEAT_MS * 5 });
    if (written !== undefined) {
      revision = written;
      return;
    }
    const entry = await ledger(nats).latest(key, { fromLeader: true });
    revision = entry?.revision ?? 0;
    stoppedBy ??= entry && !entry.deleted ? parseRun(entry)?.stopped_by : undefined;
    if (stoppedBy !== undefined) onStop(stoppedBy);
  };
  let isBusy = false;
  const tick = () => {
    if (isBusy || !through) return;
    isBusy = true;
    last = write(through)
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  };
  const drop = () => clearInterval(beat);
  return {
    id,
    begin(nats) {
      through = nats;
      if (beat) return;
      tick();
      beat = setInterval(tick, BEAT_MS);
    },
    drop,
    async end(nats, state, error) {
      drop();
      if (!beat) return;
      await last;
      try {
        const how = { finish: true, timeoutMs: BEAT_MS * 5, alone: true };
        const ending = ledger(nats).put(key, textOf(state, error), how);
        await Promise.all([ending, revision % SWEEP_EVERY === 0 ? sweep(nats, at) : undefined]);
      } catch {
        // It is only for people.
      }
    },
  };
}

/** Removes the records that are too many or too old. */
async function sweep(nats: Nats, now: Date): Promise<void> {
  const keys = await ledger(nats).keys(ledgerKey.replay('*'));
  const oldest = ledgerKey.replay(stamp(new Date(now.getTime() - KEPT_MS)));
  const gone = keys.filter((key, index) => index < keys.length - KEPT || key < oldest);
  for (const key of gone) await purgeKeys(nats, key);
}

function parseRun({ value }: KvEntry): StoredRun | undefined {
  const record = jsonIn(value);
  return isReplayRun(record) ? (record as StoredRun) : undefined;
}

/** A stored record as it is now. `now`: the server's clock, in milliseconds since 1970, as that of `created`. */
export function runNow(record: StoredRun, created: string, now: number): ReplayRunJson {
  const isSilent = record.state === 'running' && now - Date.parse(created) > SILENT_MS;
  const { chosen, replayed, waiting, canary = 0 } = record;
  const elapsed = (Date.parse(created) - Date.parse(record.started_at)) / 1000;
  // While it waits for what becomes of its canary, or of them all, no speed says how long still.
  const isMoving =
    record.state === 'running' && !isSilent && replayed > canary && waiting > 0 && elapsed > 0 && chosen > 0;
  return {
    ...record,
    state: isSilent ? 'unfinished' : record.state,
    updated_at: created,
    seconds_left: isMoving ? Math.ceil((waiting * elapsed) / replayed) : null,
  };
}

/** Unfinished ones with the run that took their queues over. `runs`: the oldest first, as their ids are. */
export const withHeirs = (runs: readonly ReplayRunJson[]): ReplayRunJson[] =>
  runs.map((run, index) => {
    if (run.state !== 'unfinished') return run;
    const heir = runs.slice(index + 1).find(({ queues }) => run.queues.every((queue) => queues.includes(queue)));
    return heir ? { ...run, taken_over_by: heir.id } : run;
  });

/** Runs with what others finished for them: a run that was killed, or lost its turn, could write that down no more. */
export const withFinished = (runs: readonly ReplayRunJson[]): ReplayRunJson[] =>
  runs.map((run) => {
    const parts = runs.flatMap(({ id, finished_for: all = [] }) =>
      all.filter((one) => one.id === run.id).map((one) => ({ by: id, ...one })),
    );
    if (parts.length === 0) return run;
    const seen = Math.max(run.replayed, ...parts.flatMap(({ replayed }) => replayed ?? []));
    const journalled = parts.reduce((sum, { replayed, count }) => sum + (replayed === undefined ? count : 0), 0);
    const replayed = seen + journalled;
    const counts = new Map<string, number>();
    for (const { by, count } of parts) counts.set(by, (counts.get(by) ?? 0) + count);
    return {
      ...run,
      replayed,
      waiting: Math.max(0, run.waiting - (replayed - run.replayed)),
      finished_by: [...counts].filter(([, count]) => count > 0).map(([id, count]) => ({ id, count })),
    };
  });

/** The runs that are written down, the newest first. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readRuns(nats: Nats, id = '*'): Promise<ReplayRunJson[]> {
  const [entries, stream] = await Promise.all([
    ledger(nats).values(ledgerKey.replay(id)),
    orElse(readStream(nats, bucketStream(LEDGER_BUCKET)), { missing: undefined, denied: undefined }),
  ]);
  const now = stream?.now ?? Date.now();
  const runs = entries.flatMap((entry) => {
    const record = parseRun(entry);
    return record ? [runNow(record, entry.created, now)] : [];
  });
  return withFinished(withHeirs(runs)).reverse();
}

/** Tells a run to stop: its next write finds that somebody wrote. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function stopRun(nats: Nats, id: string, by: string): Promise<void> {
  const kv = ledger(nats);
  for (;;) {
    const entry = await kv.latest(ledgerKey.replay(id), { fromLeader: true });
    const record = entry && !entry.deleted ? parseRun(entry) : undefined;
    if (!entry || record?.state !== 'running') return;
    const text = JSON.stringify({ ...record, stopped_by: by } satisfies StoredRun);
    if ((await kv.update(ledgerKey.replay(id), text, entry.revision)) !== undefined) return;
  }
}
