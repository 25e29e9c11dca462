import fc from 'fast-check';
import { atLeast } from '../../src/lib/facts/versions.ts';
import type { Json } from '../../src/lib/model/json.ts';

export type Fields = Record<string, Json>;
export const S = 1e9;

export const optional = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Fields>;
export const flag = fc.boolean();
export const text = fc.constantFrom('', 'a', 'what it is for', 'ä "quoted" $x');
export const unlimited = fc.constantFrom(-1, 0, 1, 50, 1_000_000);
export const time = fc.constantFrom(0, 1 * S, 60 * S, 3600 * S, 7 * 86_400 * S);
export const metadata = fc.dictionary(
  fc.constantFrom('team', 'a.b', 'x'),
  fc.constantFrom('1', 'blue'),
) as fc.Arbitrary<Json>;

/** Any stream that a server takes, as far as the combinations here go. */
export const streams = (name: string, version: string): fc.Arbitrary<Fields> =>
  optional({
    description: text,
    subjects: fc
      .subarray([`${name}.a`, `${name}.b.*`, `${name}.c.>`], { minLength: 1 })
      .map((each) => each.toReversed()),
    retention: fc.constantFrom('limits', 'interest'),
    compression: fc.constantFrom('none', 's2'),
    max_msgs: unlimited,
    max_bytes: fc.constantFrom(-1, 0, 1024 ** 2),
    max_age: time,
    max_msgs_per_subject: unlimited,
    max_msg_size: fc.constantFrom(-1, 0, 1024),
    discard: fc.constantFrom('old', 'new'),
    no_ack: flag,
    sources: fc.subarray([{ name: 'ORIGIN' }, { name: 'OTHER', filter_subject: 'other.x' }]),
    republish: fc.constantFrom({}, { src: `${name}.a`, dest: `copy.${name}` }),
    subject_transform: fc.constantFrom({}, { src: `${name}.a`, dest: `${name}.z` }),
    allow_rollup_hdrs: flag,
    allow_direct: flag,
    metadata,
    ...(atLeast(version, '2.11.0') ? { subject_delete_marker_ttl: fc.constantFrom(0, 5 * S) } : {}),
    ...(atLeast(version, '2.12.0') ? { allow_atomic: flag } : {}),
  });

/** Any durable consumer of such a stream. */
export const consumers = (name: string, version: string): fc.Arbitrary<Fields> =>
  optional({
    description: text,
    ack_policy: fc.constantFrom('explicit', 'all'),
    ack_wait: time,
    max_deliver: fc.constantFrom(-1, 0, 3, 10),
    backoff: fc.array(fc.constantFrom(1 * S, 5 * S, 60 * S), { maxLength: 3 }),
    filter_subjects: fc.subarray([`${name}.a`, `${name}.b.*`, `${name}.c.>`]).map((each) => each.toReversed()),
    sample_freq: fc.constantFrom('', '30%'),
    max_ack_pending: fc.constantFrom(-1, 0, 7),
    headers_only: flag,
    max_batch: fc.constantFrom(0, 10),
    max_expires: time,
    inactive_threshold: fc.constantFrom(0, 3600 * S),
    num_replicas: fc.constantFrom(0, 1),
    replay_policy: fc.constantFrom('instant', 'original'),
    metadata,
    ...(atLeast(version, '2.11.0')
      ? { priority_policy: fc.constantFrom('none', 'overflow'), priority_groups: fc.constant(['g']) }
      : {}),
  }).map(
    ({ priority_policy: policy, priority_groups: groups, ...rest }): Fields =>
      policy === 'overflow' && groups ? { ...rest, priority_policy: policy, priority_groups: groups } : rest,
  );

/** Any bucket; its sources are `origin` and `other`. */
export const buckets = (version: string): fc.Arbitrary<Fields> =>
  optional({
    description: text,
    history: fc.integer({ min: 0, max: 64 }),
    ttl: time,
    max_bytes: fc.constantFrom(-1, 0, 1024 ** 2),
    max_value_size: fc.constantFrom(-1, 0, 100),
    compression: fc.constantFrom('none', 's2'),
    sources: fc.subarray([{ name: 'origin' }, { name: 'KV_other' }]),
    metadata,
    ...(atLeast(version, '2.11.0') ? { limit_marker_ttl: fc.constantFrom(0, 5 * S) } : {}),
  });
