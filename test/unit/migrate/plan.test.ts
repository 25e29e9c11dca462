import { describe, expect, test } from '@jest/globals';
import { type AskedConsumer, drainMs, type MoveAsked, planMigration } from '../../../src/lib/migrate/plan.ts';
import type { Config } from '../../../src/lib/model/json.ts';
import { MADE } from './builders.ts';

const figures = { messages: 300_000, bytes: 1000, first_seq: 1, last_seq: 9, consumer_count: 1, num_subjects: 1 };
const times = { first_ts: MADE, last_ts: MADE };
const config: Config = {
  name: 'Q',
  subjects: ['q.*'],
  storage: 'memory',
  retention: 'workqueue',
  duplicate_window: 2e9,
};
const asked = (fields: Partial<MoveAsked> = {}, live: Config = {}): MoveAsked => ({
  kind: 'stream',
  name: 'Q',
  from: 'Q',
  fields: ['storage'],
  version: '2.14.0',
  clustered: false,
  stream: { config: { ...config, ...live }, created: MADE, figures: { ...figures, ...times } },
  after: { ...config, storage: 'file' },
  consumers: [worker()],
  dlqs: [],
  others: [],
  streams: ['Q'],
  ...fields,
});
const worker = (fields: Partial<AskedConsumer> = {}): AskedConsumer => ({
  name: 'w',
  created: MADE,
  config: { durable_name: 'w' },
  figures: {
    num_pending: 0,
    num_ack_pending: 0,
    num_redelivered: 0,
    num_waiting: 0,
    delivered_stream_seq: 0,
    ack_floor_stream_seq: 0,
    paused: false,
  },
  ...fields,
});
const movable = (one: MoveAsked) => {
  const planned = planMigration(one);
  if (planned.is !== 'movable') throw new Error(JSON.stringify(planned));
  return planned;
};
const whys = (one: MoveAsked): string[] => {
  const planned = planMigration(one);
  return planned.is === 'refused' ? planned.refusals.map(({ why }) => why) : [];
};

test('a stream that keeps its name goes by another one and back', () => {
  const { migration, cost } = movable(asked());
  expect(migration.hops).toEqual([
    { from: 'Q', to: 'Q_moving' },
    { from: 'Q_moving', to: 'Q' },
  ]);
  expect(migration.consumers).toEqual([
    { from: 'w', to: 'w', created: MADE, before: { durable_name: 'w' }, after: { durable_name: 'w' } },
  ]);
  // Both copies are in the file, and neither was there before.
  expect(cost).toEqual({ bytes: 2000, storage: 'file', aheadMs: 2000, workersMs: 5000, gaps: 2, gapMs: 50 });
});

test('whatever cannot be moved names the page of the way by hand', () => {
  const refused = [
    asked({ version: '2.13.9' }),
    asked({ fields: ['first_seq'] }),
    asked({ others: ['COPY'] }),
    asked({}, { mirror: { name: 'X' } }),
    asked({}, { retention: 'interest' }),
    asked({ clustered: true }, { retention: 'limits' }),
    asked({ streams: ['Q', 'Q_moving'] }),
  ];
  for (const one of refused) {
    const planned = planMigration(one);
    const hints = planned.is === 'refused' ? planned.refusals.map(({ hint }) => hint) : [];
    expect(hints.length).toBeGreaterThan(0);
    for (const hint of hints) expect(hint).toContain('docs/how-to/immutable-field.md tells the way by hand');
  }
});

test.each<[string, Config, Config, boolean, string]>([
  [
    'workqueue to interest',
    {},
    { retention: 'interest' },
    false,
    'apply one after the other: `retention: limits` with --migrate, then `retention: interest` (in place)',
  ],
  [
    'interest to workqueue',
    { retention: 'interest' },
    {},
    false,
    'apply one after the other: `retention: limits` (in place), then this change with --migrate',
  ],
  [
    'interest on another storage',
    { retention: 'interest' },
    { retention: 'interest', storage: 'file' },
    false,
    'apply one after the other: `retention: limits` (in place), then this change with --migrate, then `retention: interest` (in place)',
  ],
  [
    'interest to workqueue in a cluster',
    { retention: 'interest' },
    {},
    true,
    'docs/how-to/immutable-field.md tells the way by hand',
  ],
])('%s is refused with the way that is left', (_, live, after, clustered, want) => {
  const planned = planMigration(asked({ clustered, fields: ['retention'], after: { ...config, ...after } }, live));
  expect(planned.is === 'refused' && planned.refusals[0]?.hint.startsWith(want)).toBe(true);
});

test('a stream that is renamed goes at once', () => {
  const { migration, cost } = movable(asked({ name: 'N', fields: ['name'], after: { ...config, name: 'N' } }));
  expect(migration.hops).toEqual([{ from: 'Q', to: 'N' }]);
  expect(cost).toMatchObject({ bytes: 1000, storage: 'memory', workersMs: 1500, gaps: 1 });
});

test('a bucket goes by the names of its stream', () => {
  const { migration } = movable(
    asked({ kind: 'bucket', name: 'b', from: 'a', fields: ['name'], consumers: [] }, { retention: 'limits' }),
  );
  expect(migration.hops).toEqual([{ from: 'KV_a', to: 'KV_b' }]);
});

test('a consumer stays where its stream is, and the consumer that the server reads by is none of ours', () => {
  const consumers = [worker({ after: { durable_name: 'v' }, to: 'v' }), worker({ name: 'other' })];
  const { migration, cost } = movable(asked({ kind: 'consumer', from: 'Q/w', name: 'Q/v', consumers }));
  expect(migration.hops).toEqual([]);
  expect(migration.consumers.map(({ from, to }) => [from, to])).toEqual([['w', 'v']]);
  expect(cost).toMatchObject({ bytes: 0, aheadMs: 0, gaps: 0, gapMs: 0 });
  const own = worker({ name: 'JS_MIRROR_abcdefgh' });
  expect(movable(asked({ consumers: [own] })).migration.consumers).toEqual([]);
});

describe('what is refused', () => {
  const table: [string, MoveAsked, RegExp | undefined][] = [
    ['an old server', asked({ version: '2.13.9' }), /^on nats-server 2\.13\.9, as before 2\.14/],
    ['the first that can', asked({ version: '2.14.0' }), undefined],
    ['first_seq', asked({ fields: ['first_seq'] }), /^first_seq/],
    ['a field that a copy has as well', asked({ fields: ['allow_msg_counter'] }), /^allow_msg_counter/],
    ['nothing to move', asked({ fields: [] }), /nothing of it/],
    ['what is sealed', asked({}, { sealed: true }), /sealed/],
    ['what others read', asked({ others: ['A'] }), /^A reads/],
    ['what several read', asked({ others: ['A', 'B'] }), /^A, B read /],
    ['a mirror', asked({}, { mirror: { name: 'X' } }), /is a mirror/],
    ['what has sources', asked({}, { sources: [{ name: 'X' }] }), /has sources/],
    ['interest', asked({}, { retention: 'interest' }), /interest a mirror keeps/],
    ['a name that is taken on the way', asked({ streams: ['Q', 'Q_moving'] }), /Q_moving is there/],
    ['a new name that is taken', asked({ name: 'N', streams: ['Q', 'N'] }), /^stream N is there/],
    ['an ephemeral consumer', asked({ consumers: [worker({ config: {} })] }), /ephemeral/],
    ['as many consumers as may be', asked({}, { max_consumers: 1 }), /max_consumers allows/],
    ['fewer than may be', asked({}, { max_consumers: 2 }), undefined],
    ['as many as may be where copies do not count', asked({ version: '2.15.0' }, { max_consumers: 1 }), undefined],
    ['limits to workqueue with one consumer of all', asked({}, { retention: 'limits' }), undefined],
    [
      'the same with a consumer of all its subjects',
      asked(
        { consumers: [worker({ config: { durable_name: 'w', filter_subjects: ['q.>'] } })] },
        { retention: 'limits' },
      ),
      undefined,
    ],
    [
      'limits to workqueue with a consumer of some of it',
      asked({ consumers: [worker({ config: { durable_name: 'w', filter_subject: 'q.a' } })] }, { retention: 'limits' }),
      /^retention limits → workqueue/,
    ],
    [
      'limits to workqueue with two consumers',
      asked({ consumers: [worker(), worker({ name: 'v' })] }, { retention: 'limits' }),
      /^retention limits → workqueue/,
    ],
    [
      'a consumer that began with what was new',
      asked({ consumers: [worker({ config: { durable_name: 'w', deliver_policy: 'new' } })] }, { retention: 'limits' }),
      /deliver_policy new/,
    ],
    [
      'a consumer that acknowledges nothing',
      asked({ consumers: [worker({ config: { durable_name: 'w', ack_policy: 'none' } })] }, { retention: 'limits' }),
      /acknowledges nothing/,
    ],
    ['consumers in a cluster where all is kept', asked({ clustered: true }, { retention: 'limits' }), /in a cluster/],
    ['a work queue in a cluster', asked({ clustered: true }), undefined],
    ['the same without consumers', asked({ consumers: [] }, { retention: 'limits' }), undefined],
    [
      'workqueue to interest',
      asked({ after: { ...config, retention: 'interest' } }),
      /^retention workqueue → interest/,
    ],
    ['workqueue to limits', asked({ after: { ...config, retention: 'limits' } }), undefined],
    ['a consumer of none', asked({ kind: 'consumer', from: 'Q/x', name: 'Q/x' }), /no consumer Q\/x/],
    [
      'a consumer of a stream that is no queue',
      asked(
        { kind: 'consumer', from: 'Q/w', name: 'Q/w', consumers: [worker({ after: {} })] },
        { retention: 'limits' },
      ),
      /no work queue/,
    ],
    [
      'a consumer that would skip what waits',
      asked({ kind: 'consumer', from: 'Q/w', name: 'Q/w', consumers: [worker({ after: { deliver_policy: 'new' } })] }),
      /deliver_policy/,
    ],
  ];
  test.each(table)('%s', (_what, one, why) => {
    const found = whys(one);
    if (why) expect(found).toEqual([expect.stringMatching(why)]);
    else expect(found).toEqual([]);
  });
});

describe('what is in hand is waited for', () => {
  const table: [string, Config, number][] = [
    ['as long as its worker may take', { ack_wait: 5e9 }, 6000],
    ['as long as the longest of its waits', { ack_wait: 5e9, backoff: [1e9, 7e9] }, 8000],
    ['a minute at the most', { ack_wait: 3600e9 }, 60_000],
  ];
  test.each(table)('%s', (_what, before, want) => {
    expect(drainMs([{ before }])).toBe(want);
  });
});
