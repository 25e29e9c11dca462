import { describe, expect, test } from '@jest/globals';
import type { Migration, Unfinished } from '../../../src/lib/model/migration.ts';
import type { Change } from '../../../src/lib/model/plan.ts';
import type { ResourceKey } from '../../../src/lib/model/resource.ts';
import { isUnderWay, moved, underNewNames, underWay } from '../../../src/lib/plan/moves.ts';
import { consumer, migration, renaming } from '../migrate/builders.ts';
import { want } from './builders.ts';

const begun = (of: Migration): Unfinished => ({
  migration: of,
  step: 'copying',
  canUndo: true,
  where: 'copying Q to N',
  meanwhile: 'workers go on',
  who: 'ada',
  since: '2026-01-01',
});
const bucket = renaming({ kind: 'bucket', name: 'new', from: 'old', hops: [{ from: 'KV_old', to: 'KV_new' }] });
const worker = migration({
  kind: 'consumer',
  name: 'Q/v',
  from: 'Q/w',
  hops: [],
  fields: ['name', 'ack_wait'],
  consumers: [
    consumer({ from: 'x', to: 'x', before: { ack_wait: 1e9 }, after: { ack_wait: 2e9 } }),
    consumer({ to: 'v', before: { ack_wait: 30e9 }, after: { ack_wait: 60e9 } }),
  ],
});

test.each<[string, Migration, ResourceKey, boolean]>([
  ['its old stream', renaming(), 'stream Q', true],
  ['its new stream', renaming(), 'stream N', true],
  ['another stream', renaming(), 'stream P', false],
  ['a consumer of the old', renaming(), 'consumer Q/w', true],
  ['a consumer of the new', renaming(), 'consumer N/w', true],
  ['one of another', renaming(), 'consumer P/w', false],
  ['a bucket of its name', renaming(), 'bucket Q', false],
  ['the bucket that it was', bucket, 'bucket old', true],
  ['the bucket that it will be', bucket, 'bucket new', true],
  ['its stream', bucket, 'stream KV_new', true],
  ['a bucket by the name of its stream', bucket, 'bucket KV_new', false],
  ['a name that only ends so', renaming({ hops: [{ from: 'A_KV_', to: 'B' }] }), 'bucket _', false],
  ['the consumer that it was', worker, 'consumer Q/w', true],
  ['the consumer that it will be', worker, 'consumer Q/v', true],
  ['another of that stream', worker, 'consumer Q/x', false],
  ['its stream, which stays', worker, 'stream Q', false],
])('%s is part of what is moved: %#', (_, of, key, want) => {
  expect(isUnderWay({ migration: of }, key)).toBe(want);
});

describe('what was begun to be moved is shown', () => {
  const impact = { impact: 'replace', origin: 'unknown' } as const;
  const shown: readonly [string, Migration, Partial<Change>][] = [
    [
      'a stream that keeps its name, by two hops',
      migration(),
      {
        kind: 'stream',
        name: 'Q',
        fields: [{ path: 'storage', from: 'memory', to: 'file', ...impact }],
        hops: migration().hops,
      },
    ],
    [
      'one that gets another, by one',
      renaming({ fields: ['name', 'duplicate_window'] }),
      {
        name: 'N',
        moved_from: 'Q',
        fields: [
          { path: 'name', from: 'Q', to: 'N', ...impact },
          { path: 'duplicate_window', from: '2m', to: '1m', ...impact },
        ],
        hops: [{ from: 'Q', to: 'N' }],
      },
    ],
    [
      'a field that no table has, as it stands',
      migration({ fields: ['odd'], before: { odd: 7 }, after: {} }),
      { fields: [{ path: 'odd', from: 7, to: null, ...impact }], hops: migration().hops },
    ],
    [
      'a consumer by its own fields',
      worker,
      {
        kind: 'consumer',
        name: 'Q/v',
        moved_from: 'Q/w',
        fields: [
          { path: 'name', from: 'Q/w', to: 'Q/v', ...impact },
          { path: 'ack_wait', from: '30s', to: '1m', ...impact },
        ],
      },
    ],
    [
      'one that is not among those that go along',
      { ...worker, consumers: [] },
      {
        moved_from: 'Q/w',
        fields: [
          { path: 'name', from: 'Q/w', to: 'Q/v', ...impact },
          { path: 'ack_wait', from: null, to: null, ...impact },
        ],
      },
    ],
  ];
  test.each(shown)('%s', (_, of, change) => {
    const { key, change: all, ...rest } = underWay(begun(of), undefined);
    expect(all).toEqual({
      action: 'migrate',
      kind: of.kind,
      name: of.name,
      role: 'other',
      origin: 'unknown',
      reason: 'ada began to move it on 2026-01-01, and it is not done: copying Q to N; workers go on',
      ...change,
    });
    expect([key, rest]).toEqual([`${of.kind} ${of.name}`, {}]);
  });

  test('with what the spec wants of it', () => {
    const desired = want('stream Q', {}, 'dlq');
    expect(underWay(begun(migration()), desired)).toMatchObject({ desired, change: { role: 'dlq' } });
  });
});

describe('a change', () => {
  const change: Change = {
    ...{ action: 'replace', kind: 'stream', name: 'Q', role: 'queue', fields: [], origin: 'spec' },
    reverse: 'no way',
  } as unknown as Change;
  const subject = { key: 'stream Q' as const, change };
  const cost = { bytes: 0, storage: 'file', aheadMs: 0, workersMs: 0, gaps: 0, gapMs: 0 } as const;
  const { reverse: _, ...rest } = change;
  test.each([
    ['by hops', migration(), { hops: migration().hops }],
    ['without any', worker, {}],
  ])('that is carried out by moving, %s, tells no way back', (_, of, more) => {
    const done = moved(subject, { is: 'movable', migration: of, cost });
    expect(done.change).toEqual({ ...rest, action: 'migrate', ...more });
  });
  test('that is not is as it was', () => {
    expect(moved(subject, undefined)).toBe(subject);
    expect(moved(subject, { is: 'refused', refusals: [] })).toBe(subject);
  });
});

test.each([
  ['nothing was applied', undefined, undefined],
  ['the old name only', { 'stream Q': { a: 1 } }, { 'stream Q': { a: 1 }, 'stream N': { a: 1 } }],
  ['both', { 'stream Q': { a: 1 }, 'stream N': { a: 2 } }, { 'stream Q': { a: 1 }, 'stream N': { a: 2 } }],
  ['neither', { 'stream P': { a: 1 } }, { 'stream P': { a: 1 } }],
])('what was applied last stands under the new name too: %s', (_, configs, want) => {
  const renames = new Map<ResourceKey, ResourceKey>([['stream N', 'stream Q']]);
  expect(underNewNames(configs as never, renames)).toEqual(want);
  expect(underNewNames(configs as never, new Map())).toBe(configs);
});
