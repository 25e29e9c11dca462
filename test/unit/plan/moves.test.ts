import { describe, expect, test } from '@jest/globals';
import type { AccountUsage } from '../../../src/lib/model/account.ts';
import type { Json } from '../../../src/lib/model/json.ts';
import type { Migration, MigrationCost, PlannedMigration, Unfinished } from '../../../src/lib/model/migration.ts';
import type { Finding } from '../../../src/lib/model/plan.ts';
import {
  type ConsumerFigures,
  type DesiredResource,
  keyOf,
  type ResourceKey,
  splitKey,
} from '../../../src/lib/model/resource.ts';
import { makePlan, type PlanInput } from '../../../src/lib/plan/make-plan.ts';
import { afterMoves, keysOf, renamesOf } from '../../../src/lib/plan/moves.ts';
import { refusals } from '../../../src/lib/risk/judge.ts';
import { live, server, spec, want } from './builders.ts';

const QUEUE = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new' };
const FULL = { figures: { messages: 3, consumer_count: 1 } };

const cost: MigrationCost = {
  bytes: 1000,
  storage: 'file',
  aheadMs: 120_000,
  workersMs: 3000,
  gaps: 2,
  gapMs: 50,
};

function migration(key: ResourceKey, from: string, extra: Partial<Migration> = {}): Migration {
  const { kind, name } = splitKey(key);
  const hops =
    from === name
      ? [
          { from, to: `${from}_moving` },
          { from: `${from}_moving`, to: name },
        ]
      : [{ from, to: name }];
  return {
    format: 1,
    kind,
    name,
    from,
    fields: ['storage'],
    hops: kind === 'consumer' ? [] : hops,
    created: '2026-01-01T00:00:00Z',
    before: {},
    after: {},
    consumers: [],
    dlqs: [],
    ...extra,
  };
}

const movable = (key: ResourceKey, from: string, extra: Partial<Migration> = {}): [ResourceKey, PlannedMigration] => [
  key,
  { is: 'movable', migration: migration(key, from, extra), cost },
];
const refusedMove = (key: ResourceKey): [ResourceKey, PlannedMigration] => [
  key,
  { is: 'refused', refusals: [{ why: 'COPY reads it as mirror', hint: 'take it away first' }] },
];

const was = (before: string, each: DesiredResource): DesiredResource => ({ ...each, movedFrom: before });
const line = ({ severity, code, needs, unless, message }: Finding): string =>
  `${severity} ${code}${needs ? ` --${needs}` : ''}${unless ? ` (unless --${unless})` : ''}: ${message}`;

const storage = (moves: PlanInput['moves'], more: Partial<PlanInput> = {}, config: Record<string, Json> = {}) =>
  makePlan({
    desired: spec(want('stream REQUESTS', { ...QUEUE, storage: 'memory', ...config }), want('consumer REQUESTS/w', {})),
    observed: server([live('stream REQUESTS', QUEUE, FULL), live('consumer REQUESTS/w', {})]),
    ...(moves ? { moves } : {}),
    ...more,
  });

describe('a change that cannot be made in place', () => {
  test('is replaced where nothing says that it can be moved', () => {
    const plan = storage(undefined);
    expect(plan.changes.map(({ action, name }) => [action, name])).toEqual([
      ['replace', 'REQUESTS'],
      ['replace', 'REQUESTS/w'],
    ]);
  });

  test('is moved where it can be: one step, its hops, and counted as replaced', () => {
    const plan = storage(new Map([movable('stream REQUESTS', 'REQUESTS')]));
    expect(plan.changes).toMatchObject([
      {
        action: 'migrate',
        kind: 'stream',
        name: 'REQUESTS',
        fields: [{ path: 'storage', from: 'file', to: 'memory', impact: 'replace' }],
        hops: [
          { from: 'REQUESTS', to: 'REQUESTS_moving' },
          { from: 'REQUESTS_moving', to: 'REQUESTS' },
        ],
      },
    ]);
    expect(plan.changes[0]).not.toHaveProperty('reverse');
    expect(plan.steps).toMatchObject([
      { verb: 'migrate', resource: 'stream REQUESTS', configs: [], along: [], stage: 6 },
    ]);
    expect(plan.summary).toEqual({ create: 0, update: 0, replace: 1, delete: 0, unchanged: 1 });
  });

  test('says what happens without the flag, and with it no more of that', () => {
    const moves = new Map([movable('stream REQUESTS', 'REQUESTS')]);
    const without = storage(moves);
    expect(without.findings.filter(({ unless }) => unless).map(line)).toEqual([
      'refuse RISK_REPLACE --allow-replace (unless --migrate): stream REQUESTS must be deleted and made again to change storage',
      'refuse RISK_DATA_LOSS --allow-data-loss (unless --migrate): stream REQUESTS: replacing it deletes all 3 messages',
      'warning RISK_REPLACE (unless --migrate): stream REQUESTS: its 1 consumer and all delivery counts go with it; the spec makes 1 of them again',
    ]);
    expect(storage(moves, { migrate: true }).findings.filter(({ unless }) => unless)).toEqual([]);
    const given = (...flags: ('migrate' | 'allow-replace' | 'allow-data-loss')[]) =>
      refusals(without, new Set(flags)).map(({ needs }) => needs);
    expect(given()).toEqual(['migrate', 'allow-replace', 'allow-data-loss']);
    expect(given('migrate')).toEqual([]);
    // Who agreed to the loss did not agree to a move: a saved plan does what it shows.
    expect(given('allow-replace', 'allow-data-loss')).toEqual(['migrate']);
  });

  test('says of a consumer that goes along with it nothing of its own', () => {
    const plan = makePlan({
      desired: spec(
        want('stream REQUESTS', { ...QUEUE, storage: 'memory' }),
        want('consumer REQUESTS/w', { max_waiting: 7 }),
      ),
      observed: server([
        live('stream REQUESTS', QUEUE),
        live('consumer REQUESTS/w', {}, { figures: { num_ack_pending: 1 } }),
      ]),
      moves: new Map([movable('stream REQUESTS', 'REQUESTS')]),
    });
    expect(plan.changes.map(({ action, name }) => [action, name])).toEqual([
      ['migrate', 'REQUESTS'],
      ['migrate', 'REQUESTS/w'],
    ]);
    expect(plan.findings.filter(({ resource }) => resource === 'consumer REQUESTS/w')).toEqual([]);
  });

  test('is replaced as before where it cannot be moved, and says why', () => {
    const plan = storage(new Map([refusedMove('stream REQUESTS')]));
    expect(plan.changes.map(({ action }) => action)).toEqual(['replace', 'replace']);
    expect(plan.findings.map(line)).toContain(
      'info RISK_MIGRATE: stream REQUESTS cannot be moved: COPY reads it as mirror',
    );
    expect(refusals(plan, new Set(['allow-replace', 'allow-data-loss']))).toEqual([]);
  });

  test.each<[string, Record<string, Json>, string[]]>([
    ['nothing besides', {}, []],
    ['a limit that deletes nothing', { max_msgs: 100 }, []],
    ['one that would delete', { max_age: 3600e9 }, ['max_age']],
    ['other subjects', { subjects: ['requests.>'] }, ['subjects']],
    ['another description', { description: 'x' }, []],
  ])('is moved with %s, or by itself', (_, config, stopped) => {
    const plan = storage(new Map([movable('stream REQUESTS', 'REQUESTS')]), { migrate: true }, config);
    const stops = plan.findings.filter(({ severity, needs }) => severity === 'refuse' && !needs);
    expect(stops.map(({ field }) => field)).toEqual(stopped);
  });

  test('of a consumer whose stream is moved is made on the way', () => {
    const plan = makePlan({
      desired: spec(
        want('stream REQUESTS', { ...QUEUE, storage: 'memory' }),
        want('consumer REQUESTS/w', { max_waiting: 7, max_deliver: 3 }),
        want('consumer REQUESTS/new', { filter_subject: 'requests.new' }),
      ),
      observed: server([live('stream REQUESTS', QUEUE, FULL), live('consumer REQUESTS/w', {})]),
      moves: new Map([movable('stream REQUESTS', 'REQUESTS')]),
      migrate: true,
    });
    expect(plan.changes.map(({ action, name, reason }) => [action, name, reason])).toEqual([
      ['migrate', 'REQUESTS', 'the server cannot change the storage type (10052)'],
      ['migrate', 'REQUESTS/w', 'it goes along with stream REQUESTS'],
      ['create', 'REQUESTS/new', undefined],
    ]);
    expect(plan.steps.map(({ verb, resource }) => [verb, resource])).toEqual([
      ['migrate', 'stream REQUESTS'],
      ['create', 'consumer REQUESTS/new'],
    ]);
    expect(plan.steps[0]).toMatchObject({ along: [1] });
  });
});

describe('another name', () => {
  const desired = spec(
    want('stream dead', { subjects: ['advisories.NEW'], retention: 'limits' }, 'dlq'),
    was('OLD', want('stream NEW', QUEUE)),
    was('OLD/w', want('consumer NEW/w', { max_deliver: 4 })),
  );
  const observed = server([
    live('stream dead', { subjects: ['advisories.OLD'], retention: 'limits' }),
    live('stream OLD', QUEUE, FULL),
    live('consumer OLD/w', { max_deliver: 3 }),
  ]);

  test('is moved to with what goes along; only after it its DLQ lets go of the old one', () => {
    const plan = makePlan({ desired, observed, moves: new Map([movable('stream NEW', 'OLD')]), prune: true });
    expect(plan.changes.map(({ action, name, moved_from }) => [action, name, moved_from])).toEqual([
      ['update', 'dead', undefined],
      ['migrate', 'NEW', 'OLD'],
      ['migrate', 'NEW/w', 'OLD/w'],
    ]);
    expect(plan.changes[2]?.fields.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['name', 'OLD/w', 'NEW/w'],
      ['max_deliver', 3, 4],
    ]);
    expect(plan.steps.map(({ verb, resource }) => [verb, resource])).toEqual([
      ['migrate', 'stream NEW'],
      ['update', 'stream dead'],
    ]);
    expect(Object.keys(plan.fingerprint).sort()).toEqual([
      'consumer NEW/w',
      'consumer OLD/w',
      'stream NEW',
      'stream OLD',
      'stream dead',
    ]);
    expect(refusals(plan, new Set())).toMatchObject([{ code: 'RISK_MIGRATE', needs: 'migrate' }]);
    expect(plan.leftAlone).toEqual([]);
  });

  test('of a queue comes before that of its DLQ, which has the queue in its subjects', () => {
    const both = spec(
      was('dead', want('stream other', { subjects: ['advisories.NEW'], retention: 'limits' }, 'dlq')),
      was('OLD', want('stream NEW', QUEUE)),
    );
    const moves = new Map([movable('stream other', 'dead'), movable('stream NEW', 'OLD')]);
    const stops = (some: typeof moves) =>
      refusals(makePlan({ desired: both, observed, moves: some }), new Set(['migrate'])).map(({ field }) => field);
    expect(stops(moves)).toEqual(['moved_from']);
    expect(makePlan({ desired: both, observed, moves }).findings.map(({ hint }) => hint)).toContain(
      'apply the other name of the queue first, with this DLQ called dead still; then that of the DLQ',
    );
    expect(stops(new Map([movable('stream other', 'dead')]))).toContain('subjects');
  });

  test('that cannot be moved to is refused, and nothing is made beside the old one', () => {
    const plan = makePlan({ desired, observed, moves: new Map([refusedMove('stream NEW')]) });
    expect(refusals(plan, new Set(['migrate', 'allow-replace'])).map(({ message, field }) => [field, message])).toEqual(
      [['moved_from', 'stream NEW cannot be moved from OLD: COPY reads it as mirror']],
    );
    expect(plan.steps.map(({ resource }) => resource)).toEqual(['stream dead']);
  });

  test('keeps whose change it was: what was applied under the old one counts', () => {
    const lastApplied = {
      system: 'osapi',
      configs: {
        'stream OLD': want('stream OLD', QUEUE).config,
        'consumer OLD/w': want('consumer OLD/w', { max_deliver: 4 }).config,
      },
    };
    const plan = makePlan({ desired, observed, lastApplied, moves: new Map([movable('stream NEW', 'OLD')]) });
    expect(plan.changes[2]?.fields.find(({ path }) => path === 'max_deliver')?.origin).toBe('server');
  });

  test.each<[string, readonly ResourceKey[], string[], string[]]>([
    ['the new one alone', ['stream NEW'], [], []],
    ['neither', [], ['create stream NEW'], []],
    [
      'both',
      ['stream NEW', 'stream OLD'],
      [],
      ['warning stream NEW has OLD as its name before, and both are on the server: nothing is moved'],
    ],
  ])('where there is %s', (_, there, changes, told) => {
    const plan = makePlan({
      desired: spec(was('OLD', want('stream NEW', QUEUE))),
      observed: server(there.map((key) => live(key, QUEUE))),
      moves: new Map(),
    });
    expect(plan.changes.map((change) => `${change.action} ${keyOf(change)}`)).toEqual(changes);
    expect(plan.findings.map(({ severity, message }) => `${severity} ${message}`)).toEqual(told);
  });
});

describe('what is half moved', () => {
  const begun: Unfinished = {
    migration: migration('stream REQUESTS', 'REQUESTS', { before: { storage: 'file' }, after: { storage: 'memory' } }),
    step: 'dropped',
    canUndo: false,
    where: 'REQUESTS is gone, REQUESTS_moving is open',
    meanwhile: 'workers find nothing',
    who: 'ann',
    since: '2026-01-01T00:00:00Z',
  };
  const desired = spec(want('stream REQUESTS', QUEUE), want('consumer REQUESTS/w', {}), want('bucket b'));

  test('is gone on with, and nothing else is done to it: neither made nor removed', () => {
    const observed = server([live('stream REQUESTS_moving', QUEUE, FULL)]);
    const plan = makePlan({ desired, observed, unfinished: [begun], prune: true });
    expect(plan.changes.map((change) => [change.action, keyOf(change), change.reason])).toEqual([
      [
        'migrate',
        'stream REQUESTS',
        'ann began to move it on 2026-01-01T00:00:00Z, and it is not done: REQUESTS is gone, REQUESTS_moving is open; workers find nothing',
      ],
      ['create', 'bucket b', undefined],
    ]);
    expect(plan.changes[0]?.fields.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['storage', 'file', 'memory'],
    ]);
    expect(plan.steps.map(({ verb, resource }) => [verb, resource])).toEqual([
      ['create', 'bucket b'],
      ['migrate', 'stream REQUESTS'],
    ]);
    expect(refusals(plan, new Set())).toMatchObject([{ code: 'RISK_UNFINISHED_MIGRATION', needs: 'migrate' }]);
    expect(plan.findings[0]?.hint).toBe('go on with `osapi-ops apply --migrate`; it can no longer go back');
  });

  test('of a consumer holds up that one only', () => {
    const one = migration('consumer REQUESTS/w', 'REQUESTS/old', {
      fields: ['name', 'max_waiting'],
      consumers: [{ from: 'old', to: 'w', created: '', before: { max_waiting: 1 }, after: { max_waiting: 2 } }],
    });
    const observed = server([live('stream REQUESTS', { ...QUEUE, description: 'x' })]);
    const plan = makePlan({ desired, observed, unfinished: [{ ...begun, migration: one, canUndo: true }] });
    expect(plan.changes.map((change) => `${change.action} ${keyOf(change)}`)).toEqual([
      'migrate consumer REQUESTS/w',
      'update stream REQUESTS',
      'create bucket b',
    ]);
    expect(plan.changes[0]).toMatchObject({
      moved_from: 'REQUESTS/old',
      fields: [
        { path: 'name', from: 'REQUESTS/old', to: 'REQUESTS/w' },
        { path: 'max_waiting', from: 1, to: 2 },
      ],
    });
    expect(plan.findings[0]?.hint).toContain('or back with `osapi-ops apply --undo-migrate`');
  });
});

describe('the room of a copy', () => {
  const usage = (storage: number, limits: Partial<AccountUsage['limits']>, more: Partial<AccountUsage> = {}) => ({
    storage,
    memory: 0,
    reserved_storage: 0,
    reserved_memory: 0,
    streams: 1,
    consumers: 0,
    limits: { max_storage: -1, max_memory: -1, max_streams: -1, max_consumers: -1, ...limits },
    ...more,
  });
  const tiered = (tiers: AccountUsage['tiers']): AccountUsage => ({ ...usage(0, {}), tiers });
  const told = (account: AccountUsage | undefined, extra: Partial<Migration> = {}): string[] =>
    storage(new Map([movable('stream REQUESTS', 'REQUESTS', extra)]), {
      migrate: true,
      ...(account ? { account } : {}),
    })
      .findings.filter(({ message }) => message.includes('the copy'))
      .map(({ severity, message }) => `${severity}${message.slice('stream REQUESTS'.length)}`);
  const UNTOLD = 'how much the server has left it does not tell';
  const NEEDS = 'needs 1000B of file storage meanwhile';
  const NONE = `refuse: there is no room for the copy, which ${NEEDS}`;

  test.each<[string, AccountUsage | undefined, Partial<Migration>, string[]]>([
    ['not to be asked', undefined, {}, [`warning: the copy ${NEEDS}; whether there is room was not to be asked`]],
    ['without a limit', usage(5000, {}), {}, [`info: the copy ${NEEDS}; the account is not limited; ${UNTOLD}`]],
    [
      'exactly there',
      usage(500, { max_storage: 1500 }),
      {},
      [`info: the copy ${NEEDS}; of 1500B, 500B are used; ${UNTOLD}`],
    ],
    [
      'short by a byte',
      usage(501, { max_storage: 1500 }),
      {},
      [`${NONE}: the account may use 1500B, and 501B are used`],
    ],
    [
      'reserved exactly',
      usage(0, { max_storage: 5000 }, { reserved_storage: 4000 }),
      { after: { max_bytes: 1000 } },
      [`info: the copy ${NEEDS}; of 5000B, 0B are used; ${UNTOLD}`],
    ],
    [
      'reserved by one byte more',
      usage(0, { max_storage: 5000 }, { reserved_storage: 4001 }),
      { after: { max_bytes: 1000 } },
      [
        `${NONE}: the account may use 5000B, its streams reserve 4001B with max_bytes, and each copy 1000B more (10047)`,
      ],
    ],
    [
      'for one stream more',
      usage(0, { max_streams: 2 }),
      {},
      [`info: the copy ${NEEDS}; the account is not limited; ${UNTOLD}`],
    ],
    [
      'for no stream more',
      usage(0, { max_streams: 1 }),
      {},
      [`${NONE}: the account has all 1 streams that it may have (10027)`],
    ],
    [
      'exactly there for each replica, which an account counts',
      usage(1500, { max_storage: 4500 }),
      { after: { num_replicas: 3 } },
      [`info: the copy needs 3000B of file storage meanwhile; of 4500B, 1500B are used; ${UNTOLD}`],
    ],
    [
      'short by a byte for each replica',
      usage(1501, { max_storage: 4500 }),
      { after: { num_replicas: 3 } },
      [
        'refuse: there is no room for the copy, which needs 3000B of file storage meanwhile: the account may use 4500B, and 1501B are used',
      ],
    ],
    [
      'exactly there in its tier, whose limit is of one replica',
      tiered({ R1: usage(0, { max_storage: 1 }), R3: usage(1500, { max_storage: 1500, max_streams: 2 }) }),
      { after: { num_replicas: 3 } },
      [`info: the copy ${NEEDS}; of 1500B, 500B are used; ${UNTOLD}`],
    ],
    [
      'short by a byte in its tier',
      tiered({ R1: usage(0, {}), R3: usage(1503, { max_storage: 1500 }) }),
      { after: { num_replicas: 3 } },
      [`${NONE}: the account may use in tier R3 1500B, and 501B are used`],
    ],
    [
      'for no stream more in its tier',
      tiered({ R1: usage(0, { max_streams: 1 }), R3: usage(0, {}) }),
      {},
      [`${NONE}: the account has all 1 streams that it may have of R1 (10027)`],
    ],
    ['in no tier, which is told of elsewhere', tiered({ R3: usage(0, {}) }), {}, []],
  ])('%s', (_, account, extra, want) => expect(told(account, extra)).toEqual(want));
});

test('who notices a move is told: times that are guesses are round', () => {
  const notes = storage(new Map([movable('stream REQUESTS', 'REQUESTS')]), { migrate: true }).findings;
  expect(notes.filter(({ severity }) => severity === 'info').map(({ message }) => message.slice(17))).toEqual([
    'it runs for about 2m before anybody notices, so that ids of repeated publishes are known afterwards',
    'publishers are told "no responders" 2 times, for about 50ms each',
    'workers get nothing for about 3s, and keep what they have in hand',
  ]);
});

describe('another name of the bucket that workers answer into', () => {
  const bucket = was('resp2', { ...want('bucket resp3'), queue: 'REQUESTS' });
  const told = (figures: Partial<ConsumerFigures>, queue = 'REQUESTS'): string[] =>
    makePlan({
      desired: spec(
        bucket,
        queue === 'REQUESTS' ? want('stream REQUESTS', QUEUE) : was(queue, want('stream REQUESTS', QUEUE)),
      ),
      observed: server([
        live('bucket resp2'),
        live(`stream ${queue}`, QUEUE),
        live(`consumer ${queue}/w`, {}, { figures }),
        live('stream OTHER', { ...QUEUE, subjects: ['other'] }),
        live('consumer OTHER/o', {}, { figures: { num_waiting: 9 } }),
      ]),
      moves: new Map([movable('bucket resp3', 'resp2', { fields: ['name'] }), movable('stream REQUESTS', queue)]),
      migrate: true,
    })
      .findings.filter(({ resource, message }) => resource === 'bucket resp3' && message.includes('resp2'))
      .filter(({ needs }) => needs !== 'migrate')
      .map(line);
  const NOTE =
    'info RISK_MIGRATE: bucket resp3: workers and readers have the name resp2, and what they do after the move is stored nowhere';
  const DOUBT =
    'refuse RISK_MIGRATE --allow-data-loss: bucket resp3: of REQUESTS/w requests are in hand or given back; who has them answers into resp2: each request would be done again and again, and die';
  const busy = (who: string) =>
    `refuse RISK_MIGRATE: bucket resp3: somebody is at work on ${who}, and answers into resp2: each request would be done again and again, and die`;

  test.each<[string, Partial<ConsumerFigures>, string, string[]]>([
    ['nobody is at work', {}, 'REQUESTS', [NOTE]],
    ['one asks for more', { num_waiting: 1 }, 'REQUESTS', [NOTE, busy('REQUESTS/w')]],
    [
      'one asks, with something in hand',
      { num_waiting: 1, num_ack_pending: 1 },
      'REQUESTS',
      [NOTE, busy('REQUESTS/w')],
    ],
    ['something is in hand, or given back', { num_ack_pending: 1 }, 'REQUESTS', [NOTE, DOUBT]],
    ['the queue gets another name too', { num_waiting: 1 }, 'OLD', [NOTE, busy('OLD/w')]],
  ])('%s', (_, figures, queue, want) => {
    expect(told(figures, queue)).toEqual(want);
  });
});

test.each<[string, Partial<Migration>, string]>([
  ['whose names come back go on', {}, 'go on by themselves when the names are back'],
  ['of another name are started with it', { name: 'OTHER' }, 'workers must be started with the new name'],
  [
    'of another consumer too',
    { consumers: [{ from: 'w', to: 'v', created: '', before: {}, after: {} }] },
    'workers must be started with the new name',
  ],
])('workers %s', (_, extra, hint) => {
  const { findings } = storage(new Map([movable('stream REQUESTS', 'REQUESTS', extra)]), { migrate: true });
  expect(findings.find(({ message }) => message.includes('workers get nothing'))?.hint).toContain(hint);
});

describe('the name before of a consumer', () => {
  const consumer = (name: string, movedFrom: string) => ({ ...want(`consumer ${name}`), movedFrom });
  const table: [string, ResourceKey, string, string, string | undefined][] = [
    ['is in the stream of now, once that is moved', 'stream NEW', 'OLD/w', 'NEW/v', 'NEW/w'],
    ['is none, where it went along with its stream', 'stream NEW', 'OLD/w', 'NEW/w', undefined],
    ['is what it was, where its stream is not moved', 'stream OLD', 'OLD/w', 'NEW/v', 'OLD/w'],
  ];
  test.each(table)('%s', (_what, there, before, name, is) => {
    const [found] = afterMoves([consumer(name, before)], server([live(there, QUEUE)]));
    expect(found?.movedFrom).toBe(is);
  });

  test('is looked for in both streams', () => {
    expect(keysOf(consumer('NEW/v', 'OLD/w'))).toEqual(['consumer NEW/v', 'consumer OLD/w', 'consumer NEW/w']);
    expect(keysOf(consumer('NEW/w', 'OLD/w'))).toEqual(['consumer NEW/w', 'consumer OLD/w']);
    expect(keysOf(want('consumer NEW/w'))).toEqual(['consumer NEW/w']);
    expect(keysOf(was('OLD', want('stream NEW')))).toEqual(['stream NEW', 'stream OLD']);
  });

  test('is none where the spec tells none', () => {
    const [one, there] = [want('consumer NEW/w'), server([live('stream NEW', QUEUE)])];
    expect(afterMoves([one], there)[0]).toBe(one);
  });
});

test('what the server has under a name before is found by it, and only where there is one', () => {
  const there = server([live('stream OLD', QUEUE), live('stream undefined', QUEUE), live('stream BOTH', QUEUE)]);
  const wanted = [
    was('OLD', want('stream NEW')),
    was('P', want('stream Q')),
    want('stream R'),
    was('OLD', want('stream BOTH')),
  ];
  expect([...renamesOf(wanted, there)]).toEqual([['stream NEW', 'stream OLD']]);
});

describe('another name as a change', () => {
  const name = (kind: string, from: string, to: string) => ({
    path: 'name',
    from,
    to,
    impact: 'replace',
    origin: 'spec',
    note: `the server cannot change the name of a ${kind}`,
  });
  const only = (wanted: DesiredResource, there: ResourceKey, config: Record<string, Json> = {}) => {
    const at = keyOf(wanted);
    const planned = migration(at, splitKey(there).name);
    const observed = server([live(there, config), live('stream S', { ...QUEUE, retention: 'limits' })]);
    return makePlan({
      desired: spec(want('stream S', { ...QUEUE, retention: 'limits' }), wanted),
      observed,
      moves: new Map([[at, { is: 'movable', migration: planned, cost }]]),
    }).changes;
  };
  test('alone', () => {
    expect(only(was('old', want('bucket new')), 'bucket old')).toEqual([
      {
        action: 'migrate',
        kind: 'bucket',
        name: 'new',
        role: 'responses',
        fields: [name('bucket', 'old', 'new')],
        origin: 'spec',
        reason: 'the server cannot change the name of a bucket',
        moved_from: 'old',
        hops: [{ from: 'old', to: 'new' }],
      },
    ]);
  });
  test('with another storage', () => {
    const [change] = only(was('old', want('bucket new', { storage: 'memory' })), 'bucket old');
    expect(change).toMatchObject({
      reason: 'the server cannot change the name of a bucket; the server cannot change the storage type (10052)',
      fields: [{ path: 'name' }, { path: 'storage', from: 'file', to: 'memory' }],
    });
  });
  test('of a consumer whose times change with it', () => {
    const [change] = only(
      was('S/v', want('consumer S/w', { ack_policy: 'explicit', max_deliver: 2, ack_wait: 1e9 })),
      'consumer S/v',
      {
        ack_policy: 'explicit',
      },
    );
    expect(change?.retries).toBeDefined();
    expect(change?.fields.map(({ path }) => path)).toEqual(['name', 'ack_wait', 'max_deliver']);
    expect(only(was('S/v', want('consumer S/w')), 'consumer S/v')[0]).not.toHaveProperty('retries');
  });
});
