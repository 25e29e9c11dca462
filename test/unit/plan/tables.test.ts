import { describe, expect, test } from '@jest/globals';
import type { OpsError } from '../../../src/lib/errors/ops-error.ts';
import type { Config } from '../../../src/lib/model/json.ts';
import type { LastApplied, Plan } from '../../../src/lib/model/plan.ts';
import type { DesiredResource, ObservedResource } from '../../../src/lib/model/resource.ts';
import { planJson } from '../../../src/lib/plan/json.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { live, type ServerOptions, server, spec, want } from './builders.ts';

const S = 1e9;
const QUEUE = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new' };
const WORKER = { ack_policy: 'explicit', max_deliver: 2, ack_wait: S };

interface Given {
  readonly wanted?: readonly DesiredResource[];
  readonly live?: readonly ObservedResource[];
  readonly last?: Record<string, Config>;
  readonly prune?: boolean;
  readonly server?: ServerOptions;
}
const planOf = ({ wanted = [], live: now = [], last, prune, server: at }: Given): Plan =>
  makePlan({
    desired: spec(...wanted),
    observed: server(now, at),
    ...(last ? { lastApplied: { system: 'osapi', configs: last } as LastApplied } : {}),
    ...(prune ? { prune } : {}),
  });
const stepsOf = (plan: Plan): string[] =>
  plan.steps.map(
    ({ stage, verb, resource, configs, why }) => `${stage} ${verb} ${resource} (${configs.length}): ${why}`,
  );

describe('a change', () => {
  const fields = (plan: Plan) => plan.changes[0]!.fields.map(({ path, from, to }) => [path, from, to]);
  test('of something new tells where it came from, and the way back', () => {
    const wanted = [want('stream S', QUEUE)];
    const told = (last?: Record<string, Config>) => {
      const { origin, reason, reverse, action, role, kind, name } = planOf({ wanted, ...(last ? { last } : {}) })
        .changes[0]!;
      return { origin, reason, reverse, action, role, kind, name };
    };
    const base = { action: 'create', kind: 'stream', name: 'S', role: 'queue', reverse: 'delete stream S' };
    expect(told()).toEqual({ ...base, origin: 'unknown', reason: undefined });
    expect(told({})).toEqual({ ...base, origin: 'spec', reason: undefined });
    expect(told({ 'stream S': QUEUE })).toEqual({
      ...base,
      origin: 'server',
      reason: 'it was applied before and is no longer on the server',
    });
  });

  test('of something new leaves labels of ours out, and what says nothing', () => {
    const metadata = { team: 'a', 'osapi-ops.x': '1', 'io.nats.monitor.enabled': 'true' };
    const plan = planOf({ wanted: [want('stream S', { subjects: ['s'], description: '', metadata })] });
    expect(plan.changes[0]!.fields).toEqual([
      { path: 'subjects', from: null, to: ['s'], impact: 'in-place', origin: 'unknown' },
      { path: 'metadata', from: null, to: { team: 'a' }, impact: 'in-place', origin: 'unknown' },
    ]);
    expect(fields(planOf({ wanted: [want('stream S', { subjects: ['s'] })] }))).toEqual([['subjects', null, ['s']]]);
  });

  test('in place tells the way back with every value as it was', () => {
    const now = [live('stream S', { ...QUEUE, description: 'old' })];
    const [change] = planOf({ wanted: [want('stream S', { ...QUEUE, max_age: 3600 * S })], live: now }).changes;
    expect(change).toMatchObject({
      action: 'update',
      role: 'queue',
      reverse: 'apply with description "old", max_age "0s"',
    });
    expect(change).not.toHaveProperty('reason');
    const [labelled] = planOf({
      wanted: [want('stream S', { ...QUEUE, metadata: { team: 'a' } })],
      live: [live('stream S', QUEUE)],
    }).changes;
    expect(labelled!.reverse).toBe('apply with metadata.team left out');
  });

  test('that the server refuses tells each reason once, and no way back', () => {
    const wanted = [want('stream S', { ...QUEUE, storage: 'memory', retention: 'limits', description: 'x' })];
    const [change] = planOf({ wanted, live: [live('stream S', QUEUE)] }).changes;
    expect(change).toMatchObject({
      action: 'replace',
      reason:
        'the server cannot change retention to or from workqueue (10052); the server cannot change the storage type (10052)',
    });
    expect(change).not.toHaveProperty('reverse');
  });

  test('of a label says what the label is for', () => {
    const now = [live('stream S', QUEUE, { owner: null })];
    const metadata = { 'io.nats.monitor.enabled': 'true', team: 'a' };
    const notes = planOf({ wanted: [want('stream S', { ...QUEUE, metadata })], live: now }).changes[0]!.fields.map(
      ({ path, note }) => [path, note],
    );
    expect(notes).toEqual([
      ['metadata.io.nats.monitor.enabled', 'what `nats server check` goes by'],
      ['metadata.osapi-ops.owner', 'the mark by which the system knows its own'],
      ['metadata.team', undefined],
    ]);
  });

  test.each([
    { name: 'made', to: WORKER, now: undefined, text: 'a failing request is tried at 0s and 1s, and dies after 2s' },
    {
      name: 'whose tries change',
      to: WORKER,
      now: { ...WORKER, max_deliver: 3 },
      text: 'a failing request is tried at 0s and 1s, and dies after 2s',
    },
    {
      name: 'whose wait changes',
      to: WORKER,
      now: { ...WORKER, ack_wait: 5 * S },
      text: 'a failing request is tried at 0s and 1s, and dies after 2s',
    },
    {
      name: 'whose later waits change, and something else',
      to: { ...WORKER, max_deliver: 3, backoff: [S, 2 * S], description: 'x' },
      now: { ...WORKER, max_deliver: 3, backoff: [S, 3 * S] },
      text: 'a failing request is tried at 0s, 1s and 3s, and dies after 5s',
    },
    {
      name: 'that is replaced',
      to: { ...WORKER, replay_policy: 'original' },
      now: WORKER,
      text: 'a failing request is tried at 0s and 1s, and dies after 2s',
    },
    { name: 'whose acks change', to: { ...WORKER, ack_policy: 'none' }, now: WORKER, text: undefined },
    { name: 'that changes otherwise', to: { ...WORKER, description: 'x' }, now: WORKER, text: undefined },
  ])('of a consumer $name tells its retries: $text', ({ to, now, text }) => {
    const given = { wanted: [want('stream S', { ...QUEUE, retention: 'limits' }), want('consumer S/w', to)] };
    const was = [live('stream S', { ...QUEUE, retention: 'limits' }), ...(now ? [live('consumer S/w', now)] : [])];
    const [change] = planOf({ ...given, live: was }).changes;
    expect(change!.retries).toBe(text);
  });

  test('of a label or a text of a consumer is told as it is', () => {
    const given = { wanted: [want('stream S', QUEUE), want('consumer S/w', { ...WORKER, description: 'now' })] };
    const was = [live('stream S', QUEUE), live('consumer S/w', { ...WORKER, description: 'then' })];
    const last = { 'consumer S/w': { ...WORKER, description: 'then' } };
    expect(planOf({ ...given, live: was, last }).changes.map(({ fields }) => fields)).toEqual([
      [{ path: 'description', from: 'then', to: 'now', impact: 'in-place', origin: 'spec' }],
    ]);
  });

  test('of a stream or bucket has no retries to tell', () => {
    const plan = planOf({ wanted: [want('stream S', QUEUE), want('bucket b')] });
    expect(plan.changes.map(({ retries }) => retries)).toEqual([undefined, undefined]);
  });

  test('of a consumer whose stream is replaced is told with its own differences, and once', () => {
    const wanted = [
      want('stream S', { ...QUEUE, storage: 'memory' }),
      want('consumer S/w', { ...WORKER, max_deliver: 5 }),
      want('consumer T/w', WORKER),
    ];
    const plan = planOf({
      wanted,
      live: [live('stream S', QUEUE), live('consumer S/w', WORKER), live('consumer T/w', WORKER)],
    });
    expect(
      plan.changes.map(({ action, kind, name, role, origin, reason, fields: all }) => ({
        action,
        kind,
        name,
        role,
        origin,
        reason,
        paths: all.map(({ path }) => path),
      })),
    ).toMatchObject([
      { action: 'replace', kind: 'stream', name: 'S', paths: ['storage'] },
      {
        action: 'replace',
        kind: 'consumer',
        name: 'S/w',
        role: 'worker',
        origin: 'spec',
        reason: 'stream S is replaced, and its consumers go with it',
        paths: ['max_deliver'],
      },
    ]);
    expect(plan.changes[1]!.retries).toBe('a failing request is tried at 0s, 1s, 2s, 3s and 4s, and dies after 5s');
    expect(plan.summary).toEqual({ create: 0, update: 0, replace: 2, delete: 0, unchanged: 1 });
    expect(stepsOf(plan)).toEqual([
      '1 delete stream S (0): the server cannot change the storage type (10052)',
      '3 create stream S (1): made again',
      '9 create consumer S/w (1): made again',
    ]);
  });

  test('of a consumer that a replaced stream never had is a creation', () => {
    const wanted = [want('stream S', { ...QUEUE, storage: 'memory' }), want('consumer S/w', WORKER)];
    const plan = planOf({ wanted, live: [live('stream S', QUEUE)] });
    expect(plan.changes.map(({ action }) => action)).toEqual(['replace', 'create']);
  });

  test('goes by what the server filled in before', () => {
    const wanted = [want('stream S', QUEUE), want('consumer S/w', WORKER)];
    const now = [live('stream S', QUEUE), live('consumer S/w', { ...WORKER, max_ack_pending: 500 })];
    const filled = { 'consumer S/w': { max_ack_pending: 500 } };
    const of = (more: object) => makePlan({ desired: spec(...wanted), observed: server(now), ...more }).changes.length;
    expect(of({})).toBe(1);
    expect(of({ filled })).toBe(0);
    expect(of({ lastApplied: { system: 'osapi', configs: {}, filled } })).toBe(0);
    expect(of({ lastApplied: { system: 'osapi', configs: {}, filled }, filled: {} })).toBe(1);
  });

  test('of what the server lowered is laid to the server only where it changed since', () => {
    const wanted = [want('stream S', QUEUE), want('consumer S/w', WORKER)];
    const filled = { 'consumer S/w': { max_ack_pending: 500 } };
    const configs = { 'stream S': want('stream S', QUEUE).config, 'consumer S/w': want('consumer S/w', WORKER).config };
    const origin = (now: number) =>
      makePlan({
        desired: spec(...wanted),
        observed: server([live('stream S', QUEUE), live('consumer S/w', { ...WORKER, max_ack_pending: now })]),
        lastApplied: { system: 'osapi', configs, filled },
      }).changes[0]?.origin;
    expect([origin(500), origin(700)]).toEqual([undefined, 'server']);
  });
});

describe('what is left over', () => {
  const ours = live('stream OLD', QUEUE, { figures: { messages: 3 } });
  const told = (given: Given) => planOf(given).leftAlone.map(({ resource, what }) => `${resource}: ${what}`);
  test.each<Given & { name: string; says: string[] }>([
    { name: 'ours', live: [ours], says: ['stream OLD: no longer in the spec, 3 messages inside; --prune deletes it'] },
    {
      name: 'our consumer',
      live: [live('consumer OLD/w', WORKER)],
      says: ['consumer OLD/w: no longer in the spec; --prune deletes it'],
    },
    { name: 'nobody’s', live: [live('stream OLD', QUEUE, { owner: null })], says: [] },
    {
      name: 'that lost its mark',
      live: [live('stream OLD', QUEUE, { owner: null })],
      last: { 'stream OLD': QUEUE },
      says: ['stream OLD: no longer in the spec, and it lost its owner mark: it stays as it is'],
    },
    {
      name: 'that somebody took over',
      live: [live('stream OLD', QUEUE, { owner: 'billing' })],
      last: { 'stream OLD': QUEUE },
      says: ['stream OLD: no longer in the spec, and it belongs to billing now: it stays as it is'],
    },
    {
      name: 'another of that name was applied',
      live: [live('stream OLD', QUEUE, { owner: null })],
      last: { 'bucket OLD': {} },
      says: [],
    },
    { name: 'in the spec', live: [ours], wanted: [want('stream OLD', QUEUE)], says: [] },
    { name: 'the stream of a bucket of the spec', live: [live('stream KV_b')], wanted: [want('bucket b')], says: [] },
    {
      name: 'the stream of a bucket that is there',
      live: [live('stream KV_b'), live('bucket b')],
      says: ['bucket b: no longer in the spec, 0 messages inside; --prune deletes it'],
    },
    {
      name: 'a stream that only ends like one',
      live: [live('stream XKV_b')],
      wanted: [want('bucket b')],
      says: ['stream XKV_b: no longer in the spec, 0 messages inside; --prune deletes it'],
    },
    { name: 'the ledger', live: [live('bucket osapi_ops')], says: [] },
    { name: 'the ledger as a stream', live: [live('stream KV_osapi_ops')], says: [] },
    {
      name: 'one field that this build does not know',
      live: [live('stream S', { ...QUEUE, shiny: 1 })],
      wanted: [want('stream S', QUEUE)],
      says: ['stream S: shiny: unknown to this version, left as the server has it'],
    },
    {
      name: 'two fields that this build does not know, on what is wanted only',
      live: [live('stream S', { ...QUEUE, shiny: 1, glossy: 2 }), live('stream T', { shiny: 1 }, { owner: null })],
      wanted: [want('stream S', QUEUE)],
      says: ['stream S: shiny, glossy: unknown to this version, left as the server has them'],
    },
  ])('$name', ({ says, ...given }) => {
    expect(told(given)).toEqual(says);
    expect(planOf(given).changes.filter(({ action }) => action === 'delete')).toEqual([]);
  });

  test('is deleted with --prune, each in the place of its kind', () => {
    const now = [
      live('stream OLD', QUEUE),
      live('stream LOG', { subjects: ['log'] }),
      live('consumer OLD/w', WORKER),
      live('bucket b'),
      live('stream GONE', QUEUE, { owner: null }),
    ];
    const plan = planOf({ live: now, last: { 'stream OLD': QUEUE, 'stream GONE': QUEUE }, prune: true });
    expect(plan.changes).toEqual(
      [
        ['stream', 'OLD', 'queue', 'spec'],
        ['stream', 'LOG', 'other', 'unknown'],
        ['consumer', 'OLD/w', 'worker', 'unknown'],
        ['bucket', 'b', 'other', 'unknown'],
      ].map(([kind, name, role, origin]) => ({
        action: 'delete',
        kind,
        name,
        role,
        origin,
        fields: [],
        reason: 'no longer in the spec',
      })),
    );
    expect(stepsOf(plan)).toEqual([
      '0 delete consumer OLD/w (0): no longer in the spec',
      '1 delete stream OLD (0): no longer in the spec',
      '2 delete stream LOG (0): no longer in the spec',
      '2 delete bucket b (0): no longer in the spec',
    ]);
    expect(plan.leftAlone).toEqual([{ resource: 'stream GONE', what: expect.stringContaining('lost its owner mark') }]);
    expect(plan.summary).toEqual({ create: 0, update: 0, replace: 0, delete: 4, unchanged: 0 });
    expect(Object.keys(plan.fingerprint)).toEqual(['stream OLD', 'stream LOG', 'consumer OLD/w', 'bucket b']);
  });
});

describe('the writes', () => {
  test('come in the order in which the server takes them', () => {
    const wanted = [
      want('consumer S/new', { ...WORKER, filter_subject: 'requests.new' }),
      want('consumer S/w', { ...WORKER, filter_subject: 'requests.a', max_deliver: 3 }),
      want('stream S', { ...QUEUE, description: 'x' }),
      want('stream dead', { description: 'x' }, 'dlq'),
      want('bucket b', { history: 2 }),
    ];
    const now = [
      live('stream S', QUEUE),
      live('stream dead', {}),
      live('bucket b'),
      live('consumer S/w', { ...WORKER, filter_subject: 'requests.a' }),
    ];
    const plan = planOf({ wanted, live: now });
    expect(stepsOf(plan)).toEqual([
      '3 update stream dead (1): description',
      '3 update bucket b (1): history',
      '4 update stream S (1): description',
      '7 update consumer S/w (1): max_deliver',
      '9 create consumer S/new (1): not on the server yet',
    ]);
    expect(plan.steps.map(({ change }) => plan.changes[change]!.name)).toEqual(['dead', 'b', 'S', 'S/w', 'S/new']);
  });

  test.each<{ name: string; from: Config; to: Config; cluster?: string; sent: (number | undefined)[] }>([
    {
      name: 'moved and scaled',
      from: { num_replicas: 1 },
      to: { num_replicas: 3, placement: { tags: ['a'] } },
      cluster: 'c',
      sent: [1, 3],
    },
    {
      name: 'moved and scaled from the default',
      from: {},
      to: { num_replicas: 3, placement: { tags: ['a'] } },
      cluster: 'c',
      sent: [1, 3],
    },
    {
      name: 'moved back and scaled',
      from: { num_replicas: 3, placement: { tags: ['a'] } },
      to: {},
      cluster: 'c',
      sent: [3, 1],
    },
    {
      name: 'moved',
      from: { num_replicas: 3 },
      to: { num_replicas: 3, placement: { tags: ['a'] } },
      cluster: 'c',
      sent: [3],
    },
    {
      name: 'moved with the default',
      from: {},
      to: { num_replicas: 1, placement: { tags: ['a'] } },
      cluster: 'c',
      sent: [undefined],
    },
    { name: 'scaled', from: { num_replicas: 1 }, to: { num_replicas: 3 }, cluster: 'c', sent: [3] },
    {
      name: 'on a single server',
      from: { num_replicas: 1 },
      to: { num_replicas: 3, placement: { tags: ['a'] } },
      sent: [3],
    },
  ])('of a stream that is $name: $sent replicas', ({ from, to, cluster, sent }) => {
    const plan = planOf({
      wanted: [want('stream S', { ...QUEUE, ...to })],
      live: [live('stream S', { ...QUEUE, ...from })],
      ...(cluster ? { server: { cluster } } : {}),
    });
    expect(plan.steps[0]!.configs.map(({ num_replicas }) => num_replicas)).toEqual(sent);
  });

  test('of a replaced consumer are a deletion and a creation, with nothing of the old one', () => {
    const now = [live('stream S', QUEUE), live('consumer S/w', { ...WORKER, shiny: 1 })];
    const plan = planOf({
      wanted: [want('stream S', QUEUE), want('consumer S/w', { ...WORKER, replay_policy: 'original' })],
      live: now,
    });
    expect(stepsOf(plan)).toEqual([
      expect.stringMatching(/^0 delete consumer S\/w \(0\): .*replay_policy/),
      '9 create consumer S/w (1): made again',
    ]);
    expect(plan.steps[1]!.configs[0]).not.toHaveProperty('shiny');
  });

  test('of what hands over leave a moment in which it holds less', () => {
    const now = [live('stream S', { ...QUEUE, subjects: ['a', 'b'] }), live('stream T', { subjects: ['c', 'd'] })];
    const plan = planOf({
      wanted: [
        want('stream S', { ...QUEUE, subjects: ['a', 'c'] }),
        want('stream T', { subjects: ['b', 'd'] }, 'other'),
      ],
      live: now,
    });
    expect(stepsOf(plan)).toEqual([
      '3 update stream T (1): lets go of what another takes over',
      '4 update stream S (1): lets go of what another takes over',
      '5 update stream S (1): subjects',
      '5 update stream T (1): subjects',
    ]);
    expect(plan.steps.map(({ configs }) => configs[0]!.subjects)).toEqual([['d'], ['a'], ['a', 'c'], ['b', 'd']]);
  });

  test('of consumers that hand over keep all else as it is', () => {
    const stream = { ...QUEUE, subjects: ['q.>'] };
    const now = [
      live('stream S', stream),
      live('consumer S/a', { ...WORKER, filter_subjects: ['q.1', 'q.3', 'q.5'], shiny: 1 }),
      live('consumer S/b', { ...WORKER, filter_subject: 'q.2' }),
    ];
    const wanted = [
      want('stream S', stream),
      want('consumer S/a', { ...WORKER, filter_subjects: ['q.2', 'q.3', 'q.5'] }),
      want('consumer S/b', { ...WORKER, filter_subject: 'q.1' }),
    ];
    const plan = planOf({ wanted, live: now });
    expect(stepsOf(plan)).toEqual([
      '7 update consumer S/a (1): lets go of what another takes over',
      '7 update consumer S/b (1): lets go of what another takes over',
      '8 update consumer S/a (1): filter_subjects',
      '8 update consumer S/b (1): filter_subject',
    ]);
    expect(plan.steps.map(({ configs }) => configs[0])).toMatchObject([
      { filter_subjects: ['q.3', 'q.5'], shiny: 1, max_deliver: 2, ack_policy: 'explicit' },
      { filter_subject: 'osapi-ops.moving.S.b', max_deliver: 2 },
      { filter_subjects: ['q.2', 'q.3', 'q.5'], shiny: 1 },
      { filter_subject: 'q.1' },
    ]);
    expect(plan.steps[1]!.configs[0]).not.toHaveProperty('filter_subjects');
  });

  test('of a consumer that takes over what a new one had not, and of a new one, wait for nobody', () => {
    const stream = { ...QUEUE, subjects: ['q.>'] };
    const now = [live('stream S', stream), live('consumer S/a', { ...WORKER, filter_subject: 'q.1' })];
    const wanted = [
      want('stream S', stream),
      want('consumer S/a', { ...WORKER, filter_subject: 'q.2' }),
      want('consumer S/b', { ...WORKER, filter_subject: 'q.1' }),
    ];
    expect(stepsOf(planOf({ wanted, live: now }))).toEqual([
      '7 update consumer S/a (1): filter_subject',
      '9 create consumer S/b (1): not on the server yet',
    ]);
  });
});

describe('a server that is too old', () => {
  const refused = (wanted: DesiredResource[], version: string): OpsError => {
    try {
      planOf({ wanted, server: { version } });
    } catch (error) {
      return error as OpsError;
    }
    throw new TypeError('it was taken');
  };
  test.each([
    { version: '2.9.99', taken: false },
    { version: '2.10.0', taken: true },
  ])('$version for all that this tool does', ({ version, taken }) => {
    if (taken) expect(planOf({ server: { version } }).changes).toEqual([]);
    else {
      expect(refused([], version)).toMatchObject({
        code: 'SERVER_TOO_OLD',
        message: `server n1 is nats-server ${version}`,
        where: 'n1',
        why: 'This tool rests on resource metadata and a consumer API that came with 2.10.0.',
        hints: ['update nats-server to 2.10.0 or newer'],
      });
    }
  });

  test('for a field is told with its place, once for each', () => {
    const positionOf = (field?: string) => ({ file: 'a.yaml', line: field === 'allow_atomic' ? 7 : 1, column: 3 });
    const error = refused(
      [{ ...want('stream S', { allow_atomic: true, shiny: 1, max_age: 5 }), positionOf }],
      '2.11.99',
    );
    expect(error).toMatchObject({ message: 'nats-server 2.11.99 does not have a field of this spec', where: 'n1' });
    expect(error.problems).toEqual([
      {
        code: 'SERVER_TOO_OLD',
        path: 'allow_atomic',
        message: 'stream S: allow_atomic needs nats-server 2.12.0 or newer, this one is 2.11.99',
        file: 'a.yaml',
        line: 7,
        column: 3,
      },
    ]);
  });

  test('for several fields says how many', () => {
    const error = refused(
      [want('stream S', { allow_atomic: true, allow_msg_ttl: true }), want('bucket b', { limit_marker_ttl: S })],
      '2.10.29',
    );
    expect(error.message).toBe('nats-server 2.10.29 does not have 3 fields of this spec');
    expect(error.problems.map(({ path }) => path)).toEqual(['allow_msg_ttl', 'allow_atomic', 'limit_marker_ttl']);
  });

  test('or too new, for a field that went', () => {
    expect(refused([want('stream S', { template_owner: 'x' })], '2.15.1').problems[0]?.message).toBe(
      'stream S: template_owner needs nats-server at most 2.12, this one is 2.15.1',
    );
  });

  test('for a value that came later than its field', () => {
    const worker = want('consumer S/w', { priority_policy: 'prioritized', priority_groups: ['g'] });
    expect(refused([worker], '2.11.99').problems.map(({ path, message }) => [path, message])).toEqual([
      [
        'priority_policy: prioritized',
        'consumer S/w: priority_policy: prioritized needs nats-server 2.12.0 or newer, this one is 2.11.99',
      ],
    ]);
    expect(planOf({ wanted: [want('stream S', QUEUE), worker], server: { version: '2.12.0' } }).changes).toHaveLength(
      2,
    );
  });

  test('asks for nothing by what a field is by itself', () => {
    const plain = want('stream S', {
      allow_atomic: false,
      allow_msg_ttl: false,
      persist_mode: 'default',
      subject_delete_marker_ttl: 0,
    });
    expect(planOf({ wanted: [plain], server: { version: '2.10.29' } }).changes).toHaveLength(1);
  });
});

describe('a plan', () => {
  test('says whose it is, of which server, and what it looked at', () => {
    const observed = server([
      live('stream S', QUEUE),
      live('stream OLD', QUEUE),
      live('stream X', QUEUE, { owner: null }),
    ]);
    const plan = makePlan({ desired: spec(want('stream S', QUEUE), want('bucket b')), observed });
    expect(plan).toMatchObject({ system: 'osapi', target: observed.target });
    expect(Object.keys(plan.fingerprint)).toEqual(['stream S', 'bucket b', 'stream OLD']);
    expect(plan.fingerprint['bucket b']).toBe('absent');
    expect(plan.fingerprint['stream S']).toMatch(/^[0-9a-f]{16}$/);
    expect(plan.summary).toEqual({ create: 1, update: 0, replace: 0, delete: 0, unchanged: 1 });
  });

  test('as JSON has what is told and nothing else', () => {
    const wanted = [want('stream S', { ...QUEUE, description: 'x' }), want('consumer S/w', WORKER)];
    const plan = planOf({ wanted, live: [live('stream S', QUEUE)], server: { cluster: 'c' } });
    const changes = plan.changes.map((each, at) =>
      at === 0 ? { ...each, status: 'failed' as const, error: 'no', inner: 1 } : each,
    );
    const json = planJson(plan, changes);
    expect(json).toMatchObject({
      system: 'osapi',
      server: { name: 'n1', version: '2.15.1', cluster: 'c' },
      target: { url: 'nats://127.0.0.1:4222', account: '$G', chosen_by: '--server' },
      findings: plan.findings,
      left_alone: plan.leftAlone,
      summary: plan.summary,
    });
    expect(json.changes[0]).toEqual({
      action: 'update',
      kind: 'stream',
      name: 'S',
      role: 'queue',
      fields: [{ path: 'description', from: null, to: 'x', impact: 'in-place', origin: 'unknown' }],
      origin: 'unknown',
      reverse: 'apply with description left out',
      status: 'failed',
      error: 'no',
    });
    expect(Object.keys(json.changes[1]!)).toEqual([
      'action',
      'kind',
      'name',
      'role',
      'fields',
      'origin',
      'reverse',
      'retries',
    ]);
    const single = planJson(
      planOf({ wanted: [want('stream S', { ...QUEUE, storage: 'memory' })], live: [live('stream S', QUEUE)] }),
    );
    expect(single.server).toEqual({ name: 'n1', version: '2.15.1' });
    expect(single.changes[0]).toMatchObject({
      reason: 'the server cannot change the storage type (10052)',
      fields: [{ note: 'the server cannot change the storage type (10052)' }],
    });
  });
});
