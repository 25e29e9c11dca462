import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import fc from 'fast-check';
import { type DesiredResource, keyOf } from '../../src/lib/model/resource.ts';
import { makePlan } from '../../src/lib/plan/make-plan.ts';
import { refusals } from '../../src/lib/risk/judge.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { desiredOf, Lab, resourceOf } from './fields-lab.ts';
import { buckets, consumers, S, streams } from './random-resources.ts';

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
  });

  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const planFor = async (resources: DesiredResource[], how: { adopt?: boolean } = {}) =>
    makePlan({ desired: desiredOf(...resources), observed: await lab.read(resources.map(keyOf)), ...how });

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
    const buckets = ['clients', 'cli'].map((name) => resourceOf('bucket', name, config));
    expect((await planFor(buckets)).changes).toEqual([]);
    const plan = await planFor(buckets, { adopt: true });
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
  });
});
