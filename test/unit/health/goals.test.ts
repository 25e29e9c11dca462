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
});
