import { type FailingFigures, triesLeft } from '../model/failing.ts';
import { type Health, type QueueFigures, type StatusReport, type Stored, worse } from '../model/verdict.ts';
import { checkOf } from './check.ts';
import { deadChecks } from './checks/dead.ts';
import { queueChecks } from './checks/queue.ts';
import { resourceChecks } from './checks/resources.ts';
import { systemChecks } from './checks/system.ts';
import { workerChecks } from './checks/workers.ts';
import {
  deathsOf,
  inFlightOf,
  oldestOf,
  type QueueState,
  readyOf,
  retryingOf,
  type Snapshot,
  type StreamState,
} from './snapshot.ts';
import { trendOf } from './trend.ts';

/** Judges a snapshot: every check, the figures of each queue, and the worst of all. Pure. */
export function judgeHealth(snapshot: Snapshot): StatusReport {
  const checks = [
    ...systemChecks(snapshot),
    ...resourceChecks(snapshot),
    ...snapshot.queues.flatMap((queue) => [
      ...queueChecks(queue),
      ...workerChecks(queue, snapshot.now, snapshot.unfinished),
      ...deadChecks(queue, snapshot.now),
    ]),
  ];
  return {
    system: snapshot.system,
    health: checks.reduce<Health>((worst, { status }) => worse(worst, status), 'ok'),
    checks,
    queues: snapshot.queues.map((queue) => figuresOf(queue, snapshot.now)),
    drift: snapshot.drift.known ? snapshot.drift.changes : [],
    at: new Date(snapshot.now).toISOString(),
    target: snapshot.target,
  };
}

function figuresOf(queue: QueueState, now: number): QueueFigures {
  const { name, stream, deadState, responses } = queue;
  const trend = stream && trendOf(queue, now);
  const oldest = stream ? oldestOf(queue) : undefined;
  return {
    name,
    ready: stream ? readyOf(queue) : null,
    in_flight: stream ? inFlightOf(queue) : null,
    dead: deadState && deadState.unknown === undefined ? deathsOf(queue) : null,
    ...(deadState?.unknown !== undefined && deadState.least && { dead_least: deadState.least }),
    rejected: deadState?.rejected ?? null,
    parked: deadState?.unknown === undefined ? (deadState?.parked ?? null) : null,
    redelivered: stream ? retryingOf(queue) : null,
    failing: stream ? failingIn(queue) : null,
    oldest_seconds: oldest === undefined ? null : Math.round(oldest / 100) / 10,
    responses: responses ? responses.figures.messages : null,
    journalled: deadState?.journalled ?? null,
    exact: deadState?.exact ?? false,
    ...(trend && { trend }),
    ...(stream && { stored: storedIn(stream) }),
  };
}

/** So many are named. */
const MOST_NAMED = 20;

function failingIn(queue: QueueState): FailingFigures {
  const { failing = [], consumers } = queue;
  const waits = consumers.filter(({ ackPending }) => ackPending > 0).flatMap((consumer) => consumer.waits);
  return {
    count: Math.max(failing.length, retryingOf(queue)),
    noted: failing.length,
    last_try: failing.filter((one) => triesLeft(one) === 1).length,
    known: failing.slice(0, MOST_NAMED),
    longest_wait_seconds: waits.length > 0 ? Math.max(...waits) / 1e9 : null,
  };
}

function storedIn({ config, figures: { messages, bytes } }: StreamState): Stored {
  const limitOf = (limit: unknown) => (Number(limit ?? -1) > 0 ? Number(limit) : null);
  return { messages, bytes, max_messages: limitOf(config.max_msgs), max_bytes: limitOf(config.max_bytes) };
}

/** What is to be said where no server could be asked at all. `at` is RFC 3339. */
export const unreachedReport = (summary: string, at: string): StatusReport => ({
  system: null,
  health: 'critical',
  checks: [checkOf('connection', { status: 'critical', summary, next: 'osapi-ops doctor' })],
  queues: [],
  drift: [],
  at,
});
