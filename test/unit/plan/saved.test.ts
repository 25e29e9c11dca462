import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Json, stableText } from '../../../src/lib/model/json.ts';
import type { Finding, Plan } from '../../../src/lib/model/plan.ts';
import { planJson } from '../../../src/lib/plan/json.ts';
import { makePlan, summarize } from '../../../src/lib/plan/make-plan.ts';
import { readSavedPlan } from '../../../src/lib/plan/read-saved.ts';
import { looksLikeSavedPlan, savePlan, staleness } from '../../../src/lib/plan/saved.ts';
import { SETTING } from '../../../src/lib/plan/settings.ts';
import { live, server, spec, want } from './builders.ts';

const META = {
  savedAt: '2026-01-01T00:00:00Z',
  tool: 'osapi-ops 0.0.0',
  source: 'config/prod.yaml',
  spec: 'version: 1\n',
  prune: false,
};
const QUEUE = { subjects: ['requests.*'], retention: 'workqueue' };
const desired = spec(want('stream S', { ...QUEUE, max_msgs: 5, discard: 'old' }), want('bucket responses'));
const observed = server([
  live('stream S', { ...QUEUE, discard: 'old' }, { figures: { messages: 8 } }),
  live('stream OLD', {}, { figures: { messages: 1 } }),
]);
const plan = makePlan({ desired, observed });

type Tree = Record<string, unknown>;
const file = (): Tree & { plan: Tree; meta: Tree } => JSON.parse(savePlan(plan, META));

/** The file as somebody writes it who knows how: with the digest of what is in it. */
function forged(alter: (file: Tree & { plan: Tree; meta: Tree }) => void): string {
  const tree = file();
  alter(tree);
  const digest = createHash('sha256')
    .update(stableText({ plan: tree.plan, meta: tree.meta }))
    .digest('hex');
  return JSON.stringify({ ...tree, digest });
}

/** Every place of a tree, as the keys that lead there. */
const placesOf = (tree: unknown, path: readonly string[] = []): (readonly string[])[] =>
  typeof tree === 'object' && tree !== null
    ? [path, ...Object.entries(tree).flatMap(([key, value]) => placesOf(value, [...path, key]))]
    : [path];

function put(tree: Tree, path: readonly string[], value: unknown): void {
  const owner = path.slice(0, -1).reduce((at, key) => at[key] as Tree, tree);
  Object.defineProperty(owner, path.at(-1)!, { value, enumerable: true, configurable: true, writable: true });
}

describe('a saved plan', () => {
  test('is read back as it was, without the writes', () => {
    const text = savePlan(plan, META);
    expect(looksLikeSavedPlan(text)).toBe(true);
    expect(text.startsWith('{\n  "kind": "osapi-ops.plan"')).toBe(true);
    const { steps, ...shown } = JSON.parse(JSON.stringify(plan)) as Plan;
    expect(steps.length).toBeGreaterThan(0);
    expect(readSavedPlan(text)).toEqual({ plan: shown, meta: META, digest: JSON.parse(text).digest });
  });

  test('every word that a plan may hold is read back', () => {
    const change = plan.changes[0]!;
    const field = { path: 'max_age', from: 1, to: 2 } as const;
    const changes = [
      ...(['create', 'update', 'replace', 'delete'] as const).map((action) => ({ ...change, action })),
      ...(['queue', 'worker', 'dlq', 'responses', 'other'] as const).map((role) => ({ ...change, role })),
      ...(['stream', 'consumer', 'bucket'] as const).map((kind) => ({ ...change, kind })),
      { ...change, hops: [{ from: 'S', to: 'T' }], moved_from: 'S' },
      ...(['spec', 'server', 'both', 'unknown'] as const).map((origin) => ({
        ...change,
        origin,
        fields: [
          { ...field, impact: 'in-place' as const, origin },
          { ...field, impact: 'replace' as const, origin },
        ],
      })),
    ];
    const findings = [
      ...(['info', 'warning', 'refuse'] as const).map((severity) => ({ severity })),
      ...(['adopt', 'prune', 'allow-replace', 'allow-data-loss'] as const).map((needs) => ({
        severity: 'refuse' as const,
        needs,
      })),
    ].map((each) => ({ code: 'X', resource: 'consumer S/c' as const, message: 'm', ...each }));
    const whole = { ...plan, changes, findings, summary: summarize(changes, 40) };
    const read = readSavedPlan(savePlan(whole, META)).plan;
    expect({ changes: read.changes, findings: read.findings }).toEqual({ changes, findings });
  });

  test.each([
    { text: '{"kind":"osapi-ops.plan"', is: true },
    { text: '\n { "kind" : "osapi-ops.plan" }', is: true },
    { text: '{"kind":"osapi-ops.other"}', is: false },
    { text: '{"format":2,"kind":"osapi-ops.plan"}', is: false },
    { text: `${' '.repeat(200)}{"kind":"osapi-ops.plan"}`, is: false },
    { text: 'version: 1\n# {"kind":"osapi-ops.plan"\n', is: false },
  ])('is told from a spec by its first word: $text', ({ text, is }) => {
    expect(looksLikeSavedPlan(text)).toBe(is);
  });

  test.each([
    { name: 'a spec', text: 'version: 1\nname: osapi\n', says: /not JSON/ },
    { name: 'other JSON', text: '{"a":1}', says: /does not say/ },
    { name: 'a list', text: '[]', says: /does not say/ },
    { name: 'one of another format', text: '{"kind":"osapi-ops.plan","format":1}', says: /format 1; .* format 2/ },
    { name: 'one altered by hand', text: savePlan(plan, META).replace('"to": 5', '"to": 6'), says: /altered/ },
    { name: 'half of one', text: savePlan(plan, META).slice(0, 500), says: /not JSON/ },
    {
      name: 'one nested without end, which nobody’s digest is of',
      text: `{"kind":"osapi-ops.plan","format":2,"plan":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
      says: /altered/,
    },
    {
      name: 'one whose change has no role',
      text: forged((tree) => put(tree, ['plan', 'changes', '0', 'role'], 1)),
      says: /wrong kind/,
    },
    {
      name: 'one with a fingerprint of no kind',
      text: forged((tree) => put(tree, ['plan', 'fingerprint', 'streamS'], 'x')),
      says: /wrong kind/,
    },
    { name: 'one that sums up less', text: forged((tree) => put(tree, ['plan', 'summary', 'create'], 0)), says: /sum/ },
    {
      name: 'one that hides a change from its sum',
      text: forged((tree) => put(tree, ['plan', 'changes'], [])),
      says: /sum/,
    },
    {
      name: 'one with a sum below nothing',
      text: forged((tree) => put(tree, ['plan', 'summary', 'unchanged'], -1)),
      says: /wrong kind/,
    },
  ])('$name is refused as unreadable', ({ text, says }) => {
    expect(() => readSavedPlan(text)).toThrow(
      expect.objectContaining({
        code: 'PLAN_UNREADABLE',
        exitCode: 65,
        why: expect.stringMatching(says),
        hints: ['make it again: `osapi-ops plan SPEC --out FILE`'],
      }),
    );
  });

  test('never crashes on garbage, and always explains', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => readSavedPlan(text)).toThrow(expect.objectContaining({ code: 'PLAN_UNREADABLE' }));
      }),
    );
  });

  test('never crashes on a forged one: what it gives has the form of a plan', () => {
    const places = placesOf(file()).filter(([top, second]) => second !== undefined && ['plan', 'meta'].includes(top!));
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.json().map((text) => JSON.parse(text) as Json),
        fc.boolean(),
        (path, value, isKey) => {
          const at = isKey ? [...path.slice(0, -1), '__proto__'] : path;
          let read: ReturnType<typeof readSavedPlan>;
          try {
            read = readSavedPlan(forged((tree) => put(tree, at, value)));
          } catch (error) {
            expect(error).toMatchObject({ code: 'PLAN_UNREADABLE' });
            return;
          }
          expect(() => [planJson(read.plan), staleness(read.plan, plan, observed)]).not.toThrow();
          expect(Object.getPrototypeOf(read.plan.fingerprint)).toBe(Object.prototype);
        },
      ),
    );
  });
});

describe('a saved plan no longer fits', () => {
  const S = (more = {}, options = {}) =>
    live('stream S', { ...QUEUE, discard: 'old', ...more }, { figures: { messages: 8 }, ...options });
  const OLD = live('stream OLD');
  test.each([
    { name: 'nothing moved', now: observed, want: [] },
    { name: 'messages came', now: server([S({}, { figures: { messages: 999 } }), OLD]), want: [] },
    { name: 'a field was changed', now: server([S({ max_msgs: 7 }), OLD]), want: ['stream S was changed'] },
    {
      name: 'it was made again',
      now: server([S({}, { created: '2026-02-02T00:00:00Z' }), OLD]),
      want: ['stream S was changed'],
    },
    { name: 'it was taken over', now: server([S({}, { owner: 'billing' }), OLD]), want: ['stream S was changed'] },
    { name: 'it is gone', now: server([OLD]), want: ['stream S is gone'] },
    {
      name: 'another was made',
      now: server([S(), OLD, live('bucket responses')]),
      want: ['bucket responses was created'],
    },
    { name: 'what was left over is gone', now: server([S()]), want: ['stream OLD is gone'] },
    { name: 'more is left over', now: server([S(), OLD, live('stream NEW')]), want: ['stream NEW was created'] },
    {
      name: 'the server was updated',
      now: server([S(), OLD], { version: '2.15.2' }),
      want: ['the server was nats-server 2.15.1 and is 2.15.2'],
    },
    {
      name: 'the server is another',
      now: server([S(), OLD], { name: 'n2' }),
      want: ['the plan was made for server n1, this is server n2'],
    },
    {
      name: 'the server was restarted',
      now: server([S(), OLD], { id: 'NOTHER' }),
      want: [
        expect.stringMatching(
          /^server n1 was restarted since, or is another of that name \(then nats:.*, now nats:.*\)$/,
        ),
      ],
    },
    {
      name: 'the server joined a cluster',
      now: server([S(), OLD], { cluster: 'c1' }),
      want: ['the plan was made for server n1, this is cluster c1'],
    },
    {
      name: 'the account is another',
      now: server([S(), OLD], { account: 'B' }),
      want: ['the plan was made for account $G, this is B'],
    },
  ])('where $name: $want', ({ now, want: moved }) => {
    const fresh = makePlan({ desired, observed: now });
    expect(staleness(readSavedPlan(savePlan(plan, META)).plan, fresh, now)).toEqual(moved);
  });

  test('in a cluster of the same name it does not matter which server answers', () => {
    const [one, other] = ['n1', 'n2'].map((name) => server([S(), OLD], { name, cluster: 'c1' }));
    expect(staleness(makePlan({ desired, observed: one! }), makePlan({ desired, observed: other! }), other!)).toEqual(
      [],
    );
  });

  const [update, create] = plan.changes;
  const gone = { ...update!, action: 'delete', name: 'OTHER' } as const;
  test.each([
    {
      name: 'a change that nobody makes',
      changes: [update!, create!, gone],
      want: ['it shows that it would delete stream OTHER, which its spec does not say'],
    },
    { name: 'one change less', changes: [create!], want: ['it does not show that it would update stream S'] },
    {
      name: 'a change of other fields',
      changes: [{ ...update!, fields: [] }, create!],
      want: ['it shows that it would update stream S, otherwise than its spec says'],
    },
    {
      name: 'another action',
      changes: [update!, { ...create!, action: 'update' as const }],
      want: ['it shows that it would update bucket responses, otherwise than its spec says'],
    },
    {
      name: 'words that are not ours',
      changes: [{ ...update!, reason: 'harmless' }, create!],
      want: ['it shows that it would update stream S, otherwise than its spec says'],
    },
    {
      name: 'a change twice, and one that nobody makes',
      changes: [update!, create!, create!, gone],
      want: ['it shows that it would delete stream OTHER, which its spec does not say'],
    },
    { name: 'a change twice', changes: [update!, create!, create!], want: ['it shows a change twice'] },
  ])('where it shows $name', ({ changes, want: told }) => {
    expect(staleness({ ...plan, changes }, plan, observed)).toEqual(told);
  });

  test('where it is silent about what stands in the way', () => {
    const [refused] = plan.findings.filter(({ severity }) => severity === 'refuse');
    expect(refused).toMatchObject({ code: 'RISK_DATA_LOSS', count: 3 });
    const others = [
      { ...refused!, needs: 'adopt' as const },
      { ...refused!, field: 'ttl' },
      { ...refused!, resource: 'stream T' as const },
      { ...refused!, code: 'X' },
    ];
    for (const findings of [[], ...others.map((each) => [each])]) {
      expect(staleness({ ...plan, findings }, plan, observed)).toEqual([refused!.message]);
    }
    expect(
      staleness({ ...plan, findings: [{ ...refused!, count: 1, message: 'one message' }] }, plan, observed),
    ).toEqual([]);
    const [setting, other] = ['2', '3'].map((value) => ({
      ...{ code: SETTING, severity: 'info' as const, resource: 'stream S' as const, field: 'connection.x' },
      message: `1 → ${value}`,
    }));
    const told = (then: Finding[]) =>
      staleness({ ...plan, findings: then }, { ...plan, findings: [setting!] }, observed);
    expect([told([]), told([other!]), told([setting!])]).toEqual([['1 → 2'], ['1 → 2'], []]);
    const warned = { ...plan, findings: plan.findings.map((each) => ({ ...each, severity: 'warning' as const })) };
    expect(staleness({ ...plan, findings: [] }, warned, observed)).toEqual([]);
  });
});

test('the JSON of a plan has the contract’s keys', () => {
  const json = planJson(plan);
  expect(json).toMatchObject({
    system: 'osapi',
    server: { version: '2.15.1' },
    changes: [
      { action: 'update', kind: 'stream', name: 'S', fields: [{ path: 'max_msgs', from: -1, to: 5 }] },
      { action: 'create', kind: 'bucket', name: 'responses', fields: [] },
    ],
    summary: { create: 1, update: 1, replace: 0, delete: 0, unchanged: 0 },
  });
  expect(json).not.toHaveProperty('steps');
});
