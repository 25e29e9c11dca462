import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import fc from 'fast-check';
import { atLeast } from '../../src/lib/facts/versions.ts';
import type { Json } from '../../src/lib/model/json.ts';
import { type DesiredResource, keyOf } from '../../src/lib/model/resource.ts';
import { makePlan } from '../../src/lib/plan/make-plan.ts';
import { refusals } from '../../src/lib/risk/judge.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { desiredOf, Lab, resourceOf } from './fields-lab.ts';

type Fields = Record<string, Json>;
const S = 1e9;

const optional = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Fields>;
const flag = fc.boolean();
const text = fc.constantFrom('', 'a', 'what it is for', 'ä "quoted" $x');
const unlimited = fc.constantFrom(-1, 0, 1, 50, 1_000_000);
const time = fc.constantFrom(0, 1 * S, 60 * S, 3600 * S, 7 * 86_400 * S);
const metadata = fc.dictionary(fc.constantFrom('team', 'a.b', 'x'), fc.constantFrom('1', 'blue')) as fc.Arbitrary<Json>;

/** Any stream that a server takes, as far as the combinations here go. */
const streams = (name: string, version: string): fc.Arbitrary<Fields> =>
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

const consumers = (name: string, version: string): fc.Arbitrary<Fields> =>
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

const buckets = (version: string): fc.Arbitrary<Fields> =>
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

/** A system of each kind's resource, before and after. */
const systems = (name: string, version: string): fc.Arbitrary<DesiredResource[]> =>
  fc
    .record({ stream: streams(name, version), consumer: consumers(name, version), bucket: buckets(version) })
    .map(({ stream, consumer, bucket }) => [
      resourceOf('bucket', name, bucket),
      resourceOf('stream', name, { subjects: [`${name}.>`] }, stream),
      resourceOf('consumer', `${name}/w`, consumer),
    ]);

const FREE = new Set(['allow-replace', 'allow-data-loss', 'adopt', 'prune'] as const);

describe.each(availableVersions())('nats-server %s', (line) => {
  let server: TestServer;
  let lab: Lab;
  let count = 0;

  beforeAll(async () => {
    server = await startServer({ version: line });
    lab = await Lab.open(server.url);
    for (const name of ['ORIGIN', 'OTHER', 'KV_origin', 'KV_other']) {
      await lab.api(`STREAM.CREATE.${name}`, { name, subjects: [`${name.toLowerCase().replace('_', '.')}.>`] });
    }
  }, 120_000);

  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const planFor = async (resources: DesiredResource[]) =>
    makePlan({ desired: desiredOf(...resources), observed: await lab.read(resources.map(keyOf)) });

  test('a resource made with nothing but its name differs in nothing', async () => {
    const bare = [
      resourceOf('bucket', 'bare', {}),
      resourceOf('stream', 'BARE', {}),
      resourceOf('consumer', 'BARE/w', {}),
      resourceOf('consumer', 'BARE/push', { deliver_subject: 'to.me' }),
      resourceOf('consumer', 'BARE/none', { ack_policy: 'none', deliver_subject: 'to.you' }),
      resourceOf('stream', 'BAREMIRROR', { mirror: { name: 'ORIGIN' } }),
      resourceOf('bucket', 'baremirror', { mirror: { name: 'origin' } }),
    ];
    await lab.run((await planFor(bare)).steps);
    expect((await planFor(bare)).changes).toEqual([]);
  });

  test('a bucket made by the client library, or by hand as the nats CLI does, differs in nothing but the owner mark', async () => {
    const kvm = new Kvm(jetstream(lab.nc));
    await kvm.create('clients', { history: 5, ttl: 60_000, max_bytes: 10_000 });
    await lab.api('STREAM.CREATE.KV_cli', {
      ...{ name: 'KV_cli', subjects: ['$KV.cli.>'], max_msgs_per_subject: 5, max_age: 60 * S, max_bytes: 10_000 },
      ...{ discard: 'new', deny_delete: true, allow_rollup_hdrs: true, allow_direct: true, duplicate_window: 60 * S },
    });
    const config = { history: 5, ttl: 60 * S, max_bytes: 10_000 };
    const plan = await planFor(['clients', 'cli'].map((name) => resourceOf('bucket', name, config)));
    expect(plan.changes.map(({ fields }) => fields.map(({ path }) => path))).toEqual([
      ['metadata.osapi-ops.owner'],
      ['metadata.osapi-ops.owner'],
    ]);
  });

  test('random valid systems: made, read back, no difference; changed to another, no difference again', async () => {
    const pair = fc.constant(0).chain(() => {
      const name = `r${count++}`;
      return fc.tuple(fc.constant(name), systems(name, lab.version), systems(name, lab.version));
    });
    await fc.assert(
      fc.asyncProperty(pair, async ([name, before, after]) => {
        const first = await planFor(before);
        fc.pre(refusals(first, FREE).length === 0);
        try {
          await lab.run(first.steps);
          expect((await planFor(before)).changes).toEqual([]);
          const second = await planFor(after);
          fc.pre(refusals(second, FREE).length === 0);
          await lab.run(second.steps);
          expect((await planFor(after)).changes).toEqual([]);
          expect((await planFor(after)).summary.unchanged).toBe(3);
        } finally {
          for (const stream of [name, `KV_${name}`]) await lab.api(`STREAM.DELETE.${stream}`).catch(() => {});
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    );
  }, 60_000);
});
