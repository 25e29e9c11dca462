import { describe, expect, test } from '@jest/globals';
import type { AccountUsage } from '../../../src/lib/model/account.ts';
import type { Migration, MigrationCost, PlannedMigration } from '../../../src/lib/model/migration.ts';
import type { Change, Finding } from '../../../src/lib/model/plan.ts';
import {
  type DesiredResource,
  keyOf,
  type ObservedResource,
  type ResourceKey,
} from '../../../src/lib/model/resource.ts';
import { bothThere, migrate, unfinishedMove } from '../../../src/lib/risk/migrate.ts';
import { indexObserved, type Subject, type World } from '../../../src/lib/risk/subject.ts';
import { consumer, migration, renaming } from '../migrate/builders.ts';
import { live, server, VERSION, want } from '../plan/builders.ts';
import { line } from './told.ts';

const COST: MigrationCost = { bytes: 1000, storage: 'file', aheadMs: 0, workersMs: 0, gaps: 0, gapMs: 0 };

interface Parts {
  readonly cost?: Partial<MigrationCost>;
  readonly clustered?: boolean;
  readonly account?: AccountUsage;
  readonly desired?: readonly DesiredResource[];
  readonly observed?: readonly ObservedResource[];
  readonly moves?: readonly (readonly [ResourceKey, PlannedMigration])[];
  readonly change?: Partial<Change>;
  readonly before?: Subject['before'];
  readonly after?: Subject['after'];
}

const movable = (of: Migration, cost: Partial<MigrationCost> = {}): [ResourceKey, PlannedMigration] => [
  keyOf(of),
  { is: 'movable', migration: of, cost: { ...COST, ...cost } },
];

/** All that is told of a migration, or of a refused one. */
function findings(of: Migration, parts: Parts = {}, planned = movable(of, parts.cost)): Finding[] {
  const { kind, name, from } = of;
  const { clustered = false, desired = [], moves = [], change, before, after, account } = parts;
  const observed = server(parts.observed ?? []);
  const none = { losses: new Map(), applied: new Set<string>(), deleted: new Set<never>(), replaced: new Set<never>() };
  const world: World = {
    ...none,
    system: 'osapi',
    version: VERSION,
    clustered,
    desired: new Map(desired.map((each) => [keyOf(each), each])),
    observed,
    index: indexObserved(observed),
    moves: new Map([planned, ...moves]),
    migrate: true,
    ...(account ? { account } : {}),
  };
  const base: Change = { action: 'migrate', kind, name, role: 'queue', fields: [], origin: 'spec' };
  const renamedFrom = from === name ? {} : { moved_from: from };
  return [
    ...migrate(
      {
        key: keyOf(of),
        change: { ...base, ...renamedFrom, ...change },
        ...(before ? { before } : {}),
        ...(after ? { after } : {}),
      },
      world,
    ),
  ];
}

const full = (each: Finding): string => (each.hint === undefined ? line(each) : `${line(each)} [${each.hint}]`);
const told = (word: string, ...args: Parameters<typeof findings>): string[] =>
  findings(...args)
    .filter(({ message }) => message.includes(word))
    .map(full);

const worker = (fields: Partial<Migration> = {}): Migration =>
  migration({ kind: 'consumer', name: 'Q/w', from: 'Q/w', hops: [], fields: ['ack_policy'], ...fields });
const bucket = (fields: Partial<Migration> = {}): Migration =>
  renaming({ kind: 'bucket', name: 'new', from: 'old', hops: [{ from: 'KV_old', to: 'KV_new' }], ...fields });

test('of what is not moved nothing is told', () => {
  expect(findings(migration(), {}, movable(migration({ name: 'OTHER' })))).toEqual([]);
});

describe('what cannot be moved says why', () => {
  const refused: PlannedMigration = { is: 'refused', refusals: [{ why: 'no way', hint: 'do this' }] };
  test.each([
    [
      'a field, which is had by making it anew as well',
      migration(),
      'info RISK_MIGRATE: stream Q cannot be moved: no way [do this]',
    ],
    [
      'a name, which is not',
      renaming(),
      'refuse RISK_MIGRATE moved_from: stream N cannot be moved from Q: no way [do this]',
    ],
  ])('%s', (_, of, want) => expect(findings(of, {}, [keyOf(of), refused]).map(full)).toEqual([want]));
});

describe('what is agreed to is one sentence', () => {
  const asks = 'refuse RISK_MIGRATE';
  test.each([
    [
      'a field, by two hops',
      migration({ consumers: [] }),
      `${asks} storage --migrate: stream Q is moved without loss to change storage, from nats-server 2.14 on: by a mirror that becomes the stream, Q → Q_moving → Q`,
    ],
    [
      'two fields, with the one consumer',
      migration({ fields: ['storage', 'retention'] }),
      `${asks} storage, retention --migrate: stream Q is moved without loss to change storage, retention, from nats-server 2.14 on: by a mirror that becomes the stream, Q → Q_moving → Q; w goes along`,
    ],
    [
      'a name, with two consumers',
      renaming({ fields: ['storage', 'name'], consumers: [consumer(), consumer({ from: 'x', to: 'y' })] }),
      `${asks} moved_from --migrate: stream N is moved without loss to have its new name, from nats-server 2.14 on: by a mirror that becomes the stream, Q → N; w, y go along`,
    ],
    [
      'a consumer',
      worker({ consumers: [consumer()] }),
      `${asks} ack_policy --migrate: consumer Q/w is moved without loss to change ack_policy, from nats-server 2.14 on: it is paused, let finish what it has in hand, and made again where it was`,
    ],
    [
      'a consumer that is not alone',
      worker({ consumers: [consumer(), consumer({ from: 'x', to: 'x' })] }),
      `${asks} ack_policy --migrate: consumer Q/w is moved without loss to change ack_policy, from nats-server 2.14 on: it is paused, let finish what it has in hand, and made again where it was; x goes along`,
    ],
    [
      'a bucket and what reads it by the name of the bucket',
      bucket({ consumers: [consumer({ from: 'old', to: 'new' })] }),
      `${asks} moved_from --migrate: bucket new is moved without loss to have its new name, from nats-server 2.14 on: by a mirror that becomes the stream, KV_old → KV_new; new goes along`,
    ],
  ])('%s', (_, of, want) => expect(findings(of).map(full)[0]).toBe(want));
});

describe('what is not changed on the way', () => {
  const subjects = {
    fields: [{ path: 'subjects', from: ['a'], to: ['b'], impact: 'in-place', origin: 'spec' }],
  } as const;
  const sides = { before: { max_msgs: 5, discard: 'old' }, after: { max_msgs: 4, discard: 'old' } };
  const lower =
    'refuse RISK_MIGRATE max_msgs: stream Q: max_msgs is not changed while it is moved [apply the one first, then the other: a copy under a lower limit stops, or drops the oldest]';
  const others =
    'refuse RISK_MIGRATE subjects: stream Q: subjects is not changed while it is moved [apply the one first, then the other: a copy under other subjects takes nothing meanwhile]';
  const ownName =
    "refuse RISK_MIGRATE moved_from: stream Q: it has its queue's name in its subjects, and is not renamed together with that [apply the other name of the queue first, with this DLQ called Q still; then that of the DLQ]";
  const none = { before: {}, after: {} };
  const queue = renaming({ name: 'R', from: 'P' });
  test.each<[string, Migration, Parts, string[]]>([
    ['a lower limit', migration(), sides, [lower]],
    ['the same limit', migration(), { before: { max_msgs: 4 }, after: { max_msgs: 4 } }, []],
    ['subjects', migration(), { ...none, change: subjects }, [others]],
    ['both', migration(), { ...sides, change: subjects }, [lower, others]],
    ['a lower limit of what has none before', migration(), { after: { max_msgs: 4 } }, []],
    ['one of what has none after', migration(), { before: { max_msgs: 5 } }, []],
    ['one of a consumer, which is made anew', worker(), { ...none, change: subjects }, []],
    [
      'subjects of a DLQ whose queue is renamed',
      migration(),
      { ...none, change: { ...subjects, role: 'dlq' }, moves: [movable(queue)] },
      [ownName],
    ],
    [
      'subjects of a DLQ whose queue only gets another storage',
      migration(),
      { ...none, change: { ...subjects, role: 'dlq' }, moves: [movable(migration({ name: 'P', from: 'P' }))] },
      [others],
    ],
    [
      'subjects of a DLQ whose queue cannot be moved',
      migration(),
      { ...none, change: { ...subjects, role: 'dlq' }, moves: [['stream R', { is: 'refused', refusals: [] }]] },
      [others],
    ],
    [
      'subjects of a DLQ beside a bucket that is renamed',
      migration(),
      { ...none, change: { ...subjects, role: 'dlq' }, moves: [movable(bucket())] },
      [others],
    ],
    [
      'subjects of a DLQ whose queue has a consumer renamed',
      migration(),
      {
        ...none,
        change: { ...subjects, role: 'dlq' },
        moves: [movable(migration({ name: 'P', from: 'P', consumers: [consumer({ to: 'v' })] }))],
      },
      [ownName],
    ],
    [
      'subjects of a queue whose other is renamed',
      migration(),
      { ...none, change: subjects, moves: [movable(queue)] },
      [others],
    ],
    [
      'the limits of a DLQ whose queue is renamed',
      migration(),
      { ...sides, change: { role: 'dlq' }, moves: [movable(queue)] },
      [lower],
    ],
    [
      'subjects of a DLQ that is itself renamed, alone',
      renaming(),
      { ...none, change: { ...subjects, role: 'dlq' } },
      [others.replaceAll('stream Q', 'stream N')],
    ],
  ])('%s', (_, of, parts, want) =>
    expect([...told('while it is moved', of, parts), ...told('together with', of, parts)]).toEqual(want),
  );
  test('a DLQ that is renamed too keeps its name before', () => {
    const [one] = findings(renaming(), {
      ...none,
      change: { ...subjects, role: 'dlq' },
      moves: [movable(queue)],
    }).filter(({ message }) => message.includes('together'));
    expect(one?.hint).toBe(
      'apply the other name of the queue first, with this DLQ called Q still; then that of the DLQ',
    );
  });
});

const usage = (used: Partial<AccountUsage>, limits: Partial<AccountUsage['limits']> = {}): AccountUsage => ({
  ...{ storage: 0, memory: 0, reserved_storage: 0, reserved_memory: 0, streams: 1, consumers: 0 },
  ...used,
  limits: { max_storage: -1, max_memory: -1, max_streams: -1, max_consumers: -1, ...limits },
});
const NO_ROOM = 'a copy that finds none is removed again, before anything is closed';

describe('the room of a copy', () => {
  const KIB = 1024;
  const MIB = 1024 * KIB;
  const GIB = 1024 * MIB;
  test.each([
    [1, '1B'],
    [10 * KIB - 1, '10239B'],
    [10 * KIB, '10KiB'],
    [10 * KIB + 1, '11KiB'],
    [10 * MIB - 1, '10MiB'],
    [10 * MIB, '10MiB'],
    [10 * MIB + 1, '11MiB'],
    [10 * GIB - 1, '10GiB'],
    [10 * GIB + 1, '11GiB'],
  ])('of %d bytes is told as %s', (bytes, words) => {
    expect(told('the copy needs', migration({ after: {} }), { cost: { bytes } })).toEqual([
      `warning RISK_MIGRATE: stream Q: the copy needs ${words} of file storage meanwhile; whether there is room was not to be asked [${NO_ROOM}]`,
    ]);
  });

  const room = (parts: Parts, of: Partial<Migration> = {}): string[] =>
    findings(migration({ after: {}, ...of }), parts)
      .filter(({ message }) => message.includes('copy'))
      .map(({ severity, message }) => `${severity}${message.slice('stream Q'.length)}`);
  const free = (what: string, left = 'the account is not limited'): string[] => [
    `info: the copy needs 1000B of ${what} meanwhile; ${left}; how much the server has left it does not tell`,
  ];
  const full = (what: string, why: string): string[] => [
    `refuse: there is no room for the copy, which needs 1000B of ${what} meanwhile: ${why}`,
  ];
  const memory = { storage: 'memory' } as const;
  const set = { max_bytes: 1000 };
  test.each<[string, Parts, Partial<Migration>, string[]]>([
    ['memory without limit', { cost: memory, account: usage({}, { max_storage: 1 }) }, {}, free('memory')],
    [
      'memory exactly there',
      { cost: memory, account: usage({ memory: 500 }, { max_memory: 1500 }) },
      {},
      free('memory', 'of 1500B, 500B are used'),
    ],
    [
      'memory short by a byte',
      { cost: memory, account: usage({ memory: 501 }, { max_memory: 1500 }) },
      {},
      full('memory', 'the account may use 1500B, and 501B are used'),
    ],
    [
      'memory that is reserved',
      { cost: memory, account: usage({ reserved_memory: 4001 }, { max_memory: 5000 }) },
      { after: set },
      full(
        'memory',
        'the account may use 5000B, its streams reserve 4001B with max_bytes, and each copy 1000B more (10028)',
      ),
    ],
    [
      'all of an account that may use nothing',
      { account: usage({}, { max_storage: 0 }) },
      {},
      full('file storage', 'the account may use 0B, and 0B are used'),
    ],
    [
      'reserved by all, without a max_bytes of its own',
      { account: usage({ reserved_storage: 5001 }, { max_storage: 5000 }) },
      { after: { max_bytes: -1 } },
      free('file storage', 'of 5000B, 0B are used'),
    ],
    ['all that a stream may hold, without limit', { account: usage({}) }, { after: set }, free('file storage')],
    [
      'nothing, of an account that may use nothing',
      { account: usage({}, { max_storage: 0 }), cost: { bytes: 0 } },
      {},
      [
        'info: the copy needs 0B of file storage meanwhile; of 0B, 0B are used; how much the server has left it does not tell',
      ],
    ],
    [
      'reserved by itself, of an account that may use nothing',
      { account: usage({}, { max_storage: 0 }), cost: { bytes: 0 } },
      { after: set },
      [
        'refuse: there is no room for the copy, which needs 0B of file storage meanwhile: the account may use 0B, its streams reserve 0B with max_bytes, and each copy 1000B more (10047)',
      ],
    ],
    [
      'without replicas, which are one',
      { account: usage({ storage: 500 }, { max_storage: 1500 }) },
      { after: { num_replicas: 0 } },
      free('file storage', 'of 1500B, 500B are used'),
    ],
    [
      'of another storage, twice beside itself: exactly there',
      { account: usage({ reserved_storage: 3000 }, { max_storage: 5000 }) },
      { before: memory, after: { ...set, storage: 'file' } },
      free('file storage', 'of 5000B, 0B are used'),
    ],
    [
      'of another storage, twice beside itself: short by a byte',
      { account: usage({ reserved_storage: 3001 }, { max_storage: 5000 }) },
      { before: memory, after: { ...set, storage: 'file' } },
      full(
        'file storage',
        'the account may use 5000B, its streams reserve 3001B with max_bytes, and each copy 1000B more (10047)',
      ),
    ],
    [
      'of another storage by one hop, once',
      { account: usage({ reserved_storage: 4000 }, { max_storage: 5000 }) },
      { before: memory, after: { ...set, storage: 'file' }, hops: [{ from: 'Q', to: 'N' }] },
      free('file storage', 'of 5000B, 0B are used'),
    ],
    [
      'of the same storage by two hops, once',
      { account: usage({ reserved_storage: 4000 }, { max_storage: 5000 }) },
      { before: { storage: 'file' }, after: { ...set, storage: 'file' } },
      free('file storage', 'of 5000B, 0B are used'),
    ],
    ['without a number of streams', { account: usage({ streams: 9 }, { max_streams: 0 }) }, {}, free('file storage')],
    [
      'with streams beyond what it may have',
      { account: usage({ streams: 3 }, { max_streams: 2 }) },
      {},
      full('file storage', 'the account has all 2 streams that it may have (10027)'),
    ],
  ])('%s', (_, parts, of, want) => expect(room(parts, of)).toEqual(want));

  test('tells all that is short, and what to do', () => {
    const account = usage({ storage: 1, reserved_storage: 1 }, { max_storage: 1000, max_streams: 1 });
    const all = findings(migration({ after: set }), { account }).filter(({ message }) => message.includes('no room'));
    expect(all.map(({ hint }) => hint)).toEqual(
      Array.from({ length: 3 }, () => 'raise the limit, or make room first; it is not begun before'),
    );
    expect(told('the copy needs', migration(), { account: usage({}) })[0]).toContain(`[${NO_ROOM}]`);
  });

  test('is none of a consumer', () => expect(told('the copy', worker())).toEqual([]));
});

describe('who answers into a bucket that gets another name', () => {
  const desired = [
    { ...want('bucket new'), queue: 'N' },
    { ...want('bucket other'), queue: 'P' },
    { ...want('stream new'), queue: 'P' },
    { ...want('stream N'), movedFrom: 'Q' },
  ];
  const busy = (key: ResourceKey, num_waiting = 1, num_ack_pending = 0): ObservedResource =>
    live(key, {}, { figures: { num_waiting, num_ack_pending } });
  const rest = 'answers into old: each request would be done again and again, and die';
  const note =
    'info RISK_MIGRATE: bucket new: workers and readers have the name old, and what they do after the move is stored nowhere [stop them first, and start them with new]';
  const atWork = (who: string): string =>
    `refuse RISK_MIGRATE moved_from: bucket new: somebody is at work on ${who}, and ${rest} [stop the workers first, then start them with new]`;
  const inHand = (who: string): string =>
    `refuse RISK_MIGRATE moved_from --allow-data-loss: bucket new: of ${who} requests are in hand or given back; who has them ${rest} [stop the workers first; the server does not tell what they gave back from what they have in hand]`;
  test.each<[string, ObservedResource[], string[], Migration?]>([
    ['nobody', [], [note]],
    ['one of another queue', [busy('consumer P/w')], [note]],
    [
      'two of its queue, one of them by its name before',
      [busy('consumer N/v'), busy('consumer Q/w')],
      [note, atWork('N/v, Q/w')],
    ],
    [
      'two that have something in hand',
      [busy('consumer N/v', 0, 1), busy('consumer Q/w', 0, 2)],
      [note, inHand('N/v, Q/w')],
    ],
    ['one of each', [busy('consumer N/v'), busy('consumer Q/w', 0, 1)], [note, atWork('N/v'), inHand('Q/w')]],
    ['of a bucket that keeps its name nobody', [busy('consumer N/v')], [], bucket({ name: 'old' })],
    ['of a stream nobody', [busy('consumer N/v')], [], renaming({ name: 'new', from: 'old' })],
  ])('%s', (_, observed, want, of = bucket()) => {
    expect(told('old', of, { desired, observed }).filter((each) => !/--migrate|the copy/.test(each))).toEqual(want);
  });
  test('is told of a queue that the spec does not have', () => {
    const observed = [busy('consumer N/v')];
    expect(told('at work', bucket(), { desired: desired.slice(0, 1), observed })).toEqual([atWork('N/v')]);
  });
  test('is nobody where no queue answers into it', () => {
    const observed = [busy('consumer Q/w'), busy('consumer undefined/w')];
    const none = [want('bucket new'), ...desired.slice(1)];
    expect(told('stored nowhere', bucket(), { desired: none, observed })).toEqual([note]);
    expect(told('at work', bucket(), { desired: none, observed })).toEqual([]);
  });
});

describe('who notices what', () => {
  test.each([
    [1, '1ms'],
    [999, '999ms'],
    [1000, '1s'],
    [1049, '1s'],
    [1050, '1s100ms'],
    [9949, '9s900ms'],
    [9999, '10s'],
    [10_000, '10s'],
    [10_499, '10s'],
    [10_500, '11s'],
  ])('workers get nothing for %d ms: about %s', (workersMs, words) => {
    expect(told('workers', migration(), { cost: { workersMs } })).toEqual([
      `info RISK_MIGRATE: stream Q: workers get nothing for about ${words}, and keep what they have in hand [consume() of nats.js and osapi-ops worker run go on by themselves when the names are back; fetch() throws "consumer deleted" and must be called again]`,
    ]);
  });
  test('nor at all where it is no time', () => expect(told('workers', migration(), {})).toEqual([]));
  test('and of a stream with limits must have answered', () => {
    expect(told('workers', migration({ before: { retention: 'limits' } }), { cost: { workersMs: 1000 } })).toEqual([
      'info RISK_MIGRATE: stream Q: workers get nothing for about 1s, and must have answered, or given up, what they have in hand: what failed is tried again until then, one by one; what never ends, as without a max_deliver, is not moved [consume() of nats.js and osapi-ops worker run go on by themselves when the names are back; fetch() throws "consumer deleted" and must be called again]',
    ]);
  });
  test('watchers of a bucket must be started again', () => {
    expect(told('reads or watches', bucket(), { cost: { workersMs: 1000 } })).toEqual([
      expect.stringContaining(': who reads or watches it gets nothing for about 1s [watchers must be started again]'),
    ]);
  });

  const again =
    '[nats.go publishes again twice by itself, nats.js once, others must do it themselves; who waits for no confirmation should pause]';
  test.each([
    [0, []],
    [1, [`info RISK_MIGRATE: stream Q: publishers are told "no responders" once, for about 50ms each ${again}`]],
    [2, [`info RISK_MIGRATE: stream Q: publishers are told "no responders" 2 times, for about 50ms each ${again}`]],
  ])('publishers of %d gaps', (gaps, want) =>
    expect(told('publishers are', migration(), { cost: { gaps, gapMs: 50 } })).toEqual(want),
  );
  test.each([
    [999, []],
    [
      1000,
      [
        'info RISK_MIGRATE: stream Q: it runs for about 1s before anybody notices, so that ids of repeated publishes are known afterwards',
      ],
    ],
  ])('ids are remembered for %d ms before', (aheadMs, want) =>
    expect(told('anybody', migration(), { cost: { aheadMs } })).toEqual(want),
  );
});

describe('replicas of a cluster', () => {
  const ids =
    'info RISK_MIGRATE: stream Q: ids of the duplicate window are told to each copy again while nobody publishes: the more of them, the longer that is';
  const more = ' [the copy is made with its replicas at once: added at the end, nobody could publish for some 12s]';
  test.each<[number | undefined, number | undefined, string[]]>([
    [undefined, undefined, []],
    [1, 1, []],
    [1, 3, [ids + more]],
    [undefined, 3, [ids + more]],
    [3, 1, [ids]],
    [3, 3, [ids]],
    [3, 5, [ids + more]],
    [5, 3, [ids]],
  ])('%p to %p', (from, to, want) => {
    const of = migration({ before: { num_replicas: from ?? null }, after: { num_replicas: to ?? null } });
    expect(told('told to each copy', of, { clustered: true })).toEqual(want);
    expect(told('told to each copy', of)).toEqual([]);
    expect(told('told to each copy', worker({ before: of.before, after: of.after }), { clustered: true })).toEqual([]);
  });
});

test.each([
  [
    'a stream that can go back',
    migration(),
    true,
    'refuse RISK_UNFINISHED_MIGRATION --migrate: stream Q is half moved: nothing else is done to it before [go on with `osapi-ops apply --migrate`, or back with `osapi-ops apply --undo-migrate`]',
  ],
  [
    'a bucket that cannot',
    bucket(),
    false,
    'refuse RISK_UNFINISHED_MIGRATION --migrate: bucket new is half moved: nothing else is done to it before [go on with `osapi-ops apply --migrate`; it can no longer go back]',
  ],
])('what is half moved holds up the rest: %s', (_, of, canUndo, want) => {
  const rest = { step: 'copying', where: '', meanwhile: '', who: '', since: '' } as const;
  const all = unfinishedMove({ migration: of, canUndo, ...rest });
  expect(all.map(full)).toEqual([want]);
  expect(all[0]?.resource).toBe(keyOf(of));
});

describe('a name before beside that of now', () => {
  const consumerOf = (key: ResourceKey, movedFrom: string): DesiredResource => ({ ...want(key), movedFrom });
  const said = (key: ResourceKey, before: string): string =>
    `warning RISK_MIGRATE moved_from: ${key} has ${before} as its name before, and both are on the server: nothing is moved [if it is done, take moved_from out of the spec; if they are two things, too; ${before} stays as it is]`;
  const there = [
    'stream undefined',
    'stream P',
    'stream N',
    'stream Q',
    'consumer N/w',
    'consumer N/v',
    'consumer Q/w',
    'bucket only',
  ] as const;
  test.each<[string, DesiredResource, string[]]>([
    ['none', want('stream N'), []],
    ['one of a stream', consumerOf('stream N', 'Q'), [said('stream N', 'Q')]],
    ['one that is not there', consumerOf('stream N', 'R'), []],
    ['one whose name of now is not there', consumerOf('stream R', 'Q'), []],
    ['none, beside a stream of that name', want('stream P'), []],
    ['one that only a bucket has', consumerOf('stream N', 'only'), []],
    ['one of a consumer in its stream', consumerOf('consumer N/w', 'N/v'), [said('consumer N/w', 'N/v')]],
    ['one of a consumer in the stream before, told with that', consumerOf('consumer N/w', 'Q/w'), []],
  ])('%s', (_, one, want) => {
    expect(bothThere([one], server(there.map((key) => live(key)))).map(full)).toEqual(want);
  });
});
