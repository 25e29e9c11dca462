import { describe, expect, test } from '@jest/globals';
import {
  isParked,
  mirrorConfig,
  parkedConfig,
  pausedConsumer,
  primingConfig,
  promotedConfig,
} from '../../../src/lib/migrate/configs.ts';
import { consumer, MADE, migration, renaming } from './builders.ts';

const moving = migration();
const [first, second] = moving.hops as [(typeof moving.hops)[0], (typeof moving.hops)[0]];
const none = { messages: 0, bytes: 0 };

describe('a copy', () => {
  test('on the way loses nothing without a consumer, and knows ids as long as the longer window', () => {
    expect(mirrorConfig(moving, first)).toEqual({
      name: 'Q_moving',
      storage: 'file',
      retention: 'limits',
      discard: 'new',
      duplicate_window: 120e9,
      metadata: { 'osapi-ops.moving': MADE },
      mirror: { name: 'Q' },
    });
  });

  test('back to the name has the retention that is wanted, and no limit that would stop it', () => {
    expect(mirrorConfig(moving, second)).toMatchObject({
      name: 'Q',
      retention: 'workqueue',
      mirror: { name: 'Q_moving' },
    });
    expect(mirrorConfig(moving, second)).not.toHaveProperty('max_msgs');
  });

  test('of a bucket that gets another name has its keys under that', () => {
    const bucket = renaming({ kind: 'bucket', hops: [{ from: 'KV_a', to: 'KV_b' }] });
    expect(mirrorConfig(bucket, bucket.hops[0]!).mirror).toEqual({
      name: 'KV_a',
      subject_transforms: [
        { src: '$KV.a.>', dest: '$KV.b.>' },
        { src: 'osapi-ops.moving.KV_a', dest: 'osapi-ops.moving.KV_a' },
      ],
    });
  });

  test('of a bucket keeps its history', () => {
    const before = { ...moving.before, retention: 'limits', max_msgs_per_subject: 5 };
    const after = { ...moving.after, max_msgs_per_subject: 5 };
    const bucket = migration({ kind: 'bucket', before, after });
    for (const hop of bucket.hops) expect(mirrorConfig(bucket, hop).max_msgs_per_subject).toBe(5);
    expect(promotedConfig(bucket, bucket.hops[0]!, none).max_msgs_per_subject).toBe(5);
  });

  test('that is opened on the way takes as many more as it holds of what was acknowledged', () => {
    const before = { ...moving.before, max_msgs: 100, max_bytes: 1000 };
    const config = promotedConfig({ ...moving, before }, first, { messages: 7, bytes: 70 });
    expect(config).toMatchObject({
      name: 'Q_moving',
      subjects: ['q.*'],
      retention: 'limits',
      max_msgs: 107,
      max_bytes: 1070,
    });
    expect(config).not.toHaveProperty('mirror');
  });

  test('without limits has none on the way', () => {
    expect(promotedConfig(moving, first, { messages: 7, bytes: 70 })).toMatchObject({ max_msgs: -1, max_bytes: -1 });
  });

  test('that is opened at the end is what the spec says', () => {
    expect(promotedConfig(moving, second, none)).toEqual({ ...moving.after, name: 'Q' });
  });

  test('that is told ids takes nothing else', () => {
    expect(isParked(primingConfig(moving, first))).toBe(true);
    expect(primingConfig(moving, first)).not.toHaveProperty('mirror');
  });
});

test('a closed stream takes a marker whatever its limits, and drops nothing for it', () => {
  const live = { ...moving.before, max_msgs: 1, max_bytes: 1, max_msg_size: 1, max_age: 1, no_ack: true };
  const config = parkedConfig(live);
  expect(config).toMatchObject({
    max_msgs: -1,
    max_bytes: -1,
    max_msg_size: -1,
    no_ack: false,
    retention: 'workqueue',
  });
  expect(config).not.toHaveProperty('max_age');
  expect([isParked(live), isParked(config)]).toEqual([false, true]);
  expect(isParked({ ...config, subjects: [...(config.subjects as string[]), 'q.*'] })).toBe(false);
  expect(isParked({ ...config, name: 'other' })).toBe(false);
});

test('a consumer is made paused, under its new name', () => {
  expect(pausedConsumer(consumer({ to: 'v' }))).toMatchObject({ name: 'v', durable_name: 'v', ack_wait: 30e9 });
  expect(Date.parse(String(pausedConsumer(consumer()).pause_until))).toBeGreaterThan(
    Date.parse('9000-01-01T00:00:00Z'),
  );
});
