import { describe, expect, test } from '@jest/globals';
import { explain, topKeys } from '../../../src/lib/spec/explain.ts';
import { specShape } from '../../../src/lib/spec/shape.ts';

const paths = (path: string) => explain(path).found.map((each) => each.path);

describe('a key of the spec is found', () => {
  test.each([
    ['queues.consumers.backoff', ['queues.NAME.consumers.NAME.backoff']],
    ['queues.REQUESTS.consumers.request-worker.backoff', ['queues.NAME.consumers.NAME.backoff']],
    ['queues.stream.dlq.capture', ['queues.NAME.dlq.capture']],
    ['queues', ['queues']],
    ['kv', ['buckets']],
    ['queues.Q.maxAge', ['queues.NAME.max_age']],
    ['backoff', ['queues.NAME.consumers.NAME.backoff']],
    ['dlq.stream', ['queues.NAME.dlq.stream']],
    ['max_age', ['queues.NAME.max_age', 'queues.NAME.responses.ttl']],
    ['sources.name', ['queues.NAME.sources.name']],
    ['queues.A.B.max_age', []],
    ['dlq.backoff', []],
    ['', []],
  ])('%s', (path, found) => {
    expect(paths(path)).toEqual(found);
  });

  test('and one that there is not has the nearest', () => {
    expect(explain('backof')).toMatchObject({
      found: [],
      near: ['queues.NAME.consumers.NAME.backoff', expect.anything(), expect.anything()],
    });
    expect(explain('xyzzyxyzzy')).toEqual({ found: [], near: [] });
  });
});

test('a field of the server says what the server does with it', () => {
  expect(explain('queues.storage').found).toEqual([
    {
      path: 'queues.NAME.storage',
      type: '`file`, `memory`',
      doc: 'Where messages are kept.',
      required: false,
      default: '`file`',
      changes: [{ when: '', in_place: false, note: 'the server cannot change the storage type (10052)' }],
      may_delete: false,
      source: expect.stringContaining('measured'),
      also_understood: [],
      keys: [],
    },
  ]);
  expect(explain('queues.max_age').found[0]).toMatchObject({ may_delete: true, changes: [{ in_place: true }] });
  expect(explain('pause_until').found[0]).toMatchObject({ since: '2.11' });
});

test.each([
  ['queues.retention', '`workqueue` (the server’s own is `limits`)'],
  ['streams.S.retention', '`limits`'],
  ['queues.allow_direct', /^`true` \(the server’s own is `false`/],
  ['queues.dlq.allow_direct', /^`false`/],
  ['queues.Q.consumers.w.ack_policy', '`explicit`'],
])('%s has the default that the spec gives it there', (path, words) => {
  expect(explain(path).found[0]?.default).toEqual(typeof words === 'string' ? words : expect.stringMatching(words));
});

test('a key of our own has its keys below it', () => {
  expect(explain('queues.health').found[0]).toMatchObject({
    type: 'map',
    keys: [{ name: 'dead' }, { name: 'backlog' }, { name: 'oldest' }, { name: 'usage' }],
  });
  expect(topKeys().map(({ name }) => name)).toEqual([...specShape.slots.keys()]);
});
