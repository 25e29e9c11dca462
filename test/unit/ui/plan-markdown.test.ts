import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change, Plan } from '../../../src/lib/model/plan.ts';
import { renderPlanMarkdown } from '../../../src/lib/ui/render/plan-markdown.ts';
import { anyText } from '../../support/any-text.ts';

const field = { path: 'max_age', from: '30d', to: '7d', impact: 'in-place', origin: 'spec' } as const;
const update: Change = {
  action: 'update',
  kind: 'stream',
  name: 'REQUESTS',
  role: 'queue',
  origin: 'spec',
  fields: [field],
};

const planOf = (changes: readonly Change[], over: Partial<Plan> = {}): Plan => ({
  system: 'osapi',
  target: {
    server: { name: 'dev-1', version: '2.15.1', id: 'N', jetstream: true, max_payload: 1 },
    url: 'nats://h:4222',
    account: 'A',
    chosenBy: 'NATS_URL',
  },
  fingerprint: {},
  changes,
  findings: [],
  steps: [],
  leftAlone: [],
  summary: { create: 0, update: changes.length, replace: 0, delete: 0, unchanged: 1 },
  ...over,
});

describe('a plan in Markdown', () => {
  test('has a table for each change', () => {
    expect(renderPlanMarkdown(planOf([update]))).toMatchInlineSnapshot(`
      "### Plan for <code>osapi</code>

      **0 to create, 1 to update, 0 to delete, 1 unchanged**

      <code>nats://h:4222</code>, server dev-1 2.15.1, account A; chosen by NATS_URL

      <details open><summary><strong>~ update</strong> stream <code>REQUESTS</code>: the spec changed</summary>

      | field | on the server | after apply | what it means |
      | --- | --- | --- | --- |
      | <code>max_age</code> | <code>30d</code> | <code>7d</code> |  |

      </details>
      "
    `);
  });

  test('puts refusals on top, with the flag that lifts them', () => {
    const findings = [
      {
        code: 'R',
        severity: 'refuse',
        resource: 'stream REQUESTS',
        message: '40 messages go',
        needs: 'allow-data-loss',
      },
    ] as const;
    const text = renderPlanMarkdown(planOf([update], { findings }));
    expect(text.indexOf('> **Refused without --allow-data-loss:**')).toBeGreaterThan(0);
    expect(text.indexOf('> **Refused without --allow-data-loss:**')).toBeLessThan(text.indexOf('<details'));
  });

  test('says when there is nothing to do', () => {
    expect(renderPlanMarkdown(planOf([]))).toContain('**Nothing to do:**');
  });

  test('stays below the longest comment, and counts what is missing', () => {
    const many = Array.from({ length: 900 }, (_, index) => ({ ...update, name: `QUEUE_${index}` }));
    const text = renderPlanMarkdown(planOf(many));
    expect(text.length).toBeLessThanOrEqual(60_000);
    const shown = text.match(/<details/g)!.length;
    expect(text).toContain(`_${900 - shown} more parts of this plan`);
  });

  test('lets no name or value become a tag, a link, a mention or a new row', () => {
    const syntax = fc.constantFrom(
      '<script>',
      '](http://x)',
      '@team',
      '|',
      '\n',
      '`',
      '</details>',
      '*',
      'www.x.y',
      '#',
      '&lt;',
    );
    const hostile = fc.array(fc.oneof(syntax, anyText()), { minLength: 1, maxLength: 4 });
    const harmless = renderPlanMarkdown(planOf([{ ...update, reason: 'x', fields: [{ ...field, note: 'x' }] }]));
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join('');
        const evil: Change = {
          ...update,
          name: text,
          reason: text || 'x',
          fields: [{ ...field, path: text, from: text, to: { [text]: text }, note: text || 'x' }],
        };
        const drawn = renderPlanMarkdown(planOf([evil], { system: text }));
        // Mentions are parted by a comment, which is our own markup.
        const markup = (page: string) => page.replaceAll('<!-- -->', '').replace(/[^<>|\n`@[\]!]/g, '');
        expect(markup(drawn)).toBe(markup(harmless));
        expect(drawn).not.toMatch(/https?:|www\./i);
      }),
    );
  });
});
