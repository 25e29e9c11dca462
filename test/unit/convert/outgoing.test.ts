import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { canonicalDesired } from '../../../src/lib/canonical/resource.ts';
import { placeFound } from '../../../src/lib/convert/assemble.ts';
import { convertFiles } from '../../../src/lib/convert/convert.ts';
import type { Found } from '../../../src/lib/convert/found.ts';
import { toNack } from '../../../src/lib/convert/to-nack.ts';
import { toTerraform } from '../../../src/lib/convert/to-terraform.ts';
import { tableFor } from '../../../src/lib/facts/fields.ts';
import { dlqSubjects } from '../../../src/lib/facts/names.ts';
import { type Config, isObject, type Json } from '../../../src/lib/model/json.ts';
import { HEALTH_DEFAULTS } from '../../../src/lib/spec/assemble.ts';
import { withoutDefaults } from '../../../src/lib/spec/print.ts';
import { readHcl } from '../../support/hcl.ts';
import schemas from './nack-schemas.json' with { type: 'json' };

const VERSION = '2.15.0';

/** A resource as `export` has it: every field that the server has, filled. */
function live(kind: Found['kind'], name: string, config: Config, stream?: { name: string; config: Config }): Found {
  const full = kind === 'consumer' ? `${stream?.name}/${name}` : name;
  const canonical = canonicalDesired({ kind, name: full, config }, tableFor(VERSION), () => stream?.config);
  const { name: _, ...rest } = canonical;
  const base = { name, file: 'the server', path: '', config: rest };
  return kind === 'consumer' ? { ...base, kind, stream: stream!.name } : { ...base, kind };
}

const specOf = (found: readonly Found[]) =>
  withoutDefaults(placeFound(found, { name: 'x', health: HEALTH_DEFAULTS }).spec, '2.14.0');

function converted(text: string) {
  const { spec, leftOut } = convertFiles([{ file: 'f', text }], { name: 'x', health: HEALTH_DEFAULTS });
  return { spec: withoutDefaults(spec, '2.14.0'), leftOut };
}

/** What the provider fills in where a file says nothing, and the server does not. */
const PROVIDER_FILLS: Readonly<Record<string, Config>> = {
  jetstream_stream: { allow_direct: true, duplicate_window: 120 },
  jetstream_consumer: { ack_policy: 'explicit', ack_wait: 30, max_ack_pending: 20_000 },
  jetstream_kv_bucket: { history: 5 },
};

/** What `terraform show -json` would say of our HCL: the imports are checked to be of what is written. */
function shown(hcl: string): string {
  const blocks = readHcl(hcl);
  const resources = blocks
    .filter(({ word }) => word === 'resource')
    .map(({ labels: [type, name], body }) => ({ address: `${type}.${name}`, type, name, values: body }));
  const imports = blocks.filter(({ word }) => word === 'import').map(({ body }) => body as { to: string; id: string });
  expect(imports.map(({ to }) => to)).toEqual(resources.map(({ address }) => address));
  const ids = new Map(imports.map(({ to, id }) => [`${to}.id`, id]));
  const values = resources.map((resource) => {
    const { stream_id, ...own } = resource.values;
    const id = stream_id === undefined ? {} : { stream_id: ids.get(String(stream_id)) ?? stream_id };
    return { ...resource, values: { ...PROVIDER_FILLS[resource.type!], ...own, ...id } };
  });
  return JSON.stringify({ format_version: '1.0', values: { root_module: { resources: values } } });
}

const orders = { subjects: ['orders.*'], retention: 'workqueue' };
const queue = (config: Config = {}) => live('stream', 'ORDERS', { ...orders, ...config });
const worker = (config: Config = {}, stream: Config = orders) =>
  live(
    'consumer',
    'w',
    { ack_policy: 'explicit', max_ack_pending: 1000, ...config },
    { name: 'ORDERS', config: stream },
  );

const sources: readonly Config[] = [
  {
    name: 'A',
    opt_start_seq: 3,
    filter_subject: 'a.>',
    external: { api: '$JS.x.API', deliver: 'd' },
  },
  { name: 'B', subject_transforms: [{ src: 'b.*', dest: 'c.{{wildcard(1)}}' }] },
];

/** Each is one system, of which both tools have a word for all. */
const SYSTEMS: Readonly<Record<string, readonly Found[]>> = {
  'a bare queue': [queue()],
  'a queue with all it may have': [
    queue({
      description: `the "orders" of \${all} %{of} them\n\\b`,
      storage: 'file',
      num_replicas: 3,
      max_msgs: 10,
      max_bytes: 1 << 20,
      max_age: 7 * 86_400e9,
      max_msgs_per_subject: 2,
      max_msg_size: 1024,
      max_consumers: 4,
      discard: 'new',
      discard_new_per_subject: true,
      duplicate_window: 60e9,
      compression: 's2',
      no_ack: true,
      allow_direct: true,
      deny_delete: true,
      deny_purge: true,
      allow_rollup_hdrs: true,
      placement: { cluster: 'c', tags: ['ssd', 'on'] },
      consumer_limits: { inactive_threshold: 90e9, max_ack_pending: 500 },
      metadata: { team: 'yes', 'a key: with # signs': '1e3' },
      first_seq: 7,
      subject_transform: { src: 'orders.*', dest: 'new.{{wildcard(1)}}' },
      republish: { src: 'a.>', dest: 'b.>' },
    }),
    worker({ inactive_threshold: 60e9, max_ack_pending: 400 }),
    live('stream', 'orders_dlq', {
      subjects: dlqSubjects('ORDERS', ['max_deliveries', 'terminated']),
      allow_direct: true,
    }),
    live('bucket', 'responses', { history: 1 }),
  ],
  'consumers of every kind': [
    queue(),
    worker({ max_deliver: 4, backoff: [1e9, 60e9, 3600e9], filter_subject: 'orders.a', sample_freq: '30%' }),
    live('consumer', 'last', { ack_policy: 'none', deliver_policy: 'last' }, { name: 'ORDERS', config: orders }),
    live(
      'consumer',
      'from',
      {
        ack_policy: 'all',
        ack_wait: 5e9,
        deliver_policy: 'by_start_sequence',
        opt_start_seq: 9,
        max_ack_pending: 20_000,
      },
      { name: 'ORDERS', config: orders },
    ),
    live(
      'consumer',
      'since',
      {
        ack_policy: 'explicit',
        deliver_policy: 'by_start_time',
        opt_start_time: '2026-01-01T00:00:00Z',
        max_waiting: 9,
      },
      { name: 'ORDERS', config: orders },
    ),
    live(
      'consumer',
      'push',
      {
        ack_policy: 'explicit',
        deliver_policy: 'last_per_subject',
        deliver_subject: 'there',
        deliver_group: 'g',
        idle_heartbeat: 5e9,
        flow_control: true,
        rate_limit_bps: 8192,
        replay_policy: 'original',
        headers_only: true,
      },
      { name: 'ORDERS', config: orders },
    ),
    live(
      'consumer',
      'pinned',
      {
        ack_policy: 'explicit',
        filter_subjects: ['orders.a', 'orders.b'],
        max_batch: 3,
        max_expires: 4e9,
        max_bytes: 5,
        inactive_threshold: 7200e9,
        num_replicas: 3,
        mem_storage: true,
        metadata: { a: 'b' },
        description: 'null',
        priority_policy: 'pinned_client',
        priority_groups: ['jobs'],
        priority_timeout: 6e9,
      },
      { name: 'ORDERS', config: orders },
    ),
  ],
  'a mirror, and a stream of sources': [
    live('stream', 'M', { mirror: { name: 'ORDERS', opt_start_time: '2026-01-01T00:00:00Z' }, storage: 'memory' }),
    live('stream', 'S', { sources, allow_msg_ttl: true, subject_delete_marker_ttl: 60e9, persist_mode: 'async' }),
    live('stream', 'T', { subjects: ['t'], allow_msg_counter: true, allow_atomic: true }),
    live('stream', 'U', { subjects: ['u'], allow_msg_schedules: true }),
  ],
  buckets: [
    live('bucket', 'plain', {}),
    live('bucket', 'full', {
      description: 'off',
      history: 9,
      ttl: 3600e9,
      max_bytes: 1024,
      max_value_size: 512,
      storage: 'memory',
      num_replicas: 3,
      placement: { cluster: 'c', tags: ['ssd'] },
      limit_marker_ttl: 60e9,
    }),
  ],
};

const TARGETS = {
  nack: { render: toNack, read: (text: string) => text },
  terraform: { render: toTerraform, read: shown },
};

describe.each(Object.keys(TARGETS) as (keyof typeof TARGETS)[])('written for %s and converted back', (target) => {
  const { render, read } = TARGETS[target];

  test.each(Object.keys(SYSTEMS))('%s is the same spec', (name) => {
    const found = SYSTEMS[name]!;
    const { text, leftOut } = render(found, VERSION);
    expect(leftOut).toEqual([]);
    const back = converted(read(text));
    expect(back).toEqual({ spec: specOf(found), leftOut: [] });
  });
});

describe('a manifest for NACK', () => {
  const ajv = new Ajv({ strict: false });
  /** A cluster drops what its definition does not know without a word: to us that is an error. */
  const closed = (schema: Json): Json => {
    if (Array.isArray(schema)) return schema.map(closed);
    if (!isObject(schema)) return schema;
    const parts = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
    return isObject(schema.properties) && schema.type === 'object' ? { ...parts, additionalProperties: false } : parts;
  };
  const validators = new Map(
    (['Stream', 'Consumer', 'KeyValue'] as const).map((kind) => [
      kind as string,
      ajv.compile(closed(schemas[kind] as unknown as Json) as object),
    ]),
  );

  test.each(Object.keys(SYSTEMS))('of %s is what the controller’s own definition takes', (name) => {
    const documents = parseAllDocuments(toNack(SYSTEMS[name]!, VERSION).text, { version: '1.1' });
    expect(documents).toHaveLength(SYSTEMS[name]!.length);
    for (const document of documents) {
      const manifest = document.toJS();
      const validate = validators.get(manifest.kind)!;
      expect({ valid: validate(manifest.spec), errors: validate.errors }).toEqual({ valid: true, errors: null });
      expect(manifest.metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }
  });

  test('is refused by that check where a word is not the controller’s', () => {
    expect(validators.get('Stream')!({ name: 'S', colour: 'red' })).toBe(false);
  });

  test('says what the controller takes for unwritten otherwise than the server', () => {
    const [stream, consumer] = toNack([queue(), worker()], VERSION).values;
    expect(stream?.spec).toEqual({ name: 'ORDERS', subjects: ['orders.*'], retention: 'workqueue', storage: 'file' });
    expect(consumer?.spec).toEqual({ durableName: 'w', streamName: 'ORDERS', ackPolicy: 'explicit', ackWait: '30s' });
  });

  test('hides nothing', () => {
    const { text } = toNack([queue({ description: 'a\u0085b\u202e', metadata: { '\u200b': '\u0007' } })], VERSION);
    expect(text).toContain('description: "a\\u0085b\\u202e"');
    expect(text).not.toMatch(/[^\x20-\x7e\n]/);
  });

  test.each([
    { nanos: 7 * 86_400e9, text: '168h' },
    { nanos: 90e9, text: '90s' },
    { nanos: 1500e6, text: '1500ms' },
    { nanos: 1e3, text: '1us' },
    { nanos: 1001, text: '1001ns' },
  ])('has $nanos ns as Go reads it: $text', ({ nanos, text }) => {
    expect(toNack([worker({ ack_wait: nanos })], VERSION).values[0]?.spec).toHaveProperty('ackWait', text);
  });
});

describe('what the other tool cannot express is named', () => {
  const left = (render: typeof toNack, ...found: Found[]) => render(found, VERSION).leftOut.map(({ what }) => what);

  test('by NACK', () => {
    expect(
      left(
        toNack,
        live('stream', 'S', {
          subjects: ['s'],
          allow_batched: true,
          placement: { cluster: 'c', preferred: 'n1' },
          republish: { src: 's', dest: 'd', headers_only: true },
          sources: [{ name: 'A', consumer: { name: 'c', deliver_subject: 'd' } }],
        }),
        live('bucket', 'b', { metadata: { team: 'ops' } }),
      ),
    ).toEqual([
      expect.stringMatching(/^placement.preferred is "n1", which NACK/),
      expect.stringMatching(
        /^sources.consumer is {"deliver_subject":"d","name":"c"}|{"name":"c","deliver_subject":"d"}/,
      ),
      expect.stringMatching(/^republish.headers_only is true/),
      expect.stringMatching(/^allow_batched is true/),
      expect.stringMatching(/^metadata is {"team":"ops"}/),
    ]);
  });

  test('by the provider, a part of a second too', () => {
    expect(
      left(
        toTerraform,
        live('stream', 'S', { subjects: ['s'], max_age: 1500e6 }),
        worker({ backoff: [500e6, 1e9], max_deliver: 3, sample_freq: '0.5%' }),
        live('bucket', 'b', {
          metadata: { team: 'ops' },
          compression: 's2',
          republish: { src: 'a', dest: 'c' },
          sources: [{ name: 'a' }],
        }),
      ).map((what) => what.split(' is ')[0]),
    ).toEqual([
      'max_age',
      'duplicate_window',
      'ack_wait',
      'backoff',
      'sample_freq',
      'compression',
      'republish',
      'sources',
      'metadata',
    ]);
  });
});

describe('Terraform', () => {
  test('gets a label for each name, and each its own', () => {
    const names = ['A', '9', 'a é', 'a_-', 'a_é'].map((name) => live('stream', name, { subjects: [name] }));
    const { values } = toTerraform(names, VERSION);
    expect(new Set(values.map(({ label }) => label)).size).toBe(5);
    for (const { label } of values) expect(label).toMatch(/^[A-Za-z_][A-Za-z0-9_-]*$/);
  });

  test('gets texts that are no templates and hide nothing', () => {
    const { text } = toTerraform([queue({ description: `\${a} %{b} \u202e\u0007\b"` })], VERSION);
    expect(text).toContain('= "$\\u007ba} %\\u007bb} \\u202e\\u0007\\u0008\\""');
  });

  test('names the stream of a consumer by reference, and by its id where it is not among them', () => {
    expect(toTerraform([queue(), worker()], VERSION).text).toMatch(
      /^ {2}stream_id +[=] jetstream_stream\.ORDERS\.id$/m,
    );
    expect(toTerraform([worker()], VERSION).text).toMatch(/^ {2}stream_id +[=] "JETSTREAM_STREAM_ORDERS"$/m);
  });

  test('republishes everything where the source is empty', () => {
    const { values } = toTerraform(
      [live('stream', 'S', { subjects: ['s'], republish: { src: '', dest: 'd' } })],
      VERSION,
    );
    expect(values[0]?.values).toMatchObject({ republish_source: '>', republish_destination: 'd' });
  });
});
