import { describe, expect, test } from '@jest/globals';
import { DEFECTS } from '../../../src/lib/facts/defects.ts';
import { aboutBytes, percentOf } from '../../../src/lib/health/check.ts';
import { type ConsumerState, deathsOf, type QueueState } from '../../../src/lib/health/snapshot.ts';
import { judgeHealth, unreachedReport } from '../../../src/lib/health/verdict.ts';
import type { Unfinished } from '../../../src/lib/model/migration.ts';
import type { Change } from '../../../src/lib/model/plan.ts';
import type { ResourceKey } from '../../../src/lib/model/resource.ts';
import { aboutMs } from '../../../src/lib/model/units.ts';
import { ago, consumerOf, deadOf, failingOf, queueOf, snapshotOf, streamOf, target } from './builders.ts';
import { check, judged, namesOf, queue } from './judged.ts';

const MIB = 1024 ** 2;
const URL = 'nats://127.0.0.1:4222';

judged({ id: 'connection', name: 'connection', threshold: { warn: 500, critical: 1000 }, next: 'osapi-ops doctor' }, [
  ...(
    [
      [0.5, 'ok', 0.5, '0.5'],
      [9.994, 'ok', 9.99, '9.99'],
      [10, 'ok', 10, '10'],
      [10.4, 'ok', 10.4, '10'],
      [499.99, 'ok', 499.99, '500'],
      [500, 'warn', 500, '500'],
      [999.99, 'warn', 999.99, '1000'],
      [1000, 'critical', 1000, '1000'],
    ] as const
  ).map(([rttMs, status, value, ms]) => ({
    name: `an answer in ${rttMs} ms`,
    of: snapshotOf({ rttMs }),
    status,
    value,
    says: `${URL} answers in ${ms} ms`,
  })),
]);

judged({ id: 'server', name: 'server', next: 'osapi-ops doctor' }, [
  { name: 'of our time', of: snapshotOf(), status: 'ok', says: 'nats-server 2.15.1' },
  {
    name: 'of a cluster',
    of: snapshotOf({ target: target('2.15.1', 'C1') }),
    status: 'ok',
    says: 'nats-server 2.15.1, cluster C1',
  },
  { name: 'the oldest', of: snapshotOf({ target: target('2.10.0') }), status: 'ok', says: 'nats-server 2.10.0' },
  {
    name: 'too old',
    of: snapshotOf({ target: target('2.9.99') }),
    status: 'critical',
    says: 'nats-server 2.9.99 is older than 2.10, the oldest this design works on',
  },
]);

test.each<{ step: Unfinished['step']; isPaused: boolean; of?: string; status: string; says: string }>([
  { step: 'intended', isPaused: false, status: 'warn', says: 'workers may be paused' },
  { step: 'copying', isPaused: false, status: 'warn', says: 'workers may be paused' },
  { step: 'copying', isPaused: true, status: 'critical', says: 'workers are paused' },
  { step: 'copying', isPaused: true, of: 'REQUESTS_moving', status: 'critical', says: 'workers are paused' },
  { step: 'copying', isPaused: true, of: 'OTHER', status: 'warn', says: 'workers may be paused' },
  { step: 'dropped', isPaused: false, status: 'critical', says: 'workers may be paused' },
  { step: 'recopying', isPaused: false, status: 'critical', says: 'workers may be paused' },
])(
  'what is half moved at $step, pause of $of: $isPaused, is $status',
  ({ step, isPaused, of = 'REQUESTS', status, says }) => {
    const migration = {
      kind: 'stream',
      name: 'REQUESTS',
      from: 'REQUESTS',
      hops: [{ from: 'REQUESTS', to: 'REQUESTS_moving' }],
    } as unknown as Unfinished['migration'];
    const meanwhile = 'workers may be paused';
    const unfinished = [{ migration, step, where: 'W', meanwhile, canUndo: true, who: 'jo', since: 'S' }];
    const consumers = [consumerOf(isPaused ? { pausedUntil: ago(-1000) } : {})];
    expect(
      check(snapshotOf({ unfinished, queues: [queueOf({ name: of, consumers })] }), 'REQUESTS.migration'),
    ).toMatchObject({
      status,
      summary: `stream REQUESTS is being moved by jo since S: W; ${says}; --undo-migrate takes it back`,
      next: 'osapi-ops apply prod.yaml --migrate',
    });
    const late = unfinished.map((one) => ({ ...one, canUndo: false }));
    expect(check(snapshotOf({ unfinished: late }), 'REQUESTS.migration').summary).toMatch(
      /; it can no longer go back$/,
    );
  },
);

describe('the check defects', () => {
  test.each<{ name: string; version: string; cluster?: string; told: string[] }>([
    { name: 'of a new server', version: '2.15.1', cluster: 'c', told: [] },
    { name: 'of a cluster that loses the dead', version: '2.12.8', cluster: 'c', told: ['dead-letters-lost'] },
    { name: 'of a newer line without the fix', version: '2.14.0', cluster: 'c', told: ['dead-letters-lost'] },
    { name: 'of an older line with the fix', version: '2.12.9', cluster: 'c', told: [] },
    { name: 'of the same server alone', version: '2.12.8', told: [] },
    { name: 'of the oldest server', version: '2.10.0', cluster: 'c', told: ['dead-letters-lost'] },
  ])('$name has $told', ({ version, cluster, told }) => {
    const defects = DEFECTS.filter(({ id }) => told.includes(id));
    expect(check(snapshotOf({ target: target(version, cluster) }), 'defects')).toEqual({
      id: 'defects',
      name: 'defects',
      status: told.length > 0 ? 'warn' : 'ok',
      summary:
        told.length > 0
          ? defects.map(({ effect, source, advice }) => `${effect} (${source}); ${advice}`).join('. ')
          : `no defect of ${version} is known that loses messages of this system`,
      value: told.length,
      threshold: { warn: 1, critical: null },
      next: told.length > 0 ? 'osapi-ops doctor' : undefined,
    });
  });
});

const account = (used: object, limits: object = {}) => {
  const { account: all } = snapshotOf();
  return snapshotOf({ account: { ...all!, ...used, limits: { ...all!.limits, ...limits } } });
};
judged({ id: 'storage', name: 'storage', next: 'osapi-ops doctor' }, [
  {
    name: 'no limits',
    of: account({ storage: 3 * MIB, streams: 1 }, { max_memory: 0 }),
    status: 'ok',
    says: '3.0 MiB stored, 1 stream; the account has no limits',
  },
  {
    name: 'limits that we may not see',
    of: snapshotOf({ account: undefined }),
    status: 'unknown',
    says: 'this user may not read the limits of the account',
  },
]);
judged({ id: 'storage', name: 'storage', threshold: { warn: 70, critical: 90 }, next: 'nats account info' }, [
  ...(
    [
      [699, 'ok', 69.9],
      [700, 'warn', 70],
      [899, 'warn', 89.9],
      [900, 'critical', 90],
    ] as const
  ).map(([storage, status, value]) => ({
    name: `${value} %`,
    of: account({ storage }, { max_storage: 1000 }),
    status,
    value,
    says: `storage: ${storage} B of 1000 B that the account may use (${value} %)`,
  })),
  {
    name: 'the nearest of several limits is told',
    of: account(
      { storage: 10, memory: 2 * MIB, streams: 3, consumers: 4 },
      { max_storage: 1000, max_memory: 4 * MIB, max_streams: 100, max_consumers: 100 },
    ),
    status: 'ok',
    value: 50,
    says: 'memory: 2.0 MiB of 4.0 MiB that the account may use (50 %)',
  },
  {
    name: 'streams',
    of: account({ streams: 7 }, { max_streams: 10, max_consumers: 10 }),
    status: 'warn',
    value: 70,
    says: 'streams: 7 of 10 that the account may use (70 %)',
  },
  {
    name: 'consumers',
    of: account({ consumers: 10 }, { max_storage: 2048, max_consumers: 10 }),
    status: 'critical',
    value: 100,
    says: 'consumers: 10 of 10 that the account may use (100 %)',
  },
]);

const deleted = (origin: Change['origin']): Change => ({
  action: 'create',
  kind: 'consumer',
  name: 'REQUESTS/w',
  role: 'worker',
  fields: [],
  origin,
});
const withoutConsumer = (origin: Change['origin'], missing: ResourceKey[] = []) =>
  snapshotOf({ missing: ['consumer REQUESTS/w', ...missing], drift: { known: true, changes: [deleted(origin)] } });
test.each([
  { name: 'was deleted', of: withoutConsumer('server'), next: 'osapi-ops plan prod.yaml' },
  { name: 'is new', of: withoutConsumer('spec'), next: 'osapi-ops apply prod.yaml' },
  {
    name: 'went with its stream',
    of: withoutConsumer('server', ['stream REQUESTS']),
    next: 'osapi-ops apply prod.yaml',
  },
])('the line for a consumer that $name: $next', ({ of, next }) => {
  const { checks } = judgeHealth(of);
  expect(checks.find(({ id }) => id === 'resources')?.next).toBe(next);
});

const unknownDrift = { drift: { known: false, why: 'nothing was applied' } } as const;
const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `bucket ${name}` as const);
judged(
  { id: 'resources', name: 'resources', threshold: { warn: null, critical: 1 }, next: 'osapi-ops apply prod.yaml' },
  [
    { name: 'all there', of: snapshotOf(), status: 'ok', value: 0, says: 'all 1 are there' },
    {
      name: 'one missing',
      of: snapshotOf({ missing: ['bucket responses'] }),
      status: 'critical',
      value: 1,
      says: 'missing: bucket responses',
    },
    {
      name: 'five missing are all named',
      of: snapshotOf({ missing: six.slice(1) }),
      status: 'critical',
      value: 5,
      says: 'missing: bucket b, bucket c, bucket d, bucket e, bucket f',
    },
    {
      name: 'of six, one is counted only',
      of: snapshotOf({ missing: six, source: undefined }),
      status: 'critical',
      value: 6,
      says: 'missing: bucket a, bucket b, bucket c, bucket d, bucket e and 1 more',
      next: 'osapi-ops apply',
    },
    {
      name: 'missing, of no spec',
      of: snapshotOf({ missing: ['bucket b'], ...unknownDrift }),
      status: 'critical',
      value: 1,
      says: 'missing: bucket b',
      next: 'nats server report jetstream',
    },
    {
      name: 'without a leader',
      of: snapshotOf({ missing: ['stream X'], silent: new Map([['stream X', 'it has no leader']]) }),
      status: 'critical',
      value: 1,
      says: 'stream X: it has no leader',
      next: 'nats server report jetstream',
    },
    {
      name: 'missing and silent',
      of: snapshotOf({
        missing: ['bucket b', 'stream X'],
        silent: new Map([
          ['stream X', 'it has no leader'],
          ['stream Y', 'it does not answer'],
        ]),
      }),
      status: 'critical',
      value: 3,
      says: 'missing: bucket b; stream X: it has no leader, stream Y: it does not answer',
    },
  ],
);

const field = { path: 'max_msgs', from: 10, to: 20, impact: 'in-place', origin: 'server' } as const;
const change: Change = {
  action: 'update',
  kind: 'stream',
  name: 'REQUESTS',
  role: 'queue',
  origin: 'server',
  fields: [field],
};
const drifted = (...changes: Change[]) => snapshotOf({ drift: { known: true, changes } });
judged({ id: 'drift', name: 'drift', threshold: { warn: 1, critical: null }, next: 'osapi-ops plan prod.yaml' }, [
  { name: 'as declared', of: snapshotOf(), status: 'ok', value: 0, says: 'as the spec says' },
  {
    name: 'what is missing, which resources tells',
    of: drifted({ ...change, action: 'create' }),
    status: 'ok',
    value: 0,
    says: 'as the spec says',
  },
  {
    name: 'fields that differ, that the server lacks, that the spec leaves out',
    of: drifted({
      ...change,
      fields: [
        field,
        { ...field, path: 'storage', from: 'memory', to: 'file' },
        { ...field, from: null },
        { ...field, path: 'tags', from: ['a'], to: null },
      ],
    }),
    status: 'warn',
    value: 1,
    says: 'stream REQUESTS: max_msgs is 10, not 20, storage is memory, not file, max_msgs is not set, and should be 20, tags is ["a"], and should not be set',
  },
  {
    name: 'what goes only with another, or for no reason that is told',
    of: {
      ...drifted(
        { ...change, action: 'replace', fields: [], reason: 'its stream is replaced' },
        { ...change, action: 'create' },
        { ...change, name: 'OLD', action: 'delete', fields: [] },
      ),
      source: undefined,
    },
    status: 'warn',
    value: 2,
    says: 'stream REQUESTS: its stream is replaced; stream OLD: to delete',
    next: 'osapi-ops plan',
  },
]);
judged({ id: 'drift', name: 'drift', next: 'osapi-ops export' }, [
  { name: 'nothing applied', of: snapshotOf(unknownDrift), status: 'unknown', says: 'nothing was applied' },
]);

const peer = (name: string, fields: object = {}) => ({ name, current: true, offline: false, lag: 0, ...fields });
const placed = (fields: object = {}, replicas = 3) =>
  snapshotOf({
    target: target('2.15.1', 'C1'),
    placed: [{ name: 'REQUESTS', replicas, cluster: { leader: 'n1', replicas: [peer('n2'), peer('n3')], ...fields } }],
  });
const bare = (replicas: number, cluster?: string) =>
  snapshotOf({ target: target('2.15.1', cluster), placed: [{ name: 'REQUESTS', replicas }] });
const REPLICAS = { id: 'REQUESTS.replicas', name: 'replicas', resource: 'REQUESTS' } as const;
judged({ ...REPLICAS, threshold: { warn: 200, critical: null }, next: 'nats server report jetstream' }, [
  { name: 'all current', of: placed(), status: 'ok', value: 0, says: 'led by n1, 3 replicas are current' },
  {
    name: 'a little behind',
    of: placed({ replicas: [peer('n2', { lag: 199 }), peer('n3')] }),
    status: 'ok',
    value: 199,
    says: 'led by n1, 3 replicas are current',
  },
  {
    name: 'behind',
    of: placed({ replicas: [peer('n2', { lag: 200 }), peer('n3')] }),
    status: 'warn',
    value: 200,
    says: 'behind by up to 200',
  },
  {
    name: 'all that a replica can be',
    of: placed(
      {
        replicas: [
          peer('n2', { offline: true, current: false }),
          peer('n3', { current: false }),
          peer('n4', { offline: true, current: false, lag: 300 }),
          peer('n5', { current: false }),
        ],
      },
      7,
    ),
    status: 'warn',
    value: 300,
    says: 'offline: n2, n4; not current: n3, n5; 2 of 7 are not placed yet; behind by up to 300',
  },
  {
    name: 'not placed yet',
    of: placed({ replicas: [peer('n2')] }),
    status: 'warn',
    value: 0,
    says: '1 of 3 are not placed yet',
  },
  {
    name: 'no leader',
    of: placed({ leader: undefined }),
    status: 'critical',
    value: 0,
    says: 'there is no leader: nothing can be stored or delivered',
  },
  {
    name: 'no leader of the only replica',
    of: placed({ leader: undefined, replicas: [] }, 1),
    status: 'critical',
    value: 0,
    says: 'there is no leader: nothing can be stored or delivered',
  },
]);
judged({ ...REPLICAS, next: 'nats server list' }, [
  {
    name: 'two asked of a single server',
    of: bare(2),
    status: 'warn',
    says: '2 replicas asked for, but this is a single server: it holds the only copy',
  },
]);
test.each([
  ['of a single server with the one it was asked for', bare(1)],
  ['of a cluster that tells none', bare(3, 'C1')],
  ['of a single replica with its leader', placed({ replicas: [] }, 1)],
])('no check of replicas is made %s', (_, snapshot) => {
  expect(namesOf(snapshot)).toStrictEqual(namesOf(snapshotOf()));
});

const QUEUE = { resource: 'REQUESTS' } as const;
const USAGE = { warn: 70, critical: 90 };
const filled = (messages: number, more: Partial<QueueState> = {}, config: object = {}) =>
  queue({ stream: streamOf({ messages }, { max_msgs: 1000, ...config }), ...more });
const none = '0 waiting, 0 in flight, 0 dead';
judged(
  {
    id: 'REQUESTS.usage',
    name: 'usage',
    ...QUEUE,
    threshold: USAGE,
    next: 'osapi-ops queue drain REQUESTS',
  },
  [
    { name: 'room', of: filled(699), status: 'ok', value: 69.9, says: `699 of max_msgs 1000 (69.9 %); ${none}` },
    {
      name: 'little room, looked at once',
      of: filled(700),
      status: 'warn',
      value: 70,
      says: `700 of max_msgs 1000 (70 %); ${none}; room for 300 messages; when it is full, publishers are refused (10077); how fast it grows is not known`,
    },
    {
      name: 'room for one, and it does not grow',
      of: filled(999, { growth: { messages: 0, bytes: 5 } }),
      status: 'critical',
      value: 99.9,
      says: `999 of max_msgs 1000 (99.9 %); ${none}; room for 1 message; it does not grow now; when it is full, publishers are refused (10077)`,
    },
    {
      name: 'it shrinks',
      of: filled(899, { growth: { messages: -3, bytes: 0 } }, { discard: 'old' }),
      status: 'warn',
      value: 89.9,
      says: `899 of max_msgs 1000 (89.9 %); ${none}; room for 101 messages; it does not grow now; when it is full, the oldest messages are dropped, unprocessed`,
    },
    {
      name: 'it fills up',
      of: filled(900, { growth: { messages: 0.1, bytes: 0 } }),
      status: 'critical',
      value: 90,
      says: `900 of max_msgs 1000 (90 %); ${none}; room for 100 messages; in about 16m40s at the present rate publishers are refused (10077)`,
    },
    {
      name: 'full of the dead',
      of: filled(1000, { deadState: deadOf({ dead: 2 }), consumers: [consumerOf({ pending: 3, ackPending: 4 })] }),
      status: 'critical',
      value: 100,
      says: '1000 of max_msgs 1000 (100 %); 3 waiting, 4 in flight, 2 dead; full: publishers are refused (10077)',
      next: 'osapi-ops dlq ls --queue REQUESTS',
    },
    {
      name: 'full of nobody knows how many dead',
      of: filled(1000, { deadState: deadOf({ dead: 0, unknown: 'too many to look into' }) }),
      status: 'critical',
      value: 100,
      says: '1000 of max_msgs 1000 (100 %); 0 waiting, 0 in flight, an unknown number dead; full: publishers are refused (10077)',
    },
    {
      name: 'full, and it drops its oldest',
      of: filled(1000, {}, { discard: 'old' }),
      status: 'critical',
      value: 100,
      says: `1000 of max_msgs 1000 (100 %); ${none}; full: the oldest messages are dropped, unprocessed`,
    },
    {
      name: 'of two limits the nearest, and nobody who could be told from the dead',
      of: queue({
        stream: streamOf({ messages: 1, bytes: 7 * MIB }, { max_msgs: 10, max_bytes: 10 * MIB }),
        growth: { messages: 0, bytes: MIB },
        deadState: undefined,
      }),
      status: 'warn',
      value: 70,
      says: '7.0 MiB of max_bytes 10.0 MiB (70 %); room for 3.0 MiB; in about 3s at the present rate publishers are refused (10077)',
    },
  ],
);
test.each([[undefined], [-1], [0]])('a queue whose max_msgs is %s has no check of its usage', (max_msgs) => {
  const of = queue({ stream: streamOf({ messages: 1, bytes: 1 }, max_msgs === undefined ? {} : { max_msgs }) });
  expect(namesOf(of)).not.toContain('usage');
});
test('a full queue is critical whatever its thresholds are', () => {
  const { health } = queueOf();
  const off = { ...health, usage: { warn: null, critical: null } };
  expect(check(filled(999, { health: off }), 'REQUESTS.usage').status).toBe('ok');
  expect(check(filled(1000, { health: off }), 'REQUESTS.usage').status).toBe('critical');
  expect(check(filled(1001, { health: off }), 'REQUESTS.usage').status).toBe('critical');
});

judged(
  {
    id: 'REQUESTS.backlog',
    name: 'backlog',
    ...QUEUE,
    threshold: { warn: 1000, critical: 10_000 },
    next: 'osapi-ops status --watch',
  },
  (
    [
      [0, 'ok', 'nothing waits'],
      [1, 'ok', '1 message waits'],
      [999, 'ok', '999 messages wait'],
      [1000, 'warn', '1000 messages wait'],
      [9999, 'warn', '9999 messages wait'],
      [10_000, 'critical', '10000 messages wait'],
    ] as const
  ).map(([pending, status, says]) => ({
    name: `${pending} waiting`,
    of: queue({ consumers: [consumerOf({ pending, oldestWaitingMs: 1 })] }),
    status,
    value: pending,
    says,
  })),
);
test('the backlog is what waits for any consumer, and for none', () => {
  const consumers = [consumerOf({ pending: 2 }), consumerOf({ name: 'b', pending: 3 })];
  expect(check(queue({ consumers, uncovered: 4 }), 'REQUESTS.backlog').value).toBe(9);
});

judged(
  {
    id: 'REQUESTS.uncovered',
    name: 'uncovered',
    ...QUEUE,
    threshold: { warn: 1, critical: null },
    next: 'nats stream subjects REQUESTS',
  },
  [
    { name: 'none', of: queue({}), status: 'ok', value: 0, says: 'every subject has a consumer' },
    {
      name: 'one',
      of: queue({ uncovered: 1 }),
      status: 'warn',
      value: 1,
      says: '1 message waits on a subject that no consumer takes',
    },
  ],
);

const OLDEST = {
  id: 'REQUESTS.oldest',
  name: 'oldest',
  ...QUEUE,
  threshold: { warn: 300, critical: 3600 },
  next: 'osapi-ops request ls --queue REQUESTS',
};
judged(OLDEST, [
  ...(
    [
      [1, 'ok', 0, '0s'],
      [299_999, 'ok', 300, '5m'],
      [300_000, 'warn', 300, '5m'],
      [3_599_940, 'warn', 3599.9, '1h'],
      [3_600_000, 'critical', 3600, '1h'],
    ] as const
  ).map(([oldestWaitingMs, status, value, words]) => ({
    name: `waiting for ${oldestWaitingMs} ms`,
    of: queue({
      consumers: [consumerOf({ pending: 1, oldestWaitingMs }), consumerOf({ name: 'b', oldestWaitingMs: 9e9 })],
    }),
    status,
    value,
    says: `the oldest waits for ${words}`,
  })),
  { name: 'nothing waits', of: queue({}), status: 'ok', value: 0, says: 'nothing waits' },
  {
    name: 'one of two cannot be read',
    of: queue({
      consumers: [consumerOf({ pending: 1 }), consumerOf({ name: 'b', pending: 1, oldestWaitingMs: 9e9 })],
    }),
    status: 'unknown',
    says: 'how long the oldest waits is not known: it left the queue meanwhile, or this user may not read it',
  },
]);
const { health: HEALTH } = queueOf();
judged({ ...OLDEST, threshold: { warn: null, critical: null } }, [
  {
    name: 'with both limits off',
    of: queue({
      consumers: [consumerOf({ pending: 1, oldestWaitingMs: 9e9 })],
      health: { ...HEALTH, oldest: { warn: null, critical: null } },
    }),
    status: 'ok',
    value: 9_000_000,
    says: 'the oldest waits for 104d4h',
  },
]);

const worker = (fields: Partial<ConsumerState>) => queue({ consumers: [consumerOf(fields)] });
const FLIGHT = { id: 'REQUESTS/worker.in_flight', name: 'in_flight', resource: 'REQUESTS/worker' };
const atLimit = { pending: 1, ackPending: 10, maxAckPending: 10, waits: [30e9, 5e9], oldestWaitingMs: 1 };
judged({ ...FLIGHT, threshold: { warn: 100, critical: 100 }, next: 'nats consumer info REQUESTS worker' }, [
  ...(
    [
      [4999, 'ok', '10 of max_ack_pending 10 in flight'],
      [5000, 'warn', '10 of max_ack_pending 10 in flight: nothing more is delivered, and nothing moved for 5s'],
      [30_000, 'warn', '10 of max_ack_pending 10 in flight: nothing more is delivered, and nothing moved for 30s'],
      [
        30_001,
        'critical',
        'stalled: 10 of max_ack_pending 10 in flight, and nothing moved for 30s, longer than the ack wait',
      ],
    ] as const
  ).map(([still, status, says]) => ({
    name: `at its limit and still for ${still} ms`,
    of: worker({ ...atLimit, lastMoved: ago(still) }),
    status,
    value: 100,
    says,
  })),
  {
    name: 'at its limit, and never moved since it was made',
    of: worker({ ...atLimit, created: ago(31_000) }),
    status: 'critical',
    value: 100,
    says: 'stalled: 10 of max_ack_pending 10 in flight, and nothing moved for 31s, longer than the ack wait',
  },
  {
    name: 'at its limit, and moved by a clock that is ahead',
    of: worker({ ...atLimit, lastMoved: ago(-60_000) }),
    status: 'ok',
    value: 100,
    says: '10 of max_ack_pending 10 in flight',
  },
  {
    name: 'one below its limit',
    of: worker({ ...atLimit, ackPending: 9, lastMoved: ago(60_000) }),
    status: 'ok',
    value: 90,
    says: '9 of max_ack_pending 10 in flight',
  },
  {
    name: 'at its limit with nothing waiting',
    of: worker({ ...atLimit, pending: 0, lastMoved: ago(60_000) }),
    status: 'ok',
    value: 100,
    says: '10 of max_ack_pending 10 in flight',
  },
  {
    name: 'a limit of one',
    of: worker({ ...atLimit, ackPending: 0, maxAckPending: 1 }),
    status: 'ok',
    value: 0,
    says: '0 of max_ack_pending 1 in flight',
  },
]);
judged(
  FLIGHT,
  [-1, 0].map((maxAckPending) => ({
    name: `a limit of ${maxAckPending}, which is none`,
    of: worker({ ...atLimit, ackPending: 1, maxAckPending }),
    status: 'ok',
    says: '1 message in flight, without limit',
  })),
);

const asleep = { waiting: 0, pending: 1 };
const busy = { ...asleep, ackPending: 2, oldestWaitingMs: 99_000 };
judged(
  {
    id: 'REQUESTS/worker.pulling',
    name: 'pulling',
    resource: 'REQUESTS/worker',
    threshold: { warn: 30, critical: 300 },
    next: 'start the workers, or look at their logs',
  },
  [
    ...(
      [
        [29_999, 'ok', 30, '30s'],
        [30_000, 'warn', 30, '30s'],
        [299_999, 'warn', 300, '5m'],
        [300_000, 'critical', 300, '5m'],
      ] as const
    ).map(([oldestWaitingMs, status, value, words]) => ({
      name: `nobody asked for ${oldestWaitingMs} ms`,
      of: worker({ ...asleep, oldestWaitingMs }),
      status,
      value,
      says: `1 message waits, and nobody asked for ${words}`,
    })),
    {
      name: 'what came long ago, and a worker that asked a moment ago',
      of: worker({ ...asleep, pending: 2, oldestWaitingMs: 99_000, lastMoved: ago(1540) }),
      status: 'ok',
      value: 1.5,
      says: '2 messages wait, and nobody asked for 2s',
    },
    {
      name: 'how long it waits is not known',
      of: worker({ ...asleep, lastMoved: ago(40_000) }),
      status: 'warn',
      value: 40,
      says: '1 message waits, and nobody asked for 40s',
    },
    {
      name: 'somebody asks',
      of: worker({ ...asleep, waiting: 1, oldestWaitingMs: 99_000 }),
      status: 'ok',
      value: 0,
      says: '1 pull request waiting',
    },
    {
      name: 'somebody listens',
      of: worker({ ...asleep, push: true, bound: true, oldestWaitingMs: 99_000 }),
      status: 'ok',
      value: 0,
      says: 'a worker listens',
    },
    {
      name: 'nobody listens, though somebody asks',
      of: worker({ ...asleep, waiting: 1, push: true, oldestWaitingMs: 99_000 }),
      status: 'warn',
      value: 99,
      says: '1 message waits, and nobody asked for 1m39s',
    },
    {
      name: 'nothing to ask for',
      of: worker({ waiting: 0 }),
      status: 'ok',
      value: 0,
      says: 'nobody asks, and nothing waits',
    },
    {
      name: 'paused',
      of: worker({ ...asleep, paused: true, oldestWaitingMs: 99_000 }),
      status: 'ok',
      value: 0,
      says: 'delivery is paused',
    },
    {
      name: 'workers that are busy',
      of: worker({ ...busy, lastMoved: ago(29_999) }),
      status: 'ok',
      value: 0,
      says: 'workers are busy with 2',
    },
    {
      name: 'workers that are no longer busy',
      of: worker({ ...busy, lastMoved: ago(30_000) }),
      status: 'warn',
      value: 30,
      says: '1 message waits, and nobody asked for 30s',
    },
    {
      name: 'workers that may be busy for longer',
      of: worker({ ...busy, waits: [5e9, 60e9], lastMoved: ago(59_999) }),
      status: 'ok',
      value: 0,
      says: 'workers are busy with 2',
    },
    {
      name: 'workers that are busy with one',
      of: worker({ ...busy, ackPending: 1, lastMoved: ago(1000) }),
      status: 'ok',
      value: 0,
      says: 'workers are busy with 1',
    },
  ],
);
judged({ id: 'REQUESTS.pulling', name: 'pulling', ...QUEUE, next: 'osapi-ops plan' }, [
  {
    name: 'nobody is there, and nothing',
    of: queue({ consumers: [] }),
    status: 'warn',
    says: 'no consumer: what comes can be taken by nobody',
  },
  {
    name: 'nobody is there, and a message',
    of: queue({ consumers: [], stream: streamOf({ messages: 1 }) }),
    status: 'critical',
    says: 'no consumer: 1 message can be taken by nobody',
  },
]);

judged(
  {
    id: 'REQUESTS/worker.paused',
    name: 'paused',
    resource: 'REQUESTS/worker',
    threshold: { warn: 1, critical: null },
    next: 'osapi-ops queue resume REQUESTS/worker',
  },
  [
    { name: 'not paused', of: worker({}), status: 'ok', value: 0, says: 'delivery is on' },
    { name: 'paused', of: worker({ paused: true }), status: 'warn', value: 1, says: 'delivery is paused' },
    {
      name: 'paused until then',
      of: worker({ paused: true, pausedUntil: '2027-01-01T00:00:00Z' }),
      status: 'warn',
      value: 1,
      says: 'delivery is paused until 2027-01-01T00:00:00Z',
    },
  ],
);

const again = (ackPending: number, redelivered: number, dead = 0) =>
  queue({ consumers: [consumerOf({ ackPending, redelivered })], deadState: deadOf({ dead }) });
judged(
  {
    id: 'REQUESTS.redelivery',
    name: 'redelivery',
    ...QUEUE,
    threshold: { warn: 50, critical: null },
    next: 'osapi-ops dlq ls',
  },
  [
    { name: 'nothing', of: again(0, 0), status: 'ok', value: 0, says: 'nothing is being retried' },
    { name: 'nine of nine', of: again(9, 9), status: 'ok', value: 100, says: '9 of 9 in flight failed before' },
    { name: 'half of 20', of: again(20, 10), status: 'warn', value: 50, says: '10 of 20 in flight failed before' },
    { name: 'less', of: again(21, 10), status: 'ok', value: 47.6, says: '10 of 21 in flight failed before' },
    { name: 'of the dead none', of: again(20, 10, 10), status: 'ok', value: 0, says: 'nothing is being retried' },
    { name: 'more dead', of: again(20, 10, 11), status: 'ok', value: 0, says: 'nothing is being retried' },
    {
      name: 'more than fly',
      of: again(12, 40, 3),
      status: 'warn',
      value: 100,
      says: '12 of 12 in flight failed before',
    },
  ],
);

describe('the checks', () => {
  test('are those of the system, then those of each queue, and no others', () => {
    const report = judgeHealth(snapshotOf({ queues: [queueOf(), queueOf({ name: 'B', stream: undefined })] }));
    expect(report.checks.map(({ id }) => id)).toEqual([
      ...['connection', 'server', 'defects', 'storage', 'resources', 'drift'],
      ...['REQUESTS.backlog', 'REQUESTS.uncovered', 'REQUESTS.oldest'],
      ...['REQUESTS/worker.in_flight', 'REQUESTS/worker.pulling', 'REQUESTS/worker.paused', 'REQUESTS.redelivery'],
      ...['REQUESTS.dead', 'REQUESTS.dying', 'REQUESTS.orphans', 'REQUESTS.expired'],
      ...['B.dead', 'B.dying', 'B.expired'],
    ]);
  });

  test('are not made of what is missing, and nothing falls over it', () => {
    const report = judgeHealth(
      snapshotOf({
        missing: ['stream REQUESTS'],
        queues: [queueOf({ stream: undefined, consumers: [], deadState: undefined })],
      }),
    );
    expect(report.checks.filter(({ status }) => status !== 'ok').map(({ id }) => id)).toEqual(['resources']);
    expect(report.queues[0]).toMatchObject({ ready: null, in_flight: null, dead: null, oldest_seconds: null });
  });

  const nothing = {
    id: 'resources',
    name: 'resources',
    status: 'unknown',
    summary: 'there is nothing to judge: no system was ever applied here, and there is no queue',
    next: 'osapi-ops doctor',
  };
  test.each([
    { name: 'no system and no queue', of: snapshotOf({ system: null, queues: [] }), told: true },
    { name: 'a queue of no system', of: snapshotOf({ system: null }), told: false },
    { name: 'a system without a queue', of: snapshotOf({ queues: [] }), told: false },
  ])('say where there is nothing to judge: $name: $told', ({ of, told }) => {
    const { checks } = judgeHealth(of);
    if (told) expect(checks.filter(({ id }) => id === 'resources')).toEqual([nothing]);
    else expect(checks.map(({ status }) => status)).not.toContain('unknown');
  });
});

describe('the verdict', () => {
  test('is the worst of all checks, and what is not known is less than a warning', () => {
    expect(judgeHealth(snapshotOf()).health).toBe('ok');
    expect(judgeHealth(snapshotOf(unknownDrift)).health).toBe('unknown');
    expect(judgeHealth(snapshotOf({ ...unknownDrift, rttMs: 600 })).health).toBe('warn');
    expect(judgeHealth(snapshotOf({ missing: ['bucket b'], rttMs: 600 })).health).toBe('critical');
  });

  test('says of what it is, and when', () => {
    expect(judgeHealth(drifted(change))).toMatchObject({
      system: 'osapi',
      drift: [change],
      at: '2026-11-24T12:00:00.000Z',
      target: target(),
    });
    expect(judgeHealth(snapshotOf(unknownDrift)).drift).toEqual([]);
  });

  test('has the figures of each queue', () => {
    const busyQueue = queueOf({
      consumers: [
        consumerOf({ pending: 2, ackPending: 3, redelivered: 9, oldestWaitingMs: 12_345 }),
        consumerOf({ name: 'b', pending: 1, oldestWaitingMs: 1 }),
      ],
      uncovered: 4,
      deadState: deadOf({ dead: 7, rejected: 5, journalled: 6, parked: 4 }),
      responses: { name: 'answers', ...streamOf({ messages: 8 }) },
    });
    const unread = queueOf({ name: 'C', deadState: deadOf({ dead: 1, parked: 1, exact: false, unknown: 'x' }) });
    const gone = queueOf({ name: 'D', stream: undefined, deadState: undefined });
    expect(judgeHealth(snapshotOf({ queues: [busyQueue, unread, gone] })).queues).toEqual([
      {
        name: 'REQUESTS',
        ready: 7,
        in_flight: 3,
        dead: 18,
        rejected: 5,
        parked: 4,
        redelivered: 2,
        failing: { count: 2, noted: 0, last_try: 0, known: [], longest_wait_seconds: 5 },
        oldest_seconds: 12.3,
        responses: 8,
        journalled: 6,
        exact: true,
        stored: { messages: 0, bytes: 0, max_messages: null, max_bytes: null },
      },
      {
        name: 'C',
        ready: 0,
        in_flight: 0,
        dead: null,
        rejected: 0,
        parked: null,
        redelivered: 0,
        failing: { count: 0, noted: 0, last_try: 0, known: [], longest_wait_seconds: null },
        oldest_seconds: 0,
        responses: null,
        journalled: 0,
        exact: false,
        stored: { messages: 0, bytes: 0, max_messages: null, max_bytes: null },
      },
      {
        name: 'D',
        ready: null,
        in_flight: null,
        dead: null,
        rejected: null,
        parked: null,
        redelivered: null,
        failing: null,
        oldest_seconds: null,
        responses: null,
        journalled: null,
        exact: false,
      },
    ]);
  });

  test.each([
    { name: 'none', notes: 0, redelivered: 0, want: { count: 0, noted: 0, known: 0 } },
    { name: 'fewer than were delivered again', notes: 1, redelivered: 2, want: { count: 2, noted: 1, known: 1 } },
    {
      name: 'more: after a first failure nothing was delivered again',
      notes: 3,
      redelivered: 2,
      want: { count: 3, noted: 3, known: 3 },
    },
    { name: 'the most that are named', notes: 20, redelivered: 0, want: { count: 20, noted: 20, known: 20 } },
    { name: 'more than are named', notes: 21, redelivered: 0, want: { count: 21, noted: 21, known: 20 } },
  ])('counts what fails now, with what workers wrote down: $name', ({ notes, redelivered, want }) => {
    const failing = Array.from({ length: notes }, (_, index) =>
      failingOf({ seq: index, deliveries: index === 1 ? 9 : 3 }),
    );
    const queue = queueOf({ consumers: [consumerOf({ ackPending: 30, redelivered, waits: [5e9, 15e9] })], failing });
    const figures = judgeHealth(snapshotOf({ queues: [queue] })).queues[0]!.failing!;
    expect({ ...figures, known: figures.known.length }).toEqual({
      ...want,
      last_try: notes > 1 ? 1 : 0,
      longest_wait_seconds: 15,
    });
  });

  test('of a server that nobody reached is critical, and says why', () => {
    expect(unreachedReport('no answer', '2026-11-24T12:00:00Z')).toEqual({
      system: null,
      health: 'critical',
      checks: [
        { id: 'connection', name: 'connection', status: 'critical', summary: 'no answer', next: 'osapi-ops doctor' },
      ],
      queues: [],
      drift: [],
      at: '2026-11-24T12:00:00Z',
    });
  });
});

test('of a queue that tells nothing of its dead none are counted', () => {
  expect(deathsOf(queueOf({ deadState: undefined }))).toBe(0);
});

describe('a figure in a sentence', () => {
  test.each([
    [-5000, '0s'],
    [499, '0s'],
    [500, '1s'],
    [3_599_000, '59m59s'],
    [3_661_000, '1h1m'],
    [86_399_000, '23h59m'],
    [90_061_000, '1d1h'],
  ])('%i ms are about %s', (ms, want) => expect(aboutMs(ms)).toBe(want));

  test.each([
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [MIB - 1, '1024.0 KiB'],
    [MIB, '1.0 MiB'],
    [1024 * MIB - 1, '1024.0 MiB'],
    [1024 * MIB, '1.0 GiB'],
    [3072 * MIB, '3.0 GiB'],
  ])('%i bytes are about %s', (bytes, want) => expect(aboutBytes(bytes)).toBe(want));

  test.each([
    [0, 7, 0],
    [1, 3, 33.3],
    [9996, 10_000, 99.9],
    [10_000, 10_000, 100],
    [10_006, 10_000, 100.1],
  ])('%i of %i are %d %%', (used, limit, want) => expect(percentOf(used, limit)).toBe(want));
});
