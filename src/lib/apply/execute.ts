import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import type { Io } from '../model/io.ts';
import { type Config, numberOf } from '../model/json.ts';
import type { Migration } from '../model/migration.ts';
import type { Change, Plan, Step, WriteStep } from '../model/plan.ts';
import { type Observed, type ResourceKey, splitConsumerName, splitKey } from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import { isApiError, isMissing } from '../nats/api-error.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { Nats, RequestOptions } from '../nats/port.ts';
import { OLDEST_MS } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';
import { deleteResource, readCreated, sendStep, streamOfStep } from './step.ts';
import { createTeller } from './tell.ts';

/** Writes under way at once within a stage. */
const IN_FLIGHT = 16;
/** The least time for a write: a replicated stream elects its leader before it answers. */
const WRITE_MS = 10_000;
/** How long a cluster may take to finish one reconfiguration before the next. */
const SETTLE_MS = 60_000;
const SETTLE_POLL_MS = 250;

export interface Execution {
  readonly io: Pick<Io, 'tell'>;
  /** Aborted by Ctrl-C, or when the lock is lost: what is under way ends, nothing new begins. */
  readonly signal: AbortSignal;
  /** What the plan was made of: what is deleted is what was seen then. */
  readonly observed: Observed;
  /** Carries a migration out, or on; where the plan may have one. */
  readonly migrate?: (migration: Migration) => Promise<void>;
}

export interface Executed {
  /** The plan's changes, each with what became of it. */
  readonly changes: readonly Change[];
  /** Each resource written, as the server answered it last. */
  readonly answers: ReadonlyMap<ResourceKey, StreamInfo | ConsumerInfo>;
  /** The first fault, where there was one. */
  readonly fault?: unknown;
}

/**
 * Carries a plan out, stage by stage; steps of one stage run side by side. Never throws for a step: a fault or the
 * signal lets what is under way end, and everything after it is skipped.
 */
export async function executePlan(
  nats: Nats,
  plan: Plan,
  { io, signal, observed, migrate }: Execution,
): Promise<Executed> {
  const teller = createTeller(plan, io);
  const left = plan.changes.map(() => 0);
  for (const step of plan.steps) for (const change of changesOf(step)) left[change]!++;
  const errors = new Map<number, unknown>();
  const answers = new Map<ResourceKey, StreamInfo | ConsumerInfo>();
  const began = performance.now();
  let fault: unknown;

  const carryOut = async (step: Step) => {
    if (fault !== undefined) return;
    if (signal.aborted) {
      fault = signal.reason;
      return;
    }
    teller.started(step.change);
    try {
      if (step.verb === 'migrate') await migrate!(step.migration);
      else {
        const created = observed.resources.get(step.resource)?.created;
        const answer = await executeStep(nats, step, { created, at: began }, signal);
        if (answer) answers.set(step.resource, answer);
      }
    } catch (error) {
      fault ??= error;
      errors.set(step.change, error);
      teller.failed(step.change, messageOf(error));
      return;
    }
    for (const change of changesOf(step)) {
      left[change]!--;
      if (left[change] === 0) teller.done(change);
    }
  };

  teller.begin();
  try {
    for (const stage of stagesOf(plan.steps)) {
      const isMoving = stage.some(({ verb }) => verb === 'migrate');
      await pipelined(stage, isMoving ? 1 : IN_FLIGHT, carryOut);
    }
  } finally {
    teller.end();
  }
  const changes = plan.changes.map((change, index): Change => {
    const error = errors.get(index);
    if (error !== undefined) return { ...change, status: 'failed', error: messageOf(error) };
    return { ...change, status: left[index] === 0 ? 'applied' : 'skipped' };
  });
  return { changes, answers, fault };
}

const changesOf = (step: Step): readonly number[] =>
  step.verb === 'migrate' ? [step.change, ...step.along] : [step.change];

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function stagesOf(steps: readonly Step[]): Step[][] {
  const going = new Map(steps.flatMap((step) => (step.verb === 'delete' ? [[step.resource, step.stage]] : [])));
  // A consumer that goes with its stream need not go before it.
  const stageOf = ({ verb, resource, stage }: Step): number => {
    const { kind, name } = splitKey(resource);
    const withStream = kind === 'consumer' ? going.get(`stream ${splitConsumerName(name).stream}`) : undefined;
    return verb === 'delete' ? (withStream ?? stage) : stage;
  };
  const byStage = Map.groupBy(steps, stageOf);
  return [...byStage].sort(([a], [b]) => a - b).map(([, stage]) => stage);
}

type Written = StreamInfo | ConsumerInfo | undefined;

/** A resource as the plan has seen it: when it was made, and when it was looked at, by the process's own clock. */
interface SeenResource {
  readonly created: string | undefined;
  readonly at: number;
}

/** Gives what was written as the server has it now. */
async function executeStep(nats: Nats, step: WriteStep, seen: SeenResource, signal: AbortSignal): Promise<Written> {
  const { verb } = step;
  if (verb === 'delete') return void (await remove(nats, step, seen));
  let answer: Written;
  for (const [index, config] of step.configs.entries()) {
    if (index > 0) await settled(nats, step, signal);
    answer = await write(nats, { ...step, verb }, config, signal);
  }
  return answer;
}

/** Deletes what was seen. Where that was longer ago than a look is believed, it is looked at once more. */
async function remove(nats: Nats, step: WriteStep, { created, at }: SeenResource): Promise<void> {
  const isOld = created === undefined || performance.now() - at > OLDEST_MS;
  const now = isOld ? await readCreated(nats, step.resource) : created;
  if (now === undefined) return;
  if (created !== undefined && now !== created) throw meanwhile(step, 'was made anew');
  await deleteResource(nats, step.resource, now, toItsEnd(nats));
}

/** A write that was sent is seen to its end, Ctrl-C or not: its fate is what we report. */
const toItsEnd = ({ settings }: Nats): RequestOptions => ({
  finish: true,
  timeoutMs: Math.max(WRITE_MS, settings.timeoutMs),
});

/** Sends one configuration. While a cluster is still busy with an earlier change (10226), waits and sends it again. */
async function write(
  nats: Nats,
  step: WriteStep & { readonly verb: 'create' | 'update' },
  config: Config,
  signal: AbortSignal,
): Promise<Written> {
  for (const start = performance.now(); ; ) {
    try {
      return await sendStep(nats, step, config, toItsEnd(nats));
    } catch (error) {
      const isBusy = isApiError(error, ERR.reconfigurationRunning);
      if (!isBusy || performance.now() - start > SETTLE_MS || signal.aborted) throw explain(error, step);
      await settled(nats, step, signal);
      await sleep(SETTLE_POLL_MS);
    }
  }
}

/** Waits until every replica of the step's stream is current. */
async function settled(nats: Nats, step: Step, signal: AbortSignal): Promise<void> {
  const stream = streamOfStep(step);
  if (stream === undefined || !nats.target.server.cluster) return;
  for (const start = performance.now(); performance.now() - start < SETTLE_MS; ) {
    signal.throwIfAborted();
    const { cluster, config } = await orThrow(readStream(nats, stream));
    const wanted = numberOf(config.num_replicas, 1) - 1;
    const isWhole = cluster?.replicas.length === wanted && cluster.replicas.every(({ current }) => current);
    if (cluster?.leader !== undefined && isWhole) return;
    await sleep(SETTLE_POLL_MS);
  }
}

const meanwhile = ({ resource }: Step, what: string, cause?: unknown): OpsError =>
  new OpsError('APPLY_FAILED', `${resource} ${what} since the plan was made`, {
    where: resource,
    why: 'Somebody else works on the same server without the lock.',
    hints: ['run this again: it plans anew'],
    cause,
  });

/** Says what a refusal means here where the server's words do not. */
function explain(error: unknown, step: Step): unknown {
  if (isApiError(error, ERR.streamNameInUse, ERR.consumerExists)) {
    return meanwhile(step, 'was created by somebody else', error);
  }
  return step.verb === 'update' && isMissing(error) ? meanwhile(step, 'was deleted', error) : error;
}
