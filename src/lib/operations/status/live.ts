import { OpsError } from '../../errors/ops-error.ts';
import { checkCode } from '../../facts/check-pages.ts';
import { type QueueState, retryingOf } from '../../health/snapshot.ts';
import { readAllApplied } from '../../ledger/store.ts';
import type { Context } from '../../model/context.ts';
import { stableText } from '../../model/json.ts';
import { type LiveQueue, type LiveStatus, ORDER, type Schedule } from '../../model/live.ts';
import type { Target } from '../../model/resource.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import { type Check, type QueueFigures, type StatusReport, worse } from '../../model/verdict.ts';
import { answerOf, orElse } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { openNats, settingsFor } from '../../nats/open.ts';
import { retrySchedule } from '../../plan/schedule.ts';
import { fromLedger, loadForWork } from '../spec-source.ts';
import { createLook, type Looked } from '../status.ts';
import { RateRing } from './rates.ts';

/** All queues of a server, look after look. */
export interface LiveSource {
  readonly target: Target;
  readonly nats: Nats;
  /** @throws OpsError CONN_*, DENIED_* */
  look(): Promise<LiveStatus>;
  close(): Promise<void>;
}

interface System {
  readonly key: string;
  readonly name: string | null;
  readonly look: () => Promise<Looked>;
}

/** One that this user may not look at. */
interface Denied {
  readonly name: string | null;
  readonly error: OpsError;
}

/** What rates were made of: it outlives a connection. */
export type Rates = Map<string, RateRing>;

/** So often it is looked which systems there are, in milliseconds. */
const SYSTEMS_MS = 10_000;

/**
 * Loads what was named at the start. One server is looked at: several specs are those of the one that is meant anyway.
 * @throws OpsError SPEC_*, USAGE
 */
export async function loadLive(context: Context, specs: readonly string[]): Promise<LoadedSpec[]> {
  const loaded: LoadedSpec[] = [];
  for (const spec of specs) loaded.push(await loadForWork(context, spec));
  const settingsOf = (spec?: LoadedSpec) => {
    const { servers, auth, tls, apiPrefix } = settingsFor(context, spec);
    return stableText({ servers, auth, tls, apiPrefix });
  };
  const other = loaded.length > 1 ? loaded.find((spec) => settingsOf(spec) !== settingsOf()) : undefined;
  if (other) {
    throw new OpsError('USAGE', `${other.source} names a server of its own, beside other specs`, {
      where: other.source,
      why: 'A console looks at one server.',
      hints: ['start one for each, with --port', 'or name the server by a flag, a variable or a context'],
    });
  }
  for (const spec of loaded) settingsFor(context, spec);
  return loaded;
}

/**
 * Connects to look again and again: at the systems of the specs, else at all that were applied to the server, else at the
 * queues that are found there. @throws OpsError CONN_*, DENIED_CREDENTIALS
 */
export async function openLive(context: Context, specs: readonly LoadedSpec[], rates: Rates): Promise<LiveSource> {
  const nats = await openNats(context, specs[0]);
  let systems: readonly System[] = [];
  let asked = Number.NEGATIVE_INFINITY;
  const begin = (key: string, loaded: LoadedSpec | undefined): System => {
    return (
      systems.find((one) => one.key === key) ?? {
        key,
        name: loaded?.spec.name ?? null,
        look: createLook(context, nats, loaded, undefined, { waits: false }),
      }
    );
  };
  const findSystems = async (): Promise<readonly System[]> => {
    if (specs.length > 0) return specs.map((loaded) => begin(`spec ${loaded.source}`, loaded));
    const applied = await orElse(answerOf(readAllApplied(nats)), { missing: [], denied: [] });
    if (applied.length === 0) return [begin('', undefined)];
    // Applied again it is another, and looked at anew.
    return applied.map(({ system, digest, spec }) => begin(`${system} ${digest}`, fromLedger(spec)));
  };
  return {
    nats,
    target: nats.target,
    close: () => nats.close(),
    async look() {
      if (performance.now() - asked > SYSTEMS_MS) {
        systems = await findSystems();
        asked = performance.now();
      }
      const denied: Denied[] = [];
      const tried = await Promise.all(
        systems.map(({ name, look }) =>
          look().catch((error: unknown) => {
            if (!(error instanceof OpsError && error.code === 'DENIED_SUBJECT')) throw error;
            denied.push({ name, error });
          }),
        ),
      );
      const looked = tried.filter((one) => one !== undefined);
      // Of several, what one may not see hides none of the others.
      if (looked.length === 0 && denied[0]) throw denied[0].error;
      return liveStatus(looked, denied, rates, Date.now());
    },
  };
}

/** Several looks as one: the worst first. */
function liveStatus(looked: readonly Looked[], denied: readonly Denied[], rates: Rates, now: number): LiveStatus {
  const queues = looked.flatMap(({ report, snapshot }) =>
    snapshot.queues.map((queue) => liveQueue(report, queue, rates, now)),
  );
  for (const name of rates.keys()) if (!queues.some((queue) => queue.name === name)) rates.delete(name);
  const findings = [
    ...looked.flatMap(({ report }) => report.checks.flatMap((check) => findingOf(report, check))),
    ...denied.map(findingOfDenied),
  ];
  return {
    at: looked[0]?.report.at ?? new Date(now).toISOString(),
    health: looked.map(({ report }) => report.health).reduce(worse, denied.length > 0 ? 'unknown' : 'ok'),
    systems: [
      ...looked.map(({ report, snapshot }) => ({
        system: report.system,
        health: report.health,
        drift: snapshot.drift.known ? report.drift.length : null,
      })),
      ...denied.map(({ name }) => ({ system: name, health: 'unknown' as const, drift: null })),
    ],
    findings: findings.sort((a, b) => ORDER[a.status] - ORDER[b.status]),
    queues: queues.sort((a, b) => ORDER[a.health] - ORDER[b.health] || (a.name < b.name ? -1 : 1)),
  };
}

const findingOfDenied = ({ name, error }: Denied): LiveStatus['findings'][number] => ({
  system: name,
  id: 'denied',
  code: error.code,
  status: 'unknown',
  summary: error.message,
  page: `docs/errors.md#${error.code.toLowerCase()}`,
  ...(error.hints[0] !== undefined && { next: error.hints[0] }),
});

const queueOf = (resource: string | undefined): string | undefined => resource?.split('/')[0];

function findingOf(report: StatusReport, check: Check): LiveStatus['findings'] {
  const { id, name, resource, status, summary, value, next } = check;
  if (status === 'ok') return [];
  const queue = report.queues.find((one) => one.name === queueOf(resource))?.name;
  const code = checkCode(name);
  const kind = ACTS[name];
  const filters: Record<string, readonly string[]> = queue === undefined ? {} : { queue: [queue] };
  return [
    {
      system: report.system,
      ...(queue !== undefined && { queue }),
      id,
      code,
      status,
      summary,
      page: `docs/checks.md#${code.toLowerCase()}`,
      ...(next !== undefined && { next }),
      ...(kind && {
        act: { kind, ...(value !== undefined && { count: value }), filters: { ...filters, ...STATES[name] } },
      }),
    },
  ];
}

/** What somebody would do about a check. */
const ACTS: Readonly<Record<string, 'see' | 'plan' | 'resume'>> = {
  dead: 'see',
  orphans: 'see',
  expired: 'see',
  drift: 'plan',
  resources: 'plan',
  paused: 'resume',
};
const STATES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  orphans: { state: ['orphan'] },
  expired: { state: ['gone'] },
};

function liveQueue(report: StatusReport, queue: QueueState, rates: Rates, now: number): LiveQueue {
  const figures = report.queues.find(({ name }) => name === queue.name)!;
  const { stream, consumers, deadState, dlq } = queue;
  const { messages = null, bytes = null, max_messages = null, max_bytes = null } = figures.stored ?? {};
  const shares = [
    max_messages === null || messages === null ? [] : [messages / max_messages],
    max_bytes === null || bytes === null ? [] : [bytes / max_bytes],
  ].flat();
  const ring = rates.get(queue.name) ?? new RateRing();
  rates.set(queue.name, ring);
  if (stream) {
    ring.add({
      at: now,
      stored: stream.figures.last_seq,
      alive: aliveOf(figures, queue),
      dead: figures.dead,
      recorded: dlq ? dlq.figures.last_seq : null,
    });
  }
  const about = report.checks.filter(({ resource }) => queueOf(resource) === queue.name);
  return {
    ...figures,
    system: report.system,
    // A stream that is missing, or silent, has no check of its own but that of all resources.
    health: stream ? about.map(({ status }) => status).reduce(worse, 'ok') : 'critical',
    retrying: stream ? retryingOf(queue) : null,
    dying: deadState?.dying ?? null,
    capacity: {
      messages,
      bytes,
      max_messages,
      max_bytes,
      share: shares.length > 0 ? Math.max(...shares) : null,
      free_messages: max_messages === null || messages === null ? null : Math.max(0, max_messages - messages),
      discard: stream?.config.discard === 'old' ? 'old' : 'new',
    },
    rates: ring.rates(now),
    paused: consumers
      .filter(({ paused }) => paused)
      .map(({ name, pausedUntil }) => ({ consumer: name, until: pausedUntil ?? null })),
    consumers: consumers.map((consumer) => ({
      name: consumer.name,
      pending: consumer.pending,
      ack_pending: consumer.ackPending,
      waiting_pulls: consumer.waiting,
      max_deliver: consumer.maxDeliver,
      schedule: scheduleOf(consumer),
    })),
  };
}

function aliveOf({ ready, in_flight: inFlight }: QueueFigures, { stream, consumers }: QueueState): number | null {
  const isOnce = stream?.config.retention === 'workqueue' || consumers.length === 1;
  return isOnce && ready !== null && inFlight !== null ? ready + inFlight : null;
}

/** So many waits are told one by one. */
const SHOWN_WAITS = 50;

/** When a request is tried again where its worker says nothing, and when it is given up. */
function scheduleOf({ name, waits, maxDeliver }: QueueState['consumers'][number]): Schedule {
  const told = retrySchedule({ max_deliver: maxDeliver, backoff: waits });
  const count = maxDeliver > 0 ? maxDeliver - 1 : waits.length;
  const length = Math.max(0, Math.min(count, SHOWN_WAITS));
  return {
    consumer: name,
    waits_seconds: Array.from({ length }, (_, index) => (waits[Math.min(index, waits.length - 1)] ?? 0) / 1e9),
    tries: maxDeliver,
    gives_up_after_seconds: told?.diesAt === undefined ? null : told.diesAt / 1e9,
    text: told?.text ?? '',
  };
}
