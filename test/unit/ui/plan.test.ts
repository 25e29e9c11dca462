import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change, Finding, Plan } from '../../../src/lib/model/plan.ts';
import { renderApplied } from '../../../src/lib/ui/render/applied.ts';
import { renderPlan } from '../../../src/lib/ui/render/plan.ts';
import { widthOf } from '../../../src/lib/ui/text.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';
import { anyText } from '../../support/any-text.ts';

const theme = createTheme({ colour: false });
const server = { name: 'dev-1', version: '2.15.1', id: 'N', jetstream: true, max_payload: 1048576 };

const change = (over: Partial<Change> = {}): Change => ({
  action: 'update',
  kind: 'stream',
  name: 'REQUESTS',
  role: 'queue',
  origin: 'spec',
  fields: [],
  ...over,
});

function planOf(changes: readonly Change[], over: Partial<Plan> = {}): Plan {
  const count = (action: Change['action']) => changes.filter((item) => item.action === action).length;
  return {
    system: 'osapi',
    target: { server, url: 'nats://127.0.0.1:4222', account: 'OSAPI', chosenBy: 'NATS_URL' },
    fingerprint: {},
    changes,
    findings: [],
    steps: [],
    leftAlone: [],
    summary: {
      create: count('create'),
      update: count('update'),
      replace: count('replace'),
      delete: count('delete'),
      unchanged: 2,
    },
    ...over,
  };
}

const field = { path: 'max_age', from: '30d', to: '7d', impact: 'in-place', origin: 'spec' } as const;

describe('a plan', () => {
  test('without changes says so, and where it looked', () => {
    expect(renderPlan(planOf([]), { theme, width: 120 })).toMatchInlineSnapshot(`
      "osapi on nats://127.0.0.1:4222, server dev-1 2.15.1, account OSAPI; chosen by NATS_URL

      Nothing to do: 2 resources are as the spec says.
      "
    `);
  });

  test('aligns the fields of a new resource', () => {
    const fields = [
      { ...field, path: 'subjects', from: null, to: ['requests.*'] },
      { ...field, path: 'duplicate_window', from: null, to: '2m' },
    ];
    expect(
      renderPlan(planOf([change({ action: 'create', origin: 'unknown', fields })]), { theme, width: 120 }),
    ).toMatchInlineSnapshot(`
      "osapi on nats://127.0.0.1:4222, server dev-1 2.15.1, account OSAPI; chosen by NATS_URL

      + create stream REQUESTS (queue)
          subjects          requests.*
          duplicate_window  2m

      Plan: 1 to create, 0 to update, 0 to delete, 2 unchanged.
      "
    `);
  });

  test('says unlimited in the spec’s word, and nothing of the kind where 0 or -1 means something else', () => {
    const fields = [
      { ...field, from: '0s' },
      { ...field, path: 'max_msgs', from: 5, to: -1 },
      { ...field, path: 'duplicate_window', from: '0s', to: '2m' },
    ];
    expect(
      renderPlan(planOf([change({ fields })]), { theme, width: 120 })
        .split('\n')
        .slice(3, 6),
    ).toEqual([
      '    max_age           unlimited → 7d',
      '    max_msgs          5 → unlimited',
      '    duplicate_window  0s → 2m',
    ]);
  });

  test('tells what a given flag allows, and asks only for the others', () => {
    const finding = (needs: Finding['needs'], message: string): Finding => ({
      code: 'RISK_X',
      severity: 'refuse',
      resource: 'stream REQUESTS',
      message,
      hint: 'the way round',
      ...(needs && { needs }),
    });
    const findings = [finding('adopt', 'is not ours'), finding('allow-data-loss', 'deletes 3 messages')];
    const text = renderPlan(planOf([change({ fields: [field] })], { findings }), {
      theme,
      width: 120,
      given: new Set(['adopt'] as const),
    });
    expect(text).toContain('Allowed by --adopt: is not ours. [RISK_X]');
    expect(text).toContain('Refused without --allow-data-loss: deletes 3 messages. The way round. [RISK_X]');
    expect(text).toContain('Apply needs --allow-data-loss.');
  });

  test('tells the spec’s changes from the server’s, and what they mean', () => {
    const fields = [
      { ...field, origin: 'server' as const, note: 'older messages go' },
      { ...field, path: 'max_msgs', from: 'unlimited', to: 10 },
    ];
    expect(renderPlan(planOf([change({ origin: 'both', fields })]), { theme, width: 120 })).toMatchInlineSnapshot(`
      "osapi on nats://127.0.0.1:4222, server dev-1 2.15.1, account OSAPI; chosen by NATS_URL

      ~ update stream REQUESTS (queue): the spec changed, and somebody changed the server
          max_age   30d → 7d
                    somebody changed the server
                    older messages go
          max_msgs  unlimited → 10
                    the spec changed

      Plan: 0 to create, 1 to update, 0 to delete, 2 unchanged.
      "
    `);
  });

  test('names the immutable field, the figures and the flag of a replacement', () => {
    const replaced = change({
      action: 'replace',
      kind: 'consumer',
      name: 'REQUESTS/request-worker',
      role: 'worker',
      fields: [
        {
          ...field,
          path: 'replay_policy',
          from: 'instant',
          to: 'original',
          impact: 'replace',
          note: 'refused (10012)',
        },
      ],
      reason: 'replay_policy cannot be changed.',
      reverse: 'apply the old spec.',
    });
    const finding: Finding = {
      code: 'RISK_REDELIVERY',
      severity: 'refuse',
      resource: 'consumer REQUESTS/request-worker',
      message: '12 dead messages are delivered again',
      needs: 'allow-replace',
    };
    expect(renderPlan(planOf([replaced], { findings: [finding] }), { theme, width: 60 })).toMatchInlineSnapshot(`
"osapi on nats://127.0.0.1:4222, server dev-1 2.15.1, account
OSAPI; chosen by NATS_URL

± replace consumer REQUESTS/request-worker (worker): the
  spec changed
    replay_policy  instant → original
                   cannot be changed in place: refused
                   (10012)
    replay_policy cannot be changed.
    Refused without --allow-replace: 12 dead messages are
    delivered again. [RISK_REDELIVERY]
    The way back: apply the old spec.

Plan: 0 to create, 0 to update, 1 to replace, 0 to delete, 2
unchanged. Apply needs --allow-replace.
"
`);
  });

  test('draws the time line of a failing request, where a change carries one', () => {
    const draw = (retries?: string) =>
      renderPlan(planOf([change({ kind: 'consumer', ...(retries ? { retries } : {}) })]), { theme, width: 120 });
    expect(draw('tried once\u001b[2J')).toContain('    Retries: tried once\\x1b[2J.\n');
    expect(draw()).not.toContain('Retries');
  });

  test('puts a long move on two lines', () => {
    const subjects = (count: number) => Array.from({ length: count }, (_, index) => `requests.kind-${index}.>`);
    const fields = [{ ...field, path: 'subjects', from: subjects(2), to: subjects(3) }];
    expect(renderPlan(planOf([change({ fields })]), { theme, width: 80 })).toContain(
      '    subjects  requests.kind-0.>, requests.kind-1.>\n              → requests.kind-0.>, requests.kind-1.>, requests.kind-2.>\n',
    );
  });

  test('lists what is left alone, and findings about no change', () => {
    const text = renderPlan(
      planOf([], {
        leftAlone: [{ resource: 'stream OLD', what: 'no longer in the spec; --prune deletes it' }],
        findings: [{ code: 'RISK_X', severity: 'warning', resource: 'stream REQUESTS', message: 'no leader' }],
      }),
      { theme, width: 120 },
    );
    expect(text).toContain('Warning: stream REQUESTS: no leader. [RISK_X]\n');
    expect(text).toContain('Left alone\n  stream OLD: no longer in the spec; --prune deletes it\n');
  });

  test('of a refusal that no flag lifts says so in the sum', () => {
    const findings: Finding[] = [
      { code: 'RISK_X', severity: 'refuse', resource: 'stream REQUESTS', message: 'no leader' },
    ];
    expect(renderPlan(planOf([change({ fields: [field] })], { findings }), { theme, width: 120 })).toContain(
      '2 unchanged. 1 refusal no flag can lift.\n',
    );
  });

  const hostile = anyText({ minLength: 1, maxLength: 30 });

  test('obeys no name or value, at any width', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 20, max: 200 }), (text, width) => {
        const evil = change({
          name: text,
          reason: text,
          reverse: text,
          error: text,
          status: 'failed',
          fields: [{ ...field, path: text, from: [text], to: { [text]: text }, note: text }],
        });
        const plan = planOf([evil], {
          system: text,
          target: { server: { ...server, name: text }, url: text, account: text, chosenBy: text },
          findings: [{ code: text, severity: 'refuse', resource: `stream ${text}`, message: text, hint: text }],
          leftAlone: [{ resource: `stream ${text}`, what: text }],
        });
        const drawn = renderPlan(plan, { theme, width }) + renderApplied([evil], { theme, width, unchanged: 0 });
        expect(drawn.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  test.each([60, 80, 120, 200])('keeps to %i columns where words allow it', (width) => {
    const note = 'a sentence of many words that has to be broken somewhere near the end of the terminal '.repeat(3);
    const text = renderPlan(planOf([change({ fields: [{ ...field, note }], reason: note })]), { theme, width });
    expect(Math.max(...text.split('\n').map(widthOf))).toBeLessThanOrEqual(width);
  });

  test('needs no colour, and with colour says the same', () => {
    const plan = planOf([change({ fields: [field], reason: 'because' })]);
    const coloured = renderPlan(plan, { theme: createTheme({ colour: true }), width: 100 });
    expect(coloured).toContain('\u001b[');
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(renderPlan(plan, { theme, width: 100 }));
  });
});

describe('what was applied', () => {
  test('is only summed where each was seen as it was done, but for what went wrong', () => {
    const changes = [change({ status: 'applied' }), change({ name: 'OTHER', status: 'failed', error: 'no' })];
    const view = { theme, width: 120, unchanged: 0, seen: true };
    expect(renderApplied(changes.slice(0, 1), view)).toBe('Applied: 0 created, 1 updated, 0 deleted, 0 unchanged.\n');
    const lines = renderApplied(changes, view).split('\n');
    expect(lines.slice(0, 2)).toEqual(['✗ failed to update stream OTHER (queue): no', '']);
  });

  test('is told one by one, and summed', () => {
    const changes = [change({ action: 'create', status: 'applied' }), change({ status: 'applied' })];
    expect(renderApplied(changes, { theme, width: 100, unchanged: 2 })).toMatchInlineSnapshot(`
      "✓ created stream REQUESTS (queue)
      ✓ updated stream REQUESTS (queue)

      Applied: 1 created, 1 updated, 0 deleted, 2 unchanged.
      "
    `);
  });

  test('half-way says what failed, what was not reached, and how to go on', () => {
    const changes = [
      change({ action: 'create', status: 'applied' }),
      change({ status: 'failed', error: 'no space left (10023)' }),
      change({ action: 'delete', status: 'skipped' }),
    ];
    expect(renderApplied(changes, { theme, width: 100, unchanged: 0 })).toMatchInlineSnapshot(`
      "✓ created stream REQUESTS (queue)
      ✗ failed to update stream REQUESTS (queue): no space left (10023)
      · not reached: delete stream REQUESTS (queue)

      Applied: 1 created, 0 updated, 0 deleted, 0 unchanged. 1 failed, 1 not reached. Run it again: it
      goes on from here.
      "
    `);
  });
});
