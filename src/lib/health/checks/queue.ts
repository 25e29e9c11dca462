import { toType } from '../../model/shell.ts';
import { aboutMs } from '../../model/units.ts';
import type { Check } from '../../model/verdict.ts';
import { aboutBytes, checkOf, percentOf, plural, rate } from '../check.ts';
import { inFlightOf, oldestOf, type QueueState, readyOf } from '../snapshot.ts';

/** Room, backlog and age of one queue; nothing where its stream is missing, which `resources` tells. */
export function queueChecks(queue: QueueState): Check[] {
  if (!queue.stream) return [];
  return [...usageChecks(queue), backlogCheck(queue), uncoveredCheck(queue), oldestCheck(queue)];
}

function usageChecks(queue: QueueState): Check[] {
  const { name, health } = queue;
  const { config, figures } = queue.stream!;
  const rows = [
    { field: 'max_msgs', used: figures.messages, limit: Number(config.max_msgs ?? -1), growth: queue.growth?.messages },
    { field: 'max_bytes', used: figures.bytes, limit: Number(config.max_bytes ?? -1), growth: queue.growth?.bytes },
  ]
    .filter(({ limit }) => limit > 0)
    .map((row) => ({ ...row, percent: percentOf(row.used, row.limit) }))
    .sort((a, b) => b.percent - a.percent);
  const [worst] = rows;
  if (!worst) return [];
  const refuses = config.discard === 'new';
  const status = rate(worst.percent, health.usage);
  const show = worst.field === 'max_bytes' ? aboutBytes : String;
  const left = Math.max(0, worst.limit - worst.used);
  const isFull = worst.percent >= 100;
  const end = refuses ? 'publishers are refused (10077)' : 'the oldest messages are dropped, unprocessed';
  const dead = queue.deadState?.dead ?? 0;
  const words = [
    `${show(worst.used)} of ${worst.field} ${show(worst.limit)} (${worst.percent} %)`,
    holdersOf(queue),
    isFull
      ? `full: ${end}`
      : status === 'ok'
        ? ''
        : `room for ${worst.field === 'max_msgs' ? plural(left, 'message') : aboutBytes(left)}; ${fillWords(left, worst.growth, end)}`,
  ];
  return [
    checkOf('usage', {
      resource: name,
      status: isFull ? 'critical' : status,
      summary: words.filter(Boolean).join('; '),
      value: worst.percent,
      threshold: health.usage,
      next: dead > 0 ? toType`osapi-ops dlq ls --queue ${name}` : toType`osapi-ops queue drain ${name}`,
    }),
  ];
}

/** Who holds the room: `2 wait, 1 in flight, 7 are dead`. */
function holdersOf(queue: QueueState): string {
  if (!queue.deadState) return '';
  const { dead, unknown } = queue.deadState;
  return `${readyOf(queue)} waiting, ${inFlightOf(queue)} in flight, ${unknown === undefined ? dead : 'an unknown number'} dead`;
}

/** When it is full at the present rate. Two looks are needed; one cannot tell. */
function fillWords(left: number, growth: number | undefined, end: string): string {
  if (growth === undefined) return `when it is full, ${end}; how fast it grows is not known`;
  if (growth <= 0) return `it does not grow now; when it is full, ${end}`;
  return `in about ${aboutMs((left / growth) * 1000)} at the present rate ${end}`;
}

function backlogCheck(queue: QueueState): Check {
  const ready = readyOf(queue);
  return checkOf('backlog', {
    resource: queue.name,
    status: rate(ready, queue.health.backlog),
    summary: ready === 0 ? 'nothing waits' : `${plural(ready, 'message waits', 'messages wait')}`,
    value: ready,
    threshold: queue.health.backlog,
    next: 'osapi-ops status --watch',
  });
}

function uncoveredCheck({ name, uncovered }: QueueState): Check {
  return checkOf('uncovered', {
    resource: name,
    status: uncovered > 0 ? 'warn' : 'ok',
    summary:
      uncovered > 0
        ? `${plural(uncovered, 'message waits', 'messages wait')} on a subject that no consumer takes`
        : 'every subject has a consumer',
    value: uncovered,
    threshold: { warn: 1, critical: null },
    next: toType`nats stream subjects ${name}`,
  });
}

const seconds = (nanos: number | null): number | null => (nanos === null ? null : nanos / 1e9);

function oldestCheck(queue: QueueState): Check {
  const { warn, critical } = queue.health.oldest;
  const threshold = { warn: seconds(warn), critical: seconds(critical) };
  const age = oldestOf(queue);
  const base = { resource: queue.name, threshold, next: toType`osapi-ops request ls --queue ${queue.name}` };
  if (age === undefined) {
    return checkOf('oldest', {
      ...base,
      status: 'unknown',
      summary: 'how long the oldest waits is not known: it left the queue meanwhile, or this user may not read it',
    });
  }
  return checkOf('oldest', {
    ...base,
    status: rate(age / 1000, threshold),
    summary: age === 0 ? 'nothing waits' : `the oldest waits for ${aboutMs(age)}`,
    value: Math.round(age / 100) / 10,
  });
}
