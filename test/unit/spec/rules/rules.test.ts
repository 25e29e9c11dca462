import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { FORM_FAULTS } from '../../../../scripts/generate/form-faults.ts';
import { MEANING_FAULTS, RULES_PAGE_FILE, rulesPageText } from '../../../../scripts/generate/rules-page.ts';
import { fixSpec } from '../../../../src/lib/spec/fix.ts';
import { loadText } from '../support.ts';

describe('each rule', () => {
  test.each([...FORM_FAULTS, ...MEANING_FAULTS].map((rule) => ({ ...rule, name: rule.id })))(
    '$name is broken by its bad example, alone, and by its good one not at all',
    async ({ id, severity, bad, good }) => {
      const { problems, loaded } = await loadText(bad);
      expect(new Set(problems.map(({ code }) => code))).toEqual(new Set([id]));
      for (const problem of problems) {
        expect(problem).toMatchObject({ severity, line: expect.any(Number), column: expect.any(Number) });
        expect([problem.message, problem.why, problem.hint].every(Boolean)).toBe(true);
      }
      expect(loaded === undefined).toBe(severity === 'error');
      expect((await loadText(good)).problems).toEqual([]);
    },
  );

  test('has an id of its own', () => {
    const ids = [...FORM_FAULTS, ...MEANING_FAULTS].map(({ id }) => id);
    expect(ids.length).toBe(new Set(ids).size);
  });

  test('mends its bad example for good where it has a mend', async () => {
    const mended: string[] = [];
    for (const { id, bad } of [...FORM_FAULTS, ...MEANING_FAULTS]) {
      const { problems } = await loadText(bad);
      const { text, fixed } = fixSpec(bad, problems);
      if (fixed.length === 0) continue;
      mended.push(id);
      expect((await loadText(text)).problems.filter(({ code }) => code === id)).toEqual([]);
    }
    expect(mended).toEqual([
      'SPEC_OTHER_WORD',
      'SPEC_METADATA_RESERVED',
      'SPEC_WORKQUEUE_DELIVER_POLICY',
      'SPEC_QUEUE_NO_ACK',
      'SPEC_ACK_WAIT_OVERRIDDEN',
      'SPEC_DLQ_RETENTION',
    ]);
  });

  test('has its paragraph in docs/rules.md (mend: npm run docs)', () => {
    expect(readFileSync(RULES_PAGE_FILE, 'utf8')).toBe(rulesPageText());
  });
});
