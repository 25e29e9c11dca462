import { expect, test } from '@jest/globals';
import { runNow, type StoredRun, withFinished, withHeirs } from '../../../src/lib/ledger/replays.ts';
import { isReplayRun } from '../../../src/lib/ledger/shape.ts';
import type { ReplayRunJson } from '../../../src/lib/model/replay-run.ts';
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

test.each<{ name: string; by: ReplayRunJson['finished_for'][]; want: object; told: string }>([
  { name: 'nothing', by: [], want: { replayed: 100, waiting: 200 }, told: '100 of 300 replayed, 200 waiting' },
  {
    name: 'of another run',
    by: [[{ id: 'x', count: 2, replayed: 150 }]],
    want: { replayed: 100 },
    told: '200 waiting',
  },
  {
    name: 'of a run of which nobody wrote it down',
    by: [[{ count: 2 }]],
    want: { replayed: 100 },
    told: '200 waiting',
  },
  {
    name: 'a page, of which it had counted none',
    by: [[{ id: run.id, count: 2, replayed: 107 }]],
    want: { replayed: 107, waiting: 193, finished_by: [{ id: 'heir 0', count: 2 }] },
    told: '107 of 300 replayed, 2 of them finished by heir 0, 193 waiting',
  },
  {
    name: 'a page that it had counted itself',
    by: [[{ id: run.id, count: 0, replayed: 99 }]],
    want: { replayed: 100, waiting: 200, finished_by: [] },
    told: '100 of 300 replayed, 200 waiting',
  },
  {
    name: 'a page and what lay in the journal, by two',
    by: [
      [
        { id: run.id, count: 2, replayed: 107 },
        { id: run.id, count: 1 },
      ],
      [{ id: run.id, count: 5 }],
    ],
    want: {
      replayed: 113,
      waiting: 187,
      finished_by: [
        { id: 'heir 0', count: 3 },
        { id: 'heir 1', count: 5 },
      ],
    },
    told: '113 of 300 replayed, 3 of them finished by heir 0, 5 of them finished by heir 1, 187 waiting',
  },
  {
    name: 'more than were known to be chosen',
    by: [[{ id: run.id, count: 2, replayed: 301 }]],
    want: { replayed: 301, waiting: 0 },
    told: '301 of 300 replayed',
  },
])('finished for it was $name', ({ by, want, told }) => {
  const base = runNow({ ...run, state: 'interrupted' }, CREATED, at);
  const heirs = by.map((all, index) => ({ ...base, id: `heir ${index}`, finished_for: all }));
  const [first, ...others] = withFinished([base, ...heirs]);
  expect(first).toMatchObject(want);
  expect(others).toEqual(heirs);
  const look = { theme: createTheme({ colour: false }), width: 300, now: new Date(at) };
  expect(renderRuns([first!], look)).toContain(told);
});

test('what it finished for others is told of a run, and under which sequence a request stands now', () => {
  const look = { theme: createTheme({ colour: false }), width: 300 };
  const own = {
    ...runNow({ ...run, state: 'failed', died: 1, failed: 1 }, CREATED, at),
    finished_for: [{ id: 'x', count: 2, replayed: 7 }, { count: 3 }, { id: 'y', count: 0, replayed: 9 }],
    failures: [
      { id: 'REQUESTS/w/1', error: 'died again: 503', new_seq: 61 },
      { id: 'REQUESTS/w/2', error: 'refused' },
    ],
  };
  const text = renderRun(own, look);
  expect(text).toContain('100 of 300 replayed, 2 finished of x, 3 finished of an earlier run, 1 failed');
  expect(text).toContain('  REQUESTS/w/1, now 61  died again: 503\n  REQUESTS/w/2  refused\n');
});

test.each<{ name: string; fields: object; want: boolean }>([
  { name: 'as it is', fields: {}, want: true },
  { name: 'with all it may have', fields: { error: 'x', stopped_by: 'y', ci: 'z' }, want: true },
  {
    name: 'with what it finished',
    fields: { finished_for: [{ count: 1 }, { id: 'x', count: 0, replayed: 2 }] },
    want: true,
  },
  { name: 'with what it finished of a number', fields: { finished_for: [{ id: 5, count: 1 }] }, want: false },
  { name: 'with a copy under no number', fields: { failures: [{ id: 'x', error: 'y', new_seq: 'z' }] }, want: false },
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
