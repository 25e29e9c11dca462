import fc from 'fast-check';
import { atLeast } from '../../src/lib/facts/versions.ts';
import type { Capture, QueueSpec, Spec } from '../../src/lib/model/spec.ts';
import { HEALTH_DEFAULTS, QUEUE_DEFAULTS } from '../../src/lib/spec/assemble.ts';
import {
  buckets,
  consumers,
  type Fields,
  flag,
  metadata,
  optional,
  S,
  streams,
  text,
  time,
} from './random-resources.ts';

/** Requests on `<name>.a` and `<name>.b.*`, as one worker, two with a share each, or none takes them. */
const workers = (name: string, version: string): fc.Arbitrary<Record<string, Fields>> => {
  const worker = (fields: Fields): fc.Arbitrary<Fields> =>
    consumers(name, version).map(({ filter_subjects: _, ...each }) => ({ ...each, ack_policy: 'explicit', ...fields }));
  return fc.oneof(
    fc.constant({}),
    fc.record({ w: worker({}) }),
    fc.record({ w: worker({ filter_subject: `${name}.a` }), v: worker({ filter_subject: `${name}.b.*` }) }),
    fc.record({ w: worker({ filter_subject: `${name}.b.*` }), v: worker({ filter_subjects: [`${name}.a`] }) }),
  );
};

const queueFields = (name: string, version: string): fc.Arbitrary<Fields> =>
  optional({
    description: text,
    max_msgs: fc.constantFrom(-1, 0, 50, 1_000_000),
    max_bytes: fc.constantFrom(-1, 1024 ** 2),
    max_age: time,
    max_msg_size: fc.constantFrom(-1, 0, 1024),
    discard: fc.constantFrom('old', 'new'),
    duplicate_window: fc.constantFrom(S, 30 * S),
    storage: fc.constantFrom('file', 'memory'),
    compression: fc.constantFrom('none', 's2'),
    allow_rollup_hdrs: flag,
    metadata,
    ...(atLeast(version, '2.11.0') ? { allow_msg_ttl: flag } : {}),
    ...(atLeast(version, '2.12.0') ? { allow_atomic: flag } : {}),
  }).map((fields) => ({ ...QUEUE_DEFAULTS, subjects: [`${name}.a`, `${name}.b.*`], ...fields }));

const dlqs = (name: string): fc.Arbitrary<QueueSpec['dlq']> =>
  fc.record({
    stream: fc.constantFrom(`${name}_dlq`, `${name}_dead`),
    capture: fc.subarray<Capture>(['max_deliveries', 'terminated'], { minLength: 1 }),
    config: optional({ max_age: time, max_msgs: fc.constantFrom(-1, 10_000), description: text }),
  });

const queues = (name: string, version: string): fc.Arbitrary<QueueSpec> =>
  fc.record(
    {
      config: queueFields(name, version),
      consumers: workers(name, version),
      dlq: dlqs(name),
      responses: fc.record({ bucket: fc.constantFrom(`${name}_answers`, `${name}_res`), config: buckets(version) }),
      health: fc.constant(HEALTH_DEFAULTS),
    },
    { requiredKeys: ['config', 'consumers', 'health'] },
  );

/** Any system of queues, streams and buckets whose names begin with `system`. */
export function specs(system: string, version: string): fc.Arbitrary<Spec> {
  const some = <T>(names: readonly string[], make: (name: string) => fc.Arbitrary<T>) =>
    fc.record(Object.fromEntries(names.map((name) => [name, make(name)])), { requiredKeys: [] });
  return fc.record({
    version: fc.constant(1 as const),
    name: fc.constant(system),
    connection: fc.constant({}),
    queues: some([`${system}_q`, `${system}_p`], (name) => queues(name, version)),
    streams: some([`${system}_s`], (name) =>
      fc.record({
        config: streams(name, version).map((config) => ({ subjects: [`${name}.a`], ...config })),
        consumers: fc.oneof(fc.constant({}), fc.record({ c: consumers(name, version) })),
      }),
    ),
    buckets: some([`${system}_b`], () => buckets(version)),
  }) as fc.Arbitrary<Spec>;
}
