import { REPLICA_LAG } from '../../facts/names.ts';
import type { Json } from '../../model/json.ts';
import type { Unfinished } from '../../model/migration.ts';
import type { Change } from '../../model/plan.ts';
import { splitConsumerName } from '../../model/resource.ts';
import { shellWord } from '../../model/shell.ts';
import type { Check } from '../../model/verdict.ts';
import { checkOf, plural, rate } from '../check.ts';
import type { Snapshot } from '../snapshot.ts';

const LAG = { warn: REPLICA_LAG, critical: null };
const NAMED = 5;

const list = (names: readonly string[], between = ', '): string =>
  names.slice(0, NAMED).join(between) + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');

/** What is there, whether it is as declared, and who holds it. */
export const resourceChecks = (snapshot: Snapshot): Check[] => [
  presentCheck(snapshot),
  driftCheck(snapshot),
  ...(snapshot.unfinished ?? []).map((each) => migrationCheck(each, snapshot)),
  ...replicaChecks(snapshot),
];

const withSpec = (command: string, { source }: Snapshot): string =>
  source === undefined ? `osapi-ops ${command}` : `osapi-ops ${command} ${shellWord(source)}`;

/** A store that was wiped, a wrong account, an empty server: nobody can tell these from one another here. */
const nothingCheck = checkOf('resources', {
  status: 'unknown',
  summary: 'there is nothing to judge: no system was ever applied here, and there is no queue',
  next: 'osapi-ops doctor',
});

function presentCheck(snapshot: Snapshot): Check {
  const { system, queues, wanted, missing, silent, drift } = snapshot;
  if (system === null && queues.length === 0) return nothingCheck;
  const absent = missing.filter((key) => !silent.has(key));
  const quiet = [...silent].map(([key, why]) => `${key}: ${why}`);
  const bad = [...(absent.length > 0 ? [`missing: ${list(absent)}`] : []), ...(quiet.length > 0 ? [list(quiet)] : [])];
  return checkOf('resources', {
    status: bad.length > 0 ? 'critical' : 'ok',
    summary: bad.length > 0 ? bad.join('; ') : `all ${wanted.length} are there`,
    value: absent.length + silent.size,
    threshold: { warn: null, critical: 1 },
    next:
      absent.length > 0 && drift.known
        ? withSpec(mending(drift.changes, absent), snapshot)
        : 'nats server report jetstream',
  });
}

/** A consumer that somebody deleted delivers from the first message again when it is made anew: `plan` says how many. */
const mending = (changes: readonly Change[], absent: readonly string[]): string =>
  changes.some(
    ({ action, kind, name, origin }) =>
      action === 'create' &&
      kind === 'consumer' &&
      origin === 'server' &&
      !absent.includes(`stream ${splitConsumerName(name).stream}`),
  )
    ? 'plan'
    : 'apply';

const show = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function moveOf({ path, from, to }: Change['fields'][number]): string {
  if (from === null) return `${path} is not set, and should be ${show(to)}`;
  return to === null ? `${path} is ${show(from)}, and should not be set` : `${path} is ${show(from)}, not ${show(to)}`;
}

/** What differs; of a resource that only goes with another, why. */
const fieldsOf = ({ kind, name, fields, action, reason = `to ${action}` }: Change): string => {
  const words = fields.map(moveOf).join(', ');
  return `${kind} ${name}: ${words || reason}`;
};

/** What is missing is told by `resources`. */
function driftCheck(snapshot: Snapshot): Check {
  const { drift } = snapshot;
  if (!drift.known) return checkOf('drift', { status: 'unknown', summary: drift.why, next: 'osapi-ops export' });
  const differing = drift.changes.filter(({ action }) => action !== 'create');
  return checkOf('drift', {
    status: differing.length > 0 ? 'warn' : 'ok',
    summary: differing.length > 0 ? list(differing.map(fieldsOf), '; ') : 'as the spec says',
    value: differing.length,
    threshold: { warn: 1, critical: null },
    next: withSpec('plan', snapshot),
  });
}

/** Steps at which something stands still that does not otherwise; at the others that is so where workers are paused. */
const STANDSTILL: ReadonlySet<Unfinished['step']> = new Set([
  'parked',
  'dropped',
  'recopying',
  'reparked',
  'removed',
  'unknown',
]);

/** Only where something is half moved: at all other times there is nothing to look at. */
function migrationCheck(
  { migration, step, where, meanwhile, canUndo, who, since }: Unfinished,
  snapshot: Snapshot,
): Check {
  const { kind, name, from, hops } = migration;
  const names = new Set([name, from, ...hops.flatMap((hop) => [hop.from, hop.to])]);
  const isPaused = snapshot.queues.some(
    (queue) => names.has(queue.name) && queue.consumers.some(({ pausedUntil }) => pausedUntil !== undefined),
  );
  const back = canUndo ? '--undo-migrate takes it back' : 'it can no longer go back';
  return checkOf('migration', {
    resource: name,
    status: STANDSTILL.has(step) || isPaused ? 'critical' : 'warn',
    summary: `${kind} ${name} is being moved by ${who} since ${since}: ${where}; ${isPaused ? meanwhile.replace('may be paused', 'are paused') : meanwhile}; ${back}`,
    next: `${withSpec('apply', snapshot)} --migrate`,
  });
}

/** One for each replicated resource; a single server has none, and one more where replicas were asked of it in vain. */
function replicaChecks({ placed, target }: Snapshot): Check[] {
  return placed.flatMap(({ name, replicas, cluster }) => {
    if (!cluster) {
      if (replicas <= 1 || target.server.cluster) return [];
      const summary = `${plural(replicas, 'replica')} asked for, but this is a single server: it holds the only copy`;
      return [checkOf('replicas', { resource: name, status: 'warn', summary, next: 'nats server list' })];
    }
    if (replicas <= 1 && cluster.leader) return [];
    const offline = cluster.replicas.filter((peer) => peer.offline);
    const behind = cluster.replicas.filter((peer) => !peer.offline && !peer.current);
    const lag = Math.max(0, ...cluster.replicas.map((peer) => peer.lag));
    const short = replicas - 1 - cluster.replicas.length;
    const words = [
      ...(cluster.leader ? [] : ['there is no leader: nothing can be stored or delivered']),
      ...(offline.length > 0 ? [`offline: ${offline.map((peer) => peer.name).join(', ')}`] : []),
      ...(behind.length > 0 ? [`not current: ${behind.map((peer) => peer.name).join(', ')}`] : []),
      ...(short > 0 ? [`${short} of ${replicas} are not placed yet`] : []),
      ...(rate(lag, LAG) === 'ok' ? [] : [`behind by up to ${lag}`]),
    ];
    return [
      checkOf('replicas', {
        resource: name,
        status: !cluster.leader ? 'critical' : words.length > 0 ? 'warn' : 'ok',
        summary: words.length > 0 ? words.join('; ') : `led by ${cluster.leader}, ${replicas} replicas are current`,
        value: lag,
        threshold: LAG,
        next: 'nats server report jetstream',
      }),
    ];
  });
}
