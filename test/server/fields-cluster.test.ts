import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config, Json } from '../../src/lib/model/json.ts';
import { type DesiredResource, keyOf } from '../../src/lib/model/resource.ts';
import { measureLosses } from '../../src/lib/observed/losses.ts';
import { makePlan } from '../../src/lib/plan/make-plan.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { desiredOf, Lab, Refused, resourceOf } from './fields-lab.ts';

const newest = availableVersions().at(-1)!;

describe(`a cluster of three, nats-server ${newest}`, () => {
  let server: TestServer;
  let lab: Lab;
  beforeAll(async () => {
    server = await startServer({ version: newest, cluster: 3, config: 'server_tags: [ssd]' });
    lab = await Lab.open(server.url);
  });
  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const planFor = async (resource: DesiredResource) =>
    makePlan({ desired: desiredOf(resource), observed: await lab.read([keyOf(resource)]) });

  /** The server answers 10124 or 10226 while a move, or another change of replicas, still runs. */
  async function settledUpdate(stream: string, config: Config): Promise<void> {
    const isDone = async () => {
      try {
        return Boolean(await lab.api(`STREAM.UPDATE.${stream}`, config));
      } catch (busy) {
        if (busy instanceof Refused && [10124, 10226].includes(busy.errCode)) return false;
        throw busy;
      }
    };
    await until(isDone, `${stream} can be changed`, 30_000);
  }

  /** The server takes no change of replicas while another still runs. */
  async function current(stream: string, replicas: number): Promise<void> {
    const isCurrent = async () => {
      const info = (await lab.api(`STREAM.INFO.${stream}`)) as { cluster?: { replicas?: { current: boolean }[] } };
      const peers = info.cluster?.replicas ?? [];
      return peers.length === replicas - 1 && peers.every((peer) => peer.current);
    };
    await until(isCurrent, `${stream} has ${replicas} current replicas`);
  }

  test('a stream that moves and scales at once is moved first, and then scaled', async () => {
    const of = (fields: Record<string, Json>) => resourceOf('stream', 'MOVES', { subjects: ['moves'] }, fields);
    await lab.run((await planFor(of({}))).steps);
    const target = of({ num_replicas: 3, placement: { tags: ['ssd'] } });
    const plan = await planFor(target);
    expect(plan.findings).toEqual([]);
    expect(plan.steps[0]?.configs).toHaveLength(2);
    const [moved, scaled] = plan.steps[0]!.configs;
    await expect(lab.api('STREAM.UPDATE.MOVES', scaled)).rejects.toThrow('can not move and scale');
    await lab.api('STREAM.UPDATE.MOVES', moved);
    await settledUpdate('MOVES', scaled!);
    await current('MOVES', 3);
    expect((await planFor(target)).changes).toEqual([]);
  });

  test('three replicas become one in place, with nothing lost', async () => {
    const of = (num_replicas: number) => resourceOf('stream', 'SCALES', { subjects: ['scales'], num_replicas });
    await lab.run((await planFor(of(3))).steps);
    await lab.publish('scales', 5);
    const plan = await planFor(of(1));
    expect(plan.changes).toMatchObject([{ action: 'update', fields: [{ path: 'num_replicas', from: 3, to: 1 }] }]);
    await lab.run(plan.steps);
    await current('SCALES', 1);
    const after = await planFor(of(1));
    expect(after.changes).toEqual([]);
  });
});

describe.each(availableVersions())('messages older than a limit, nats-server %s', (line) => {
  test('are counted exactly, gaps of deleted messages left out', async () => {
    const server = await startServer({ version: line });
    const lab = await Lab.open(server.url);
    try {
      const of = (fields: Record<string, Json>) => resourceOf('stream', 'OLD', { subjects: ['old.*'] }, fields);
      await lab.run(makePlan({ desired: desiredOf(of({})), observed: await lab.read([]) }).steps);
      await lab.publish('old.a', 200);
      for (const seq of [1, 2, 50, 51, 52, 199, 200]) await lab.api('STREAM.MSG.DELETE.OLD', { seq });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await lab.publish('old.b', 100);
      await lab.api('STREAM.MSG.DELETE.OLD', { seq: 250 });
      const desired = desiredOf(of({ max_age: 1e9 }));
      const observed = await lab.read(['stream OLD']);
      // As of the moment when the first of the second hundred is half a second younger than the limit.
      const { message } = await lab.api('STREAM.MSG.GET.OLD', { seq: 201 });
      const limit = Date.parse((message as { time: string }).time) + 1000;
      const losses = await measureLosses(lab.nats, { desired, observed }, new Date(limit - 500));
      expect(losses.get('stream OLD')).toEqual([{ field: 'max_age', count: 193, exact: true }]);
    } finally {
      await lab.nc.close();
      await server.stop();
    }
  });
});
