import { describe, expect, test } from '@jest/globals';
import type { ConsumerStanding, QueueStanding } from '../../../src/lib/dlq/standing.ts';
import type { FailureRecord } from '../../../src/lib/ledger/failure.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { stateOfStored } from '../../../src/lib/requests/state.ts';
import { timelineOf } from '../../../src/lib/requests/timeline.ts';

const NOW = Date.parse('2026-11-24T08:00:10Z');
const message: StoredMessage = {
  stream: 'REQUESTS',
  seq: 17,
  subject: 'requests.dns',
  time: '2026-11-24T08:00:00Z',
  headers: new Uint8Array(0),
  payload: Buffer.from('{"id":"a"}'),
};

function taker(over: Partial<ConsumerStanding> = {}): ConsumerStanding {
  return {
    name: 'w',
    created: '2026-11-24T07:00:00Z',
    filters: ['requests.*'],
    delivered: 20,
    ackFloor: 10,
    pending: 0,
    ackPending: 1,
    redelivered: 0,
    waiting: 1,
    maxDeliver: 3,
    waits: [5e9, 10e9],
    paused: false,
    acks: true,
    ...over,
  };
}

const standing = (...consumers: ConsumerStanding[]): QueueStanding => ({
  queue: 'REQUESTS',
  exists: true,
  copies: [],
  created: '2026-11-24T07:00:00Z',
  retention: 'workqueue',
  maxAge: 0,
  subjects: ['requests.*'],
  messages: 5,
  bytes: 500,
  firstSeq: 10,
  lastSeq: 20,
  consumers,
  readAt: 0,
});

const failed: FailureRecord = {
  stream: 'REQUESTS',
  consumer: 'w',
  seq: 17,
  published_at: message.time,
  delivery: 1,
  kind: 'failed',
  reason: 'upstream said 503',
  at: '2026-11-24T08:00:08Z',
  next_delivery_at: '2026-11-24T08:00:13.000Z',
  worker: 'here/1',
};
const overdue: FailureRecord = { ...failed, at: '2026-11-24T08:00:01Z', next_delivery_at: '2026-11-24T08:00:06.000Z' };
const { next_delivery_at: _none, ...last }: FailureRecord = { ...failed, delivery: 3 };

describe('the state of a stored request', () => {
  test.each([
    {
      name: 'queued, before its consumer comes to it',
      consumers: [taker({ delivered: 16 })],
      want: { state: 'queued' },
    },
    {
      name: 'queued for nobody, where no worker pulls',
      consumers: [taker({ delivered: 16, waiting: 0, ackPending: 0 })],
      want: { state: 'queued', detail: 'nobody is pulling from w' },
    },
    {
      name: 'queued behind a pause',
      consumers: [taker({ delivered: 16, paused: true })],
      want: { state: 'queued', detail: 'w is paused' },
    },
    {
      name: 'queued on a subject that nobody takes',
      consumers: [taker({ filters: ['requests.http'] })],
      want: { state: 'queued', detail: 'no consumer of REQUESTS takes requests.dns' },
    },
    {
      name: 'in flight, once delivered',
      consumers: [taker()],
      want: { state: 'in_flight', detail: 'without an answer it is delivered again within 10s, or dies' },
    },
    {
      name: 'waiting for the retry that its backoff says',
      consumers: [taker()],
      failure: failed,
      want: { state: 'retry', deliveries: 1, detail: failed.reason, next_delivery_at: '2026-11-24T08:00:13.000Z' },
    },
    {
      name: 'in flight again, where the retry is due and a worker pulls',
      consumers: [taker()],
      failure: overdue,
      want: { state: 'in_flight', deliveries: 1 },
    },
    {
      name: 'waiting still, where the retry is due and nobody pulls',
      consumers: [taker({ waiting: 0 })],
      failure: overdue,
      want: { state: 'retry', next_delivery_at: '2026-11-24T08:00:06.000Z' },
    },
    {
      name: 'without a next delivery after the last one',
      consumers: [taker()],
      failure: last,
      want: { state: 'in_flight', deliveries: 3, detail: failed.reason },
    },
  ])('is $name', ({ consumers, failure, want }) => {
    const status = stateOfStored('a', {
      message,
      standing: standing(...consumers),
      now: NOW,
      ...(failure && { failure }),
    });
    expect(status).toMatchObject({ id: 'a', queue: 'REQUESTS', seq: 17, subject: 'requests.dns', ...want });
  });
});

test.each([
  { name: 'of the dead letter', inner: 'terminated by hand', want: 'terminated by hand' },
  { name: 'that the worker noted, where the dead letter has none', inner: null, want: failed.reason },
])('a dead request tells the reason $name', ({ inner, want }) => {
  const entry = {
    id: 'REQUESTS/w/17',
    consumer: 'w',
    died_at: null,
    reason: 'max_deliveries',
    deliveries: 3,
    detail: inner,
    inner: {},
  };
  const seen = { message, standing: standing(taker()), now: NOW, failure: failed, entry: entry as unknown as Entry };
  expect(stateOfStored('a', seen)).toMatchObject({ state: 'dead', detail: want });
});

describe('the life of a request', () => {
  const second: FailureRecord = {
    ...failed,
    delivery: 2,
    at: '2026-11-24T08:00:40Z',
    next_delivery_at: '2026-11-24T08:00:50Z',
  };
  const published = '2026-11-24T08:00:00Z published: requests.dns, stored in REQUESTS as 17';
  const first = '2026-11-24T08:00:08Z failed: delivery 1: upstream said 503';
  const next = (at: string) => `${at} next: is delivered again, if a worker pulls`;

  test.each([
    {
      name: 'the next one before it comes',
      failures: [failed],
      now: '2026-11-24T08:00:12.999Z',
      want: [published, first, next('2026-11-24T08:00:13.000Z')],
    },
    {
      name: 'the next one when a worker has it',
      failures: [failed],
      now: '2026-11-24T08:00:13Z',
      want: [published, first, '2026-11-24T08:00:13.000Z delivered: delivery 2 of 3 at the earliest'],
    },
    {
      // A worker came late: by the waits alone, delivery 3 would have been before delivery 2 failed.
      name: 'the third one, of which two failed late',
      failures: [failed, second],
      now: '2026-11-24T08:00:45Z',
      want: [
        published,
        first,
        '2026-11-24T08:00:40Z failed: delivery 2: upstream said 503',
        next('2026-11-24T08:00:50Z'),
      ],
    },
    {
      name: 'one before a failure that was noted',
      failures: [second],
      now: '2026-11-24T08:00:50Z',
      want: [
        published,
        '2026-11-24T08:00:00.000Z delivered: delivery 1 of 3 at the earliest',
        '2026-11-24T08:00:40Z failed: delivery 2: upstream said 503',
        '2026-11-24T08:00:50.000Z delivered: delivery 3 of 3 at the earliest',
      ],
    },
    {
      name: 'all by the backoff, where nothing was noted',
      failures: [],
      now: '2026-11-24T08:00:15Z',
      want: [
        published,
        '2026-11-24T08:00:00.000Z delivered: delivery 1 of 3 at the earliest',
        '2026-11-24T08:00:05.000Z delivered: delivery 2 of 3 at the earliest',
        '2026-11-24T08:00:15.000Z delivered: delivery 3 of 3 at the earliest',
      ],
    },
  ])('has its deliveries in their order: $name', ({ failures, now: time, want }) => {
    const now = Date.parse(time);
    const failure = failures.at(-1);
    const status = stateOfStored('a', { message, standing: standing(taker()), now, ...(failure && { failure }) });
    const moments = timelineOf({ status, message, taker: taker(), failures, now });
    expect(moments.map(({ at, event, detail }) => `${at} ${event}: ${detail}`)).toEqual(want);
  });

  test('lists the first and the last of thousands of deliveries', () => {
    const endless = taker({ maxDeliver: -1, waits: [1e9] });
    const status = stateOfStored('a', { message, standing: standing(endless), now: NOW });
    const now = Date.parse('2026-11-24T09:00:00Z');
    const events = timelineOf({ status, message, taker: endless, failures: [], now });
    expect(events).toHaveLength(14);
    expect(events.at(-1)?.detail).toBe('delivery 3601 at the earliest; 3588 before it are not listed');
  });

  test('computes nothing for what still waits', () => {
    const before = taker({ delivered: 16 });
    const status = stateOfStored('a', { message, standing: standing(before), now: NOW });
    expect(timelineOf({ status, message, taker: before, failures: [], now: NOW }).map(({ event }) => event)).toEqual([
      'published',
    ]);
  });
});
