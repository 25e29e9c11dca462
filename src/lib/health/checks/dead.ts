import { advisorySubject } from '../../facts/names.ts';
import { subjectsOverlap } from '../../facts/subjects.ts';
import { textsOf } from '../../model/json.ts';
import { toType } from '../../model/shell.ts';
import type { HealthSpec } from '../../model/spec.ts';
import { aboutMs } from '../../model/units.ts';
import type { Check } from '../../model/verdict.ts';
import { aboutBytes, checkOf, percentOf, plural, rate } from '../check.ts';
import { type DeadState, deathsOf, type QueueState, type StreamState } from '../snapshot.ts';

/** An entry that is older than this share of the DLQ's max_age is soon forgotten. */
const SOON = 0.9;

/** Of more than this a person looks at the causes first. */
const SCREEN = 20;

const GIVE_DLQ = 'give the queue a dlq in the spec, and apply it';

/** The dead of one queue, and whether its DLQ and its responses have room. */
export function deadChecks(queue: QueueState, now: number): Check[] {
  return [
    ...(queue.deadState ? countChecks(queue, queue.deadState, now) : []),
    ...(queue.dlq ? [dlqCheck(queue, queue.dlq, now)] : []),
    ...(queue.responses ? responseChecks(queue, queue.responses) : []),
  ];
}

function countChecks(queue: QueueState, state: DeadState, now: number): Check[] {
  const { name, health, dlqs, copies } = queue;
  const { dead, dying, orphans, exact, unknown } = state;
  const ls = toType`osapi-ops dlq ls --queue ${name}`;
  const all = deathsOf(queue);
  const look = all > SCREEN ? toType`osapi-ops dlq stats --queue ${name}` : ls;
  if (unknown !== undefined) {
    const summary = `how many are dead is not known${state.least ? `, at least ${state.least}` : ''}: ${unknown}`;
    const next = dlqs.length > 0 ? ls : GIVE_DLQ;
    return [checkOf('dead', { resource: name, status: guess(all, state.least ?? 0, health.dead), summary, next })];
  }
  return [
    checkOf('dead', {
      resource: name,
      status: rate(all, health.dead),
      summary: deadWords(all, state, now),
      value: all,
      threshold: health.dead,
      next: state.journalled === all ? toType`osapi-ops dlq replay --queue ${name}` : look,
    }),
    checkOf('dying', {
      resource: name,
      status: dying > 0 ? 'warn' : 'ok',
      summary:
        dying > 0
          ? `up to ${plural(dying, 'message is', 'messages are')} past the last ack wait: dead when the next worker asks`
          : 'nothing is dying',
      value: dying,
      threshold: { warn: 1, critical: null },
      next: 'start a worker: what is due dies with its first question, and can be replayed then',
    }),
    ...(isWorkqueue(queue) ? [orphanCheck(name, dead, orphans, exact, takesEntries(queue))] : []),
    expiredCheck(name, state),
    ...copies.map((copy) => copyCheck(name, copy)),
  ];
}

/** What is certain is judged; where more may be dead, a probe that is silent would be the worst. */
function guess(atMost: number, least: number, limits: HealthSpec['dead']): Check['status'] {
  const certain = rate(least, limits);
  if (certain !== 'ok') return certain;
  return rate(atMost, limits) === 'ok' ? 'unknown' : 'warn';
}

/** Whether an entry can be written: the streams of other services hold dead letters, and take none of the server's kind. */
const takesEntries = ({ name, dlqs }: QueueState): boolean =>
  dlqs
    .flatMap(({ config }) => textsOf(config.subjects))
    .some((subject) => subjectsOverlap(subject, advisorySubject('max_deliveries', name)));

const isWorkqueue = ({ stream }: QueueState): boolean => stream?.config.retention === 'workqueue';

function deadWords(all: number, state: DeadState, now: number): string {
  const { rejected, journalled, parked = 0, held, answered, exact, oldestDiedAt, lastHour, steady } = state;
  const of = (count: number, words: string) => (count === 0 ? [] : [`${count === all ? '' : `${count} `}${words}`]);
  const more = [
    ...of(rejected, 'kept in the DLQ with the payload'),
    ...of(journalled, 'in the journal of a replay that has not ended'),
    ...of(parked, 'parked: died again after each replay'),
    ...(oldestDiedAt === undefined ? [] : [`the oldest for ${aboutMs(now - oldestDiedAt)}`]),
    ...(lastHour === undefined || oldestDiedAt === undefined ? [] : [`${lastHour} within the last hour`]),
    ...(exact ? [] : ['by arithmetic: which were answered was not looked into']),
    ...(held > 0 ? [`up to ${held} of them kept for a mirror or source only`] : []),
    ...(steady ? [] : ['about: the figures move']),
  ];
  const stays = answered
    ? `; ${plural(answered, 'is', 'are')} answered and still stored (dlq purge --state gone archives and removes ${answered === 1 ? 'it' : 'them'})`
    : '';
  if (all === 0) return `nothing is dead${stays}`;
  return `${plural(all, 'message is', 'messages are')} dead${more.length > 0 ? ` (${more.join(', ')})` : ''}${stays}`;
}

function expiredCheck(name: string, { expired }: DeadState): Check {
  const base = { resource: name, threshold: { warn: 1, critical: null } };
  if (expired === undefined) {
    return checkOf('expired', { ...base, status: 'ok', summary: 'what died and expired was not looked into' });
  }
  return checkOf('expired', {
    ...base,
    status: expired > 0 ? 'warn' : 'ok',
    summary:
      expired > 0
        ? `${plural(expired, 'request')} died and expired (max_age): nothing is left to bring back`
        : 'nothing that died has expired',
    value: expired,
    next: toType`osapi-ops dlq ls --queue ${name} --state gone`,
  });
}

function copyCheck(name: string, { name: copy, pending, ackPending }: QueueState['copies'][number]): Check {
  const behind = pending + ackPending;
  return checkOf('copies', {
    resource: `${name}/${copy}`,
    status: behind > 0 ? 'warn' : 'ok',
    summary:
      behind > 0
        ? `a mirror or source is ${plural(behind, 'message')} behind: what it has not taken stays stored, answered or not`
        : 'the mirror or source has all',
    value: behind,
    threshold: { warn: 1, critical: null },
    next: toType`nats stream info ${name}`,
  });
}

function orphanCheck(name: string, dead: number, orphans: number | undefined, exact: boolean, hasDlq: boolean): Check {
  const base = { resource: name, threshold: { warn: null, critical: 1 }, next: 'osapi-ops dlq rebuild' };
  if (dead > 0 && (orphans === undefined || (orphans === 0 && !exact))) {
    const summary = `whether all ${dead} dead have an entry was not looked into`;
    return checkOf('orphans', { ...base, status: 'unknown', summary, next: toType`osapi-ops dlq ls --queue ${name}` });
  }
  const why = hasDlq ? 'no entry in the DLQ' : 'no DLQ to have an entry in';
  return checkOf('orphans', {
    ...base,
    status: orphans ? 'critical' : 'ok',
    summary: orphans
      ? `${exact ? '' : 'at least '}${orphans} of ${dead} dead have ${why}`
      : dead === 0
        ? 'nothing is dead'
        : 'all dead have an entry',
    value: orphans,
    ...(hasDlq ? {} : { next: GIVE_DLQ }),
  });
}

interface Row {
  readonly field: string;
  readonly used: number;
  readonly limit: number;
}

/** The limit that is nearest, of those that are set. */
function nearest({ config, figures }: StreamState): (Row & { percent: number }) | undefined {
  const rows: Row[] = [
    { field: 'max_msgs', used: figures.messages, limit: Number(config.max_msgs ?? -1) },
    { field: 'max_bytes', used: figures.bytes, limit: Number(config.max_bytes ?? -1) },
  ];
  return rows
    .filter(({ limit }) => limit > 0)
    .map((row) => ({ ...row, percent: percentOf(row.used, row.limit) }))
    .sort((a, b) => b.percent - a.percent)[0];
}

const showRow = ({ field, used, limit, percent }: Row & { percent: number }): string =>
  field === 'max_bytes'
    ? `${aboutBytes(used)} of max_bytes ${aboutBytes(limit)} (${percent} %)`
    : `${used} of ${field} ${limit} (${percent} %)`;

function dlqCheck({ name, health, deadState }: QueueState, dlq: StreamState & { name: string }, now: number): Check {
  const row = nearest(dlq);
  const maxAgeMs = Number(dlq.config.max_age ?? 0) / 1e6;
  const age = deadState?.oldestDiedAt === undefined ? 0 : now - deadState.oldestDiedAt;
  const isFading = maxAgeMs > 0 && age > maxAgeMs * SOON;
  const lost =
    dlq.config.discard === 'new' ? 'new entries are lost when it is full' : 'the oldest entries go when it is full';
  const status = row ? rate(row.percent, health.usage) : 'ok';
  const foreign = deadState?.foreign ?? 0;
  const words = [
    row ? showRow(row) : `${plural(dlq.figures.messages, 'record')}, no limit`,
    ...(foreign > 0 ? [`${plural(foreign, 'message')} in it ${foreign === 1 ? 'is' : 'are'} no dead letter`] : []),
    ...(status === 'ok' ? [] : [lost]),
    ...(isFading ? [`the oldest entry is forgotten in ${aboutMs(maxAgeMs - age)} (max_age)`] : []),
  ];
  return checkOf('dlq', {
    resource: dlq.name,
    status: status === 'ok' && isFading ? 'warn' : status,
    summary: words.join('; '),
    ...(row && { value: row.percent, threshold: health.usage }),
    next: toType`osapi-ops dlq ls --queue ${name}`,
  });
}

function responseChecks({ health }: QueueState, bucket: StreamState & { name: string }): Check[] {
  const row = nearest(bucket);
  const status = row ? rate(row.percent, health.usage) : 'ok';
  return [
    checkOf('responses', {
      resource: bucket.name,
      status,
      summary: row
        ? `${showRow(row)}${status === 'ok' ? '' : '; a full bucket takes no more responses (10077)'}`
        : `${plural(bucket.figures.messages, 'response')} kept, no limit`,
      ...(row && { value: row.percent, threshold: health.usage }),
      next: toType`nats kv status ${bucket.name}`,
    }),
  ];
}
