import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SPEC_PAGE_FILE, specPageText } from '../../../scripts/generate/spec-page.ts';
import { camelCase, type Field, type FillContext, type Move } from '../../../src/lib/facts/field.ts';
import { FIELDS, hasField, tableFor } from '../../../src/lib/facts/fields.ts';
import { newerIn } from '../../../src/lib/facts/newer.ts';
import type { Config, Json } from '../../../src/lib/model/json.ts';
import type { ResourceKind } from '../../../src/lib/model/resource.ts';

const fieldOf = (kind: ResourceKind, name: string): Field => FIELDS[kind].find((field) => field.name === name)!;

describe('the tables', () => {
  test.each(Object.entries(FIELDS))('of a %s name each field once, with a sentence and a source', (_, fields) => {
    const names = fields.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(fields.filter(({ doc, source }) => !doc.endsWith('.') || source === '')).toEqual([]);
  });

  test('stand in docs/spec.md as they are, with what each rule says when it is asked (mend: npm run docs)', () => {
    expect(readFileSync(SPEC_PAGE_FILE, 'utf8')).toBe(specPageText());
  });

  test('say what a server’s own configuration may lower', () => {
    const lowered = Object.entries(FIELDS).flatMap(([kind, fields]) =>
      fields.filter(({ lowers }) => lowers).map(({ name }) => `${kind} ${name}`),
    );
    expect(lowered).toEqual(['stream duplicate_window', 'consumer max_ack_pending', 'consumer max_batch']);
  });

  test('say which field of its stream holds that of a bucket, and what fits into 32 bits', () => {
    expect(Object.fromEntries(FIELDS.bucket.map(({ name, stream }) => [name, stream]))).toMatchObject({
      history: 'max_msgs_per_subject',
      ttl: 'max_age',
      max_value_size: 'max_msg_size',
      limit_marker_ttl: 'subject_delete_marker_ttl',
      max_bytes: 'max_bytes',
    });
    const small = Object.values(FIELDS).flatMap((fields) =>
      fields.filter(({ type }) => 'bits' in type && type.bits === 32).map(({ name }) => name),
    );
    expect(small).toEqual(['max_msg_size', 'max_value_size']);
  });
});

describe('a field', () => {
  const names = (version: string): string[] => tableFor(version).stream.map(({ name }) => name);

  test.each([
    { name: 'template_owner', version: '2.10.26', isThere: true },
    { name: 'template_owner', version: '2.12.99', isThere: true },
    { name: 'template_owner', version: '2.13.0', isThere: false },
    { name: 'template_owner', version: '3.0.0', isThere: false },
    { name: 'template_owner', version: '1.99.0', isThere: true },
    { name: 'allow_batched', version: '2.13.9', isThere: false },
    { name: 'allow_batched', version: '2.14.0', isThere: true },
    { name: 'max_age', version: '2.10.0', isThere: true },
  ])('$name is there from its first version to its last: $version', ({ name, version, isThere }) => {
    expect(names(version).includes(name)).toBe(isThere);
    expect(hasField(fieldOf('stream', name), version)).toBe(isThere);
  });

  test('of a consumer or a bucket too, and the parts of a group', () => {
    const parts = (version: string): string[] => {
      const { type } = tableFor(version).bucket.find(({ name }) => name === 'placement')!;
      return 'fields' in type ? type.fields.map(({ name }) => name) : [];
    };
    expect(parts('2.10.26')).toEqual(['cluster', 'tags']);
    expect(parts('2.11.0')).toEqual(['cluster', 'tags', 'preferred']);
    expect(tableFor('2.10.26').consumer.some(({ name }) => name === 'pause_until')).toBe(false);
    expect(tableFor('2.11.0')).toMatchObject({ version: '2.11.0' });
    expect(tableFor('2.11.0')).toBe(tableFor('2.11.0'));
  });

  test.each([
    ['max_ack_pending', 'maxAckPending'],
    ['subjects', 'subjects'],
    ['a_b_c', 'aBC'],
  ])('%s is %s in camelCase', (name, camel) => {
    expect(camelCase(name)).toBe(camel);
  });
});

/** What stands in a field where it is left out, beside other fields. */
const FILLS: readonly {
  readonly field: readonly [ResourceKind, string];
  readonly version?: string;
  readonly config?: Config;
  readonly stream?: Config;
  readonly fill: Json;
}[] = [
  { field: ['stream', 'subjects'], config: { name: 'S' }, fill: ['S'] },
  { field: ['stream', 'subjects'], config: {}, fill: [''] },
  { field: ['stream', 'subjects'], config: { name: 'S', mirror: { name: 'T' } }, fill: [] },
  { field: ['stream', 'subjects'], config: { name: 'S', mirror: {} }, fill: ['S'] },
  { field: ['stream', 'subjects'], config: { name: 'S', mirror: { name: '' } }, fill: ['S'] },
  { field: ['stream', 'subjects'], config: { name: 'S', mirror: null }, fill: ['S'] },
  { field: ['stream', 'subjects'], config: { name: 'S', sources: [] }, fill: ['S'] },
  { field: ['stream', 'subjects'], config: { name: 'S', sources: [{ name: 'T' }] }, fill: [] },
  { field: ['stream', 'subjects'], config: { name: 'S', sources: 'T' }, fill: ['S'] },
  { field: ['stream', 'duplicate_window'], fill: 120e9 },
  { field: ['stream', 'duplicate_window'], config: { max_age: 0 }, fill: 120e9 },
  { field: ['stream', 'duplicate_window'], config: { max_age: 1 }, fill: 1 },
  { field: ['stream', 'duplicate_window'], config: { max_age: 119e9 }, fill: 119e9 },
  { field: ['stream', 'duplicate_window'], config: { max_age: 121e9 }, fill: 120e9 },
  { field: ['stream', 'duplicate_window'], config: { mirror: { name: 'T' } }, fill: 0 },
  { field: ['stream', 'duplicate_window'], config: { mirror: {} }, fill: 120e9 },
  { field: ['stream', 'allow_rollup_hdrs'], fill: false },
  { field: ['stream', 'allow_rollup_hdrs'], config: { subject_delete_marker_ttl: 1 }, fill: true },
  { field: ['stream', 'allow_rollup_hdrs'], config: { subject_delete_marker_ttl: 0 }, fill: false },
  { field: ['stream', 'allow_rollup_hdrs'], version: '2.11.0', config: { subject_delete_marker_ttl: 1 }, fill: true },
  { field: ['stream', 'allow_rollup_hdrs'], version: '2.10.9', config: { subject_delete_marker_ttl: 1 }, fill: false },
  { field: ['stream', 'allow_rollup_hdrs'], version: '2.12.0', config: { allow_msg_schedules: true }, fill: true },
  { field: ['stream', 'allow_rollup_hdrs'], version: '2.11.9', config: { allow_msg_schedules: true }, fill: false },
  { field: ['stream', 'allow_rollup_hdrs'], config: { allow_msg_schedules: false }, fill: false },
  { field: ['stream', 'allow_msg_ttl'], fill: false },
  { field: ['stream', 'allow_msg_ttl'], config: { subject_delete_marker_ttl: 1 }, fill: true },
  { field: ['consumer', 'ack_wait'], fill: 30e9 },
  { field: ['consumer', 'ack_wait'], config: { ack_policy: 'all' }, fill: 30e9 },
  { field: ['consumer', 'ack_wait'], config: { ack_policy: 'none' }, fill: 0 },
  { field: ['consumer', 'ack_wait'], config: { backoff: [5e9, 6e9] }, fill: 5e9 },
  { field: ['consumer', 'ack_wait'], config: { backoff: [] }, fill: 30e9 },
  { field: ['consumer', 'ack_wait'], config: { backoff: '5s' }, fill: 30e9 },
  { field: ['consumer', 'max_waiting'], fill: 512 },
  { field: ['consumer', 'max_waiting'], config: { deliver_subject: '' }, fill: 512 },
  { field: ['consumer', 'max_waiting'], config: { deliver_subject: 'd' }, fill: 0 },
  { field: ['consumer', 'max_ack_pending'], fill: 1000 },
  { field: ['consumer', 'max_ack_pending'], config: { ack_policy: 'none' }, fill: 0 },
  { field: ['consumer', 'max_ack_pending'], stream: {}, fill: 1000 },
  { field: ['consumer', 'max_ack_pending'], stream: { consumer_limits: {} }, fill: 1000 },
  { field: ['consumer', 'max_ack_pending'], stream: { consumer_limits: null }, fill: 1000 },
  { field: ['consumer', 'max_ack_pending'], stream: { consumer_limits: { max_ack_pending: 7 } }, fill: 7 },
  {
    field: ['consumer', 'max_ack_pending'],
    config: { ack_policy: 'none' },
    stream: { consumer_limits: { max_ack_pending: 7 } },
    fill: 7,
  },
  { field: ['consumer', 'inactive_threshold'], fill: 0 },
  { field: ['consumer', 'inactive_threshold'], stream: { consumer_limits: { inactive_threshold: 5 } }, fill: 5 },
];

test.each(FILLS.map((row) => ({ ...row, name: row.field.join(' '), beside: JSON.stringify(row.config ?? {}) })))(
  'a $name left out beside $beside is $fill',
  ({ field, version = '2.15.1', config = {}, stream, fill }) => {
    const context: FillContext = { version, config, ...(stream ? { stream } : {}) };
    const { fill: made } = fieldOf(...field);
    expect(typeof made === 'function' ? made(context) : made).toEqual(fill);
  },
);

/** How the server takes a change: `in-place` or `replace`, with a word of the note where there is one. */
const MOVES: readonly {
  readonly field: readonly [ResourceKind, string];
  readonly from: Json;
  readonly to: Json;
  readonly version?: string;
  readonly clustered?: boolean;
  readonly taken: string;
}[] = [
  {
    field: ['stream', 'subjects'],
    from: ['a', 'b', 'c'],
    to: ['b', 'd'],
    taken: 'in-place: messages stored on a, c stay',
  },
  { field: ['stream', 'subjects'], from: ['a'], to: ['a', 'b'], taken: 'in-place' },
  { field: ['stream', 'retention'], from: 'limits', to: 'interest', taken: 'in-place: go at once' },
  { field: ['stream', 'retention'], from: 'interest', to: 'limits', taken: 'in-place' },
  { field: ['stream', 'retention'], from: 'workqueue', to: 'limits', taken: 'replace: 10052' },
  { field: ['stream', 'retention'], from: 'interest', to: 'workqueue', taken: 'replace: 10052' },
  { field: ['stream', 'num_replicas'], from: 1, to: 3, taken: 'in-place: catch up' },
  { field: ['stream', 'num_replicas'], from: 3, to: 1, taken: 'in-place: fewer' },
  { field: ['stream', 'max_consumers'], from: 1, to: 2, version: '2.12.0', taken: 'in-place' },
  { field: ['stream', 'max_consumers'], from: 1, to: 2, version: '2.11.9', taken: 'replace: before 2.12' },
  { field: ['stream', 'max_msg_size'], from: 5, to: 4, taken: 'in-place: 10054' },
  { field: ['stream', 'max_msg_size'], from: 4, to: 5, taken: 'in-place' },
  { field: ['stream', 'max_msg_size'], from: -1, to: 5, taken: 'in-place: 10054' },
  { field: ['stream', 'max_msg_size'], from: 5, to: -1, taken: 'in-place' },
  { field: ['stream', 'discard'], from: 'old', to: 'new', taken: 'in-place: 10077' },
  { field: ['stream', 'discard'], from: 'new', to: 'old', taken: 'in-place: unprocessed ones too' },
  { field: ['stream', 'duplicate_window'], from: 2, to: 1, taken: 'in-place: shorter' },
  { field: ['stream', 'duplicate_window'], from: 1, to: 2, taken: 'in-place' },
  { field: ['stream', 'no_ack'], from: false, to: true, taken: 'in-place: time out' },
  { field: ['stream', 'no_ack'], from: true, to: false, taken: 'in-place' },
  { field: ['stream', 'placement'], from: {}, to: { cluster: 'c' }, clustered: true, taken: 'in-place: replicas move' },
  { field: ['stream', 'placement'], from: {}, to: { cluster: 'c' }, taken: 'in-place' },
  { field: ['stream', 'mirror'], from: {}, to: { name: 'T' }, taken: 'replace: 10034' },
  { field: ['stream', 'mirror'], from: { name: 'T' }, to: { name: 'U' }, taken: 'replace: 10055' },
  { field: ['stream', 'mirror'], from: { name: 'T' }, to: {}, version: '2.12.0', taken: 'in-place: of its own' },
  { field: ['stream', 'mirror'], from: { name: 'T' }, to: {}, version: '2.11.9', taken: 'replace: before 2.12' },
  { field: ['stream', 'subject_transform'], from: {}, to: { src: 'a' }, taken: 'in-place: new subject' },
  { field: ['stream', 'subject_transform'], from: { src: 'a' }, to: {}, taken: 'in-place' },
  { field: ['stream', 'sealed'], from: false, to: true, taken: 'in-place: 10109' },
  { field: ['stream', 'sealed'], from: true, to: false, taken: 'replace: 10052' },
  { field: ['stream', 'deny_delete'], from: false, to: true, taken: 'in-place: deny_delete; it cannot be turned off' },
  { field: ['stream', 'deny_delete'], from: true, to: false, taken: 'replace: refuses to turn deny_delete off' },
  { field: ['stream', 'deny_purge'], from: true, to: false, taken: 'replace: deny_purge' },
  { field: ['stream', 'allow_msg_ttl'], from: true, to: false, taken: 'replace: allow_msg_ttl' },
  { field: ['stream', 'allow_msg_schedules'], from: true, to: false, taken: 'replace: allow_msg_schedules' },
  { field: ['consumer', 'max_deliver'], from: 3, to: 4, taken: 'in-place: stays dead' },
  { field: ['consumer', 'max_deliver'], from: 3, to: -1, taken: 'in-place: stays dead' },
  { field: ['consumer', 'max_deliver'], from: 4, to: 3, taken: 'in-place: at their next try' },
  { field: ['consumer', 'max_deliver'], from: -1, to: 3, taken: 'in-place: at their next try' },
  { field: ['consumer', 'inactive_threshold'], from: 0, to: 1, taken: 'in-place: idle for so long' },
  { field: ['consumer', 'inactive_threshold'], from: 1, to: 0, taken: 'in-place' },
  { field: ['consumer', 'mem_storage'], from: false, to: true, version: '2.13.9', taken: 'in-place' },
  { field: ['consumer', 'mem_storage'], from: false, to: true, version: '2.14.0', taken: 'replace: 10012' },
  { field: ['consumer', 'deliver_subject'], from: '', to: 'd', taken: 'replace: 10012' },
  { field: ['consumer', 'deliver_subject'], from: 'd', to: '', taken: 'replace: 10012' },
  { field: ['consumer', 'deliver_subject'], from: 'd', to: 'e', taken: 'in-place: must follow' },
  {
    field: ['consumer', 'deliver_policy'],
    from: 'all',
    to: 'new',
    taken: 'replace: cannot change deliver_policy (10012)',
  },
  { field: ['bucket', 'storage'], from: 'file', to: 'memory', taken: 'replace: 10052' },
  { field: ['bucket', 'history'], from: 2, to: 1, taken: 'in-place' },
];

test.each(
  MOVES.map((row) => ({
    ...row,
    name: row.field.join(' '),
    move: `${JSON.stringify(row.from)} → ${JSON.stringify(row.to)}`,
  })),
)('$name $move on $version is taken $taken', ({ field, from, to, version = '2.15.1', clustered = false, taken }) => {
  const { change } = fieldOf(...field);
  const move: Move = { from, to, before: {}, after: {}, version, clustered };
  const verdict =
    change === 'in-place'
      ? { impact: change }
      : typeof change === 'object'
        ? { impact: 'replace', note: change.never }
        : change(move);
  const [impact, word] = taken.split(': ');
  expect(verdict).toEqual(word === undefined ? { impact } : { impact, note: expect.stringContaining(word) });
});

test.each<[config: Config, version: string, newer: unknown[]]>([
  [{ max_age: 1 }, '2.10.0', []],
  [{ allow_msg_ttl: false }, '2.10.9', [{ path: ['allow_msg_ttl'], since: '2.11.0' }]],
  [{ allow_msg_ttl: true }, '2.11.0', []],
  [{ placement: { cluster: 'c', preferred: 's' } }, '2.10.9', [{ path: ['placement', 'preferred'], since: '2.11.0' }]],
  [{ placement: { preferred: 's' } }, '2.11.0', []],
  [
    { sources: [{ name: 'A' }, { name: 'B', consumer: {} }] },
    '2.13.9',
    [{ path: ['sources', 1, 'consumer'], since: '2.14.0' }],
  ],
  [{ sources: 'A', placement: 'c' }, '2.10.0', []],
  [{ storage: 'file', max_age: 1 }, '2.10.0', []],
])('of the stream %j servers of %s lack %j', (config, version, newer) => {
  expect(newerIn(FIELDS.stream, config, version)).toEqual(newer);
});

test.each([
  ['pinned_client', '2.11.0', []],
  ['prioritized', '2.11.9', [{ path: ['priority_policy'], value: 'prioritized', since: '2.12.0' }]],
  ['prioritized', '2.12.0', []],
])('the priority_policy %s is not known to %s: %j', (priority_policy, version, newer) => {
  expect(newerIn(FIELDS.consumer, { priority_policy }, version)).toEqual(newer);
});
