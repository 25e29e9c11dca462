import { describe, expect, test } from '@jest/globals';
import { GOALS, type Goal, whyNotYet } from '../../../src/lib/health/goals.ts';
import type { QueueState, Snapshot } from '../../../src/lib/health/snapshot.ts';
import { judgeHealth } from '../../../src/lib/health/verdict.ts';
import { consumerOf, deadOf, queueOf, snapshotOf, streamOf } from './builders.ts';

const queue = (fields: Partial<QueueState>): Snapshot => snapshotOf({ queues: [queueOf(fields)] });

const CASES: readonly { name: string; of: Snapshot; open: readonly Goal[] }[] = [
  { name: 'all is well', of: snapshotOf(), open: [] },
  { name: 'a resource is missing', of: snapshotOf({ missing: ['bucket b'] }), open: ['synced', 'healthy'] },
  { name: 'nothing was applied', of: snapshotOf({ drift: { known: false, why: 'no' } }), open: ['synced'] },
  {
    name: 'a message waits',
    of: queue({ consumers: [consumerOf({ pending: 1, oldestWaitingMs: 1 })] }),
    open: ['drained'],
  },
  { name: 'a message is in flight', of: queue({ consumers: [consumerOf({ ackPending: 1 })] }), open: ['drained'] },
  {
    name: 'nothing waits and a message is dead',
    of: queue({ deadState: deadOf({ dead: 1 }) }),
    open: ['healthy', 'dlq-empty'],
  },
  {
    name: 'a replay that has not ended holds a message',
    of: queue({ deadState: deadOf({ journalled: 1 }) }),
    open: ['healthy', 'drained', 'dlq-empty'],
  },
  {
    name: 'a message waits for nobody',
    of: queue({ uncovered: 1 }),
    open: ['healthy', 'drained'],
  },
  {
    name: 'how many are dead is not known',
    of: queue({ deadState: deadOf({ unknown: 'too many' }) }),
    open: ['dlq-empty'],
  },
  { name: 'there is nothing to judge', of: snapshotOf({ system: null, queues: [] }), open: [...GOALS] },
  {
    name: 'a worker rejected a message into the DLQ',
    of: queue({ deadState: deadOf({ rejected: 1 }), dlq: { name: 'd', ...streamOf({ messages: 1 }) } }),
    open: ['healthy', 'dlq-empty'],
  },
  {
    name: 'the DLQ holds a record of what is gone',
    of: queue({ dlq: { name: 'd', ...streamOf({ messages: 1 }) } }),
    open: [],
  },
  {
    name: 'the queue is missing',
    of: snapshotOf({
      missing: ['stream REQUESTS'],
      queues: [queueOf({ stream: undefined, consumers: [], deadState: undefined })],
    }),
    open: ['synced', 'healthy', 'drained', 'dlq-empty'],
  },
];

describe('a goal', () => {
  test.each(CASES)('where $name: open are $open', ({ of, open }) => {
    const report = judgeHealth(of);
    expect(GOALS.filter((goal) => whyNotYet(goal, report) !== undefined)).toEqual(open);
  });

  const waiting = { consumers: [consumerOf({ pending: 3, ackPending: 4, oldestWaitingMs: 1 })] };
  test.each<{ goal: Goal; of: Snapshot; says: string }>([
    {
      goal: 'synced',
      of: snapshotOf({ missing: ['bucket b'], drift: { known: false, why: 'no spec' } }),
      says: 'missing: bucket b; no spec',
    },
    { goal: 'healthy', of: snapshotOf({ missing: ['bucket b'] }), says: 'resources: missing: bucket b' },
    {
      goal: 'healthy',
      of: snapshotOf({ missing: ['bucket b'], queues: [queueOf({ deadState: deadOf({ dead: 1 }) })] }),
      says: 'resources: missing: bucket b; REQUESTS.dead: 1 message is dead',
    },
    {
      goal: 'drained',
      of: snapshotOf({
        queues: [queueOf(waiting), queueOf(), queueOf({ name: 'J', deadState: deadOf({ journalled: 5 }) })],
      }),
      says: 'REQUESTS: 3 waiting, 4 in flight; J: 0 waiting, 0 in flight, 5 in the journal of a replay that has not ended',
    },
    { goal: 'drained', of: queue({ stream: undefined }), says: 'REQUESTS: not there' },
    {
      goal: 'dlq-empty',
      of: snapshotOf({
        queues: [
          queueOf({ deadState: deadOf({ dead: 1 }) }),
          queueOf({ name: 'A', deadState: deadOf({ dead: 2, exact: false }) }),
          queueOf({ name: 'B', deadState: undefined }),
        ],
      }),
      says: 'REQUESTS: 1 dead; A: about 2 dead; B: how many are dead is not known',
    },
  ])('$goal says what is left: $says', ({ goal, of, says }) => expect(whyNotYet(goal, judgeHealth(of))).toBe(says));

  test('synced says what is only to be made, which no check tells', () => {
    const change = { kind: 'bucket', name: 'b', role: 'responses', origin: 'spec', fields: [] } as const;
    const changes = [{ ...change, action: 'create' } as const];
    expect(whyNotYet('synced', judgeHealth(snapshotOf({ drift: { known: true, changes } })))).toBe('1 pending');
  });
});
