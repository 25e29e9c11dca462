import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBucket, toBackingStream, toBucket } from '../../../src/lib/canonical/bucket.ts';
import { canonicalConsumer } from '../../../src/lib/canonical/consumer.ts';
import { canonicalStream } from '../../../src/lib/canonical/stream.ts';
import { unknownFields } from '../../../src/lib/canonical/unknown.ts';
import type { Field, FieldType } from '../../../src/lib/facts/field.ts';
import { FIELDS, tableFor } from '../../../src/lib/facts/fields.ts';
import type { Config, Json } from '../../../src/lib/model/json.ts';

const S = 1e9;
const VERSIONS = ['2.10.26', '2.11.11', '2.12.8', '2.15.1'];

/** Any value of a field, sensible or not. */
function anyOf(type: FieldType): fc.Arbitrary<Json> {
  switch (type.type) {
    case 'text':
      return fc.constantFrom('', 'a', 'b.>');
    case 'flag':
      return fc.boolean();
    case 'count':
    case 'size':
    case 'duration':
      return fc.constantFrom(-1, 0, 1, 5 * S, 3600 * S);
    case 'time':
      return fc.constantFrom('', '0001-01-01T00:00:00Z', '2026-01-01T01:00:00.500+01:00', '2026-01-01T00:00:00Z');
    case 'choice':
      return fc.constantFrom('', ...type.values);
    case 'texts':
      return fc.subarray(['b', 'a', 'c.*']).map((each) => each.toReversed());
    case 'durations':
      return fc.subarray([1 * S, 2 * S]);
    case 'map':
      return fc.dictionary(fc.constantFrom('x', '_nats.level'), fc.constant('1')) as fc.Arbitrary<Json>;
    case 'group':
      return anyConfig(type.fields);
    case 'groups':
      return fc.array(anyConfig(type.fields), { maxLength: 2 }) as fc.Arbitrary<Json>;
  }
}

const anyConfig = (fields: readonly Field[]): fc.Arbitrary<Config> =>
  fc.record(Object.fromEntries(fields.map((field) => [field.name, anyOf(field.type)])), {
    requiredKeys: [],
  }) as fc.Arbitrary<Config>;

const CANONICAL = {
  stream: (config: Config, version: string) => canonicalStream({ name: 'S', ...config }, tableFor(version)),
  consumer: (config: Config, version: string) => canonicalConsumer(config, tableFor(version)),
  bucket: (config: Config, version: string) => canonicalBucket('b', config, tableFor(version)),
} as const;

describe('the canonical form', () => {
  test.each(['stream', 'consumer', 'bucket'] as const)('of a %s is its own canonical form', (kind) => {
    fc.assert(
      fc.property(anyConfig(FIELDS[kind]), fc.constantFrom(...VERSIONS), (config, version) => {
        const once = CANONICAL[kind](config, version);
        expect(CANONICAL[kind](once, version)).toEqual(once);
      }),
    );
  });

  test.each(['stream', 'consumer', 'bucket'] as const)('of a %s does not depend on the order of its fields', (kind) => {
    fc.assert(
      fc.property(anyConfig(FIELDS[kind]), (config) => {
        const reversed = Object.fromEntries(Object.entries(config).reverse());
        expect(CANONICAL[kind](reversed, '2.15.1')).toEqual(CANONICAL[kind](config, '2.15.1'));
      }),
    );
  });

  test('has only the fields that the server version has', () => {
    expect(canonicalStream({ name: 'S' }, tableFor('2.10.26'))).not.toHaveProperty('allow_atomic');
    expect(canonicalStream({ name: 'S' }, tableFor('2.12.8'))).toHaveProperty('allow_atomic', false);
    expect(canonicalStream({ name: 'S' }, tableFor('2.12.8'))).not.toHaveProperty('allow_batched');
  });

  test('leaves fields out that this build does not know, and names them', () => {
    expect(canonicalStream({ name: 'S', shiny: 1 }, tableFor('2.15.1'))).not.toHaveProperty('shiny');
    expect(unknownFields('stream', { name: 'S', shiny: 1, subjects: ['s'] })).toEqual(['shiny']);
    expect(unknownFields('consumer', { durable_name: 'w', name: 'w', ack_wait: 1 })).toEqual([]);
  });
});

const same: { name: string; kind: keyof typeof CANONICAL; one: Config; other: Config }[] = [
  { name: 'no limit and -1 and 0', kind: 'stream', one: { max_msgs: -1, max_age: 0 }, other: { max_msgs: 0 } },
  { name: 'subjects in another order', kind: 'stream', one: { subjects: ['b', 'a'] }, other: { subjects: ['a', 'b'] } },
  { name: 'no subjects and the name', kind: 'stream', one: { subjects: [] }, other: { subjects: ['S'] } },
  { name: 'the server’s own metadata', kind: 'stream', one: { metadata: { '_nats.ver': '2.15.1' } }, other: {} },
  {
    name: 'a window that follows max_age',
    kind: 'stream',
    one: { max_age: 60 * S },
    other: { max_age: 60 * S, duplicate_window: 60 * S },
  },
  {
    name: 'a marker and what it switches on',
    kind: 'stream',
    one: { subject_delete_marker_ttl: S },
    other: { subject_delete_marker_ttl: S, allow_msg_ttl: true, allow_rollup_hdrs: true },
  },
  { name: 'an empty placement', kind: 'stream', one: { placement: { cluster: '', tags: [] } }, other: {} },
  {
    name: 'backoff and the ack_wait it rewrites',
    kind: 'consumer',
    one: { backoff: [5 * S, 10 * S] },
    other: { backoff: [5 * S, 10 * S], ack_wait: 60 * S },
  },
  {
    name: 'one filter in either field',
    kind: 'consumer',
    one: { filter_subject: 'a' },
    other: { filter_subjects: ['a'] },
  },
  { name: 'the moment a pause ends', kind: 'consumer', one: { pause_until: '2099-01-01T00:00:00Z' }, other: {} },
  {
    name: 'one moment in two zones',
    kind: 'consumer',
    one: { opt_start_time: '2026-01-01T01:00:00.10+01:00' },
    other: { opt_start_time: '2026-01-01T00:00:00.1Z' },
  },
  {
    name: 'a source with its prefix',
    kind: 'bucket',
    one: { sources: [{ name: 'KV_x' }] },
    other: { sources: [{ name: 'x' }] },
  },
];

test.each(same)('$name are the same $kind', ({ kind, one, other }) => {
  expect(CANONICAL[kind](one, '2.15.1')).toEqual(CANONICAL[kind](other, '2.15.1'));
});

const different: typeof same = [
  { name: 'backoff of other steps', kind: 'consumer', one: { backoff: [S] }, other: { backoff: [2 * S] } },
  { name: 'unlimited and the default in flight', kind: 'consumer', one: { max_ack_pending: -1 }, other: {} },
  { name: 'a team and none', kind: 'stream', one: { metadata: { team: 'a' } }, other: {} },
  { name: 'a shorter window', kind: 'stream', one: { duplicate_window: 60 * S }, other: {} },
];

test.each(different)('$name are not the same $kind', ({ kind, one, other }) => {
  expect(CANONICAL[kind](one, '2.15.1')).not.toEqual(CANONICAL[kind](other, '2.15.1'));
});

test('a consumer takes the limit of its stream where it says nothing', () => {
  const stream = { consumer_limits: { max_ack_pending: 50, inactive_threshold: 60 * S } };
  expect(canonicalConsumer({}, tableFor('2.15.1'), stream)).toMatchObject({
    max_ack_pending: 50,
    inactive_threshold: 60 * S,
  });
});

describe('a bucket', () => {
  test('becomes the stream that the nats CLI makes, and comes back', () => {
    const config = { history: 5, ttl: 30 * S, sources: [{ name: 'from' }] };
    const stream = toBackingStream('to', config);
    expect(stream).toEqual({
      name: 'KV_to',
      subjects: ['$KV.to.>'],
      retention: 'limits',
      discard: 'new',
      deny_delete: true,
      allow_rollup_hdrs: true,
      allow_direct: true,
      max_msgs_per_subject: 5,
      max_age: 30 * S,
      sources: [{ name: 'KV_from', subject_transforms: [{ src: '$KV.from.>', dest: '$KV.to.>' }] }],
    });
    expect(toBucket(stream, tableFor('2.15.1'))).toEqual(canonicalBucket('to', config, tableFor('2.15.1')));
  });

  test('as a mirror has no subjects, and its origin’s stream name', () => {
    const stream = toBackingStream('m', { mirror: { name: 'origin' } });
    expect(stream).toMatchObject({ mirror: { name: 'KV_origin' }, mirror_direct: true });
    expect(stream).not.toHaveProperty('subjects');
  });

  test('shows where its stream is not as a bucket’s must be', () => {
    const stream = { ...toBackingStream('b', {}), discard: 'old', no_ack: true };
    expect(toBucket(stream, tableFor('2.15.1'))).toMatchObject({
      'backing.discard': 'old',
      'backing.no_ack': true,
    });
  });

  test('of a client that leaves deletion allowed is a bucket all the same', () => {
    const stream = { ...toBackingStream('b', {}), deny_delete: false };
    expect(Object.keys(toBucket(stream, tableFor('2.15.1'))).filter((key) => key.startsWith('backing.'))).toEqual([]);
  });
});

test.each(VERSIONS)('what %s fills in is the default of what is filled in already', (version) => {
  const config = canonicalStream({ name: 'S', subjects: ['a'] }, tableFor(version));
  const again = FIELDS.stream
    .filter(({ name }) => name in config && name !== 'subjects')
    .map(({ name, fill }) => [name, typeof fill === 'function' ? fill({ version, config }) : fill]);
  const { subjects: _, ...filled } = config;
  expect(Object.fromEntries(again)).toEqual(filled);
});
