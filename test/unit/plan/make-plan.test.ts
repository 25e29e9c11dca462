import { describe, expect, test } from '@jest/globals';
import type { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { refusals } from '../../../src/lib/risk/judge.ts';
import { live, server, spec, want } from './builders.ts';

const S = 1e9;
const QUEUE = { subjects: ['requests.*'], retention: 'workqueue', discard: 'new' };
const WORKER = { ack_policy: 'explicit', max_deliver: 10, backoff: [5 * S, 10 * S, 15 * S] };
const none = new Set<never>();
const codes = (plan: ReturnType<typeof makePlan>): string[] => plan.findings.map(({ code }) => code);

describe('a plan', () => {
  test('of what is already there is empty, and counts it', () => {
    const plan = makePlan({
      desired: spec(
        want('stream REQUESTS', QUEUE),
        want('consumer REQUESTS/w', WORKER),
        want('bucket responses', { ttl: 7 * S }),
      ),
      observed: server([
        live('stream REQUESTS', QUEUE),
        live('consumer REQUESTS/w', WORKER),
        live('bucket responses', { ttl: 7 * S }),
      ]),
    });
    expect(plan).toMatchObject({ changes: [], steps: [], findings: [], leftAlone: [], summary: { unchanged: 3 } });
  });

  test('creates streams and buckets together, then consumers', () => {
    const desired = spec(
      want('consumer REQUESTS/w', WORKER),
      want('stream REQUESTS', QUEUE),
      want('bucket responses'),
      want('stream dead', {}, 'dlq'),
    );
    const { steps } = makePlan({ desired, observed: server([]) });
    expect(steps.map(({ resource, stage }) => `${stage} ${resource}`)).toEqual([
      '3 stream REQUESTS',
      '3 bucket responses',
      '3 stream dead',
      '9 consumer REQUESTS/w',
    ]);
  });

  test('creates a queue that copies from others after them', () => {
    const desired = spec(
      want('stream REQUESTS', { ...QUEUE, sources: [{ name: 'intake' }] }),
      want('stream intake', {}, 'other'),
    );
    const { steps } = makePlan({ desired, observed: server([]) });
    expect(steps.map(({ resource, stage }) => `${stage} ${resource}`)).toEqual([
      '3 stream intake',
      '4 stream REQUESTS',
    ]);
  });

  test('of something new tells what the spec says of it, without defaults and the owner mark', () => {
    const wanted = want('bucket answers', { ttl: 86_400 * S, metadata: { 'osapi-ops.owner': 'osapi', team: 'ops' } });
    const plan = makePlan({ desired: spec(wanted), observed: server([]) });
    expect(plan.changes[0]?.fields.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['ttl', null, '1d'],
      ['metadata', null, { team: 'ops' }],
    ]);
  });

  test('shows values in the spec’s spelling, with what the change means', () => {
    const plan = makePlan({
      desired: spec(
        want('stream REQUESTS', { ...QUEUE, max_age: 3600 * S, max_bytes: 1024 ** 3, metadata: { team: 'blue' } }),
      ),
      observed: server([live('stream REQUESTS', QUEUE)]),
    });
    expect(plan.changes[0]?.fields.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['max_bytes', -1, '1GiB'],
      ['max_age', '0s', '1h'],
      ['metadata.team', null, 'blue'],
    ]);
  });

  test('sends the live configuration back with our fields over it, what it does not know included', () => {
    const observed = live('stream REQUESTS', { ...QUEUE, description: 'old', shiny: { a: 1 } });
    const plan = makePlan({
      desired: spec(want('stream REQUESTS', { ...QUEUE, max_msgs: 5 })),
      observed: server([observed]),
    });
    expect(plan.steps[0]?.configs).toEqual(
      [{ ...observed.config, max_msgs: 5, description: undefined }].map(({ description: _, ...config }) => config),
    );
    expect(plan.leftAlone).toEqual([{ resource: 'stream REQUESTS', what: expect.stringContaining('shiny') }]);
  });

  test('derives ack_wait from backoff and sends no ack_wait beside it', () => {
    const plan = makePlan({
      desired: spec(want('stream S', QUEUE), want('consumer S/w', WORKER)),
      observed: server([
        live('stream S', QUEUE),
        live('consumer S/w', { ack_policy: 'explicit', max_deliver: 10, ack_wait: 60 * S }),
      ]),
    });
    expect(plan.changes[0]?.fields.map(({ path }) => path)).toEqual(['ack_wait', 'backoff']);
    expect(plan.steps[0]?.configs[0]).not.toHaveProperty('ack_wait');
  });

  test('moves a stream before it scales it, on a cluster', () => {
    const plan = makePlan({
      desired: spec(want('stream S', { ...QUEUE, num_replicas: 3, placement: { tags: ['ssd'] } })),
      observed: server([live('stream S', { ...QUEUE, num_replicas: 1 })], { cluster: 'c' }),
    });
    expect(plan.steps[0]?.configs).toMatchObject([
      { num_replicas: 1, placement: { tags: ['ssd'] } },
      { num_replicas: 3 },
    ]);
  });

  test('lets a stream take a subject over after its holder has let it go', () => {
    const plan = makePlan({
      desired: spec(want('stream A', { subjects: ['x.1'] }), want('stream B', { subjects: ['x.2', 'y'] }, 'other')),
      observed: server([live('stream A', { subjects: ['x.1', 'x.2'] }), live('stream B', { subjects: ['y'] })]),
    });
    expect(plan.steps.map(({ resource }) => resource)).toEqual(['stream A', 'stream B']);
    expect(refusals(plan, none)).toEqual([]);
  });
});

describe('the origin of a difference', () => {
  const at = (max_msgs: number) => ({ ...QUEUE, max_msgs });
  test.each([
    { name: 'the spec changed', last: 1, spec: 2, live: 1, want: 'spec' },
    { name: 'somebody changed the server', last: 1, spec: 1, live: 2, want: 'server' },
    { name: 'both changed', last: 1, spec: 2, live: 3, want: 'both' },
    { name: 'nothing was ever applied', last: undefined, spec: 1, live: 2, want: 'unknown' },
  ])('$name', (each) => {
    const lastApplied = each.last && {
      system: 'osapi',
      configs: { 'stream S': want('stream S', at(each.last)).config },
    };
    const plan = makePlan({
      desired: spec(want('stream S', at(each.spec))),
      observed: server([live('stream S', at(each.live))]),
      ...(lastApplied ? { lastApplied } : {}),
    });
    expect(plan.changes[0]).toMatchObject({ origin: each.want, fields: [{ path: 'max_msgs', origin: each.want }] });
  });

  test('of a missing resource that had been applied is the server', () => {
    const lastApplied = { system: 'osapi', configs: { 'stream S': QUEUE } } as const;
    const plan = makePlan({ desired: spec(want('stream S', QUEUE)), observed: server([]), lastApplied });
    expect(plan.changes[0]).toMatchObject({ action: 'create', origin: 'server' });
  });
});

describe('ownership', () => {
  test.each([
    { name: 'without a mark', owner: null, says: 'carries no owner mark' },
    { name: 'of another system', owner: 'billing', says: 'belongs to billing' },
  ])('a resource $name is not touched without --adopt', ({ owner, says }) => {
    const plan = makePlan({
      desired: spec(want('stream S', { ...QUEUE, description: 'new' })),
      observed: server([live('stream S', QUEUE, { owner })]),
    });
    expect(refusals(plan, none)).toMatchObject([
      { code: 'RISK_OWNERSHIP', needs: 'adopt', message: expect.stringContaining(says) },
    ]);
    expect(refusals(plan, new Set(['adopt'] as const))).toEqual([]);
    expect(plan.changes[0]?.fields.map(({ path }) => path)).toEqual(['description', 'metadata.osapi-ops.owner']);
  });

  const hadMark = { system: 'osapi', configs: { 'stream S': QUEUE } };
  test.each([
    { name: 'as the spec says, nobody’s', owner: null, adopt: false, changes: 0, refused: 1 },
    { name: 'the same with --adopt', owner: null, adopt: true, changes: 1, refused: 1 },
    { name: 'another system’s', owner: 'billing', adopt: false, changes: 1, refused: 1 },
    { name: 'ours, the mark wiped', owner: null, adopt: false, last: true, changes: 1, refused: 0 },
    { name: 'ours, marked by another since', owner: 'billing', adopt: false, last: true, changes: 1, refused: 1 },
  ])('a resource that lacks only the mark: $name', ({ owner, adopt, last, changes, refused }) => {
    const plan = makePlan({
      desired: spec(want('stream S', QUEUE)),
      observed: server([live('stream S', QUEUE, { owner })]),
      adopt,
      ...(last && { lastApplied: hadMark }),
    });
    expect(plan.changes).toHaveLength(changes);
    expect(plan.summary.unchanged).toBe(1 - changes);
    expect(refusals(plan, none)).toHaveLength(refused);
  });

  const left = [
    live('stream OLD', QUEUE, { figures: { messages: 3 } }),
    live('consumer OLD/w', WORKER),
    live('stream FOREIGN', {}, { owner: 'billing' }),
  ];

  test('what is ours and no longer in the spec is told, and stays without --prune', () => {
    const plan = makePlan({ desired: spec(), observed: server(left) });
    expect(plan.changes).toEqual([]);
    expect(plan.leftAlone.map(({ resource }) => resource)).toEqual(['stream OLD', 'consumer OLD/w']);
    expect(plan.leftAlone[0]?.what).toContain('--prune');
  });

  test('--prune deletes it, consumers first, and messages inside need a word of their own', () => {
    const plan = makePlan({ desired: spec(), observed: server(left), prune: true });
    expect(plan.steps.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual([
      'delete consumer OLD/w',
      'delete stream OLD',
    ]);
    expect(refusals(plan, new Set(['prune'] as const))).toMatchObject([{ needs: 'allow-data-loss', count: 3 }]);
    expect(plan.summary).toMatchObject({ delete: 2, unchanged: 0 });
  });

  test('the ledger is never pruned', () => {
    expect(makePlan({ desired: spec(), observed: server([live('bucket osapi_ops')]), prune: true }).changes).toEqual(
      [],
    );
  });
});

describe('an immutable change', () => {
  const observed = server([
    live('stream S', QUEUE, { figures: { messages: 12, consumer_count: 1 } }),
    live('consumer S/w', WORKER, { figures: { num_pending: 5, num_ack_pending: 3 } }),
  ]);

  test('of a stream replaces it with its consumers, and says what goes', () => {
    const desired = spec(want('stream S', { ...QUEUE, storage: 'memory' }), want('consumer S/w', WORKER));
    const plan = makePlan({ desired, observed });
    expect(plan.changes.map(({ action, name }) => `${action} ${name}`)).toEqual(['replace S', 'replace S/w']);
    expect(plan.steps.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual([
      'delete stream S',
      'create stream S',
      'create consumer S/w',
    ]);
    expect(refusals(plan, new Set(['allow-replace'] as const))).toMatchObject([
      { needs: 'allow-data-loss', count: 12 },
    ]);
    expect(refusals(plan, none).map(({ needs }) => needs)).toContain('allow-replace');
  });

  test('of a consumer says how many dead and in-flight messages come again', () => {
    const desired = spec(want('stream S', QUEUE), want('consumer S/w', { ...WORKER, max_waiting: 9 }));
    const plan = makePlan({ desired, observed });
    const again = plan.findings.filter(({ code }) => code === 'RISK_REDELIVERY');
    expect(again.map(({ count }) => count)).toEqual([4, 3]);
    expect(again[0]?.message).toContain('redelivers 4 messages that it gave up');
    expect(plan.changes[0]).toMatchObject({ action: 'replace', reason: expect.stringContaining('max_waiting') });
  });

  test('of one of two consumers gives an upper bound', () => {
    const two = server([
      live('stream S', QUEUE, { figures: { messages: 12, consumer_count: 2 } }),
      live('consumer S/w', WORKER),
    ]);
    const plan = makePlan({
      desired: spec(want('consumer S/w', { ...WORKER, replay_policy: 'original' })),
      observed: two,
    });
    expect(plan.findings.find(({ code }) => code === 'RISK_REDELIVERY')?.message).toContain(
      'up to 12 messages that it gave up',
    );
  });
});

describe('data loss', () => {
  const observed = server([live('stream S', { ...QUEUE, discard: 'old' }, { figures: { messages: 50, bytes: 5000 } })]);
  const lower = spec(want('stream S', { ...QUEUE, discard: 'old', max_age: 60 * S }));

  test('is refused with the measured count', () => {
    const losses = new Map([['stream S' as const, [{ field: 'max_age', count: 40, exact: true }]]]);
    const plan = makePlan({ desired: lower, observed, losses });
    expect(refusals(plan, none)).toMatchObject([
      { needs: 'allow-data-loss', count: 40, message: expect.stringContaining('deletes 40 messages of 50') },
    ]);
  });

  test('that was measured to be none is no finding', () => {
    const losses = new Map([['stream S' as const, [{ field: 'max_age', count: 0, exact: true }]]]);
    expect(refusals(makePlan({ desired: lower, observed, losses }), none)).toEqual([]);
  });

  test('that nobody measured counts as the worst', () => {
    expect(refusals(makePlan({ desired: lower, observed }), none)).toMatchObject([
      { count: 50, message: expect.stringContaining('up to 50') },
    ]);
  });

  test('of a limit with discard new is none: publishers are refused instead', () => {
    const plan = makePlan({
      desired: spec(want('stream S', { ...QUEUE, max_msgs: 10 })),
      observed: server([live('stream S', QUEUE, { figures: { messages: 50 } })]),
    });
    expect(refusals(plan, none)).toEqual([]);
    expect(codes(plan)).toEqual(['RISK_PUBLISH_REFUSED']);
  });
});

describe('what the server would refuse', () => {
  test.each([
    { name: 'replicas on a single server', stream: { ...QUEUE, num_replicas: 3 }, field: 'num_replicas' },
    {
      name: 'a window over max_age',
      stream: { ...QUEUE, max_age: S, duplicate_window: 2 * S },
      field: 'duplicate_window',
    },
    { name: 'a new sealed stream', stream: { ...QUEUE, sealed: true }, field: 'sealed' },
    { name: 'subjects of another stream', stream: { ...QUEUE, subjects: ['taken.>'] }, field: 'subjects' },
    {
      name: 'schedules with discard new',
      stream: { ...QUEUE, allow_msg_schedules: true },
      field: 'allow_msg_schedules',
    },
  ])('$name is found before anything is touched', ({ stream, field }) => {
    const plan = makePlan({
      desired: spec(want('stream S', stream)),
      observed: server([live('stream T', { subjects: ['taken.x'] }, { owner: null })]),
    });
    const all = new Set(['adopt', 'prune', 'allow-replace', 'allow-data-loss'] as const);
    expect(refusals(plan, all)).toMatchObject([{ resource: 'stream S', field }]);
  });

  test('a change to a stream without a leader is found, with who is away', () => {
    const replicas = [{ name: 'n2', current: false, offline: true, lag: 0 }];
    const plan = makePlan({
      desired: spec(want('consumer S/w', WORKER)),
      observed: server([live('stream S', QUEUE, { cluster: { replicas } })], { cluster: 'c' }),
    });
    expect(refusals(plan, none)).toMatchObject([{ code: 'CONN_NO_LEADER', message: expect.stringContaining('n2') }]);
  });

  test.each([
    { name: 'with its leader and one of three away', leader: 'n1', offline: [true, false], want: undefined },
    { name: 'whose leader is alone', leader: 'n1', offline: [true, true], want: 'no quorum (offline: n2, n3)' },
    { name: 'without a leader', leader: undefined, offline: [true, false], want: 'no leader (offline: n2)' },
    { name: 'that elects one', leader: undefined, offline: [false, false], want: 'no leader: ' },
  ])('a stream $name is as it should be, or nobody can tell', ({ leader, offline, want: lack }) => {
    const replicas = offline.map((isAway, at) => ({ name: `n${at + 2}`, current: !isAway, offline: isAway, lag: 0 }));
    const cluster = { ...(leader !== undefined && { leader }), replicas };
    const plan = makePlan({
      desired: spec(want('stream S', QUEUE)),
      observed: server([live('stream S', QUEUE, { cluster })], { cluster: 'c' }),
    });
    expect(plan).toMatchObject({ changes: [], summary: { unchanged: 1 } });
    expect(plan.findings).toMatchObject(
      lack === undefined
        ? []
        : [{ code: 'CONN_NO_LEADER', severity: 'warning', message: expect.stringContaining(lack) }],
    );
  });

  test('a second consumer of the same messages on a workqueue is found', () => {
    const plan = makePlan({
      desired: spec(want('stream S', QUEUE), want('consumer S/w', WORKER)),
      observed: server([live('stream S', QUEUE), live('consumer S/stranger', WORKER, { owner: null })]),
    });
    expect(refusals(plan, none)).toMatchObject([
      { resource: 'consumer S/w', message: expect.stringContaining('S/stranger') },
    ]);
  });
});

test('a server that is too old is told with every field that needs a newer one', () => {
  const desired = spec(
    want('stream S', { ...QUEUE, allow_msg_ttl: true, allow_atomic: true, allow_batched: false }),
    want('consumer S/w', { ...WORKER, priority_policy: 'prioritized', priority_groups: ['g'] }),
  );
  const problems = (version: string): string[] => {
    try {
      makePlan({ desired, observed: server([], { version }) });
      return [];
    } catch (error) {
      expect(error).toMatchObject({ code: 'SERVER_TOO_OLD', exitCode: 1 });
      return (error as OpsError).problems.map(({ path }) => path!);
    }
  };
  expect(problems('2.10.26')).toEqual(['allow_msg_ttl', 'allow_atomic', 'priority_groups', 'priority_policy']);
  expect(problems('2.11.11')).toEqual(['allow_atomic', 'priority_policy: prioritized']);
  expect(problems('2.12.8')).toEqual([]);
});

test('2,000 resources are compared in a moment', () => {
  const names = Array.from({ length: 667 }, (_, at) => `Q${at}`);
  const desired = spec(
    ...names.flatMap((name) => [
      want(`stream ${name}`, { ...QUEUE, subjects: [`${name}.*`] }),
      want(`consumer ${name}/w`, WORKER),
      want(`bucket ${name}`),
    ]),
  );
  const observed = server(
    names.flatMap((name) => [
      live(`stream ${name}`, { ...QUEUE, subjects: [`${name}.*`] }),
      live(`consumer ${name}/w`, WORKER),
      live(`bucket ${name}`),
    ]),
  );
  makePlan({ desired, observed });
  const started = process.cpuUsage();
  expect(makePlan({ desired, observed }).summary.unchanged).toBe(2001);
  // About 80 ms on a small machine. Not the time on the wall: that is also that of whatever else runs there.
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000);
});
