import { loweredLimits } from '../canonical/limits.ts';
import type { AccountUsage } from '../model/account.ts';
import { numberOf } from '../model/json.ts';
import {
  type Migration,
  type MigrationCost,
  type MigrationRefusal,
  type Unfinished,
  waysOf,
} from '../model/migration.ts';
import type { Finding } from '../model/plan.ts';
import { type DesiredResource, keyOf, type Observed, splitConsumerName } from '../model/resource.ts';
import { printDuration, printSize } from '../model/units.ts';
import type { Analyzer, Subject, World } from './subject.ts';

const finding = (
  subject: Pick<Subject, 'key'>,
  severity: Finding['severity'],
  message: string,
  rest: Partial<Finding> = {},
): Finding => ({ code: 'RISK_MIGRATE', severity, resource: subject.key, message: `${subject.key}${message}`, ...rest });

/** An immutable change, or another name: how it is carried out without loss, what that costs, or why it cannot be. */
export const migrate: Analyzer = (subject, world) => {
  const { moves, account, clustered } = world;
  const planned = moves.get(subject.key);
  if (!planned) return [];
  if (planned.is === 'refused') return planned.refusals.map((refusal) => refused(subject, refusal));
  const { migration, cost } = planned;
  return [
    asked(subject, migration),
    ...together(subject, moves),
    ...room(subject, migration, cost, account),
    ...atWork(subject, migration, world),
    ...noticed(subject, migration, cost),
    ...inCluster(subject, migration, clustered),
  ];
};

/** Another name is had by moving or not at all; a field, by making anew as well. */
function refused(subject: Subject, { why, hint }: MigrationRefusal): Finding {
  const { moved_from: before } = subject.change;
  return before === undefined
    ? finding(subject, 'info', ` cannot be moved: ${why}`, { hint })
    : finding(subject, 'refuse', ` cannot be moved from ${before}: ${why}`, { field: 'moved_from', hint });
}

function asked(subject: Subject, { kind, hops, fields, consumers, name }: Migration): Finding {
  const what = fields.includes('name') ? 'to have its new name' : `to change ${fields.join(', ')}`;
  const way =
    kind === 'consumer'
      ? 'it is paused, let finish what it has in hand, and made again where it was'
      : `by a mirror that becomes the stream, ${[hops[0]?.from, ...hops.map(({ to }) => to)].join(' → ')}`;
  const others = consumers.filter(({ to }) => kind !== 'consumer' || to !== splitConsumerName(name).consumer);
  const along =
    others.length > 0 ? `; ${others.map(({ to }) => to).join(', ')} go${others.length === 1 ? 'es' : ''} along` : '';
  return finding(subject, 'refuse', ` is moved without loss ${what}, from nats-server 2.14 on: ${way}${along}`, {
    needs: 'migrate',
    field: fields.includes('name') ? 'moved_from' : fields.join(', '),
  });
}

/** What a copy cannot take on the way. */
function together(subject: Subject, moves: World['moves']): Finding[] {
  const { change, before, after } = subject;
  if (change.kind === 'consumer' || !before || !after) return [];
  const lowered = loweredLimits(change.kind, before, after).map(({ field }) => field);
  const subjects = change.fields.some(({ path }) => path === 'subjects') ? ['subjects'] : [];
  const isItsQueueRenamed = [...moves].some(
    ([key, planned]) =>
      key !== subject.key &&
      planned.is === 'movable' &&
      planned.migration.kind === 'stream' &&
      isRenamed(planned.migration),
  );
  if (change.role === 'dlq' && subjects.length > 0 && isItsQueueRenamed) {
    return [
      finding(subject, 'refuse', ": it has its queue's name in its subjects, and is not renamed together with that", {
        field: 'moved_from',
        hint: `apply the other name of the queue first, with this DLQ called ${change.moved_from ?? change.name} still; then that of the DLQ`,
      }),
    ];
  }
  return [...lowered, ...subjects].map((field) =>
    finding(subject, 'refuse', `: ${field} is not changed while it is moved`, {
      field,
      hint: `apply the one first, then the other: a copy under ${field === 'subjects' ? 'other subjects takes nothing meanwhile' : 'a lower limit stops, or drops the oldest'}`,
    }),
  );
}

/** To the next whole unit: `54MiB`, where it is ten of them or more. */
function roughly(bytes: number): string {
  const unit = [1024 ** 3, 1024 ** 2, 1024].find((each) => bytes >= 10 * each) ?? 1;
  return printSize(Math.ceil(bytes / unit) * unit);
}

const NO_ROOM = 'a copy that finds none is removed again, before anything is closed';

const SIDES = {
  file: { what: 'file storage', limit: 'max_storage', used: 'storage', reserved: 'reserved_storage' },
  memory: { what: 'memory', limit: 'max_memory', used: 'memory', reserved: 'reserved_memory' },
} as const;

/**
 * The room of a second copy: at the limit of an account the copy stops, and publishers are refused (10023). What is used
 * is told with all replicas; the limit of a tier is of one of them, that of an account of all (2.15.1).
 */
function room(
  subject: Subject,
  { kind, hops, before, after }: Migration,
  { bytes, storage }: MigrationCost,
  account: AccountUsage | undefined,
): Finding[] {
  if (kind === 'consumer') return [];
  const { what, limit, used, reserved } = SIDES[storage];
  const replicas = Math.max(1, numberOf(after.num_replicas, 1));
  const [own, other] = account?.tiers ? [1, replicas] : [replicas, 1];
  const needed = bytes * own;
  const needs = `${roughly(needed)} of ${what} meanwhile`;
  if (!account) {
    return [
      finding(subject, 'warning', `: the copy needs ${needs}; whether there is room was not to be asked`, {
        hint: NO_ROOM,
      }),
    ];
  }
  const tier = `R${replicas}`;
  const usage = account.tiers ? account.tiers[tier] : account;
  // An account that has none of its replicas is told of where limits are.
  if (!usage) return [];
  const may = account.tiers ? `the account may use in tier ${tier}` : 'the account may use';
  const most = usage.limits[limit];
  // Back at its name there are two beside each other, and what it was counted elsewhere.
  const copies = hops.length > 1 && before.storage !== after.storage ? 2 : 1;
  const set = Math.max(0, numberOf(after.max_bytes)) * copies;
  const [held, kept] = [usage[used] / other, usage[reserved]];
  const faults = [
    ...(most >= 0 && held + needed > most ? [`${may} ${printSize(most)}, and ${roughly(held)} are used`] : []),
    ...(most >= 0 && set > 0 && kept + set > most
      ? [
          `${may} ${printSize(most)}, its streams reserve ${printSize(kept)} with max_bytes, and each copy ${printSize(numberOf(after.max_bytes))} more (${storage === 'file' ? 10047 : 10028})`,
        ]
      : []),
    ...(usage.limits.max_streams > 0 && usage.streams >= usage.limits.max_streams
      ? [
          `the account has all ${usage.limits.max_streams} streams that it may have${account.tiers ? ` of ${tier}` : ''} (10027)`,
        ]
      : []),
  ];
  if (faults.length === 0) {
    const left = most < 0 ? 'the account is not limited' : `of ${printSize(most)}, ${roughly(held)} are used`;
    const message = `: the copy needs ${needs}; ${left}; how much the server has left it does not tell`;
    return [finding(subject, 'info', message, { hint: NO_ROOM })];
  }
  return faults.map((fault) =>
    finding(subject, 'refuse', `: there is no room for the copy, which needs ${needs}: ${fault}`, {
      hint: 'raise the limit, or make room first; it is not begun before',
    }),
  );
}

const isRenamed = ({ name, from, consumers }: Migration): boolean =>
  name !== from || consumers.some((one) => one.from !== one.to);

/** Whoever answers into a bucket has its name: what he does once it has another is stored nowhere, and dies. */
function atWork(subject: Subject, { kind, name, from }: Migration, { desired, index }: World): Finding[] {
  if (kind !== 'bucket' || name === from) return [];
  const queues = [...desired.values()].flatMap((one) =>
    one.kind === 'bucket' && one.name === name && one.queue !== undefined ? [one.queue] : [],
  );
  const names = queues.flatMap((queue) => [queue, desired.get(`stream ${queue}`)?.movedFrom ?? queue]);
  const consumers = [...new Set(names)].flatMap((queue) =>
    (index.consumersOf.get(queue) ?? []).filter((one) => one.kind === 'consumer'),
  );
  const busy = consumers.filter(({ figures }) => figures.num_waiting > 0);
  // What was given back counts as in flight until somebody takes it: then nobody may be there at all.
  const doubtful = consumers.filter(({ figures }) => figures.num_waiting === 0 && figures.num_ack_pending > 0);
  const told = finding(
    subject,
    'info',
    `: workers and readers have the name ${from}, and what they do after the move is stored nowhere`,
    { hint: `stop them first, and start them with ${name}` },
  );
  const listed = (some: typeof consumers) => some.map((one) => one.name).join(', ');
  const dies = `answers into ${from}: each request would be done again and again, and die`;
  return [
    told,
    ...(busy.length > 0
      ? [
          finding(subject, 'refuse', `: somebody is at work on ${listed(busy)}, and ${dies}`, {
            field: 'moved_from',
            hint: `stop the workers first, then start them with ${name}`,
          }),
        ]
      : []),
    ...(doubtful.length > 0
      ? [
          finding(
            subject,
            'refuse',
            `: of ${listed(doubtful)} requests are in hand or given back; who has them ${dies}`,
            {
              field: 'moved_from',
              needs: 'allow-data-loss',
              hint: 'stop the workers first; the server does not tell what they gave back from what they have in hand',
            },
          ),
        ]
      : []),
  ];
}

const NANOS = 1e6;
/** To the second, or below ten of them to the tenth: figures that are guesses. */
function about(ms: number): string {
  const step = ms >= 10_000 ? 1000 : ms >= 1000 ? 100 : 1;
  return `about ${printDuration(Math.max(step, Math.round(ms / step) * step) * NANOS)}`;
}

/** Who notices what, and for how long; how clients behave was measured. */
function noticed(
  subject: Subject,
  migration: Migration,
  { aheadMs, workersMs, gaps, gapMs }: MigrationCost,
): Finding[] {
  const publishers =
    gaps === 0
      ? []
      : [
          finding(
            subject,
            'info',
            `: publishers are told "no responders" ${gaps === 1 ? 'once' : `${gaps} times`}, for ${about(gapMs)} each`,
            {
              hint: 'nats.go publishes again twice by itself, nats.js once, others must do it themselves; who waits for no confirmation should pause',
            },
          ),
        ];
  const ahead =
    aheadMs >= 1000
      ? [
          finding(
            subject,
            'info',
            `: it runs for ${about(aheadMs)} before anybody notices, so that ids of repeated publishes are known afterwards`,
          ),
        ]
      : [];
  const { kind, before } = migration;
  const what =
    kind === 'bucket'
      ? `: who reads or watches it gets nothing for ${about(workersMs)}`
      : before.retention === 'limits'
        ? `: workers get nothing for ${about(workersMs)}, and must have answered, or given up, what they have in hand: what failed is tried again until then, one by one; what never ends, as without a max_deliver, is not moved`
        : `: workers get nothing for ${about(workersMs)}, and keep what they have in hand`;
  const workers = finding(subject, 'info', what, {
    hint:
      kind === 'bucket'
        ? 'watchers must be started again'
        : isRenamed(migration)
          ? 'workers must be started with the new name; what they still have in hand then is delivered again'
          : 'consume() of nats.js and osapi-ops worker run go on by themselves when the names are back; fetch() throws "consumer deleted" and must be called again',
  });
  return [...ahead, ...publishers, ...(workersMs > 0 ? [workers] : [])];
}

/** What replicas change: ids are not copied with a replicated stream, and new replicas take their time. */
function inCluster(subject: Subject, { kind, after, before }: Migration, clustered: boolean): Finding[] {
  if (!clustered || kind === 'consumer') return [];
  const [from, to] = [numberOf(before.num_replicas, 1), numberOf(after.num_replicas, 1)];
  if (from === 1 && to === 1) return [];
  const message =
    ': ids of the duplicate window are told to each copy again while nobody publishes: the more of them, the longer that is';
  const hint = 'the copy is made with its replicas at once: added at the end, nobody could publish for some 12s';
  return [finding(subject, 'info', message, from < to ? { hint } : {})];
}

export const UNFINISHED = 'RISK_UNFINISHED_MIGRATION';

/** A migration that somebody began: nothing else is done to what it is about. */
export function unfinishedMove({ migration, canUndo }: Unfinished): Finding[] {
  const key = keyOf(migration);
  return [
    {
      code: UNFINISHED,
      severity: 'refuse',
      resource: key,
      message: `${key} is half moved: nothing else is done to it before`,
      hint: waysOf({ canUndo }),
      needs: 'migrate',
    },
  ];
}

/** A name before that is on the server beside the name of now: nobody can tell whether the two are one. */
export function bothThere(resources: readonly DesiredResource[], { resources: live }: Observed): Finding[] {
  return resources.flatMap((resource): Finding[] => {
    const { kind, movedFrom } = resource;
    const key = keyOf(resource);
    if (movedFrom === undefined || !live.has(key) || !live.has(`${kind} ${movedFrom}`)) return [];
    // With its stream it was told already.
    if (kind === 'consumer' && splitConsumerName(movedFrom).stream !== splitConsumerName(resource.name).stream)
      return [];
    return [
      finding(
        { key },
        'warning',
        ` has ${movedFrom} as its name before, and both are on the server: nothing is moved`,
        {
          field: 'moved_from',
          hint: `if it is done, take moved_from out of the spec; if they are two things, too; ${movedFrom} stays as it is`,
        },
      ),
    ];
  });
}
