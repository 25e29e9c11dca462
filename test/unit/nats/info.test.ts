import { describe, expect, test } from '@jest/globals';
import type { Config, Json } from '../../../src/lib/model/json.ts';
import {
  exactStream,
  parseConsumerInfo,
  parseDeleted,
  parseStreamInfo,
  parseSubjects,
} from '../../../src/lib/nats/info.ts';

const NEVER = '0001-01-01T00:00:00Z';
const THEN = '2026-01-02T03:04:05.678Z';
const NOTHING = { messages: 0, bytes: 0, first_seq: 0, last_seq: 0, consumer_count: 0, num_subjects: 0 };
const NO_FIGURES = { ...NOTHING, first_ts: NEVER, last_ts: NEVER };

describe('a stream', () => {
  test('is what the server tells of it', () => {
    const state = { messages: 3, bytes: 99, first_seq: 2, last_seq: 9, first_ts: THEN, last_ts: THEN };
    const replicas = [{ name: 'n2', current: true, lag: 7, active: 1 }];
    const answer = {
      config: { name: 'Q', retention: 'workqueue' },
      created: THEN,
      ts: THEN,
      state: { ...state, consumer_count: 1, num_subjects: 2, deleted: [4] },
      cluster: { name: 'c', leader: 'n1', replicas },
    };
    expect(parseStreamInfo('S', answer)).toEqual({
      name: 'Q',
      config: answer.config,
      created: THEN,
      now: Date.parse(THEN),
      told: THEN,
      figures: { ...state, consumer_count: 1, num_subjects: 2 },
      cluster: { name: 'c', leader: 'n1', replicas: [{ name: 'n2', current: true, offline: false, lag: 7 }] },
    });
  });

  test.each<[string, object]>([
    ['tells no more', {}],
    ['tells lists where objects belong', { state: [1], cluster: ['x'], created: [THEN], ts: [1] }],
    ['tells texts where numbers belong', { state: { messages: '3', bytes: null, first_seq: {}, last_ts: 5 } }],
    ['tells what is no number', { state: { messages: Number.NaN, bytes: Number.POSITIVE_INFINITY } }],
  ])('that %s is one that nothing is known of', (_, rest) => {
    const config = { name: 'Q' };
    const want = { name: 'Q', config, created: NEVER, now: Number.NaN, figures: NO_FIGURES };
    expect(parseStreamInfo('S', { config, ...rest })).toEqual(want);
  });

  test('without a leader has none, whatever its replicas are', () => {
    const cluster = { leader: '', replicas: [null, { name: 5, current: 'yes', offline: true, lag: 'far' }] };
    expect(parseStreamInfo('S', { config: { name: 'Q' }, cluster }).cluster).toEqual({
      replicas: [
        { name: '', current: false, offline: false, lag: 0 },
        { name: '', current: false, offline: true, lag: 0 },
      ],
    });
  });
});

describe('a stream whose sequences JSON cannot hold', () => {
  const MOST = Number.MAX_SAFE_INTEGER;
  const withSeqs = (first_seq: number, last_seq: number) =>
    parseStreamInfo('S', { config: { name: 'Q' }, state: { first_seq, last_seq } });

  test.each([
    [1, MOST - 1],
    [MOST, MOST],
  ])('is none with %d to %d', (first, last) => {
    const info = withSeqs(first, last);
    expect(exactStream(info)).toBe(info);
  });

  test.each([
    [1, MOST + 1],
    [MOST + 1, MOST],
    [2 ** 64, 2 ** 64],
  ])('is refused with %d to %d', (first, last) => {
    expect(() => exactStream(withSeqs(first, last))).toThrow(
      expect.objectContaining({ code: 'SEQ_TOO_LARGE', message: 'stream Q has sequences beyond 9007199254740991' }),
    );
  });
});

describe('a consumer', () => {
  test('is what the server tells of it', () => {
    const answer = {
      name: 'w',
      stream_name: 'Q',
      config: { durable_name: 'w' },
      created: THEN,
      delivered: { consumer_seq: 9, stream_seq: 8, last_active: THEN },
      ack_floor: { consumer_seq: 3, stream_seq: 2 },
      num_pending: 4,
      num_ack_pending: 5,
      num_redelivered: 6,
      num_waiting: 7,
      paused: true,
      push_bound: true,
    };
    expect(parseConsumerInfo('C', answer)).toEqual({
      name: 'w',
      config: answer.config,
      created: THEN,
      lastDelivered: THEN,
      bound: true,
      figures: {
        num_pending: 4,
        num_ack_pending: 5,
        num_redelivered: 6,
        num_waiting: 7,
        delivered_stream_seq: 8,
        ack_floor_stream_seq: 2,
        paused: true,
      },
    });
  });

  test.each<[string, Config]>([
    ['tells no more', {}],
    ['never delivered', { delivered: { last_active: NEVER }, ack_floor: { last_active: '' } }],
    ['tells what it should not', { config: 'x', delivered: 5, ack_floor: [1], num_pending: '4', paused: 'yes' }],
  ])('that %s is one that nothing is known of', (_, rest) => {
    const { figures, ...info } = parseConsumerInfo('C', { name: 'w', ...rest });
    expect(info).toEqual({ name: 'w', config: {}, created: NEVER, bound: false });
    expect({ ...figures, paused: 0 }).toEqual(Object.fromEntries(Object.keys(figures).map((key) => [key, 0])));
  });
});

describe('a name', () => {
  test.each<[unknown]>([
    [undefined],
    [''],
    [5],
    ['two words'],
    ['a.b'],
    ['*'],
    ['>'],
    ['a\r\nPUB x 1'],
    ['a\tb'],
    ['x'.repeat(256)],
  ])('that nothing can have (%j) is refused: it is asked for again', (name) => {
    const refused = { code: 'SERVER_REFUSED', where: 'S', why: 'It gives a name that nothing can have.' };
    for (const parse of [parseStreamInfo, parseConsumerInfo]) {
      expect(() => parse('S', { name, config: { name } })).toThrow(expect.objectContaining(refused));
      for (const answer of [null, 5, 'x', []])
        expect(() => parse('S', answer)).toThrow(expect.objectContaining(refused));
    }
  });

  test('is taken up to 255 characters', () => {
    expect(parseStreamInfo('S', { config: { name: 'x'.repeat(255) } }).name).toHaveLength(255);
  });
});

test('subjects and deleted sequences of any shape are as many as can be counted', () => {
  expect(parseSubjects({ state: { subjects: { a: 1, b: 'x' } } })).toEqual([
    ['a', 1],
    ['b', 0],
  ]);
  expect(parseDeleted({ state: { deleted: [1, 'x', 3] } })).toEqual([1, 0, 3]);
  for (const state of [undefined, null, 5, [], { subjects: 5, deleted: 'abc' }] as Json[]) {
    expect([parseSubjects({ state }), parseDeleted({ state })]).toEqual([[], []]);
  }
});
