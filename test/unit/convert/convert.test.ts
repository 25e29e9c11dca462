import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { convertFiles } from '../../../src/lib/convert/convert.ts';
import { deriveDesired } from '../../../src/lib/desired/derive.ts';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { HEALTH_DEFAULTS } from '../../../src/lib/spec/assemble.ts';
import { printSpec, withoutDefaults } from '../../../src/lib/spec/print.ts';
import { anyText } from '../../support/any-text.ts';
import { loadText } from '../spec/support.ts';

const convert = (files: Readonly<Record<string, unknown>>, options: { name?: string; stream?: string } = {}) =>
  convertFiles(
    Object.entries(files).map(([file, value]) => ({
      file,
      text: typeof value === 'string' ? value : JSON.stringify(value),
    })),
    { ...options, health: HEALTH_DEFAULTS },
  );

const requests = { name: 'REQUESTS', subjects: ['requests.*'], retention: 'workqueue', max_age: 3600e9 };
const worker = { durable_name: 'w', ack_policy: 'explicit', max_deliver: 3, backoff: [5e9, 10e9] };
const advisory = (kind: string, stream = 'REQUESTS') => `$JS.EVENT.ADVISORY.CONSUMER.${kind}.${stream}.*`;

describe('what the nats CLI writes', () => {
  test('becomes a queue with its worker, its dlq and its responses', () => {
    const { spec, leftOut } = convert({
      'stream.json': { config: requests, created: '2026-01-01T00:00:00Z', state: { messages: 4 } },
      'consumer.json': {
        stream_name: 'REQUESTS',
        name: 'w',
        config: { ...worker, name: 'w', filter_subject: 'requests.*' },
      },
      'dlq.json': { name: 'requests_dlq', subjects: [advisory('MAX_DELIVERIES')], max_age: 0, allow_direct: true },
      'kv.json': {
        config: {
          name: 'KV_responses',
          subjects: ['$KV.responses.>'],
          max_msgs_per_subject: 2,
          max_age: 60e9,
          discard: 'new',
          deny_delete: true,
          allow_rollup_hdrs: true,
          allow_direct: true,
        },
      },
    });
    expect(leftOut).toEqual([]);
    expect(spec).toMatchObject({ name: 'requests', streams: {}, buckets: {} });
    expect(spec.queues).toEqual({
      REQUESTS: {
        config: { subjects: ['requests.*'], retention: 'workqueue', max_age: 3600e9, allow_direct: false },
        consumers: {
          w: { ack_policy: 'explicit', max_deliver: 3, backoff: [5e9, 10e9], filter_subject: 'requests.*' },
        },
        dlq: { stream: 'requests_dlq', capture: ['max_deliveries'], config: { max_age: 0 } },
        responses: { bucket: 'responses', config: { history: 2, ttl: 60e9 } },
        health: HEALTH_DEFAULTS,
      },
    });
  });

  test('keeps a consumer’s missing ack policy what the server makes of it: none', () => {
    const { spec } = convert({ s: { ...requests, retention: 'limits' }, c: { durable_name: 'w', max_deliver: 2 } });
    expect(spec.streams.REQUESTS?.consumers).toEqual({ w: { ack_policy: 'none', max_deliver: 2 } });
  });

  test('takes a stream of any retention for a queue where another captures what dies in it', () => {
    const dlq = (of: string) => ({ name: 'dead', subjects: [`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${of}.*`] });
    const kept = { ...requests, retention: 'limits' };
    const queuesOf = (of: string) => Object.keys(convert({ s: kept, d: dlq(of) }).spec.queues);
    expect([queuesOf('REQUESTS'), queuesOf('OTHER')]).toEqual([['REQUESTS'], []]);
  });

  test('names fields that no server has, and values that are no values', () => {
    const { spec, leftOut } = convert({ s: { ...requests, colour: 'red', max_msgs: 'many', storage: 'tape' } });
    expect(Object.keys(spec.queues.REQUESTS!.config).sort()).toEqual([
      'allow_direct',
      'max_age',
      'retention',
      'subjects',
    ]);
    expect(leftOut).toEqual([
      { file: 's', path: 'colour', why: expect.stringContaining('no stream') },
      { file: 's', path: 'max_msgs', why: '"many" is not a whole number' },
      { file: 's', path: 'storage', why: '"tape" is not one of file, memory' },
    ]);
  });

  test('drops what the server itself put there without a word', () => {
    const metadata = { '_nats.ver': '2.15.1', 'osapi-ops.owner': 'billing', team: 'ops' };
    const { spec, leftOut } = convert({
      s: { ...requests, metadata },
      c: {
        stream_name: 'REQUESTS',
        name: 'w',
        config: { ...worker, pause_until: '0001-01-01T00:00:00Z', opt_start_time: null },
      },
    });
    expect(leftOut).toEqual([]);
    expect(spec.name).toBe('billing');
    expect(spec.queues.REQUESTS?.config.metadata).toEqual({ team: 'ops' });
    expect(spec.queues.REQUESTS?.consumers.w).toEqual({ ack_policy: 'explicit', max_deliver: 3, backoff: [5e9, 10e9] });
  });

  test('names what a bucket’s stream has and a bucket has not', () => {
    const { leftOut } = convert({ k: { name: 'KV_x', subjects: ['$KV.x.>'], max_msgs: 5, retention: 'limits' } });
    expect(leftOut).toEqual([{ file: 'k', path: 'max_msgs', why: expect.stringContaining('stream KV_x has 5') }]);
  });

  test('takes mirrors and sources of buckets without the prefix that clients add', () => {
    const transforms = [{ src: '$KV.a.>', dest: '$KV.all.>' }];
    const { spec } = convert({
      k: { name: 'KV_all', max_msgs: -1, sources: [{ name: 'KV_a', subject_transforms: transforms }] },
    });
    expect(spec.buckets.all).toEqual({ sources: [{ name: 'a' }] });
  });

  test('takes a list of infos, and says what a list of names lacks', () => {
    expect(
      Object.keys(convert({ all: [{ config: requests }, { config: { ...requests, name: 'B' } }] }).spec.queues),
    ).toEqual(['REQUESTS', 'B']);
    expect(convert({ names: ['REQUESTS'] }).leftOut[0]?.why).toContain('a list of names only');
  });
});

describe('a stream without its name', () => {
  const { name: _, ...nameless } = requests;

  test('takes that of --stream, as its consumer does', () => {
    const { spec, leftOut } = convert({ s: nameless, c: worker }, { stream: 'REQUESTS' });
    expect(leftOut).toEqual([]);
    expect(spec).toEqual(convert({ s: requests, c: worker }).spec);
  });

  test('keeps the name that its file has', () => {
    expect(Object.keys(convert({ s: requests }, { stream: 'OTHER' }).spec.queues)).toEqual(['REQUESTS']);
  });

  test('is one only: the second that is different is told', () => {
    const { leftOut } = convert({ a: nameless, b: { ...nameless, max_age: 1e9 } }, { stream: 'REQUESTS' });
    expect(leftOut).toEqual([{ file: 'b', path: '', why: expect.stringContaining('already taken from a') }]);
  });
});

describe('a consumer without its stream', () => {
  test('goes to the only one there is', () => {
    expect(convert({ s: requests, c: worker }).spec.queues.REQUESTS?.consumers).toHaveProperty('w');
  });

  test('is not guessed between two, and --stream tells', () => {
    const files = { a: requests, b: { ...requests, name: 'B' }, c: worker };
    expect(convert(files).leftOut).toEqual([
      { file: 'c', path: '', why: expect.stringContaining('pass --stream, one of REQUESTS, B') },
    ]);
    expect(convert(files, { stream: 'B' }).spec.queues.B?.consumers).toHaveProperty('w');
  });

  test('is named where its stream is not among the files', () => {
    const info = { stream_name: 'OTHER', name: 'w', config: worker };
    expect(convert({ s: requests, c: info }).leftOut[0]?.why).toContain('its stream OTHER is not among the files');
  });
});

/** A spec as it is read again from what is printed of it: a queue's dlq, and what is made of each stream. */
async function written(spec: Spec, queue: string) {
  const { loaded, problems } = await loadText(printSpec(spec));
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { resources } = deriveDesired(loaded!);
  return {
    dlq: loaded!.spec.queues[queue]?.dlq,
    made: new Map(resources.map(({ name, config }) => [name, config])),
  };
}

describe('a stream that captures advisories', () => {
  const both = ['max_deliveries', 'terminated'];
  test.each([
    { name: 'both kinds', subjects: [advisory('MAX_DELIVERIES'), advisory('MSG_TERMINATED')], capture: both },
    { name: 'all kinds at once', subjects: [advisory('*')], capture: both },
    { name: 'all that is told of consumers', subjects: ['$JS.EVENT.ADVISORY.CONSUMER.>'], capture: both },
    { name: 'all that is told', subjects: ['$JS.EVENT.>'], capture: both },
    { name: 'every queue', subjects: [advisory('MAX_DELIVERIES', '*')], capture: ['max_deliveries'] },
    { name: 'one kind', subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>'], capture: ['max_deliveries'] },
    {
      name: 'its consumer alone',
      subjects: [advisory('MAX_DELIVERIES').replace('*', 'w')],
      capture: ['max_deliveries'],
    },
    { name: 'more than advisories', subjects: [advisory('MAX_DELIVERIES'), 'x'], capture: ['max_deliveries'] },
    { name: 'another kind', subjects: [advisory('CREATED')], capture: undefined },
  ])('of $name captures $capture', async ({ subjects, capture }) => {
    const info = { stream_name: 'REQUESTS', name: 'w', config: worker };
    const { spec, leftOut } = convert({ s: requests, info, d: { name: 'D', subjects } });
    const { dlq, made } = await written(spec, 'REQUESTS');
    expect(dlq?.stream).toBe(capture && 'D');
    expect(dlq?.capture).toEqual(capture);
    expect('D' in spec.streams).toBe(!capture);
    expect(leftOut).toEqual([]);
    expect(made.get('D')).toMatchObject({ subjects });
  });

  test('of a queue that is not among the files is a stream', () => {
    const { spec } = convert({ s: requests, d: { name: 'D', subjects: [advisory('MAX_DELIVERIES', 'OTHER')] } });
    expect([spec.queues.REQUESTS?.dlq, Object.keys(spec.streams)]).toEqual([undefined, ['D']]);
  });

  test.each([
    { name: 'another consumer', subjects: [advisory('MAX_DELIVERIES').replace('*', 'v')] },
    { name: 'rejects', subjects: ['osapi-ops.rejected.REQUESTS.*'] },
  ])('of $name alone is no dlq of a spec, and is told', ({ subjects }) => {
    const info = { stream_name: 'REQUESTS', name: 'w', config: worker };
    const { spec, leftOut } = convert({ s: requests, info, d: { name: 'D', subjects } });
    expect(spec.queues.REQUESTS).not.toHaveProperty('dlq');
    expect(Object.keys(spec.streams)).toEqual(['D']);
    expect(leftOut).toEqual([
      expect.objectContaining({ why: expect.stringContaining('D captures deaths of REQUESTS') }),
    ]);
  });

  const returns = { ...requests, name: 'RETURNS', subjects: ['returns.*'] };
  test.each([
    { name: 'each by its name', subjects: ['REQUESTS', 'RETURNS'].map((of) => advisory('MAX_DELIVERIES', of)) },
    { name: 'all', subjects: [advisory('*', '*')] },
    { name: 'one wholly', subjects: [advisory('*'), advisory('MAX_DELIVERIES', 'RETURNS')] },
  ])('of two queues is the dlq of both: $name', async ({ subjects }) => {
    const d = { name: 'D', subjects, num_replicas: 3 };
    const { spec, leftOut } = convert({ s: requests, r: { ...returns, num_replicas: 3 }, d });
    expect(leftOut).toEqual([]);
    expect(spec.streams).toEqual({});
    for (const form of [spec, withoutDefaults(spec, '2.14.0')]) {
      const one = await written(form, 'REQUESTS');
      const other = await written(form, 'RETURNS');
      expect([one.dlq?.stream, other.dlq?.stream]).toEqual(['D', 'D']);
      expect(one.made.get('D')).toMatchObject({ subjects, num_replicas: 3 });
    }
  });

  test('beside another of the same queue: the one that captures most is its dlq, and the other is told', () => {
    const few = { name: 'FEW', subjects: ['osapi-ops.rejected.REQUESTS.*'] };
    const most = { name: 'MOST', subjects: [advisory('MAX_DELIVERIES')] };
    const { spec, leftOut } = convert({ s: requests, few, most });
    expect(spec.queues.REQUESTS?.dlq?.stream).toBe('MOST');
    expect(Object.keys(spec.streams)).toEqual(['FEW']);
    expect(leftOut).toEqual([expect.objectContaining({ why: expect.stringContaining('FEW captures deaths') })]);
  });

  test('is nobody’s queue, whatever its retention and its own name', () => {
    const all = { name: 'D', subjects: ['$JS.EVENT.ADVISORY.>'], retention: 'workqueue' };
    const { spec } = convert({ s: requests, d: all });
    expect(Object.keys(spec.queues)).toEqual(['REQUESTS']);
  });

  test('writes its subjects only where capture does not stand for them', () => {
    const kinds = [advisory('MAX_DELIVERIES'), advisory('MSG_TERMINATED')];
    const config = (subjects: string[]) =>
      convert({ s: requests, d: { name: 'D', subjects } }).spec.queues.REQUESTS?.dlq?.config;
    expect(config([...kinds, 'osapi-ops.rejected.REQUESTS.*'])).not.toHaveProperty('subjects');
    expect(config(kinds)).toHaveProperty('subjects', kinds);
    expect(config([advisory('MAX_DELIVERIES')])).not.toHaveProperty('subjects');
  });

  test('says so where it has a consumer, for a dlq has none', () => {
    const dlq = { name: 'D', subjects: [advisory('MAX_DELIVERIES')] };
    const info = { stream_name: 'D', name: 'reader', config: { ...worker, durable_name: 'reader' } };
    expect(convert({ s: requests, dlq, info }).leftOut[0]?.why).toContain('a dlq (D) has no consumers');
  });

  test('writes its replicas where they differ from the queue’s', () => {
    const dlq = { name: 'D', subjects: [advisory('MAX_DELIVERIES')] };
    expect(convert({ s: { ...requests, num_replicas: 3 }, dlq }).spec.queues.REQUESTS?.dlq?.config).toHaveProperty(
      'num_replicas',
      1,
    );
    expect(convert({ s: requests, dlq }).spec.queues.REQUESTS?.dlq?.config).not.toHaveProperty('num_replicas');
  });
});

test('two files of one name count once, and are told where they differ', () => {
  expect(convert({ a: requests, b: requests }).leftOut).toEqual([]);
  const { spec, leftOut } = convert({ a: requests, b: { ...requests, max_age: 1e9 } });
  expect(spec.queues.REQUESTS?.config.max_age).toBe(3600e9);
  expect(leftOut).toEqual([
    { file: 'b', path: '', why: 'stream REQUESTS was already taken from a, where it is different' },
  ]);
});

const manifest = (kind: string, spec: object, apiVersion = 'jetstream.nats.io/v1beta2') => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  spec,
});

describe('a manifest of NACK', () => {
  test('of several documents becomes one spec, with the manifest’s own defaults', () => {
    const { spec, leftOut } = convert({
      'all.yaml': `
apiVersion: jetstream.nats.io/v1beta2
kind: Stream
metadata: {name: orders}
spec: {name: ORDERS, subjects: ["orders.*"], retention: workqueue, maxAge: 1h, replicas: 1, discardPerSubject: false}
---
apiVersion: jetstream.nats.io/v1beta2
kind: Consumer
metadata: {name: worker}
spec: {streamName: ORDERS, durableName: worker, ackPolicy: explicit, maxDeliver: 3, backoff: [1s, 5s], maxRequestBatch: 10}
---
apiVersion: jetstream.nats.io/v1beta2
kind: KeyValue
metadata: {name: responses}
spec: {bucket: responses, history: 5, ttl: 24h, compression: true}
`,
    });
    expect(leftOut).toEqual([]);
    expect(spec.queues.ORDERS).toMatchObject({
      config: {
        storage: 'memory',
        subjects: ['orders.*'],
        retention: 'workqueue',
        max_age: 3600e9,
        num_replicas: 1,
        allow_direct: false,
      },
      consumers: { worker: { ack_policy: 'explicit', max_deliver: 3, backoff: [1e9, 5e9], max_batch: 10 } },
      responses: { bucket: 'responses', config: { history: 5, ttl: 86_400e9, compression: 's2' } },
    });
  });

  test('gives its fields under the server’s names', () => {
    const { spec, leftOut } = convert({
      s: manifest('Stream', {
        name: 'S',
        storage: 'file',
        firstSequence: 7,
        allowRollup: true,
        allowAtomicPublish: true,
        subjectTransform: { source: 'a.>', dest: 'b.>' },
        republish: { source: 'a', destination: 'c', headers_only: true },
        consumerLimits: { inactiveThreshold: '1m' },
        sources: [{ name: 'M', externalApiPrefix: 'X.API', subjectTransforms: [{ source: 'q', dest: 'r' }] }],
      }),
      c: manifest('Consumer', {
        streamName: 'S',
        durableName: 'push',
        deliverPolicy: 'byStartSequence',
        optStartSeq: 4,
        deliverSubject: 'd',
        heartbeatInterval: '2s',
        pinnedTtl: '3s',
        memStorage: true,
      }),
    });
    expect(leftOut).toEqual([]);
    expect(spec.streams.S?.config).toEqual({
      storage: 'file',
      allow_direct: false,
      first_seq: 7,
      allow_rollup_hdrs: true,
      allow_atomic: true,
      subject_transform: { src: 'a.>', dest: 'b.>' },
      republish: { src: 'a', dest: 'c', headers_only: true },
      consumer_limits: { inactive_threshold: 60e9 },
      sources: [{ name: 'M', external: { api: 'X.API' }, subject_transforms: [{ src: 'q', dest: 'r' }] }],
    });
    expect(spec.streams.S?.consumers.push).toEqual({
      ack_policy: 'none',
      deliver_policy: 'by_start_sequence',
      opt_start_seq: 4,
      deliver_subject: 'd',
      idle_heartbeat: 2e9,
      priority_timeout: 3e9,
      mem_storage: true,
    });
  });

  test.each([
    { field: 'preventDelete', value: true, why: 'never deletes what is not asked for' },
    { field: 'preventUpdate', value: true, why: 'there is no lock' },
    { field: 'servers', value: ['nats://x'], why: 'one `connection`' },
    { field: 'creds', value: '/etc/creds', why: 'one `connection`' },
  ])('names spec.$field, which has no place', ({ field, value, why }) => {
    const { leftOut } = convert({ s: manifest('Stream', { name: 'S', [field]: value }) });
    expect(leftOut).toEqual([{ file: 's', path: `Stream/x spec.${field}`, why: expect.stringContaining(why) }]);
  });

  test.each([
    { kind: 'ObjectStore', apiVersion: undefined, why: 'object stores have no place' },
    { kind: 'Account', apiVersion: undefined, why: 'one `connection`' },
    { kind: 'Secret', apiVersion: 'v1', why: 'no manifest of the NACK controller' },
  ])('of kind $kind is named', ({ kind, apiVersion, why }) => {
    const { leftOut } = convert({ s: manifest(kind, {}, apiVersion) });
    expect(leftOut).toEqual([{ file: 's', path: `${kind}/x`, why: expect.stringContaining(why) }]);
  });

  test('does not take over the 1ns that the manifest means by a missing ackWait, and says so', () => {
    const { spec, leftOut } = convert({
      s: manifest('Stream', { name: 'S' }),
      c: manifest('Consumer', { streamName: 'S', durableName: 'c', ackPolicy: 'explicit' }),
    });
    expect(spec.streams.S?.consumers.c).toEqual({ ack_policy: 'explicit' });
    expect(leftOut).toEqual([{ file: 'c', path: 'Consumer/x spec.ackWait', why: expect.stringContaining('1ns') }]);
  });
});

describe('what is neither', () => {
  test.each([
    { name: 'nothing', text: '  \n', why: 'the file is empty' },
    {
      name: 'a list without items',
      text: '{"apiVersion": "v1", "kind": "List", "items": []}',
      why: 'there is nothing in it',
    },
    { name: 'a comment', text: '# nothing', why: 'there is nothing in it' },
    { name: 'a binary', text: 'a\0b', why: 'this is no text: it holds zero bytes' },
    {
      name: 'a sentence',
      text: 'hello',
      why: 'no configuration of the nats CLI, no manifest of NACK and no `terraform show -json`',
    },
    { name: 'broken JSON', text: '{"name": ', why: expect.any(String) },
    { name: 'a spec', text: 'version: 1\nqueues: {}', why: 'this is a spec already' },
    { name: 'another object', text: '{"a": 1, "b": 2}', why: expect.stringContaining('its keys: a, b') },
    { name: 'a nameless stream', text: '{"subjects": ["a"]}', why: 'this stream has no name; pass --stream NAME' },
    { name: 'a deep hole', text: '['.repeat(5000) + ']'.repeat(5000), why: expect.any(String) },
    { name: 'an alias bomb', text: bomb(), why: expect.stringContaining('neither JSON nor YAML') },
  ])('$name is explained', ({ text, why }) => {
    expect(convert({ f: text }).leftOut).toEqual([expect.objectContaining({ file: 'f', why })]);
  });

  const terraformValues = fc.record({
    root_module: fc.record({
      resources: fc.array(
        fc.record({
          type: fc.constantFrom('jetstream_stream', 'jetstream_consumer', 'jetstream_kv_bucket', 'other'),
          values: fc.object({
            key: fc.constantFrom('name', 'durable_name', 'stream_id', 'mirror', 'source', 'ack', 'backoff', 'metadata'),
          }),
        }),
        { maxLength: 3 },
      ),
    }),
  });
  const foreign = fc.oneof(
    anyText(),
    fc.json(),
    fc
      .record(
        {
          name: fc.oneof(fc.string(), fc.constant('KV_x'), fc.constant('__proto__')),
          config: fc.anything(),
          subjects: fc.anything(),
          retention: fc.constantFrom('workqueue', 'limits', 7, null),
          sources: fc.anything(),
          metadata: fc.anything(),
          durable_name: fc.oneof(fc.string(), fc.constant('constructor')),
          backoff: fc.anything(),
          apiVersion: fc.constant('jetstream.nats.io/v1beta2'),
          kind: fc.constantFrom('Stream', 'Consumer', 'KeyValue', 'List'),
          format_version: fc.constant('1.0'),
          values: fc.oneof(fc.anything(), terraformValues),
          spec: fc.object({
            key: fc.constantFrom('name', 'streamName', 'durableName', 'bucket', 'mirror', 'sources', 'ttl'),
          }),
          items: fc.anything(),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value) ?? ''),
  );

  test('never makes it crash, and something is always said or found', () => {
    fc.assert(
      fc.property(fc.array(foreign, { minLength: 1, maxLength: 3 }), (texts) => {
        const { spec, leftOut } = convert(Object.fromEntries(texts.map((text, index) => [`f${index}`, text])));
        const found = [spec.queues, spec.streams, spec.buckets].some((part) => Object.keys(part).length > 0);
        expect(found || leftOut.length > 0).toBe(true);
        expect(leftOut.every(({ file, why }) => file !== '' && why !== '')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function bomb(): string {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
  for (let n = 1; n < 9; n++)
    lines.push(
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join(',')}]`,
    );
  return lines.join('\n');
}
