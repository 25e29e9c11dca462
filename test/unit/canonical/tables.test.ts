import { describe, expect, test } from '@jest/globals';
import { canonicalBucket, toBackingStream, toBucket } from '../../../src/lib/canonical/bucket.ts';
import { canonicalConsumer, filtersOf } from '../../../src/lib/canonical/consumer.ts';
import { loweredLimits } from '../../../src/lib/canonical/limits.ts';
import {
  canonicalBacking,
  canonicalDesired,
  canonicalObserved,
  streamLookup,
} from '../../../src/lib/canonical/resource.ts';
import { canonicalStream } from '../../../src/lib/canonical/stream.ts';
import { canonicalValue, fillOf, sortedGroups } from '../../../src/lib/canonical/value.ts';
import type { Field, FieldType } from '../../../src/lib/facts/field.ts';
import { FIELDS, tableFor } from '../../../src/lib/facts/fields.ts';
import type { Config, Json } from '../../../src/lib/model/json.ts';

const S = 1e9;
const NEW = tableFor('2.15.1');
const NONE = Number.POSITIVE_INFINITY;
const part = (name: string, type: FieldType): Field => ({
  name,
  type,
  doc: '',
  fill: '',
  change: 'in-place',
  source: '',
});

describe('one value', () => {
  const text = { type: 'text' } as const;
  const group: FieldType = { type: 'group', fields: [part('a', text), part('n', { type: 'count' })] };
  const groups: FieldType = { type: 'groups', fields: [part('a', text)], key: 'a' };
  test.each<{ type: FieldType; from: Json | undefined; to: Json | undefined }>([
    { type: text, from: undefined, to: undefined },
    { type: text, from: null, to: undefined },
    { type: text, from: '', to: undefined },
    { type: text, from: 'x', to: 'x' },
    { type: { type: 'choice', values: ['x'] }, from: '', to: undefined },
    { type: { type: 'choice', values: ['x'] }, from: 'x', to: 'x' },
    { type: { type: 'flag' }, from: true, to: true },
    { type: { type: 'flag' }, from: false, to: undefined },
    { type: { type: 'count' }, from: -1, to: -1 },
    { type: { type: 'count' }, from: -2, to: -2 },
    { type: { type: 'count' }, from: 0, to: undefined },
    { type: { type: 'count' }, from: 1, to: 1 },
    { type: { type: 'count', unlimited: true }, from: -2, to: -1 },
    { type: { type: 'count', unlimited: true }, from: 0, to: undefined },
    { type: { type: 'count', unlimited: true }, from: 1, to: 1 },
    { type: { type: 'count', unlimited: true }, from: '-2', to: '-2' },
    { type: { type: 'size', unlimited: true }, from: -7, to: -1 },
    { type: { type: 'size' }, from: 0, to: undefined },
    { type: { type: 'duration' }, from: 0, to: undefined },
    { type: { type: 'duration' }, from: 1, to: 1 },
    { type: { type: 'duration', unlimited: true }, from: -1, to: -1 },
    { type: { type: 'time' }, from: '', to: undefined },
    { type: { type: 'time' }, from: 5, to: undefined },
    { type: { type: 'time' }, from: '0001-01-01T00:00:00Z', to: undefined },
    { type: { type: 'time' }, from: 'soon', to: 'soon' },
    { type: { type: 'time' }, from: '2026-01-01T01:02:03Z', to: '2026-01-01T01:02:03Z' },
    { type: { type: 'time' }, from: '2026-01-01t01:02:03z', to: '2026-01-01T01:02:03Z' },
    { type: { type: 'time' }, from: '2026-01-01T01:02:03.120000000Z', to: '2026-01-01T01:02:03.12Z' },
    { type: { type: 'time' }, from: '2026-01-01T01:02:03.0120Z', to: '2026-01-01T01:02:03.012Z' },
    { type: { type: 'time' }, from: '2026-01-01T01:02:03.000Z', to: '2026-01-01T01:02:03Z' },
    { type: { type: 'time' }, from: '2026-01-01T01:02:03.123456789-02:30', to: '2026-01-01T03:32:03.123456789Z' },
    { type: { type: 'time' }, from: '2026-01-01', to: '2026-01-01T00:00:00Z' },
    { type: { type: 'texts' }, from: [], to: undefined },
    { type: { type: 'texts' }, from: 'b', to: undefined },
    { type: { type: 'texts' }, from: ['b', 'a'], to: ['a', 'b'] },
    { type: { type: 'durations' }, from: [], to: undefined },
    { type: { type: 'durations' }, from: 5, to: undefined },
    { type: { type: 'durations' }, from: [2, 1], to: [2, 1] },
    { type: { type: 'map' }, from: {}, to: undefined },
    { type: { type: 'map' }, from: [], to: undefined },
    { type: { type: 'map' }, from: 'x', to: undefined },
    { type: { type: 'map' }, from: { a: '1', '_nats.ver': '2' }, to: { a: '1' } },
    { type: { type: 'map' }, from: { '_nats.ver': '2' }, to: undefined },
    { type: group, from: 'x', to: undefined },
    { type: group, from: { a: '', n: 0, other: 1 }, to: undefined },
    { type: group, from: { a: 'x', n: 0, other: 1 }, to: { a: 'x' } },
    { type: groups, from: 'x', to: undefined },
    { type: groups, from: [], to: undefined },
    { type: groups, from: [{}, 'x'], to: undefined },
    { type: groups, from: [{}, { a: 'x' }], to: [{ a: 'x' }] },
  ])('$type.type $from is $to', ({ type, from, to }) => {
    expect(canonicalValue(type, from)).toEqual(to);
  });

  test('is not changed in the caller’s hands', () => {
    const given = ['b', 'a'];
    canonicalValue({ type: 'texts' }, given);
    expect(given).toEqual(['b', 'a']);
    const sources = [{ name: 'b' }, { name: 'a' }];
    expect(sortedGroups(sources, 'name')).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(sources[0]).toEqual({ name: 'b' });
  });

  test('that is left out is what the server fills in, by the rest where it depends on that', () => {
    const field = FIELDS.stream.find(({ name }) => name === 'subjects')!;
    expect(fillOf(field, { version: '2.15.1', config: { name: 'S' } })).toEqual(['S']);
    expect(fillOf({ ...field, fill: 7 }, { version: '2.15.1', config: {} })).toBe(7);
  });

  test.each<{ name: string; groups: Json | undefined; sorted: Json }>([
    { name: 'nothing', groups: undefined, sorted: [] },
    { name: 'no list', groups: {}, sorted: [] },
    {
      name: 'three by name',
      groups: [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
      sorted: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    },
    {
      name: 'two of one name by all they hold',
      groups: [
        { name: 'a', filter_subject: 'y' },
        { name: 'a', filter_subject: 'x' },
        { name: 'a', filter_subject: 'x' },
      ],
      sorted: [
        { name: 'a', filter_subject: 'x' },
        { name: 'a', filter_subject: 'x' },
        { name: 'a', filter_subject: 'y' },
      ],
    },
  ])('sources in one order: $name', ({ groups: given, sorted }) => {
    expect(sortedGroups(given, 'name')).toEqual(sorted);
  });
});

describe('what a server makes of a stream', () => {
  test.each<{ name: string; config: Config; has: Config }>([
    {
      name: 'a mirror takes allow_direct of its origin',
      config: { mirror: { name: 'O' }, mirror_direct: true },
      has: { mirror_direct: false },
    },
    {
      name: 'a mirror of another account does as asked',
      config: { mirror: { name: 'O', external: { api: 'x' } }, mirror_direct: true },
      has: { mirror_direct: true },
    },
    { name: 'no mirror does as asked', config: { mirror_direct: true }, has: { mirror_direct: true } },
    {
      name: 'a sealed one is shut',
      config: { sealed: true, allow_rollup_hdrs: true, discard: 'old', max_age: S },
      has: { sealed: true, deny_delete: true, deny_purge: true, allow_rollup_hdrs: false, discard: 'new', max_age: 0 },
    },
    {
      name: 'one that is not sealed stays open',
      config: { discard: 'old', max_age: S },
      has: { sealed: false, deny_delete: false, deny_purge: false, discard: 'old', max_age: S },
    },
    {
      name: 'a source that names none is no source: the stream has its subject',
      config: { sources: [{}, { name: '' }] },
      has: { sources: [], subjects: ['S'] },
    },
    {
      name: 'sources in one order',
      config: { sources: [{ name: 'b' }, { name: 'a' }] },
      has: { sources: [{ name: 'a' }, { name: 'b' }] },
    },
  ])('$name', ({ config, has }) => {
    expect(canonicalStream({ name: 'S', ...config }, NEW)).toMatchObject(has);
  });
});

describe('the filters of a consumer', () => {
  test.each<{ config: Config; filters: string[]; single: string; list: string[] }>([
    { config: {}, filters: ['>'], single: '', list: [] },
    { config: { filter_subject: '' }, filters: ['>'], single: '', list: [] },
    { config: { filter_subject: 'a' }, filters: ['a'], single: 'a', list: [] },
    { config: { filter_subjects: [] }, filters: ['>'], single: '', list: [] },
    { config: { filter_subjects: ['a'] }, filters: ['a'], single: 'a', list: [] },
    { config: { filter_subjects: ['b', 'a'] }, filters: ['b', 'a'], single: '', list: ['a', 'b'] },
    { config: { filter_subjects: ['b', 'c'], filter_subject: 'a' }, filters: ['b', 'c'], single: '', list: ['b', 'c'] },
    { config: { filter_subjects: [], filter_subject: 'a' }, filters: ['a'], single: 'a', list: [] },
  ])('$config', ({ config, filters, single, list }) => {
    expect(filtersOf(config)).toEqual(filters);
    expect(canonicalConsumer(config, NEW)).toMatchObject({ filter_subject: single, filter_subjects: list });
  });

  test('first steps of backoff are its ack_wait; without steps it waits as written', () => {
    expect(canonicalConsumer({ backoff: [2 * S, 3 * S], ack_wait: S }, NEW).ack_wait).toBe(2 * S);
    expect(canonicalConsumer({ backoff: [], ack_wait: S }, NEW).ack_wait).toBe(S);
    expect(canonicalConsumer({ pause_until: '2030-01-01T00:00:00Z' }, NEW)).not.toHaveProperty('pause_until');
  });
});

describe('the limits that a change lowers', () => {
  const stream = (before: Config, after: Config) => loweredLimits('stream', before, after);
  const fieldsOf = (limits: ReturnType<typeof loweredLimits>): string[] => limits.map(({ field }) => field);
  const old = { discard: 'old' };
  test.each<{ name: string; before: Config; after: Config; fields: string[] }>([
    { name: 'one less', before: { ...old, max_msgs: 10 }, after: { ...old, max_msgs: 9 }, fields: ['max_msgs'] },
    { name: 'the same', before: { ...old, max_msgs: 10 }, after: { ...old, max_msgs: 10 }, fields: [] },
    { name: 'one more', before: { ...old, max_msgs: 10 }, after: { ...old, max_msgs: 11 }, fields: [] },
    { name: 'a first one', before: { ...old, max_msgs: -1 }, after: { ...old, max_msgs: 1 }, fields: ['max_msgs'] },
    { name: 'none any more', before: { ...old, max_msgs: 10 }, after: { ...old, max_msgs: 0 }, fields: [] },
    { name: 'bytes', before: { ...old, max_bytes: 10 }, after: { ...old, max_bytes: 9 }, fields: ['max_bytes'] },
    {
      name: 'messages and bytes with discard new',
      before: { discard: 'new' },
      after: { discard: 'new', max_msgs: 1, max_bytes: 1 },
      fields: [],
    },
    {
      name: 'age and subjects with discard new',
      before: { discard: 'new' },
      after: { discard: 'new', max_age: 1, max_msgs_per_subject: 1 },
      fields: ['max_age', 'max_msgs_per_subject'],
    },
    {
      name: 'limits that stay where discard turns to old',
      before: { discard: 'new', max_msgs: 1, max_age: 1, max_msgs_per_subject: 1 },
      after: { ...old, max_msgs: 1, max_age: 1, max_msgs_per_subject: 1 },
      fields: ['max_msgs'],
    },
    {
      name: 'limits that stay with discard old',
      before: { ...old, max_msgs: 1 },
      after: { ...old, max_msgs: 1 },
      fields: [],
    },
    { name: 'no limit where discard turns to old', before: { discard: 'new' }, after: old, fields: [] },
    { name: 'what deletes nothing', before: old, after: { ...old, max_msg_size: 1, max_consumers: 1 }, fields: [] },
  ])('$name', ({ before, after, fields }) => {
    expect(fieldsOf(stream(before, after))).toEqual(fields);
  });

  test('are told with what they delete by', () => {
    expect(
      stream({ ...old, max_age: 5 }, { ...old, max_age: 3, max_msgs_per_subject: 2, max_bytes: 7, max_msgs: 8 }),
    ).toEqual([
      { field: 'max_msgs', loss: 'messages', from: NONE, to: 8 },
      { field: 'max_bytes', loss: 'bytes', from: NONE, to: 7 },
      { field: 'max_age', loss: 'age', from: 5, to: 3 },
      { field: 'max_msgs_per_subject', loss: 'per-subject', from: NONE, to: 2 },
    ]);
  });

  test('of a bucket are those of age and history, for its stream refuses the newest; of a consumer none', () => {
    const all = { max_bytes: 1, ttl: 1, history: 1 };
    expect(fieldsOf(loweredLimits('bucket', { history: 2 }, all))).toEqual(['history', 'ttl']);
    expect(loweredLimits('consumer', {}, { max_msgs: 1, max_age: 1, discard: 'old' })).toEqual([]);
  });
});

describe('a bucket', () => {
  const backs = (config: Config, live?: Config): Config => toBackingStream('b', config, live);
  const base = {
    name: 'KV_b',
    subjects: ['$KV.b.>'],
    retention: 'limits',
    discard: 'new',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
    max_msgs_per_subject: 1,
  };
  test.each<{ name: string; config: Config; stream: Config; live?: Config }>([
    { name: 'empty', config: {}, stream: base },
    { name: 'that keeps no value keeps one', config: { history: 0 }, stream: base },
    { name: 'that keeps one', config: { history: 1 }, stream: base },
    { name: 'that keeps two', config: { history: 2 }, stream: { ...base, max_msgs_per_subject: 2 } },
    { name: 'with a field that is null', config: { ttl: null }, stream: base },
    {
      name: 'with every word of its own',
      config: { ttl: 5, max_value_size: 6 },
      stream: { ...base, max_age: 5, max_msg_size: 6 },
    },
    { name: 'without sources', config: { sources: [] }, stream: base },
    { name: 'with an empty mirror', config: { mirror: {} }, stream: base },
    {
      name: 'with markers',
      config: { limit_marker_ttl: 1 },
      stream: { ...base, subject_delete_marker_ttl: 1, allow_msg_ttl: true },
    },
    { name: 'without markers', config: { limit_marker_ttl: 0 }, stream: { ...base, subject_delete_marker_ttl: 0 } },
    {
      name: 'that sources another',
      config: { sources: [{ name: 'o' }] },
      stream: { ...base, sources: [{ name: 'KV_o', subject_transforms: [{ src: '$KV.o.>', dest: '$KV.b.>' }] }] },
    },
    {
      name: 'that sources with a transform of its own',
      config: { sources: [{ name: 'KV_o', subject_transforms: [{ src: 'x', dest: 'y' }] }] },
      stream: { ...base, sources: [{ name: 'KV_o', subject_transforms: [{ src: 'x', dest: 'y' }] }] },
    },
    {
      name: 'that sources its namesake of another account',
      config: { sources: [{ name: 'b', external: { api: 'x' } }] },
      stream: { ...base, sources: [{ name: 'KV_b', external: { api: 'x' } }] },
    },
    {
      name: 'that sources another of another account',
      config: { sources: [{ name: 'o', external: { api: 'x' } }] },
      stream: {
        ...base,
        sources: [{ name: 'KV_o', external: { api: 'x' }, subject_transforms: [{ src: '$KV.o.>', dest: '$KV.b.>' }] }],
      },
    },
    {
      name: 'over its live stream: what cannot be taken back stays',
      config: {},
      live: { deny_delete: false, allow_msg_ttl: true, first_seq: 7, template_owner: 'x', discard: 'old' },
      stream: { ...base, deny_delete: false, allow_msg_ttl: true, first_seq: 7, template_owner: 'x' },
    },
    { name: 'over a live stream that says nothing of that', config: {}, live: {}, stream: base },
  ])('$name', ({ config, stream, live }) => {
    expect(backs(config, live)).toStrictEqual(stream);
  });

  test('that mirrors another has no subjects and is read like it', () => {
    const { subjects: _, ...rest } = base;
    for (const name of ['o', 'KV_o']) {
      expect(backs({ mirror: { name } })).toEqual({ ...rest, mirror: { name: 'KV_o' }, mirror_direct: true });
    }
  });

  test.each<{ name: string; source: Config; written: Config }>([
    {
      name: 'its usual transform goes without saying',
      source: { name: 'KV_o', subject_transforms: [{ src: '$KV.o.>', dest: '$KV.b.>' }] },
      written: { name: 'o' },
    },
    { name: 'no transform says nothing', source: { name: 'KV_o' }, written: { name: 'o' } },
    {
      name: 'another transform is told',
      source: { name: 'KV_o', subject_transforms: [{ src: '$KV.o.x', dest: '$KV.b.y' }] },
      written: { name: 'o', subject_transforms: [{ src: '$KV.o.x', dest: '$KV.b.y' }] },
    },
    {
      name: 'a namesake of another account needs none',
      source: { name: 'KV_b', external: { api: 'x' } },
      written: { name: 'b', external: { api: 'x' } },
    },
    {
      name: 'a namesake of another account with one',
      source: { name: 'KV_b', external: { api: 'x' }, subject_transforms: [{ src: '$KV.b.>', dest: '$KV.b.>' }] },
      written: { name: 'b', external: { api: 'x' }, subject_transforms: [{ src: '$KV.b.>', dest: '$KV.b.>' }] },
    },
  ])('as it is read from its stream: $name', ({ source, written }) => {
    expect(toBucket({ ...base, sources: [source] }, NEW).sources).toStrictEqual([written]);
    expect(canonicalBucket('b', { sources: [source] }, NEW).sources).toStrictEqual([written]);
  });

  test('lists its sources by their names', () => {
    const sources: Config[] = [{ name: 'KV_b' }, { name: 'KV_c', external: { api: 'x' } }, { name: 'KV_a' }];
    const names = (found: Config): unknown[] => (found.sources as Config[]).map(({ name }) => name);
    expect(names(canonicalBucket('z', { sources }, NEW))).toEqual(['a', 'b', 'c']);
    expect(names(canonicalStream({ name: 'S', sources }, NEW))).toEqual(['KV_a', 'KV_b', 'KV_c']);
  });

  test('as it is read from its stream: deviations, but those in which clients differ', () => {
    const odd = {
      discard: 'old',
      deny_delete: false,
      first_seq: 5,
      duplicate_window: 5 * S,
      max_msgs: 7,
      max_age: 9,
      mirror: { name: 'KV_o' },
    };
    const read = toBucket({ ...base, subjects: undefined as never, ...odd }, NEW);
    expect(Object.fromEntries(Object.entries(read).filter(([key]) => key.startsWith('backing.')))).toEqual({
      'backing.discard': 'old',
      'backing.max_msgs': 7,
    });
    expect(read).toMatchObject({ ttl: 9, mirror: { name: 'o' } });
    expect(
      canonicalBucket('b', { 'backing.discard': 'old', discard: 'old', mirror: { name: 'KV_m' } }, NEW),
    ).toMatchObject({
      'backing.discard': 'old',
      mirror: { name: 'm' },
    });
    expect(canonicalBucket('b', { discard: 'old' }, NEW)).not.toHaveProperty('discard');
    expect(canonicalBucket('b', {}, NEW).mirror).toEqual({});
  });
});

describe('a resource', () => {
  const streams = streamLookup((key) =>
    key === 'stream S' ? { config: { consumer_limits: { max_ack_pending: 7 } } } : undefined,
  );
  test('of a spec takes its name, and its stream’s limits, from where it stands', () => {
    const desired = (kind: 'stream' | 'consumer' | 'bucket', name: string, config: Config = {}) =>
      canonicalDesired({ kind, name, config }, NEW, streams);
    expect(desired('stream', 'S')).toMatchObject({ subjects: ['S'] });
    expect(desired('consumer', 'S/w')).toMatchObject({ max_ack_pending: 7 });
    expect(desired('consumer', 'T/w')).toMatchObject({ max_ack_pending: 1000 });
    expect(
      desired('bucket', 'b', {
        sources: [{ name: 'KV_o', subject_transforms: [{ src: '$KV.o.>', dest: '$KV.b.>' }] }],
      }),
    ).toMatchObject({
      sources: [{ name: 'o' }],
    });
  });

  test('of a server is read the same, a bucket from its stream', () => {
    const observed = (kind: 'stream' | 'consumer' | 'bucket', name: string, config: Config = {}) =>
      canonicalObserved({ kind, name, config }, NEW, streams);
    expect(observed('stream', 'S')).toMatchObject({ subjects: ['S'] });
    expect(observed('consumer', 'S/w')).toMatchObject({ max_ack_pending: 7 });
    expect(observed('bucket', 'b', toBackingStream('b', { history: 3 }))).toEqual(
      canonicalBucket('b', { history: 3 }, NEW),
    );
  });

  test('of a bucket stands for a stream', () => {
    expect(canonicalBacking('b', { history: 3 }, NEW)).toEqual(
      canonicalStream(toBackingStream('b', { history: 3 }), NEW),
    );
    expect(canonicalBacking('b', { history: 3 }, NEW)).toMatchObject({ discard: 'new', max_msgs_per_subject: 3 });
  });
});
