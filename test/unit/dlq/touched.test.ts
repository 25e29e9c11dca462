import { expect, test } from '@jest/globals';
import { queuesTouched } from '../../../src/lib/dlq/touched.ts';
import type { Change } from '../../../src/lib/model/plan.ts';
import type { Observed, ResourceKey } from '../../../src/lib/model/resource.ts';

const change = (action: Change['action'], kind: Change['kind'], name: string, role: Change['role'] = 'other') =>
  ({ action, kind, name, role, fields: [], origin: 'spec' }) satisfies Change;
const MAX = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES';
const observed = {
  resources: new Map<ResourceKey, unknown>([
    ['stream one_dlq', { config: { subjects: [`${MAX}.ONE.*`, 'osapi-ops.rejected.TWO.*'] } }],
    ['stream all_dlq', { config: { subjects: [`${MAX}.>`] } }],
    ['stream LOGS', { config: { subjects: ['logs.>'] } }],
  ]),
} as unknown as Observed;
const desired = {
  resources: ['ONE', 'TWO'].map((name) => ({ kind: 'stream' as const, name, role: 'queue' as const, config: {} })),
};

test.each([
  {
    name: 'nothing is replaced',
    changes: [change('create', 'stream', 'ONE'), change('update', 'stream', 'TWO')],
    want: [],
  },
  { name: 'a queue', changes: [change('replace', 'stream', 'ONE', 'queue')], want: ['ONE'] },
  { name: 'a consumer: it delivers the dead again', changes: [change('replace', 'consumer', 'ONE/w')], want: ['ONE'] },
  { name: 'a bucket', changes: [change('replace', 'bucket', 'responses')], want: [] },
  { name: 'a DLQ of two queues', changes: [change('delete', 'stream', 'one_dlq')], want: ['one_dlq', 'ONE', 'TWO'] },
  { name: 'a DLQ of every queue', changes: [change('replace', 'stream', 'all_dlq')], want: ['all_dlq', 'ONE', 'TWO'] },
  {
    name: 'a DLQ beside what is no queue',
    changes: [
      change('delete', 'stream', 'all_dlq'),
      change('create', 'stream', 'LOGS'),
      change('create', 'stream', 'NEW', 'queue'),
    ],
    want: ['all_dlq', 'ONE', 'TWO', 'NEW'],
  },
  { name: 'a stream beside', changes: [change('delete', 'stream', 'LOGS')], want: ['LOGS'] },
  {
    name: 'a queue that the spec does not name any more, and its DLQ',
    changes: [change('delete', 'stream', 'OLD', 'queue'), change('delete', 'stream', 'all_dlq')],
    want: ['OLD', 'all_dlq', 'ONE', 'TWO'],
  },
])('the queues that are touched: $name', ({ changes, want }) => {
  expect(queuesTouched(changes, { observed, desired })).toEqual(want);
});
