import { deriveDesired } from '../desired/derive.ts';
import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { collect, measureFlow, type QueueToLook } from '../health/collect.ts';
import {
  type Drift,
  deathsOf,
  type Flow,
  type QueueState,
  readyOf,
  recordsOf,
  type Snapshot,
} from '../health/snapshot.ts';
import { flowBetween, type Sample, sampleOf } from '../health/trend.ts';
import { judgeHealth, unreachedReport } from '../health/verdict.ts';
import { type Applied, readAppliedSpec, readLastApplied } from '../ledger/store.ts';
import type { Context } from '../model/context.ts';
import type { Unfinished } from '../model/migration.ts';
import { type Desired, keyOf, type Observed, type ResourceKey } from '../model/resource.ts';
import type { LoadedSpec, Spec } from '../model/spec.ts';
import type { StatusReport } from '../model/verdict.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { openNats } from '../nats/open.ts';
import { makePlan } from '../plan/make-plan.ts';
import { findBegun } from './planned/begun.ts';
import { fromLedger } from './spec-source.ts';
import { withServer } from './status/lead.ts';

/** What is looked at, time after time: one connection and one system. */
export interface StatusSource {
  readonly nats: Nats;
  /** Reads and judges. @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED */
  look(): Promise<StatusReport>;
  close(): Promise<void>;
}

/** How long to watch a queue that fills up, to tell when it is full. In milliseconds. */
const GROWTH_MS = 1000;

/** How a look is taken. */
export interface LookOptions {
  /** False: a flow is told from the second look on. */
  readonly waits?: boolean;
  /** Each of the dead is looked at, whatever that takes: more than a probe each minute may. */
  readonly atAnyCost?: boolean;
}

/**
 * Connects, and without a spec takes what was last applied, else what is on the server.
 * @throws OpsError USAGE_AMBIGUOUS_SPEC, CONN_*, DENIED_*
 */
export async function openStatus(
  context: Context,
  loaded: LoadedSpec | undefined,
  options?: LookOptions,
): Promise<StatusSource> {
  const nats = await openNats(context, loaded);
  try {
    const applied = loaded ? undefined : await fromServer(nats);
    const spec = loaded ?? (applied && fromLedger(applied.spec));
    return { nats, look: createLooker(context, nats, spec, applied, options), close: () => nats.close() };
  } catch (error) {
    await nats.close();
    throw error;
  }
}

/** Whether nothing is known of the server: it cannot be reached, or does not let us in. */
export const isServerAway = (error: unknown): error is OpsError =>
  error instanceof OpsError && (error.exitCode === EXIT.unavailable || error.exitCode === EXIT.denied);

/** The report where the server could not be asked. */
export const unreached = (context: Context, error: OpsError): StatusReport =>
  withServer(unreachedReport(error.message, context.now().toISOString()), context.connection);

/** What was last applied; `undefined` where nothing was, or where the ledger may not be read. */
async function fromServer(nats: Nats): Promise<Applied | undefined> {
  try {
    return await readAppliedSpec(nats);
  } catch (error) {
    if (error instanceof OpsError && ['USAGE_NO_SPEC', 'DENIED_SUBJECT'].includes(error.code)) return undefined;
    throw error;
  }
}

/** What was seen at one look, and what it comes to. */
export interface Looked {
  readonly report: StatusReport;
  readonly snapshot: Snapshot;
}

/** `applied` is what the first look need not read any more. */
export function createLooker(
  context: Context,
  nats: Nats,
  loaded: LoadedSpec | undefined,
  applied: Applied | undefined,
  options?: LookOptions,
): () => Promise<StatusReport> {
  const look = createLook(context, nats, loaded, applied, options);
  return async () => (await look()).report;
}

/** The same with all that was seen. */
export function createLook(
  context: Context,
  nats: Nats,
  loaded: LoadedSpec | undefined,
  applied: Applied | undefined,
  { waits = true, atAnyCost = false }: LookOptions = {},
): () => Promise<Looked> {
  let known = applied;
  const seen = new Map<string, Sample[]>();
  return async () => {
    const now = context.now().getTime();
    const base = loaded ? await readDeclared(nats, loaded, known, now) : await readFound(nats, now);
    known = undefined;
    const isFirst = seen.size === 0;
    const at = performance.now();
    const looked = await lookIntoDead(nats, base, atAnyCost);
    const since = new Map(looked.map((queue) => [queue.name, flowSince(seen, queue, at)]));
    const flows = isFirst && waits ? await flowsOf(nats, looked) : since;
    const queues = looked.map((queue) => {
      const flow = flows.get(queue.name);
      return flow ? { ...queue, flow, growth: flow } : queue;
    });
    const snapshot = { ...base, queues };
    return { report: withServer(judgeHealth(snapshot), context.connection, snapshot.source), snapshot };
  };
}

/** So far back a rate is taken while somebody watches, in milliseconds: less jumps about, more is old news. */
const WINDOW_MS = 20_000;

/** How a queue went since it was seen first within the window, and that it was seen. */
function flowSince(seen: Map<string, Sample[]>, queue: QueueState, at: number): Flow | undefined {
  const sample = sampleOf(queue, at);
  if (!sample) return undefined;
  // Who looks seldom compares with the look before.
  const recent = (seen.get(queue.name) ?? []).filter((one, index, all) => at - one.at <= WINDOW_MS || !all[index + 1]);
  seen.set(queue.name, [...recent, sample]);
  const [first] = recent;
  const flow = first && flowBetween(first, sample);
  // Made anew since: what was seen before is of another.
  if (first && !flow && at - first.at > 1000) seen.set(queue.name, [sample]);
  return flow;
}

/** Reading a DLQ is loaded where something is dead. */
async function lookIntoDead(nats: Nats, { queues, now }: Snapshot, atAnyCost: boolean): Promise<readonly QueueState[]> {
  if (!queues.some((queue) => deathsOf(queue) > 0 || recordsOf(queue) > 0)) return queues;
  const { scanDead } = await import('../health/scan.ts');
  return scanDead(nats, queues, now, { atAnyCost });
}

/** What the spec names, and how it differs from it. */
async function readDeclared(
  nats: Nats,
  loaded: LoadedSpec,
  applied: Applied | undefined,
  now: number,
): Promise<Snapshot> {
  const desired = deriveDesired(loaded);
  const wanted = desired.resources.map(keyOf);
  const [collected, lastApplied, unfinished] = await Promise.all([
    collect(nats, toLook(loaded.spec), wanted, now),
    applied ?? readApplied(nats, desired.system),
    orElse(answerOf(findBegun(nats, desired)), { missing: [], denied: undefined }),
  ]);
  const { resources, silent } = collected;
  const observed = { target: nats.target, resources };
  return {
    ...collected,
    system: desired.system,
    ...(loaded.files.length > 0 && { source: loaded.source }),
    target: nats.target,
    wanted,
    missing: wanted.filter((key) => !resources.has(key)),
    placed: placedOf(observed, wanted),
    drift: driftOf(desired, observed, silent, lastApplied, unfinished),
    ...(unfinished && { unfinished }),
  };
}

const toLook = (spec: Spec): QueueToLook[] =>
  Object.entries(spec.queues).map(([name, queue]) => ({
    name,
    consumers: Object.keys(queue.consumers),
    health: queue.health,
    ...(queue.dlq && { dlq: queue.dlq.stream }),
    ...(queue.responses && { responses: queue.responses.bucket }),
  }));

/** Only the wording depends on it: whoever may not read the ledger gets the rest all the same. */
const readApplied = (nats: Nats, system: string): Promise<Applied | undefined> =>
  orElse(answerOf(readLastApplied(nats, system)), { missing: undefined, denied: undefined });

function driftOf(
  desired: Desired,
  observed: Observed,
  silent: ReadonlyMap<ResourceKey, string>,
  lastApplied: Applied | undefined,
  unfinished: readonly Unfinished[] | undefined,
): Drift {
  // What does not answer is neither missing nor different.
  const told = { ...desired, resources: desired.resources.filter((resource) => !silent.has(keyOf(resource))) };
  try {
    const plan = makePlan({ desired: told, observed, lastApplied, ...(unfinished && { unfinished }) });
    return { known: true, changes: plan.changes };
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'SERVER_TOO_OLD') throw error;
    return { known: false, why: `cannot be told: ${error.message}` };
  }
}

const placedOf = ({ resources }: Observed, keys: readonly ResourceKey[]): Snapshot['placed'] =>
  keys.flatMap((key) => {
    const found = resources.get(key);
    if (!found) return [];
    const replicas = Number(found.config.num_replicas ?? 0);
    const { name, cluster } = found;
    return [{ name, replicas: replicas > 0 ? replicas : (cluster?.replicas.length ?? 0) + 1, cluster }];
  });

/** The queues that are there, where nothing was ever applied. */
async function readFound(nats: Nats, now: number): Promise<Snapshot> {
  const [{ locateQueues }, { HEALTH_DEFAULTS }] = await Promise.all([
    import('../places/queues.ts'),
    import('../spec/assemble.ts'),
  ]);
  const refs = await locateQueues(nats);
  const looks = refs.map(({ queue, consumers, dlq, dlqs, unread }) => ({
    name: queue,
    consumers,
    health: HEALTH_DEFAULTS,
    dlq,
    dlqs,
    ...(unread && { unread }),
  }));
  const collected = await collect(nats, looks, [], now);
  const keys = [...collected.resources.keys()];
  return {
    ...collected,
    system: null,
    target: nats.target,
    wanted: keys,
    missing: [],
    placed: placedOf({ target: nats.target, resources: collected.resources }, keys),
    drift: { known: false, why: 'nothing was ever applied here: there is no spec to compare with' },
  };
}

const isFilling = ({ stream, health }: QueueState): boolean => {
  const { max_msgs: messages = -1, max_bytes: bytes = -1 } = stream?.config ?? {};
  const limit = (health.usage.warn ?? health.usage.critical ?? 100) / 100;
  const { figures } = stream ?? {};
  return (
    figures !== undefined &&
    ((Number(messages) > 0 && figures.messages >= Number(messages) * limit) ||
      (Number(bytes) > 0 && figures.bytes >= Number(bytes) * limit))
  );
};

/** A second look is worth its time only where a queue is filling up, or has a backlog that somebody wants to see gone. */
async function flowsOf(nats: Nats, queues: readonly QueueState[]): Promise<ReadonlyMap<string, Flow>> {
  const moving = queues.filter((queue) => isFilling(queue) || isBehind(queue));
  return moving.length > 0 ? measureFlow(nats, moving, GROWTH_MS) : new Map();
}

const isBehind = (queue: QueueState): boolean => {
  const { warn, critical } = queue.health.backlog;
  const least = warn ?? critical;
  return queue.stream !== undefined && least !== null && readyOf(queue) >= least;
};
