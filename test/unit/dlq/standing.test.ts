import { describe, expect, test } from '@jest/globals';
import { covers, toConsumerStanding, toStanding } from '../../../src/lib/dlq/standing.ts';
import { parseConsumerInfo, parseStreamInfo } from '../../../src/lib/nats/info.ts';
import { at, consumer } from './builders.ts';

describe('a consumer’s standing', () => {
  const of = (config: object) =>
    toConsumerStanding(
      parseConsumerInfo('', {
        name: 'w',
        created: at(0),
        config,
        num_pending: 1,
        num_ack_pending: 2,
        num_redelivered: 3,
        num_waiting: 4,
        delivered: { stream_seq: 5, last_active: at(9) },
        ack_floor: { stream_seq: 6 },
        paused: true,
      }),
    );

  test('is what the server tells of it', () => {
    expect(of({ ack_wait: 30e9, max_deliver: 3, ack_policy: 'explicit' })).toEqual({
      name: 'w',
      created: at(0),
      filters: [],
      delivered: 5,
      ackFloor: 6,
      pending: 1,
      ackPending: 2,
      redelivered: 3,
      waiting: 4,
      lastActive: at(9),
      maxDeliver: 3,
      waits: [30e9],
      paused: true,
      acks: true,
    });
  });

  test.each([
    { config: { filter_subject: 'a' }, want: { filters: ['a'] } },
    { config: { filter_subjects: ['a', 'b'] }, want: { filters: ['a', 'b'] } },
    { config: { filter_subject: '' }, want: { filters: [] } },
    { config: { max_deliver: -1 }, want: { maxDeliver: -1 } },
    { config: { max_deliver: 0 }, want: { maxDeliver: -1 } },
    { config: {}, want: { maxDeliver: -1, waits: [0], acks: true } },
    { config: { ack_wait: 5, backoff: [] }, want: { waits: [5] } },
    { config: { ack_wait: 5, backoff: [1, 2] }, want: { waits: [1, 2] } },
    { config: { ack_wait: 5, backoff: ['1', 2] }, want: { waits: [0, 2] } },
    { config: { ack_policy: 'none' }, want: { acks: false } },
    { config: { ack_policy: 'all' }, want: { acks: true } },
  ])('$config', ({ config, want }) => {
    expect(of(config)).toMatchObject(want);
  });
});

describe('a queue’s standing', () => {
  test('is what the server tells of its stream', () => {
    const info = parseStreamInfo('', {
      created: at(0),
      config: { name: 'Q', retention: 'workqueue', max_age: 60e9, subjects: ['a'] },
      state: { messages: 1, bytes: 2, first_seq: 3, last_seq: 4 },
    });
    expect(toStanding('Q', info, [], 9)).toEqual({
      queue: 'Q',
      exists: true,
      created: at(0),
      retention: 'workqueue',
      maxAge: 60e9,
      subjects: ['a'],
      messages: 1,
      bytes: 2,
      firstSeq: 3,
      firstTime: '0001-01-01T00:00:00Z',
      lastSeq: 4,
      consumers: [],
      copies: [],
      readAt: 9,
    });
  });

  test('is nothing of a stream that is not there, older than any record', () => {
    expect(toStanding('Q', undefined, [], 9)).toEqual({
      queue: 'Q',
      exists: false,
      created: '0001-01-01T00:00:00Z',
      retention: '',
      maxAge: 0,
      subjects: [],
      messages: 0,
      bytes: 0,
      firstSeq: 0,
      lastSeq: 0,
      consumers: [],
      copies: [],
      readAt: 9,
    });
  });
});

test.each([
  { filters: [], subject: 'a', want: true },
  { filters: ['a'], subject: 'a', want: true },
  { filters: ['b', 'a.*'], subject: 'a.x', want: true },
  { filters: ['a.x', 'b'], subject: 'a.*', want: true },
  { filters: ['b', 'c'], subject: 'a', want: false },
])('a consumer of $filters is for $subject: $want', ({ filters, subject, want }) => {
  expect(covers(consumer({ filters }), subject)).toBe(want);
});
