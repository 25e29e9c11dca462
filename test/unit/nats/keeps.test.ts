import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../../src/lib/model/json.ts';
import { type ConsumerInfo, parseStreamInfo } from '../../../src/lib/nats/info.ts';
import { dropsOldest, notKept, Room, waitsFor, whyNotKept } from '../../../src/lib/nats/keeps.ts';

const stream = (config: Config, consumers = 0) =>
  parseStreamInfo('x', {
    config: { name: 'S', ...config },
    state: { messages: 7, bytes: 700, consumer_count: consumers },
  });

describe('whether a stream keeps what is published to it', () => {
  const coming = { messages: 3, bytes: 300, onSubject: 5 };
  test.each<{ name: string; config: Config; consumers?: number; want?: string }>([
    { name: 'no limit', config: {} },
    { name: 'one message more than its limit', config: { max_msgs: 9 }, want: 'NO_ROOM' },
    { name: 'as many messages as its limit', config: { max_msgs: 10 } },
    { name: 'one message less than its limit', config: { max_msgs: 11 } },
    { name: 'one byte more than its limit', config: { max_bytes: 999 }, want: 'NO_ROOM' },
    { name: 'as many bytes as its limit', config: { max_bytes: 1000 } },
    { name: 'one byte less than its limit', config: { max_bytes: 1001 } },
    { name: 'no limit, as a server tells of it', config: { max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1 } },
    { name: 'one more than the limit of a subject', config: { max_msgs_per_subject: 4 }, want: 'NO_ROOM' },
    { name: 'as many as the limit of a subject', config: { max_msgs_per_subject: 5 } },
    { name: 'one less than the limit of a subject', config: { max_msgs_per_subject: 6 } },
    { name: 'too many, which it refuses itself', config: { discard: 'new', max_msgs: 7, max_bytes: 700 } },
    {
      name: 'too many on a subject, where discard new says nothing of subjects',
      config: { discard: 'new', max_msgs_per_subject: 4 },
      want: 'NO_ROOM',
    },
    {
      name: 'too many on a subject, which it refuses itself',
      config: { discard: 'new', discard_new_per_subject: true, max_msgs_per_subject: 4 },
    },
    {
      name: 'too many on a subject, where discard old makes nothing of the refusal',
      config: { discard: 'old', discard_new_per_subject: true, max_msgs_per_subject: 4 },
      want: 'NO_ROOM',
    },
    { name: 'interest without a consumer', config: { retention: 'interest' }, want: 'DLQ_NOT_TAKEN' },
    { name: 'interest with one', config: { retention: 'interest' }, consumers: 1 },
    { name: 'a work queue without a consumer', config: { retention: 'workqueue' } },
    { name: 'sealed', config: { sealed: true }, want: 'DLQ_NOT_TAKEN' },
    { name: 'no_ack', config: { no_ack: true }, want: 'DLQ_NOT_TAKEN' },
  ])('$name', ({ config, consumers, want }) => {
    expect(whyNotKept(stream(config, consumers), coming)?.code).toBe(want);
  });

  test.each<[Config, string]>([
    [{ max_msgs: 9 }, 'would drop its oldest messages: it holds 7 of its max_msgs 9, and at least 3 would come'],
    [
      { max_bytes: 999 },
      'would drop its oldest messages: it holds 700B of its max_bytes 999B, and at least 300B would come',
    ],
    [
      { max_msgs_per_subject: 4 },
      'would drop its oldest messages: on one subject there would be 5, of its max_msgs_per_subject 4',
    ],
    [{ sealed: true }, 'is sealed: it stores nothing any more'],
    [{ no_ack: true }, 'confirms no publish (no_ack): nobody knows what it stores'],
  ])('of %j it %s', (config, text) => expect(whyNotKept(stream(config), coming)?.text).toBe(`stream S ${text}`));

  test('is told with what to do', () => {
    const why = 'What a stream drops is lost, whatever it answers. Of these nothing was published or removed.';
    expect(notKept({ code: 'NO_ROOM', text: 'full' })).toMatchObject({
      ...{ code: 'NO_ROOM', message: 'full', why },
      hints: ['make room in it, or raise its limit, then run this again'],
    });
    expect(notKept({ code: 'DLQ_NOT_TAKEN', text: 'sealed' })).toMatchObject({
      ...{ code: 'DLQ_NOT_TAKEN', message: 'sealed', why },
      hints: ['choose a stream that keeps what is published to it, or change its configuration'],
    });
  });

  test.each<[Config, boolean]>([
    [{}, true],
    [{ filter_subject: 'a.*' }, true],
    [{ filter_subject: 'b' }, false],
    [{ filter_subjects: ['b', 'a.b'] }, true],
    [{ filter_subjects: ['b', 'c'] }, false],
  ])('a consumer of %j waits for a.b: %p', (config, want) => {
    expect(waitsFor('a.b', { config } as ConsumerInfo)).toBe(want);
  });

  test.each<[Config, boolean]>([
    [{}, false],
    [{ max_msgs: 1 }, true],
    [{ max_msgs: 0 }, false],
    [{ max_msgs: '1' }, false],
    [{ max_msgs: 1, discard: 'new' }, false],
    [{ max_msgs_per_subject: 1, discard: 'new' }, true],
    [{ max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true }, false],
  ])('%j drops its oldest: %p', (config, want) => {
    expect(dropsOldest(config)).toBe(want);
  });
});

describe('the room in a stream', () => {
  const message = (subject: string, size = 1) => ({
    subject,
    headers: new Uint8Array(0),
    payload: new Uint8Array(size),
  });

  test('counts what is taken, by subject too, and nothing that is not', () => {
    const room = new Room(stream({ max_msgs: 9, max_msgs_per_subject: 2 }), new Map([['a', 1]]));
    const codes = ['a', 'a', 'b', 'b'].map((subject) => room.take(message(subject))?.text);
    expect(codes).toEqual([
      undefined,
      expect.stringContaining('on one subject there would be 3, of its max_msgs_per_subject 2'),
      undefined,
      expect.stringContaining('it holds 7 of its max_msgs 9, and at least 3 would come'),
    ]);
  });

  test('counts bytes with what a server adds to them', () => {
    const room = new Room(stream({ max_bytes: 1000 }), new Map());
    expect(room.take(message('a', 300))?.code).toBe('NO_ROOM');
    expect(room.take(message('a', 100))).toBeUndefined();
    expect(room.take(message('a', 100))?.code).toBe('NO_ROOM');
  });

  // 700 bytes are there. One is 79 more than subject, headers, payload and the stream's name at the most.
  test.each([
    [782, {}, true],
    [781, {}, false],
    [787, { headers: new Uint8Array(5) }, true],
    [786, { headers: new Uint8Array(5) }, false],
    [783, { subject: 'é' }, true],
    [782, { subject: 'é' }, false],
  ])('%d bytes are enough for one beside %j: %p', (max_bytes, more, want) => {
    const found = new Room(stream({ max_bytes }), new Map()).take({ ...message('a'), ...more });
    expect(found === undefined).toBe(want);
  });

  test('is what the first left, where what went for it is smaller', () => {
    const room = new Room(stream({ max_bytes: 800, discard: 'new' }), new Map());
    expect(room.take(message('a', 101), { subject: 'a', bytes: 18 })).toBeUndefined();
    expect(room.whyFull()).toBeUndefined();
    expect(room.take(message('a', 1), { subject: 'a', bytes: 17 })).toBeUndefined();
    expect(room.whyFull()?.text).toBe(
      'stream S would refuse some: it holds 700B of its max_bytes 800B, and at least 101B would come',
    );
    const few = new Room(stream({ max_msgs: 7, discard: 'new' }), new Map());
    few.take(message('a'));
    expect(few.whyFull()?.text).toBe('stream S would refuse some: it holds 7 of its max_msgs 7, and 1 would come');
  });

  // 7 messages of 700 bytes are there, and one of 18 comes at the least.
  test.each<[Config, boolean]>([
    [{ max_msgs: 7, discard: 'new' }, true],
    [{ max_msgs: 8, discard: 'new' }, false],
    [{ max_bytes: 717, discard: 'new' }, true],
    [{ max_bytes: 718, discard: 'new' }, false],
    [{ discard: 'new' }, false],
    [{ max_msgs: 8, discard: 'old' }, false],
  ])('of %j is known to be too little for one more: %p', (config, want) => {
    const room = new Room(stream(config), new Map());
    expect(room.whyFull()).toBeUndefined();
    expect(room.take(message('a'))).toBeUndefined();
    expect(room.whyFull()?.code).toBe(want ? 'NO_ROOM' : undefined);
  });

  test('counts what goes before as room: of messages, of its own subject, and of bytes', () => {
    const full = (config: Config) => new Room(stream(config), new Map([['a', 1]]));
    const freed = { subject: 'a', bytes: 1000 };
    expect(full({ max_msgs: 7 }).take(message('a'), freed)).toBeUndefined();
    expect(full({ max_msgs: 7 }).take(message('a'))?.code).toBe('NO_ROOM');
    expect(full({ max_msgs_per_subject: 1 }).take(message('a'), freed)).toBeUndefined();
    expect(full({ max_msgs_per_subject: 1 }).take(message('a'), { subject: 'b', bytes: 1000 })?.code).toBe('NO_ROOM');
    expect(full({ max_bytes: 700 }).take(message('a', 300), freed)).toBeUndefined();
    expect(full({ max_bytes: 700 }).take(message('a', 300), { subject: 'a', bytes: 300 })?.code).toBe('NO_ROOM');
  });

  test('is none for what nobody waits for, where only that is kept', () => {
    const room = new Room(stream({ retention: 'interest' }, 1), new Map(), (subject) => subject === 'a');
    expect(room.take(message('a'))).toBeUndefined();
    expect(room.take(message('b'))).toMatchObject({
      code: 'DLQ_NOT_TAKEN',
      text: expect.stringContaining('waits for b'),
    });
  });
});
