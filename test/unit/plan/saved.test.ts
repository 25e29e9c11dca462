import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planJson } from '../../../src/lib/plan/json.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { looksLikeSavedPlan, readSavedPlan, savePlan, staleness } from '../../../src/lib/plan/saved.ts';
import { live, server, spec, want } from './builders.ts';

const META = { savedAt: '2026-01-01T00:00:00Z', tool: 'osapi-ops 0.0.0', source: 'config/prod.yaml' };
const QUEUE = { subjects: ['requests.*'], retention: 'workqueue' };
const desired = spec(want('stream S', { ...QUEUE, max_msgs: 5 }), want('bucket responses'));
const observed = server([live('stream S', QUEUE, { figures: { messages: 3 } })]);
const plan = makePlan({ desired, observed });

describe('a saved plan', () => {
  test('is read back as it was', () => {
    const text = savePlan(plan, META);
    expect(looksLikeSavedPlan(text)).toBe(true);
    expect(readSavedPlan(text)).toMatchObject({ plan: JSON.parse(JSON.stringify(plan)), meta: META });
  });

  test.each([
    { name: 'a spec', text: 'version: 1\nname: osapi\n', says: /not JSON/ },
    { name: 'other JSON', text: '{"a":1}', says: /does not say/ },
    { name: 'a list', text: '[]', says: /does not say/ },
    { name: 'one of a later format', text: '{"kind":"osapi-ops.plan","format":2}', says: /format 2/ },
    {
      name: 'one altered by hand',
      text: savePlan(plan, META).replace('"max_msgs": 5', '"max_msgs": 6'),
      says: /altered/,
    },
    { name: 'half of one', text: savePlan(plan, META).slice(0, 500), says: /not JSON/ },
  ])('$name is refused as unreadable', ({ text, says }) => {
    expect(() => readSavedPlan(text)).toThrow(
      expect.objectContaining({ code: 'PLAN_UNREADABLE', why: expect.stringMatching(says) }),
    );
  });

  test('never crashes on garbage, and always explains', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => readSavedPlan(text)).toThrow(expect.objectContaining({ code: 'PLAN_UNREADABLE' }));
      }),
    );
  });

  test.each([
    { name: 'nothing moved', now: observed, want: [] },
    {
      name: 'messages came and went',
      now: server([live('stream S', QUEUE, { figures: { messages: 999 } })]),
      want: [],
    },
    {
      name: 'a field was changed',
      now: server([live('stream S', { ...QUEUE, max_msgs: 7 })]),
      want: ['stream S was changed'],
    },
    {
      name: 'it was made again',
      now: server([live('stream S', QUEUE, { created: '2026-02-02T00:00:00Z' })]),
      want: ['stream S was changed'],
    },
    {
      name: 'it was taken over',
      now: server([live('stream S', QUEUE, { owner: 'billing' })]),
      want: ['stream S was changed'],
    },
    { name: 'it is gone', now: server([]), want: ['stream S is gone'] },
    {
      name: 'another was made',
      now: server([live('stream S', QUEUE), live('bucket responses')]),
      want: ['bucket responses was created'],
    },
    {
      name: 'the server was updated',
      now: server([live('stream S', QUEUE)], { version: '2.15.2' }),
      want: ['the server was nats-server 2.15.1 and is 2.15.2'],
    },
  ])('where $name, tells what moved', ({ now, want: moved }) => {
    expect(staleness(readSavedPlan(savePlan(plan, META)), now)).toEqual(moved);
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
