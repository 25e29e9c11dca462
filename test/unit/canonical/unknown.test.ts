import { describe, expect, test } from '@jest/globals';
import { unknownFields, unknownValues, withUnknownParts } from '../../../src/lib/canonical/unknown.ts';
import { FIELDS, tableFor } from '../../../src/lib/facts/fields.ts';
import type { Json } from '../../../src/lib/model/json.ts';
import { streamWire } from '../../../src/lib/plan/wire.ts';

const sources = FIELDS.stream.find(({ name }) => name === 'sources')!.type;

describe('what a later server has and this build does not know', () => {
  test.each([
    ['stream', { name: 'S', subjects: ['s'], shiny: 1 }, ['shiny']],
    ['stream', { name: 'S', storage: 'file', retention: 'sometimes' }, ['retention sometimes']],
    [
      'stream',
      { sources: [{ name: 'A', window: 5, external: { api: 'x', via: 'y' } }, { name: 'B' }] },
      ['sources[A].window', 'sources[A].external.via'],
    ],
    ['stream', { mirror: { name: 'A', consumer: { name: 'c', pace: 1 } } }, ['mirror.consumer.pace']],
    ['stream', { sources: [{ name: 'A', consumer: { name: 'c', deliver_subject: 'd' } }] }, []],
    ['bucket', { name: 'KV_b', max_msgs_per_subject: 1, compression: 'zstd' }, ['compression zstd']],
    ['consumer', { durable_name: 'w', name: 'w', ack_policy: 'flow_control' }, []],
    ['consumer', { durable_name: 'w', ack_policy: 'quantum', replay_policy: '' }, ['ack_policy quantum']],
  ] as const)('%s %j: it is named with its path', (kind, config, paths) => {
    expect(unknownFields(kind, config)).toEqual(paths);
  });

  test('a value of a choice is told apart from known and empty ones', () => {
    expect(unknownValues('consumer', { ack_policy: 'quantum', replay_policy: '', deliver_policy: 'all' })).toEqual({
      ack_policy: 'quantum',
    });
  });

  test('parts are kept by the name of their group', () => {
    const live: Json = [
      { name: 'B', window: 9 },
      { name: 'A', window: 5, filter_subject: 'old' },
    ];
    expect(withUnknownParts(sources, [{ name: 'A', filter_subject: 'new' }, { name: 'C' }], live)).toEqual([
      { name: 'A', filter_subject: 'new', window: 5 },
      { name: 'C' },
    ]);
  });

  test('an update sends it back', () => {
    const live = { name: 'S', retention: 'sometimes', shiny: 1, sources: [{ name: 'A', window: 5 }] };
    const sent = streamWire(
      'S',
      { description: 'x', sources: [{ name: 'A', filter_subject: 'a' }] },
      tableFor('2.15.2'),
      live,
    );
    expect(sent).toMatchObject({
      retention: 'sometimes',
      shiny: 1,
      sources: [{ name: 'A', filter_subject: 'a', window: 5 }],
    });
  });
});
