import { expect, test } from '@jest/globals';
import { runNow, type StoredRun, withHeirs } from '../../../src/lib/ledger/replays.ts';
import { isReplayRun } from '../../../src/lib/ledger/shape.ts';
import { chooseRuns } from '../../../src/lib/operations/dlq/replays/ls.ts';
import { renderRun, renderRuns } from '../../../src/lib/ui/render/replays.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const run: StoredRun = {
  id: '20260102T030000000Z-abcdef',
  state: 'running',
  who: 'ada',
  host: 'build-7',
  pid: 7,
  started_at: '2026-01-02T03:00:00.000Z',
  queues: ['REQUESTS'],
  line: 'osapi-ops dlq replay',
  chosen: 300,
  replayed: 100,
  answered: 0,
  acked: 0,
  died: 0,
  skipped: 0,
  failed: 0,
  waiting: 200,
  failures: [],
};
const CREATED = '2026-01-02T03:00:10.000Z';
const at = Date.parse(CREATED);

test.each([
  { state: 'running', silent: 15_000, want: 'running', left: 20 },
  { state: 'running', silent: 15_001, want: 'unfinished', left: null },
  { state: 'done', silent: 99_000, want: 'done', left: null },
  { state: 'interrupted', silent: 0, want: 'interrupted', left: null },
] as const)('$state and silent for $silent ms is $want', ({ state, silent, want, left }) => {
  const now = runNow({ ...run, state }, CREATED, at + silent);
  expect(now).toMatchObject({ state: want, seconds_left: left, updated_at: CREATED });
});

test.each([
  { name: 'nothing moved', fields: { replayed: 0 } },
  { name: 'all are in, and their fates open', fields: { replayed: 300, waiting: 0 } },
  { name: 'its canary is all that moved', fields: { canary: 100 } },
  { name: 'it has just begun', fields: { started_at: CREATED } },
  { name: 'its clock is ahead', fields: { started_at: '2026-01-02T03:00:11.000Z' } },
])('nobody can say how long still: $name', ({ fields }) => {
  expect(runNow({ ...run, ...fields }, CREATED, at).seconds_left).toBeNull();
});

test('once more than the canary moved, its speed tells how long still', () => {
  expect(runNow({ ...run, canary: 99 }, CREATED, at).seconds_left).toBe(20);
});

test.each<{ name: string; first: 'running' | 'unfinished' | 'done'; later: string[][]; want: number | undefined }>([
  { name: 'nobody', first: 'unfinished', later: [], want: undefined },
  { name: 'the next one of its queues', first: 'unfinished', later: [['B'], ['A', 'B', 'C'], ['A', 'B']], want: 1 },
  { name: 'nobody who has half of them', first: 'unfinished', later: [['A']], want: undefined },
  { name: 'nobody, as it ended', first: 'done', later: [['A', 'B']], want: undefined },
  { name: 'nobody, as it runs', first: 'running', later: [['A', 'B']], want: undefined },
])('was taken over by $name', ({ first, later, want }) => {
  const base = runNow(run, CREATED, at);
  const heirs = later.map((queues, index) => ({ ...base, id: `heir ${index}`, queues }));
  const [told, ...others] = withHeirs([{ ...base, state: first, queues: ['A', 'B'] }, ...heirs]);
  expect(told!.taken_over_by).toBe(want === undefined ? undefined : `heir ${want}`);
  expect(others).toEqual(heirs);
  const text = renderRuns([told!], { theme: createTheme({ colour: false }), width: 200, now: new Date(at) });
  expect(text).toContain(
    want === undefined ? '100 of 300 replayed, 200 waiting' : `100 of 300 replayed, then taken over by heir ${want}`,
  );
});

test.each<{ name: string; fields: object; want: boolean }>([
  { name: 'as it is', fields: {}, want: true },
  { name: 'with all it may have', fields: { error: 'x', stopped_by: 'y', ci: 'z' }, want: true },
  { name: 'of another state', fields: { state: 'asleep' }, want: false },
  { name: 'with a count that is none', fields: { replayed: -1 }, want: false },
  { name: 'with failures that are none', fields: { failures: [{ id: 'x' }] }, want: false },
  { name: 'without a line', fields: { line: undefined }, want: false },
  { name: 'stopped by a number', fields: { stopped_by: 5 }, want: false },
])('a record $name: $want', ({ fields, want }) => {
  expect(isReplayRun({ ...run, ...fields })).toBe(want);
});

const theme = createTheme({ colour: false });
const shown = runNow({ ...run, state: 'failed', failed: 3, died: 2, answered: 95, waiting: 195 }, CREATED, at);

test.each([
  {
    width: 60,
    want: [
      'ID                          STATE   BEGAN  WHO',
      '100 of 300 replayed, 3 failed, 2 died again, 95 answered,',
    ],
  },
  {
    width: 80,
    want: [
      'ID                          STATE   BEGAN  WHO',
      '100 of 300 replayed, 3 failed, 2 died again, 95 answered, 195 waiting',
    ],
  },
  { width: 120, want: ['  HOW FAR', 'ada  100 of 300 replayed, 3 failed, 2 died again, 95 answered, 195 waiting'] },
])('a table $width wide cuts nothing of how far a run is, and has what failed first', ({ width, want }) => {
  const text = renderRuns([shown], { theme, width, now: new Date(at) });
  for (const part of want) expect(text).toContain(part);
  expect(text).toContain('195 waiting');
  expect(text).not.toContain('…');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
});

test.each([
  { name: 'one that failed', fields: {}, want: /go on {5}osapi-ops dlq replay/ },
  { name: 'one that was killed', fields: { state: 'unfinished' as const }, want: /go on {5}osapi-ops dlq replay/ },
  {
    name: 'one that another took over',
    fields: { state: 'unfinished' as const, taken_over_by: 'heir' },
    want: /line {6}osapi-ops dlq replay/,
  },
  { name: 'one that is done', fields: { state: 'done' as const }, want: /line {6}osapi-ops dlq replay/ },
])('the line of $name', ({ fields, want }) => {
  expect(renderRun({ ...shown, ...fields }, { theme, width: 80 })).toMatch(want);
});

test.each([
  { filter: {}, want: ['1', '2'] },
  { filter: { state: ['done', 'running'] }, want: ['2', '3'] },
  { filter: { queue: ['B'] }, want: ['1', '3'] },
  { filter: { queue: ['A', 'B'], state: ['failed'] }, want: ['1'] },
  { filter: { queue: ['C'] }, want: [] },
])('of those that are $filter the first two', ({ filter, want }) => {
  const runs = [
    { ...shown, id: '1', queues: ['A', 'B'] },
    { ...shown, id: '2', queues: ['A'], state: 'done' as const },
    { ...shown, id: '3', queues: ['B'], state: 'running' as const },
  ];
  expect(chooseRuns(runs, { limit: 2, ...filter }).map(({ id }) => id)).toEqual(want);
});
