import { describe, expect, test } from '@jest/globals';
import type { Config, Json } from '../../../src/lib/model/json.ts';
import type { ResourceKey } from '../../../src/lib/model/resource.ts';
import { findHandovers } from '../../../src/lib/plan/handover.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import type { Subject } from '../../../src/lib/risk/subject.ts';
import { live, server, spec, want } from './builders.ts';

type Claims = Record<string, string[]>;

const QUEUE = { subjects: ['q.>'], retention: 'workqueue' };

/** `name: what it holds after that step`, in order; steps of one stage share a line. */
function story(kind: 'stream' | 'consumer', from: Claims, to: Claims): string[] {
  const key = (name: string): ResourceKey => (kind === 'stream' ? `stream ${name}` : `consumer Q/${name}`);
  const field = kind === 'stream' ? 'subjects' : 'filter_subjects';
  const config = (held: string[]): Record<string, Json> => ({ [field]: held });
  const frame = kind === 'stream' ? [] : [live('stream Q', QUEUE)];
  const wanted = kind === 'stream' ? [] : [want('stream Q', QUEUE)];
  const observed = server([...frame, ...Object.entries(from).map(([name, held]) => live(key(name), config(held)))]);
  const desired = spec(...wanted, ...Object.entries(to).map(([name, held]) => want(key(name), config(held))));
  const { steps, findings } = makePlan({ desired, observed });
  expect(findings.filter(({ severity }) => severity === 'refuse')).toEqual([]);
  const lines = new Map<number, string[]>();
  for (const { resource, configs, stage } of steps) {
    const sent = configs[0] as Config;
    const held = (sent.filter_subject ? [sent.filter_subject] : (sent[field] ?? [])) as string[];
    const name = resource.replace(/^.*[ /]/, '');
    lines.set(stage, [...(lines.get(stage) ?? []), `${name}: ${held.join(' ')}`]);
  }
  return [...lines].sort(([a], [b]) => a - b).map(([, line]) => line.sort().join(', '));
}

describe.each(['stream', 'consumer'] as const)('what a %s hands over', (kind) => {
  const moving = (name: string): string =>
    kind === 'stream' ? `osapi-ops.moving.${name}` : `osapi-ops.moving.Q.${name}`;
  test.each([
    {
      name: 'a move: the holder lets go first',
      from: { A: ['q.1', 'q.2'], B: ['q.3'] },
      to: { A: ['q.1'], B: ['q.3', 'q.2'] },
      want: ['A: q.1', 'B: q.3 q.2'],
    },
    {
      name: 'an exchange: both let go, then both take',
      from: { A: ['q.1'], B: ['q.2'] },
      to: { A: ['q.2'], B: ['q.1'] },
      want: [`A: ${moving('A')}, B: ${moving('B')}`, 'A: q.2, B: q.1'],
    },
    {
      name: 'what stays is held all the while, and what is new to all is nobody’s hindrance',
      from: { A: ['q.1', 'q.5'], B: ['q.2', 'q.6.>'] },
      to: { A: ['q.2', 'q.5'], B: ['q.1', 'q.6.a', 'q.7'] },
      want: ['A: q.5, B: q.6.a', 'A: q.2 q.5, B: q.1 q.6.a q.7'],
    },
    {
      name: 'changes that do not touch one another: one update each',
      from: { A: ['q.1'], B: ['q.2'] },
      to: { A: ['q.3'], B: ['q.2', 'q.4'] },
      want: ['A: q.3, B: q.2 q.4'],
    },
  ])('$name', ({ from, to, want: told }) => {
    const claims = (each: Record<string, string[] | undefined>) => each as Claims;
    expect(story(kind, claims(from), claims(to))).toEqual(told);
  });
});

test('consumers of a stream that is no workqueue share filters as they like', () => {
  const stream = { subjects: ['q.>'], retention: 'limits' };
  const observed = server([
    live('stream Q', stream),
    live('consumer Q/A', { filter_subject: 'q.1' }),
    live('consumer Q/B', { filter_subject: 'q.2' }),
  ]);
  const desired = spec(
    want('stream Q', stream),
    want('consumer Q/A', { filter_subject: 'q.2' }),
    want('consumer Q/B', { filter_subject: 'q.1' }),
  );
  expect(makePlan({ desired, observed }).steps.map(({ resource, stage }) => [resource, stage])).toEqual([
    ['consumer Q/A', 7],
    ['consumer Q/B', 7],
  ]);
});

describe('who waits for whom', () => {
  type Row = readonly [
    kind: string,
    name: string,
    action: string,
    before: string[] | undefined,
    after: string[] | undefined,
  ];
  const subjectOf = ([kind, name, action, before, after]: Row): Subject => {
    const config = (held: string[] | undefined) => held && { subjects: held, filter_subjects: held };
    return { change: { kind, name, action }, before: config(before), after: config(after) } as unknown as Subject;
  };

  test.each<{ name: string; rows: Row[]; want: Record<string, readonly string[] | undefined> }>([
    {
      name: 'what is created waits for who lets go, and keeps nothing meanwhile',
      rows: [
        ['stream', 'A', 'update', ['a', 'b'], ['a']],
        ['stream', 'C', 'create', undefined, ['b']],
        ['consumer', 'Q/A', 'update', ['a', 'b'], ['a']],
        ['consumer', 'Q/C', 'create', undefined, ['b']],
      ],
      want: { C: undefined, 'Q/C': undefined },
    },
    {
      name: 'what is deleted has gone before any update',
      rows: [
        ['stream', 'A', 'delete', ['a'], undefined],
        ['stream', 'B', 'update', ['b'], ['a', 'b']],
      ],
      want: {},
    },
    {
      name: 'who widens what it holds waits for nobody',
      rows: [['stream', 'A', 'update', ['q.1'], ['q.*']]],
      want: {},
    },
    {
      name: 'who gains nothing waits for nobody, though both hold the same',
      rows: [
        ['consumer', 'Q/A', 'update', ['x'], ['x']],
        ['consumer', 'Q/B', 'update', ['x', 'y'], ['x']],
      ],
      want: {},
    },
    {
      name: 'consumers of two queues do not meet',
      rows: [
        ['consumer', 'Q/A', 'update', ['x'], ['y']],
        ['consumer', 'R/B', 'update', ['y'], ['x']],
      ],
      want: {},
    },
    {
      name: 'buckets hold nothing that another could want',
      rows: [
        ['bucket', 'A', 'update', ['x'], ['y']],
        ['bucket', 'A', 'update', ['y'], ['x']],
      ],
      want: {},
    },
    {
      name: 'who lets go and widens keeps what it held of it',
      rows: [
        ['stream', 'A', 'update', ['a', 'q.1'], ['b', 'q.*']],
        ['stream', 'B', 'update', ['b', 'r.*'], ['a', 'r.1']],
      ],
      want: { A: ['q.1'], B: ['r.1'] },
    },
  ])('$name', ({ rows, want }) => {
    const found = findHandovers(rows.map(subjectOf), () => true);
    expect([...found].map(([{ change }, { keeps }]) => [change.name, keeps])).toEqual(Object.entries(want));
  });
});
