import { describe, expect, test } from '@jest/globals';
import type { Field, FieldType } from '../../../src/lib/facts/field.ts';
import { tableFor } from '../../../src/lib/facts/fields.ts';
import type { Config, Json } from '../../../src/lib/model/json.ts';
import type { Origin } from '../../../src/lib/model/plan.ts';
import type { ResourceKey } from '../../../src/lib/model/resource.ts';
import { isMarkOnly, isUnadopted } from '../../../src/lib/plan/adoption.ts';
import { diffConfigs } from '../../../src/lib/plan/diff.ts';
import { findFilled, withFilled } from '../../../src/lib/plan/filled.ts';
import { commonOrigin, fieldAt, originOf } from '../../../src/lib/plan/origin.ts';
import { retrySchedule } from '../../../src/lib/plan/schedule.ts';
import { showValue } from '../../../src/lib/plan/show.ts';
import { bucketWire, consumerWire, streamWire } from '../../../src/lib/plan/wire.ts';
import { live, want } from './builders.ts';

const S = 1e9;
const NEW = tableFor('2.15.1');
const part = (name: string, type: FieldType): Field => ({
  name,
  type,
  doc: '',
  fill: '',
  change: 'in-place',
  source: '',
});

describe('a value as it is shown', () => {
  const group: FieldType = { type: 'group', fields: [part('a', { type: 'duration' }), part('b', { type: 'text' })] };
  test.each<{ type: FieldType; value: Json | undefined; shown: Json }>([
    { type: { type: 'text' }, value: undefined, shown: null },
    { type: { type: 'text' }, value: null, shown: null },
    { type: { type: 'text' }, value: '', shown: null },
    { type: { type: 'text' }, value: 'x', shown: 'x' },
    { type: { type: 'flag' }, value: false, shown: false },
    { type: { type: 'duration' }, value: 90 * S, shown: '1m30s' },
    { type: { type: 'duration' }, value: 'soon', shown: 'soon' },
    { type: { type: 'size' }, value: -1, shown: -1 },
    { type: { type: 'size' }, value: 0, shown: '0B' },
    { type: { type: 'size' }, value: 1024, shown: '1KiB' },
    { type: { type: 'size' }, value: 'big', shown: 'big' },
    { type: { type: 'count' }, value: 1024, shown: 1024 },
    { type: { type: 'durations' }, value: [S, 2 * S], shown: ['1s', '2s'] },
    { type: { type: 'durations' }, value: 'x', shown: 'x' },
    { type: { type: 'map' }, value: {}, shown: null },
    { type: { type: 'map' }, value: { a: '1' }, shown: { a: '1' } },
    { type: { type: 'map' }, value: [], shown: [] },
    { type: group, value: {}, shown: null },
    { type: group, value: 'x', shown: null },
    { type: group, value: { b: 'x', c: 1 }, shown: { b: 'x' } },
    { type: group, value: { a: S }, shown: { a: '1s' } },
    { type: { type: 'groups', fields: group.fields, key: 'b' }, value: [{ a: S }, {}], shown: [{ a: '1s' }, null] },
    { type: { type: 'groups', fields: group.fields, key: 'b' }, value: 'x', shown: 'x' },
  ])('$type.type $value: $shown', ({ type, value, shown }) => {
    expect(showValue(type, value)).toEqual(shown);
  });
});

describe('the value at a path', () => {
  const config = { max_age: 5, metadata: { team: 'a', 'a.b': 'c' }, 'backing.discard': 'old', list: ['x'] };
  test.each<{ path: string; value: Json | undefined }>([
    { path: 'max_age', value: 5 },
    { path: 'metadata.team', value: 'a' },
    { path: 'metadata.a.b', value: 'c' },
    { path: 'metadata.none', value: undefined },
    { path: 'none', value: undefined },
    { path: 'none.team', value: undefined },
    { path: 'max_age.team', value: undefined },
    { path: 'list.0', value: undefined },
    { path: 'backing.discard', value: 'old' },
    { path: 'backing.none', value: undefined },
  ])('$path: $value', ({ path, value }) => {
    expect(fieldAt(config, path)).toEqual(value);
  });

  test('of the stream behind a bucket is not looked for in a field of that name', () => {
    expect(fieldAt({ backing: { discard: 'old' } }, 'backing.discard')).toBeUndefined();
  });
});

describe('who made a difference', () => {
  test.each<{ last: Json | undefined; desired: Json | undefined; live: Json | undefined; origin: Origin }>([
    { last: 1, desired: 2, live: 1, origin: 'spec' },
    { last: 1, desired: 1, live: 2, origin: 'server' },
    { last: 1, desired: 2, live: 3, origin: 'both' },
    { last: 1, desired: 1, live: 1, origin: 'unknown' },
    { last: undefined, desired: null, live: 1, origin: 'server' },
    { last: null, desired: undefined, live: 1, origin: 'server' },
    { last: null, desired: 1, live: undefined, origin: 'spec' },
    { last: ['a'], desired: ['a'], live: ['b'], origin: 'server' },
  ])('$last, $desired, $live: $origin', ({ last, desired, live: now, origin }) => {
    expect(originOf(last, desired, now)).toBe(origin);
  });

  test.each<{ origins: Origin[]; common: Origin }>([
    { origins: [], common: 'unknown' },
    { origins: ['spec'], common: 'spec' },
    { origins: ['spec', 'spec'], common: 'spec' },
    { origins: ['spec', 'server'], common: 'both' },
    { origins: ['server', 'unknown'], common: 'unknown' },
    { origins: ['both'], common: 'both' },
  ])('$origins together: $common', ({ origins, common }) => {
    expect(commonOrigin(origins)).toBe(common);
  });
});

describe('a change that writes only the mark', () => {
  const field = (path: string) => ({ path, from: null, to: 'x', impact: 'in-place', origin: 'spec' }) as const;
  test.each([
    { paths: ['metadata.osapi-ops.owner'], is: true },
    { paths: ['metadata.osapi-ops.owner', 'metadata.io.nats.monitor.enabled'], is: true },
    { paths: ['metadata.osapi-ops.owner', 'metadata.team'], is: false },
    { paths: ['max_age'], is: false },
  ])('$paths: $is', ({ paths, is }) => {
    expect(isMarkOnly({ action: 'update', fields: paths.map(field) })).toBe(is);
    expect(isMarkOnly({ action: 'replace', fields: paths.map(field) })).toBe(false);
  });

  const subject = (owner: string | null, paths: string[]) => ({
    key: 'stream S' as const,
    change: {
      action: 'update',
      kind: 'stream',
      name: 'S',
      role: 'queue',
      fields: paths.map(field),
      origin: 'spec',
    } as const,
    observed: live('stream S', {}, { owner }),
  });
  const mark = ['metadata.osapi-ops.owner'];
  test.each([
    { name: 'nobody’s', of: subject(null, mark), last: undefined, is: true },
    { name: 'another system’s', of: subject('billing', mark), last: undefined, is: false },
    { name: 'with a difference', of: subject(null, ['max_age']), last: undefined, is: false },
    {
      name: 'that was applied',
      of: subject(null, mark),
      last: { system: 'osapi', configs: { 'stream S': {} } },
      is: false,
    },
    {
      name: 'where another was applied',
      of: subject(null, mark),
      last: { system: 'osapi', configs: { 'stream T': {} } },
      is: true,
    },
    {
      name: 'that is not there',
      of: { ...subject(null, mark), observed: undefined as never },
      last: undefined,
      is: false,
    },
  ])('to adopt it has to be asked for: $name', ({ of, last, is }) => {
    expect(isUnadopted(of, last as never)).toBe(is);
  });
});

describe('where two configurations differ', () => {
  const context = { table: NEW, clustered: false };
  const paths = (before: Config, after: Config, kind: 'stream' | 'bucket' = 'stream') =>
    diffConfigs(kind, before, after, context).map(({ path, from, to, type, field }) => [
      path,
      from,
      to,
      type.type,
      field.name,
    ]);
  test.each<{ name: string; before: Config; after: Config; want: unknown[] }>([
    {
      name: 'nowhere',
      before: { max_age: 5, metadata: { a: '1' } },
      after: { metadata: { a: '1' }, max_age: 5 },
      want: [],
    },
    {
      name: 'a field',
      before: { max_age: 5 },
      after: { max_age: 6 },
      want: [['max_age', 5, 6, 'duration', 'max_age']],
    },
    {
      name: 'a field that comes',
      before: {},
      after: { max_age: 6 },
      want: [['max_age', null, 6, 'duration', 'max_age']],
    },
    {
      name: 'a field that goes',
      before: { max_age: 6 },
      after: {},
      want: [['max_age', 6, null, 'duration', 'max_age']],
    },
    { name: 'first_seq, which nobody tells again', before: { first_seq: 1 }, after: { first_seq: 5 }, want: [] },
    {
      name: 'parts of a map, in the order of their names',
      before: { metadata: { b: '1', c: '1' } },
      after: { metadata: { c: '2', a: '1' } },
      want: [
        ['metadata.a', undefined, '1', 'text', 'metadata'],
        ['metadata.b', '1', undefined, 'text', 'metadata'],
        ['metadata.c', '1', '2', 'text', 'metadata'],
      ],
    },
    {
      name: 'a map that was empty',
      before: { metadata: {} },
      after: { metadata: { a: '1' } },
      want: [['metadata.a', undefined, '1', 'text', 'metadata']],
    },
    {
      name: 'a part of a group, with its own type',
      before: { placement: { tags: ['a'], cluster: 'c' } },
      after: { placement: { tags: ['b'], cluster: 'c' } },
      want: [['placement.tags', ['a'], ['b'], 'texts', 'placement']],
    },
    {
      name: 'a part nobody knows',
      before: { placement: { x: '1', cluster: 'c' } },
      after: { placement: { x: '2', cluster: 'c' } },
      want: [['placement.x', '1', '2', 'text', 'placement']],
    },
    {
      name: 'a group that comes',
      before: { placement: {} },
      after: { placement: { cluster: 'c' } },
      want: [['placement', {}, { cluster: 'c' }, 'group', 'placement']],
    },
    {
      name: 'a group that goes',
      before: { placement: { cluster: 'c' } },
      after: { placement: {} },
      want: [['placement', { cluster: 'c' }, {}, 'group', 'placement']],
    },
    {
      name: 'a list, as a whole',
      before: { subjects: ['a'] },
      after: { subjects: ['b'] },
      want: [['subjects', ['a'], ['b'], 'texts', 'subjects']],
    },
    { name: 'a field that no version has', before: { shiny: 1 }, after: { shiny: 2 }, want: [] },
  ])('$name', ({ before, after, want: wanted }) => {
    expect(paths(before, after)).toEqual(wanted);
  });

  test('only in what the version has', () => {
    const old = { table: tableFor('2.10.29'), clustered: false };
    expect(diffConfigs('stream', {}, { allow_msg_ttl: true }, old)).toEqual([]);
    expect(diffConfigs('stream', {}, { allow_msg_ttl: true }, context)).toHaveLength(1);
  });

  test('with what the server does about it', () => {
    const verdicts = (before: Config, after: Config) =>
      diffConfigs('stream', before, after, context).map(({ verdict }) => verdict);
    expect(verdicts({ description: 'a' }, { description: 'b' })).toEqual([{ impact: 'in-place' }]);
    expect(verdicts({ storage: 'file' }, { storage: 'memory' })).toEqual([
      { impact: 'replace', note: 'the server cannot change the storage type (10052)' },
    ]);
    expect(verdicts({ max_consumers: 1 }, { max_consumers: 2 })[0]!.impact).toBe('in-place');
    const [old] = diffConfigs(
      'stream',
      { max_consumers: 1 },
      { max_consumers: 2 },
      { table: tableFor('2.10.29'), clustered: false },
    );
    expect(old!.verdict.impact).toBe('replace');
  });

  test('behind a bucket', () => {
    const before = { history: 1, 'backing.discard': 'old', 'backing.deny_purge': true, 'backing.nothing': 1 };
    const backing = { discard: 'new', deny_purge: false };
    const found = diffConfigs('bucket', before, { history: 1 }, { ...context, backing });
    expect(
      found.map(({ path, from, to, type, field, verdict }) => [path, from, to, type.type, field.name, verdict]),
    ).toEqual([
      [
        'backing.discard',
        'old',
        'new',
        'choice',
        'discard',
        { impact: 'in-place', note: 'at a limit publishers are refused (10077) instead of the oldest being dropped' },
      ],
      [
        'backing.deny_purge',
        true,
        false,
        'flag',
        'deny_purge',
        { impact: 'replace', note: 'the server refuses to turn deny_purge off' },
      ],
    ]);
    expect(diffConfigs('bucket', before, { history: 1 }, context)).toEqual([]);
    expect(diffConfigs('stream', before, {}, { ...context, backing })).toEqual([]);
    const [plain] = diffConfigs('bucket', { 'backing.max_msgs': 5 }, {}, { ...context, backing: {} });
    expect(plain).toMatchObject({
      from: 5,
      to: null,
      verdict: { impact: 'in-place', note: 'the stream of a bucket must have it so' },
    });
  });
});

describe('what a server fills in otherwise', () => {
  const context = { table: NEW, streamOf: () => undefined };
  const consumer = want('consumer S/w', {});
  const answers = (config: Config, key: ResourceKey = 'consumer S/w') => new Map([[key, config]]);
  test.each<{ name: string; resource: typeof consumer; answer?: Config; before?: Config; found: Config | undefined }>([
    { name: 'nothing', resource: consumer, answer: { max_ack_pending: 1000 }, found: undefined },
    { name: 'a lower default', resource: consumer, answer: { max_ack_pending: 500 }, found: { max_ack_pending: 500 } },
    {
      name: 'what the spec writes',
      resource: want('consumer S/w', { max_ack_pending: 700 }),
      answer: { max_ack_pending: 500 },
      found: undefined,
    },
    { name: 'what says nothing', resource: consumer, answer: { max_ack_pending: 0 }, found: undefined },
    {
      name: 'what no server lowers',
      resource: consumer,
      answer: { max_deliver: 7, max_ack_pending: 1000 },
      found: undefined,
    },
    {
      name: 'of a stream',
      resource: want('stream S'),
      answer: { duplicate_window: 60 * S },
      found: { duplicate_window: 60 * S },
    },
    {
      name: 'not written now: as before',
      resource: consumer,
      before: { max_ack_pending: 500 },
      found: { max_ack_pending: 500 },
    },
    {
      name: 'not written now, and the spec writes it since',
      resource: want('consumer S/w', { max_ack_pending: 9 }),
      before: { max_ack_pending: 500 },
      found: undefined,
    },
    {
      name: 'written now: what was before is forgotten',
      resource: consumer,
      answer: { max_ack_pending: 1000 },
      before: { max_ack_pending: 500 },
      found: undefined,
    },
    { name: 'never written', resource: consumer, found: undefined },
  ])('$name', ({ resource, answer, before, found }) => {
    const key = `${resource.kind} ${resource.name}` as ResourceKey;
    const given = answer ? answers(answer, key) : new Map();
    expect(findFilled([resource], given, before && { [key]: before }, context)).toEqual(found ? { [key]: found } : {});
  });

  test('stands until the spec says otherwise', () => {
    const filled = { 'consumer S/w': { max_ack_pending: 500, max_batch: 1 } };
    expect(withFilled({ ...consumer, config: { max_batch: 2 } }, filled)).toEqual({
      max_ack_pending: 500,
      max_batch: 2,
    });
    expect(withFilled({ ...consumer, config: { a: 1 } }, undefined)).toEqual({ a: 1 });
  });
});

describe('what is sent', () => {
  const own = { '_nats.ver': '2.15.1', team: 'a' };
  test.each<{ name: string; config: Config; was?: Config; version?: string; sent: Config }>([
    {
      name: 'a new stream, without what says nothing',
      config: {
        subjects: ['a'],
        description: '',
        mirror: {},
        sources: [],
        placement: null,
        max_msgs: 0,
        deny_purge: false,
      },
      sent: { name: 'S', subjects: ['a'], max_msgs: 0, deny_purge: false },
    },
    {
      name: 'labels, without the server’s own',
      config: { metadata: own },
      sent: { name: 'S', metadata: { team: 'a' } },
    },
    { name: 'labels of which none is left', config: { metadata: { '_nats.ver': '1' } }, sent: { name: 'S' } },
    {
      name: 'another map in whatever words',
      config: { placement: { '_nats.ver': '1' } },
      sent: { name: 'S', placement: { '_nats.ver': '1' } },
    },
    {
      name: 'no field that the version lacks',
      config: { allow_atomic: true, shiny: 1 },
      version: '2.11.0',
      sent: { name: 'S', shiny: 1 },
    },
    {
      name: 'a sealed one as the server makes it',
      config: { sealed: true, discard: 'old' },
      sent: {
        name: 'S',
        sealed: true,
        deny_delete: true,
        deny_purge: true,
        allow_rollup_hdrs: false,
        discard: 'new',
        max_age: 0,
      },
    },
    {
      name: 'one with sealed off as written',
      config: { sealed: false, discard: 'old' },
      sent: { name: 'S', sealed: false, discard: 'old' },
    },
    {
      name: 'over a live one: what differs',
      was: { name: 'S', subjects: ['a'], max_msgs: 5, shiny: 1 },
      config: { subjects: ['a'], max_msgs: 6 },
      sent: { name: 'S', subjects: ['a'], max_msgs: 6, shiny: 1 },
    },
    {
      name: 'over a live one: what is spelt otherwise stays',
      was: { name: 'S', subjects: ['b', 'a'], max_msgs: -1 },
      config: { subjects: ['a', 'b'] },
      sent: { name: 'S', subjects: ['b', 'a'], max_msgs: -1 },
    },
    {
      name: 'over a live one: what is not written falls to its default',
      was: { name: 'S', subjects: ['a'], max_msgs: 5 },
      config: { subjects: ['a'] },
      sent: { name: 'S', subjects: ['a'], max_msgs: -1 },
    },
    {
      name: 'over a live one: a default the server lowers is left to it',
      was: { name: 'S', subjects: ['a'], duplicate_window: 5 },
      config: { subjects: ['a'] },
      sent: { name: 'S', subjects: ['a'] },
    },
    {
      name: 'over a live one: what the server lowers as written',
      was: { name: 'S', subjects: ['a'], duplicate_window: 5 },
      config: { subjects: ['a'], duplicate_window: 6 },
      sent: { name: 'S', subjects: ['a'], duplicate_window: 6 },
    },
    {
      name: 'over a live one: first_seq counts at creation only',
      was: { name: 'S', subjects: ['a'] },
      config: { subjects: ['a'], first_seq: 9 },
      sent: { name: 'S', subjects: ['a'] },
    },
    {
      name: 'over a live one: no field that the version lacks',
      was: { name: 'S', subjects: ['a'], allow_atomic: true },
      version: '2.11.0',
      config: { subjects: ['a'] },
      sent: { name: 'S', subjects: ['a'] },
    },
    {
      name: 'over a mirror that ends: mirror_direct is the spec’s again',
      was: { name: 'S', mirror: { name: 'O' }, mirror_direct: true },
      config: { subjects: ['a'] },
      sent: { name: 'S', subjects: ['a'], mirror_direct: false },
    },
    {
      name: 'over a mirror that ends, mirror_direct written',
      was: { name: 'S', mirror: { name: 'O' }, mirror_direct: false },
      config: { subjects: ['a'], mirror_direct: true },
      sent: { name: 'S', subjects: ['a'], mirror_direct: true },
    },
    {
      name: 'over a mirror that stays',
      was: { name: 'S', mirror: { name: 'O' }, mirror_direct: true },
      config: { mirror: { name: 'O' } },
      sent: { name: 'S', mirror: { name: 'O' }, mirror_direct: true },
    },
    {
      name: 'over none: mirror_direct as it was',
      was: { name: 'S', subjects: ['a'], mirror_direct: true },
      config: { subjects: ['a'], mirror_direct: true },
      sent: { name: 'S', subjects: ['a'], mirror_direct: true },
    },
  ])('of $name', ({ config, was, version = '2.15.1', sent }) => {
    expect(streamWire('S', config, tableFor(version), was)).toEqual(sent);
  });

  test.each<{ name: string; config: Config; was?: Config; streams?: { live?: Config; wanted?: Config }; sent: Config }>(
    [
      { name: 'new, with acks', config: {}, sent: { ack_policy: 'explicit' } },
      { name: 'new, without', config: { ack_policy: 'none' }, sent: { ack_policy: 'none' } },
      {
        name: 'new, with both its waits as written',
        config: { backoff: [5], ack_wait: 9 },
        sent: { ack_policy: 'explicit', backoff: [5], ack_wait: 9 },
      },
      {
        name: 'over a live one: backoff without ack_wait',
        was: { ack_policy: 'explicit', ack_wait: 5 },
        config: { backoff: [7], max_deliver: 3 },
        sent: { ack_policy: 'explicit', backoff: [7], max_deliver: 3 },
      },
      {
        name: 'over a live one: ack_wait without backoff',
        was: { ack_policy: 'explicit', backoff: [7], ack_wait: 7 },
        config: { ack_wait: 5 },
        sent: { ack_policy: 'explicit', ack_wait: 5 },
      },
      {
        name: 'over a live one: a filter that goes',
        was: { ack_policy: 'explicit', filter_subject: 'a' },
        config: {},
        sent: { ack_policy: 'explicit' },
      },
      {
        name: 'over a live one: filters as a list',
        was: { ack_policy: 'explicit', filter_subject: 'a' },
        config: { filter_subjects: ['a', 'b'] },
        sent: { ack_policy: 'explicit', filter_subjects: ['a', 'b'] },
      },
      {
        name: 'over a live one: one filter',
        was: { ack_policy: 'explicit', filter_subjects: ['a', 'b'] },
        config: { filter_subject: 'a' },
        sent: { ack_policy: 'explicit', filter_subject: 'a' },
      },
      {
        name: 'over a live one: the default of its stream’s limits stays',
        was: { ack_policy: 'explicit', max_ack_pending: 50 },
        streams: {
          live: { consumer_limits: { max_ack_pending: 50 } },
          wanted: { consumer_limits: { max_ack_pending: 50 } },
        },
        config: {},
        sent: { ack_policy: 'explicit', max_ack_pending: 50 },
      },
      {
        name: 'over a live one: its stream’s limits go',
        was: { ack_policy: 'explicit', max_ack_pending: 50 },
        streams: { live: { consumer_limits: { max_ack_pending: 50 } }, wanted: {} },
        config: {},
        sent: { ack_policy: 'explicit' },
      },
    ],
  )('of a consumer $name', ({ config, was, streams = {}, sent }) => {
    expect(consumerWire('S/w', config, NEW, streams, was)).toEqual({ ...sent, name: 'w', durable_name: 'w' });
  });

  test('of a bucket is its stream, over the live one', () => {
    expect(bucketWire('b', { history: 2 }, NEW)).toMatchObject({
      name: 'KV_b',
      max_msgs_per_subject: 2,
      deny_delete: true,
    });
    const was = { ...bucketWire('b', { history: 2 }, NEW), deny_delete: false, shiny: 1 };
    expect(bucketWire('b', { history: 3 }, NEW, was)).toEqual({ ...was, max_msgs_per_subject: 3 });
  });
});

describe('the time line of a failing request', () => {
  const of = (config: Config) => retrySchedule(config)!;
  test.each<{ name: string; config: Config; text: string; diesAt: number | undefined; shown: number }>([
    {
      name: 'two tries',
      config: { max_deliver: 2, ack_wait: S },
      text: 'a failing request is tried at 0s and 1s, and dies after 2s',
      diesAt: 2,
      shown: 2,
    },
    {
      name: 'five tries, all told',
      config: { max_deliver: 5, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s and 4s, and dies after 5s',
      diesAt: 5,
      shown: 5,
    },
    {
      name: 'six tries, four told',
      config: { max_deliver: 6, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s, … (6 times) and dies after 6s',
      diesAt: 6,
      shown: 6,
    },
    {
      name: 'ten tries',
      config: { max_deliver: 10, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s, … (10 times) and dies after 10s',
      diesAt: 10,
      shown: 10,
    },
    {
      name: 'eleven tries, ten shown',
      config: { max_deliver: 11, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s, … (11 times) and dies after 11s',
      diesAt: 11,
      shown: 10,
    },
    {
      name: 'no limit',
      config: { max_deliver: -1, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s, … and then every 1s for ever',
      diesAt: undefined,
      shown: 10,
    },
    {
      name: 'no limit by 0',
      config: { max_deliver: 0, ack_wait: S },
      text: 'a failing request is tried at 0s, 1s, 2s, 3s, … and then every 1s for ever',
      diesAt: undefined,
      shown: 10,
    },
    {
      name: 'a wait of 0 is the server’s',
      config: { max_deliver: 1, ack_wait: 0 },
      text: 'a failing request is tried once and dies after 30s',
      diesAt: 30,
      shown: 1,
    },
    {
      name: 'a step of 0 is the server’s',
      config: { max_deliver: 2, backoff: [0, S] },
      text: 'a failing request is tried at 0s and 30s, and dies after 31s',
      diesAt: 31,
      shown: 2,
    },
    {
      name: 'backoff beside ack_wait',
      config: { max_deliver: 2, backoff: [S], ack_wait: 9 * S },
      text: 'a failing request is tried at 0s and 1s, and dies after 2s',
      diesAt: 2,
      shown: 2,
    },
    {
      name: 'a backoff that is none',
      config: { max_deliver: 1, backoff: 'x', ack_wait: S },
      text: 'a failing request is tried once and dies after 1s',
      diesAt: 1,
      shown: 1,
    },
  ])('$name', ({ config, text, diesAt, shown }) => {
    expect(of(config)).toMatchObject({ text, maxDeliver: Number(config.max_deliver) > 0 ? config.max_deliver : -1 });
    expect(of(config).diesAt).toBe(diesAt && diesAt * S);
    expect(of(config).deliveries).toHaveLength(shown);
    expect(of(config).deliveries[0]).toEqual({ delivery: 1, at: 0 });
  });

  test.each([
    { steps: 10, tries: 10, diesAt: 55 },
    { steps: 11, tries: 11, diesAt: 66 },
    { steps: 11, tries: 12, diesAt: 77 },
    { steps: 12, tries: 12, diesAt: 78 },
    { steps: 12, tries: 15, diesAt: 114 },
    { steps: 3, tries: 15, diesAt: 42 },
  ])('of $steps steps, each a second longer, and $tries tries dies after $diesAt s', ({ steps, tries, diesAt }) => {
    const backoff = Array.from({ length: steps }, (_, at) => (at + 1) * S);
    expect(of({ max_deliver: tries, backoff }).diesAt).toBe(diesAt * S);
  });
});
