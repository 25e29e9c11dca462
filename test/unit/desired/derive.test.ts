import { describe, expect, test } from '@jest/globals';
import { deriveDesired } from '../../../src/lib/desired/derive.ts';
import { loadText } from '../spec/support.ts';

async function derive(text: string) {
  const { loaded, problems } = await loadText(text);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return deriveDesired(loaded!);
}

const SYSTEM = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    num_replicas: 3
    consumers:
      request-worker: {max_deliver: 10, backoff: [5s, 10s, 15s]}
    dlq: {stream: requests_dlq, max_age: 30d}
    responses: {bucket: responses, ttl: 7d}
streams:
  EVENTS:
    subjects: ["events.>"]
    metadata: {team: shop}
    consumers:
      audit: {deliver_subject: audit.in, ack_policy: none}
  COPY:
    mirror: {name: EVENTS}
buckets:
  settings: {history: 5}
`;

describe('deriveDesired', () => {
  test('creates what listens before what can die, and consumers last', async () => {
    const { system, resources } = await derive(SYSTEM);
    expect(system).toBe('osapi');
    expect(resources.map(({ kind, name, role, queue }) => [kind, name, role, queue])).toEqual([
      ['stream', 'requests_dlq', 'dlq', 'REQUESTS'],
      ['bucket', 'responses', 'responses', 'REQUESTS'],
      ['stream', 'EVENTS', 'other', undefined],
      ['stream', 'COPY', 'other', undefined],
      ['bucket', 'settings', 'other', undefined],
      ['stream', 'REQUESTS', 'queue', 'REQUESTS'],
      ['consumer', 'REQUESTS/request-worker', 'worker', 'REQUESTS'],
      ['consumer', 'EVENTS/audit', 'other', undefined],
    ]);
  });

  test('writes what the spec or the design decides, and nothing else', async () => {
    const { resources } = await derive(SYSTEM);
    const config = (name: string) => resources.find((each) => each.name === name)?.config;
    const owner = { 'osapi-ops.owner': 'osapi' };
    const replicated = {
      'io.nats.monitor.enabled': 'true',
      'io.nats.monitor.peer-expect': '3',
      'io.nats.monitor.peer-lag-critical': '200',
      'io.nats.monitor.peer-seen-critical': '10s',
      ...owner,
    };
    expect(config('requests_dlq')).toEqual({
      subjects: [
        '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*',
        '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.REQUESTS.*',
        'osapi-ops.rejected.REQUESTS.*',
      ],
      retention: 'limits',
      allow_direct: true,
      num_replicas: 3,
      max_age: 2_592_000e9,
      metadata: replicated,
    });
    expect(config('responses')).toEqual({ num_replicas: 3, ttl: 604_800e9, metadata: replicated });
    expect(config('REQUESTS')).toEqual({
      retention: 'workqueue',
      allow_direct: true,
      subjects: ['requests.*'],
      num_replicas: 3,
      metadata: replicated,
    });
    expect(config('REQUESTS/request-worker')).toEqual({
      ack_policy: 'explicit',
      max_deliver: 10,
      backoff: [5e9, 10e9, 15e9],
      metadata: { 'io.nats.monitor.enabled': 'true', 'io.nats.monitor.unprocessed-critical': '10000', ...owner },
    });
    expect(config('EVENTS')).toEqual({ subjects: ['events.>'], metadata: { team: 'shop', ...owner } });
    expect(config('EVENTS/audit')).toEqual({ deliver_subject: 'audit.in', ack_policy: 'none', metadata: owner });
    expect(config('COPY')).toEqual({ mirror: { name: 'EVENTS' }, metadata: owner });
  });

  test('says where each resource is declared, and each of its fields that is written', async () => {
    const { resources } = await derive(SYSTEM);
    const place = (index: number, field?: string) => {
      const position = resources[index]!.positionOf?.(field);
      return `${resources[index]!.name} ${position?.line}:${position?.column}`;
    };
    expect(place(5, 'subjects')).toBe('REQUESTS 5:5');
    expect(place(5, 'max_msgs')).toBe('REQUESTS 4:3');
    expect(resources.map((_, index) => place(index))).toEqual([
      'requests_dlq 9:5',
      'responses 10:5',
      'EVENTS 12:3',
      'COPY 17:3',
      'settings 20:3',
      'REQUESTS 4:3',
      'REQUESTS/request-worker 8:7',
      'EVENTS/audit 16:7',
    ]);
  });

  test('joins a DLQ and a bucket that queues share', async () => {
    const shared = (name: string) =>
      `  ${name}:\n    subjects: ["${name}.*"]\n    dlq: {stream: dead}\n    responses: {bucket: answers}\n`;
    const { resources } = await derive(`version: 1\nname: shop\nqueues:\n${shared('A')}${shared('B')}`);
    expect(resources.map(({ name }) => name)).toEqual(['dead', 'answers', 'A', 'B']);
    expect(resources[0]?.config.subjects).toHaveLength(6);
  });

  test('tells the name before apart from what the server is told, a consumer’s with that of its stream', async () => {
    const { resources } = await derive(`version: 1
name: osapi
queues:
  NEW:
    subjects: ["requests.*"]
    moved_from: OLD
    consumers:
      same: {filter_subject: requests.a}
      later: {filter_subject: requests.b, moved_from: earlier}
    dlq: {stream: new_dlq, moved_from: old_dlq}
    responses: {bucket: answers, moved_from: responses}
streams:
  EVENTS:
    subjects: ["events.>"]
    consumers:
      audit: {}
      keep: {moved_from: hold}
buckets:
  settings: {moved_from: setup}
  plain: {}
`);
    expect(Object.fromEntries(resources.map(({ name, movedFrom }) => [name, movedFrom]))).toEqual({
      new_dlq: 'old_dlq',
      answers: 'responses',
      EVENTS: undefined,
      settings: 'setup',
      plain: undefined,
      NEW: 'OLD',
      'NEW/same': 'OLD/same',
      'NEW/later': 'OLD/earlier',
      'EVENTS/audit': undefined,
      'EVENTS/keep': 'EVENTS/hold',
    });
    expect(resources.filter(({ config }) => 'moved_from' in config)).toEqual([]);
  });
});
