import { describe, expect, test } from '@jest/globals';
import type { QueueState, Snapshot } from '../../../src/lib/health/snapshot.ts';
import { judgeHealth } from '../../../src/lib/health/verdict.ts';
import type { Change } from '../../../src/lib/model/plan.ts';
import type { Check, Health } from '../../../src/lib/model/verdict.ts';
import { ago, consumerOf, deadOf, NOW, queueOf, snapshotOf, streamOf, target } from './builders.ts';

const check = (snapshot: Snapshot, id: string): Check => {
  const found = judgeHealth(snapshot).checks.find((one) => one.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
};
const queue = (fields: Partial<QueueState>): Snapshot => snapshotOf({ queues: [queueOf(fields)] });

const replica = (fields: object) => ({ name: 'n2', current: true, offline: false, lag: 0, ...fields });
const placed = (fields: object, replicas = 3): Partial<Snapshot> => ({
  target: target('2.15.1', 'C1'),
  placed: [{ name: 'REQUESTS', replicas, cluster: { leader: 'n1', replicas: [replica({}), replica({})], ...fields } }],
});
const change: Change = {
  action: 'update',
  kind: 'stream',
  name: 'REQUESTS',
  role: 'queue',
  origin: 'server',
  fields: [{ path: 'max_msgs', from: 10, to: 20, impact: 'in-place', origin: 'server' }],
};
const account = (storage: number, limit: number) => ({
  account: {
    storage,
    memory: 0,
    streams: 3,
    consumers: 1,
    limits: { max_storage: limit, max_memory: -1, max_streams: -1, max_consumers: -1 },
  },
});
const full = (messages: number, dead = 0): Partial<QueueState> => ({
  stream: streamOf({ messages }, { max_msgs: 10 }),
  deadState: deadOf({ dead, orphans: 0 }),
});

/** What a check says, and of which snapshot. */
const CASES: readonly { name: string; id: string; of: Snapshot; want: Health; says?: RegExp }[] = [
  { name: 'a quick answer', id: 'connection', of: snapshotOf({ rttMs: 499 }), want: 'ok' },
  { name: 'a slow answer', id: 'connection', of: snapshotOf({ rttMs: 500 }), want: 'warn' },
  { name: 'a very slow answer', id: 'connection', of: snapshotOf({ rttMs: 1000 }), want: 'critical' },
  { name: 'a server of our time', id: 'server', of: snapshotOf(), want: 'ok' },
  { name: 'a server too old', id: 'server', of: snapshotOf({ target: target('2.9.25') }), want: 'critical' },
  { name: 'no defect', id: 'defects', of: snapshotOf(), want: 'ok' },
  {
    name: 'a cluster that loses the dead',
    id: 'defects',
    of: snapshotOf({ target: target('2.12.8', 'c') }),
    want: 'warn',
    says: /nats-server#8102.*2\.12\.9/,
  },
  {
    name: 'a newer line without the fix',
    id: 'defects',
    of: snapshotOf({ target: target('2.14.0', 'c') }),
    want: 'warn',
  },
  { name: 'an older line with the fix', id: 'defects', of: snapshotOf({ target: target('2.12.9', 'c') }), want: 'ok' },
  { name: 'the same server alone', id: 'defects', of: snapshotOf({ target: target('2.12.8') }), want: 'ok' },
  { name: 'an account without limits', id: 'storage', of: snapshotOf(), want: 'ok' },
  { name: 'an account nearly full', id: 'storage', of: snapshotOf(account(70, 100)), want: 'warn' },
  { name: 'an account full', id: 'storage', of: snapshotOf(account(100, 100)), want: 'critical' },
  { name: 'an account that we may not see', id: 'storage', of: snapshotOf({ account: undefined }), want: 'unknown' },
  { name: 'all there', id: 'resources', of: snapshotOf(), want: 'ok' },
  {
    name: 'a bucket missing',
    id: 'resources',
    of: snapshotOf({ missing: ['bucket responses'] }),
    want: 'critical',
    says: /missing: bucket responses/,
  },
  {
    name: 'a stream without a leader',
    id: 'resources',
    of: snapshotOf({ missing: ['stream X'], silent: new Map([['stream X', 'it has no leader']]) }),
    want: 'critical',
    says: /^stream X: it has no leader$/,
  },
  { name: 'as declared', id: 'drift', of: snapshotOf(), want: 'ok' },
  {
    name: 'a changed field',
    id: 'drift',
    of: snapshotOf({ drift: { known: true, changes: [change] } }),
    want: 'warn',
    says: /max_msgs is 10, not 20/,
  },
  {
    name: 'a field that the spec leaves out',
    id: 'drift',
    of: snapshotOf({ drift: { known: true, changes: [{ ...change, fields: [{ ...change.fields[0]!, to: null }] }] } }),
    want: 'warn',
    says: /max_msgs is 10, and should not be set/,
  },
  {
    name: 'a field that the server lacks',
    id: 'drift',
    of: snapshotOf({
      drift: { known: true, changes: [{ ...change, fields: [{ ...change.fields[0]!, from: null }] }] },
    }),
    want: 'warn',
    says: /max_msgs is not set, and should be 20/,
  },
  {
    name: 'what goes only with another',
    id: 'drift',
    of: snapshotOf({
      drift: { known: true, changes: [{ ...change, action: 'replace', fields: [], reason: 'its stream is replaced' }] },
    }),
    want: 'warn',
    says: /: its stream is replaced$/,
  },
  { name: 'nothing applied', id: 'drift', of: snapshotOf({ drift: { known: false, why: 'no' } }), want: 'unknown' },
  { name: 'current replicas', id: 'REQUESTS.replicas', of: snapshotOf(placed({})), want: 'ok' },
  {
    name: 'a replica offline',
    id: 'REQUESTS.replicas',
    of: snapshotOf(placed({ replicas: [replica({ offline: true, current: false }), replica({})] })),
    want: 'warn',
  },
  {
    name: 'a replica behind',
    id: 'REQUESTS.replicas',
    of: snapshotOf(placed({ replicas: [replica({ lag: 200 }), replica({})] })),
    want: 'warn',
    says: /behind by up to 200/,
  },
  {
    name: 'a replica not placed yet',
    id: 'REQUESTS.replicas',
    of: snapshotOf(placed({ replicas: [replica({})] })),
    want: 'warn',
    says: /1 of 3 are not placed/,
  },
  { name: 'no leader', id: 'REQUESTS.replicas', of: snapshotOf(placed({ leader: undefined })), want: 'critical' },
  {
    name: 'replicas asked of a single server',
    id: 'REQUESTS.replicas',
    of: snapshotOf({ placed: [{ name: 'REQUESTS', replicas: 3 }] }),
    want: 'warn',
    says: /single server/,
  },
  { name: 'room', id: 'REQUESTS.usage', of: queue(full(6)), want: 'ok' },
  { name: 'little room', id: 'REQUESTS.usage', of: queue(full(7)), want: 'warn', says: /room for 3 messages/ },
  {
    name: 'a queue full of dead messages',
    id: 'REQUESTS.usage',
    of: queue(full(10, 10)),
    want: 'critical',
    says: /0 waiting, 0 in flight, 10 dead; full: publishers are refused \(10077\)/,
  },
  {
    name: 'a full queue that drops its oldest',
    id: 'REQUESTS.usage',
    of: queue({ stream: streamOf({ messages: 10 }, { max_msgs: 10, discard: 'old' }) }),
    want: 'critical',
    says: /dropped, unprocessed/,
  },
  {
    name: 'a queue that fills up',
    id: 'REQUESTS.usage',
    of: queue({ ...full(8), growth: { messages: 0.1, bytes: 0 } }),
    want: 'warn',
    says: /in about 20s at the present rate publishers are refused/,
  },
  {
    name: 'a queue that empties',
    id: 'REQUESTS.usage',
    of: queue({ ...full(8), growth: { messages: -3, bytes: 0 } }),
    want: 'warn',
    says: /it does not grow now/,
  },
  { name: 'a queue looked at once', id: 'REQUESTS.usage', of: queue(full(8)), want: 'warn', says: /is not known/ },
  {
    name: 'a queue with too many bytes',
    id: 'REQUESTS.usage',
    of: queue({ stream: streamOf({ messages: 1, bytes: 950 }, { max_msgs: 10, max_bytes: 1000 }) }),
    want: 'critical',
    says: /max_bytes/,
  },
  ...(['ok', 'warn', 'critical'] as const).map((want, index) => ({
    name: `a backlog of ${[999, 1000, 10_000][index]}`,
    id: 'REQUESTS.backlog',
    of: queue({ consumers: [consumerOf({ pending: [999, 1000, 10_000][index]!, oldestWaitingMs: 1 })] }),
    want,
  })),
  ...(['ok', 'warn', 'critical'] as const).map((want, index) => ({
    name: `the oldest waiting ${[299, 300, 3600][index]} s`,
    id: 'REQUESTS.oldest',
    of: queue({ consumers: [consumerOf({ pending: 1, oldestWaitingMs: [299, 300, 3600][index]! * 1000 })] }),
    want,
  })),
  {
    name: 'the oldest that cannot be read',
    id: 'REQUESTS.oldest',
    of: queue({ consumers: [consumerOf({ pending: 1 })] }),
    want: 'unknown',
  },
  ...(['ok', 'warn', 'critical'] as const).map((want, index) => ({
    name: `at max_ack_pending and still for ${[1, 5, 60][index]} s`,
    id: 'REQUESTS/worker.in_flight',
    of: queue({
      consumers: [
        consumerOf({ pending: 5, ackPending: 1000, waits: [30e9], lastMoved: ago([1, 5, 60][index]! * 1000) }),
      ],
    }),
    want,
  })),
  {
    name: 'at max_ack_pending with nothing waiting',
    id: 'REQUESTS/worker.in_flight',
    of: queue({ consumers: [consumerOf({ ackPending: 1000, lastMoved: ago(60_000) })] }),
    want: 'ok',
  },
  ...(['ok', 'warn', 'critical'] as const).map((want, index) => ({
    name: `nobody pulling for ${[29, 30, 300][index]} s`,
    id: 'REQUESTS/worker.pulling',
    of: queue({
      consumers: [consumerOf({ waiting: 0, pending: 1, oldestWaitingMs: [29, 30, 300][index]! * 1000 })],
    }),
    want,
  })),
  {
    name: 'nobody pulling, and nothing to pull',
    id: 'REQUESTS/worker.pulling',
    of: queue({ consumers: [consumerOf({ waiting: 0 })] }),
    want: 'ok',
  },
  {
    name: 'workers that are busy and do not pull',
    id: 'REQUESTS/worker.pulling',
    of: queue({
      consumers: [consumerOf({ waiting: 0, pending: 9, ackPending: 2, oldestWaitingMs: 99_000, lastMoved: ago(4000) })],
    }),
    want: 'ok',
  },
  {
    name: 'a queue that nobody can take from',
    id: 'REQUESTS.pulling',
    of: queue({ consumers: [], stream: streamOf({ messages: 1 }) }),
    want: 'critical',
  },
  {
    name: 'a paused consumer',
    id: 'REQUESTS/worker.paused',
    of: queue({ consumers: [consumerOf({ paused: true, pausedUntil: '2027-01-01T00:00:00Z' })] }),
    want: 'warn',
    says: /until 2027/,
  },
  {
    name: 'half of ten retried',
    id: 'REQUESTS.redelivery',
    of: queue({ consumers: [consumerOf({ ackPending: 20, redelivered: 10 })] }),
    want: 'warn',
  },
  {
    name: 'the dead, which the server counts as redelivered',
    id: 'REQUESTS.redelivery',
    of: queue({ consumers: [consumerOf({ ackPending: 20, redelivered: 10 })], deadState: deadOf({ dead: 10 }) }),
    want: 'ok',
  },
  { name: 'nothing dead', id: 'REQUESTS.dead', of: queue({}), want: 'ok' },
  {
    name: 'one dead',
    id: 'REQUESTS.dead',
    of: queue({ deadState: deadOf({ dead: 1, oldestDiedAt: NOW - 8_040_000, lastHour: 1 }) }),
    want: 'warn',
    says: /1 message is dead \(the oldest for 2h14m, 1 within the last hour\)/,
  },
  {
    name: 'one rejected into the DLQ',
    id: 'REQUESTS.dead',
    of: queue({ deadState: deadOf({ rejected: 1 }) }),
    want: 'warn',
    says: /^1 message is dead \(kept in the DLQ with the payload\)$/,
  },
  {
    name: 'dead and rejected together',
    id: 'REQUESTS.dead',
    of: queue({ deadState: deadOf({ dead: 60, rejected: 40 }) }),
    want: 'critical',
    says: /^100 messages are dead \(40 kept in the DLQ/,
  },
  { name: 'a hundred dead', id: 'REQUESTS.dead', of: queue({ deadState: deadOf({ dead: 100 }) }), want: 'critical' },
  { name: 'one dying', id: 'REQUESTS.dying', of: queue({ deadState: deadOf({ dying: 1 }) }), want: 'warn' },
  {
    name: 'an orphan',
    id: 'REQUESTS.orphans',
    of: queue({ deadState: deadOf({ dead: 2, orphans: 1 }) }),
    want: 'critical',
  },
  {
    name: 'more dead than can be looked into',
    id: 'REQUESTS.orphans',
    of: queue({ deadState: deadOf({ dead: 50_000, orphans: 0, exact: false }) }),
    want: 'unknown',
  },
  {
    name: 'a DLQ with room',
    id: 'dlq.dlq',
    of: queue({ dlq: { name: 'dlq', ...streamOf({ messages: 69 }, { max_msgs: 100 }) } }),
    want: 'ok',
  },
  {
    name: 'a DLQ that is nearly full',
    id: 'dlq.dlq',
    of: queue({ dlq: { name: 'dlq', ...streamOf({ messages: 70 }, { max_msgs: 100 }) } }),
    want: 'warn',
    says: /new entries are lost/,
  },
  {
    name: 'a DLQ that is full',
    id: 'dlq.dlq',
    of: queue({ dlq: { name: 'dlq', ...streamOf({ messages: 100 }, { max_msgs: 100, discard: 'old' }) } }),
    want: 'critical',
    says: /the oldest entries go/,
  },
  {
    name: 'an entry that is soon forgotten',
    id: 'dlq.dlq',
    of: queue({
      deadState: deadOf({ dead: 1, oldestDiedAt: NOW - 95_000 }),
      dlq: { name: 'dlq', ...streamOf({ messages: 1 }, { max_age: 100e9 }) },
    }),
    want: 'warn',
    says: /forgotten in 5s/,
  },
  {
    name: 'a bucket of responses that is full',
    id: 'responses.responses',
    of: queue({ responses: { name: 'responses', ...streamOf({ bytes: 1000 }, { max_bytes: 1000 }) } }),
    want: 'critical',
  },
];

describe('a check', () => {
  test.each(CASES)('of $name is $want ($id)', ({ id, of, want, says }) => {
    const found = check(of, id);
    expect(found.status).toBe(want);
    if (says) expect(found.summary).toMatch(says);
    if (want === 'warn' || want === 'critical') expect(found.next).toBeTruthy();
    else if (want === 'ok') expect(found.next).toBeUndefined();
  });

  test('has an id that no other has', () => {
    const { checks } = judgeHealth(snapshotOf({ queues: [queueOf(), queueOf({ name: 'OTHER' })] }));
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  });

  test('is not made of what is missing, and nothing falls over it', () => {
    const report = judgeHealth(
      snapshotOf({
        missing: ['stream REQUESTS'],
        queues: [queueOf({ stream: undefined, consumers: [], deadState: undefined })],
      }),
    );
    expect(report.checks.filter(({ status }) => status !== 'ok').map(({ id }) => id)).toEqual(['resources']);
    expect(report.queues[0]).toMatchObject({ ready: null, in_flight: null, dead: null, oldest_seconds: null });
  });
});

describe('the verdict', () => {
  test('is the worst of all checks, and what is not known is less than a warning', () => {
    const unknown = { drift: { known: false, why: 'nothing applied' } } as const;
    expect(judgeHealth(snapshotOf()).health).toBe('ok');
    expect(judgeHealth(snapshotOf(unknown)).health).toBe('unknown');
    expect(judgeHealth(snapshotOf({ ...unknown, rttMs: 600 })).health).toBe('warn');
    expect(judgeHealth(snapshotOf({ missing: ['bucket b'], rttMs: 600 })).health).toBe('critical');
  });
});
