import { describe, expect, test } from '@jest/globals';
import { convertFiles } from '../../../src/lib/convert/convert.ts';
import { HEALTH_DEFAULTS } from '../../../src/lib/spec/assemble.ts';
import { withoutDefaults } from '../../../src/lib/spec/print.ts';

interface Resource {
  readonly type: string;
  readonly name?: string;
  readonly values: object;
}

const addressed = ({ type, name = 'x', values }: Resource) => ({
  address: `${type}.${name}`,
  mode: 'managed',
  type,
  name,
  provider_name: 'registry.example/nats-io/jetstream',
  values,
});
const state = (...resources: Resource[]) => ({
  format_version: '1.0',
  terraform_version: '1.9.0',
  values: { root_module: { resources: resources.map(addressed) } },
});

const convert = (value: unknown, stream?: string) => {
  const converted = convertFiles([{ file: 'state.json', text: JSON.stringify(value) }], {
    health: HEALTH_DEFAULTS,
    ...(stream ? { stream } : {}),
  });
  return { ...converted, spec: withoutDefaults(converted.spec, '2.14.0') };
};

// As the provider (July 2026) writes a stream, consumer and bucket that were made with nothing but their names.
const stream = {
  id: 'JETSTREAM_STREAM_ORDERS',
  name: 'ORDERS',
  description: '',
  metadata: {},
  subjects: ['orders.*'],
  discard: 'old',
  discard_new_per_subject: false,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_bytes: -1,
  max_age: 0,
  duplicate_window: 120,
  max_msg_size: -1,
  storage: 'file',
  ack: true,
  retention: 'limits',
  compression: 'none',
  max_consumers: -1,
  replicas: 1,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  allow_direct: true,
  mirror_direct: null,
  placement_cluster: '',
  placement_tags: null,
  placement_preferred: '',
  subject_transform: [],
  mirror: [],
  source: [],
  republish_source: null,
  republish_destination: null,
  republish_headers_only: null,
  max_ack_pending: 0,
  inactive_threshold: 0,
  allow_msg_ttl: false,
  subject_delete_marker_ttl: 0,
  allow_msg_counter: false,
  allow_atomic: false,
  allow_msg_schedules: false,
  first_seq: 0,
  persist_mode: '',
  allow_batched: false,
};
const consumer = {
  id: 'JETSTREAM_STREAM_ORDERS_CONSUMER_w',
  stream_id: 'JETSTREAM_STREAM_ORDERS',
  durable_name: 'w',
  description: '',
  metadata: {},
  delivery_subject: '',
  stream_sequence: 0,
  start_time: '',
  deliver_all: true,
  deliver_last: null,
  deliver_new: null,
  deliver_last_per_subject: null,
  delivery_group: '',
  ack_policy: 'explicit',
  ack_wait: 30,
  max_delivery: -1,
  filter_subject: '',
  filter_subjects: [],
  replay_policy: 'instant',
  sample_freq: 0,
  ratelimit: 0,
  max_ack_pending: 20000,
  heartbeat: 0,
  flow_control: false,
  max_waiting: 512,
  headers_only: false,
  max_batch: 0,
  max_expires: 0,
  max_bytes: 0,
  inactive_threshold: 0,
  replicas: 0,
  memory: false,
  backoff: [],
  priority_policy: 'none',
  priority_groups: [],
  priority_timeout: 0,
};
const bucket = {
  id: 'JETSTREAM_KV_answers',
  name: 'answers',
  description: '',
  storage: 'file',
  history: 5,
  ttl: 0,
  max_value_size: -1,
  max_bucket_size: -1,
  placement_cluster: '',
  placement_tags: null,
  replicas: 1,
  limit_marker_ttl: 0,
};

const streamOf = (values: object) => {
  const { spec, leftOut } = convert(state({ type: 'jetstream_stream', values: { ...stream, ...values } }));
  return { config: spec.streams.ORDERS?.config, leftOut };
};
const consumerOf = (values: object) => {
  const { spec, leftOut } = convert(
    state(
      { type: 'jetstream_stream', values: stream },
      { type: 'jetstream_consumer', values: { ...consumer, ...values } },
    ),
  );
  return { config: spec.streams.ORDERS?.consumers.w, leftOut };
};

describe('a state of Terraform', () => {
  test('becomes a spec that says what is unusual, and nothing is left out', () => {
    const { spec, leftOut } = convert(
      state(
        { type: 'jetstream_stream', values: { ...stream, retention: 'workqueue', max_age: 3600 } },
        { type: 'jetstream_consumer', values: { ...consumer, max_delivery: 3, backoff: [5, 10], ack_wait: 5 } },
        { type: 'jetstream_kv_bucket', values: { ...bucket, ttl: 60, max_bucket_size: 1024 } },
      ),
    );
    expect(leftOut).toEqual([]);
    expect(spec.queues.ORDERS).toMatchObject({
      config: { subjects: ['orders.*'], retention: 'workqueue', max_age: 3600e9, allow_direct: true },
      consumers: { w: { ack_policy: 'explicit', max_deliver: 3, backoff: [5e9, 10e9], max_ack_pending: 20000 } },
    });
    expect(spec.buckets).toEqual({ answers: { history: 5, ttl: 60e9, max_bytes: 1024 } });
  });

  test.each([
    { values: {}, gives: {} },
    { values: { ack: false }, gives: { no_ack: true } },
    { values: { replicas: 3, duplicate_window: 60 }, gives: { num_replicas: 3, duplicate_window: 60e9 } },
    {
      values: { placement_cluster: 'c1', placement_tags: ['ssd'], placement_preferred: 'n1' },
      gives: { placement: { cluster: 'c1', tags: ['ssd'], preferred: 'n1' } },
    },
    {
      values: { republish_source: 'a.>', republish_destination: 'b.>', republish_headers_only: true },
      gives: { republish: { src: 'a.>', dest: 'b.>', headers_only: true } },
    },
    {
      values: { subject_transform: [{ source: 'a', destination: 'b' }] },
      gives: { subject_transform: { src: 'a', dest: 'b' } },
    },
    {
      values: {
        subjects: null,
        mirror: [
          {
            name: 'M',
            start_seq: 4,
            start_time: '',
            filter_subject: '',
            subject_transform: [{ source: 'q', destination: 'r' }],
            external: [{ api: 'X.API', deliver: '' }],
            consumer: [],
          },
        ],
      },
      gives: {
        mirror: {
          name: 'M',
          opt_start_seq: 4,
          subject_transforms: [{ src: 'q', dest: 'r' }],
          external: { api: 'X.API' },
        },
        // What the provider sends for a mirror too, where the server has none.
        duplicate_window: 120e9,
      },
    },
    {
      values: { source: [{ name: 'A', consumer: [{ name: 'c', deliver_subject: 'd' }] }] },
      gives: { sources: [{ name: 'A', consumer: { name: 'c', deliver_subject: 'd' } }] },
    },
    // A plan has seconds; a state that was read back, nanoseconds.
    {
      values: { inactive_threshold: 60 },
      gives: { consumer_limits: { inactive_threshold: 60e9 } },
    },
    {
      values: { inactive_threshold: 60e9, max_ack_pending: 7 },
      gives: { consumer_limits: { inactive_threshold: 60e9, max_ack_pending: 7 } },
    },
  ])('has a stream of $values as $gives', ({ values, gives }) => {
    const { config, leftOut } = streamOf(values);
    expect(leftOut).toEqual([]);
    expect({ subjects: ['orders.*'], ...config }).toEqual({ subjects: ['orders.*'], allow_direct: true, ...gives });
  });

  test.each([
    { values: {}, gives: {} },
    { values: { deliver_all: null, deliver_last: true }, gives: { deliver_policy: 'last' } },
    { values: { deliver_all: null, deliver_new: true }, gives: { deliver_policy: 'new' } },
    { values: { deliver_all: null, deliver_last_per_subject: true }, gives: { deliver_policy: 'last_per_subject' } },
    {
      values: { deliver_all: null, stream_sequence: 4 },
      gives: { deliver_policy: 'by_start_sequence', opt_start_seq: 4 },
    },
    {
      values: { deliver_all: null, start_time: '2026-01-01T00:00:00Z' },
      gives: { deliver_policy: 'by_start_time', opt_start_time: '2026-01-01T00:00:00Z' },
    },
    { values: { sample_freq: 30 }, gives: { sample_freq: '30%' } },
    { values: { filter_subjects: ['orders.a'] }, gives: { filter_subject: 'orders.a' } },
    { values: { filter_subjects: ['orders.a', 'orders.b'] }, gives: { filter_subjects: ['orders.a', 'orders.b'] } },
    // A plan still has the ack_wait that the server will write over.
    { values: { backoff: [5, 10], ack_wait: 30 }, gives: { backoff: [5e9, 10e9] } },
    { values: { max_waiting: 0 }, gives: {} },
    {
      values: {
        delivery_subject: 'd',
        delivery_group: 'g',
        heartbeat: 5,
        flow_control: true,
        ratelimit: 9,
        max_waiting: 0,
      },
      gives: {
        deliver_subject: 'd',
        deliver_group: 'g',
        idle_heartbeat: 5e9,
        flow_control: true,
        rate_limit_bps: 9,
      },
    },
    {
      values: { max_batch: 3, max_expires: 4, max_bytes: 5, replicas: 3, memory: true, headers_only: true },
      gives: { max_batch: 3, max_expires: 4e9, max_bytes: 5, num_replicas: 3, mem_storage: true, headers_only: true },
    },
    {
      values: { priority_policy: 'pinned_client', priority_groups: ['g'], priority_timeout: 6 },
      gives: { priority_policy: 'pinned_client', priority_groups: ['g'], priority_timeout: 6e9 },
    },
  ])('has a consumer of $values as $gives', ({ values, gives }) => {
    const { config, leftOut } = consumerOf(values);
    expect(leftOut).toEqual([]);
    expect(config).toEqual({ ack_policy: 'explicit', max_ack_pending: 20000, ...gives });
  });

  test('names what has no place in a spec', () => {
    const { leftOut } = convert(
      state(
        { type: 'jetstream_stream', values: { ...stream, colour: 'red' } },
        { type: 'jetstream_kv_entry', values: { bucket: 'answers', key: 'k', value: 'v' } },
        { type: 'jetstream_obj_bucket', values: { name: 'o' } },
        { type: 'jetstream_stream', name: 'nameless', values: {} },
        { type: 'aws_s3_bucket', values: {} },
      ),
    );
    expect(leftOut).toEqual([
      { file: 'state.json', path: 'jetstream_stream.x.colour', why: expect.stringContaining('no stream') },
      { file: 'state.json', path: 'jetstream_kv_entry.x', why: expect.stringContaining('are data') },
      { file: 'state.json', path: 'jetstream_obj_bucket.x', why: expect.stringContaining('object stores') },
      { file: 'state.json', path: 'jetstream_stream.nameless', why: 'its name is not in the file' },
      { file: 'state.json', path: '', why: '1 resource of other providers' },
    ]);
  });

  test('is read with the modules in it', () => {
    const deep = {
      child_modules: [{ child_modules: [{ resources: [addressed({ type: 'jetstream_stream', values: stream })] }] }],
    };
    expect(Object.keys(convert({ format_version: '1.0', values: { root_module: deep } }).spec.streams)).toEqual([
      'ORDERS',
    ]);
  });

  test('that is empty says so', () => {
    expect(convert({ format_version: '1.0' }).leftOut[0]?.why).toBe('there is nothing in it');
  });
});

test('a plan of Terraform has no id yet of the stream that a consumer is for', () => {
  const { stream_id: _, ...unknown } = consumer;
  const root_module = {
    resources: [
      { type: 'jetstream_stream', values: stream },
      { type: 'jetstream_stream', name: 'y', values: { ...stream, name: 'OTHER' } },
      { type: 'jetstream_consumer', values: unknown },
    ].map(addressed),
  };
  const plan = { format_version: '1.2', planned_values: { root_module } };
  expect(convert(plan).leftOut[0]?.why).toContain('pass --stream');
  expect(convert(plan, 'ORDERS').spec.streams.ORDERS?.consumers).toHaveProperty('w');
});
