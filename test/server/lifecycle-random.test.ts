import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import type { Override } from '../../src/lib/model/plan.ts';
import type { Spec } from '../../src/lib/model/spec.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { destroyOperation } from '../../src/lib/operations/destroy.ts';
import { exportOperation } from '../../src/lib/operations/export.ts';
import { planOperation } from '../../src/lib/operations/plan.ts';
import { loadSpec } from '../../src/lib/spec/load.ts';
import { printSpec } from '../../src/lib/spec/print.ts';
import { contextFor } from '../support/context.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { Lab, Refused } from './fields-lab.ts';
import { specs } from './random-specs.ts';

/** Seconds for each line; more of them find what is rarer. */
const SECONDS = Number(process.env.OSAPI_OPS_TEST_SECONDS ?? 8);
const ALL: ReadonlySet<Override> = new Set(['adopt', 'prune', 'allow-replace', 'allow-data-loss']);
const none = new Set<Override>();

describe.each(availableVersions())('the life of a system on nats-server %s', (line) => {
  let server: TestServer;
  let lab: Lab;
  let count = 0;

  beforeAll(async () => {
    server = await startServer({ version: line });
    lab = await Lab.open(server.url);
    for (const name of ['ORIGIN', 'OTHER', 'KV_origin', 'KV_other']) {
      await lab.api(`STREAM.CREATE.${name}`, {
        name,
        subjects: [name.startsWith('KV') ? `$KV.${name.slice(3)}.>` : `${name.toLowerCase()}.>`],
        metadata: { 'osapi-ops.owner': 'somebody' },
      });
    }
    await lab.publish('origin.x', 3);
    await lab.api('CONSUMER.CREATE.OTHER.reader', {
      stream_name: 'OTHER',
      config: { durable_name: 'reader', ack_policy: 'explicit' },
    });
  });

  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const streamNames = async () => ((await lab.api('STREAM.NAMES')).streams ?? []) as string[];

  /** All that is somebody else's, to the last figure. */
  const foreign = async (): Promise<unknown> => {
    const infos = ['ORIGIN', 'OTHER', 'KV_origin', 'KV_other'].map((name) => lab.api(`STREAM.INFO.${name}`));
    const all = await Promise.all([...infos, lab.api('CONSUMER.INFO.OTHER.reader')]);
    return all.map(({ config, created, state }) => ({ config, created, state }));
  };

  /** What the system says of itself; its consumers that source from others come and go. */
  const withoutConsumerCount = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (key, each) => (key === 'consumer_count' ? undefined : each)));

  async function isValid(spec: Spec): Promise<boolean> {
    const { loaded } = await loadSpec('-', { cwd: '/', env: {}, readStdin: async () => printSpec(spec) });
    return loaded !== undefined;
  }

  const touch = (text: string, given: ReadonlySet<Override>) =>
    applyOperation(contextFor(server, text), {
      specs: ['-'],
      given,
      yes: false,
      dryRun: false,
      lockWaitMs: 0,
      show() {},
    });

  async function differences(text: string): Promise<unknown> {
    const { plans } = await planOperation(contextFor(server, text), { specs: ['-'] });
    return plans.flatMap(({ changes, leftAlone }) => [...changes, ...leftAlone]);
  }

  /** Publishes a few requests, where the system takes them. */
  async function work(spec: Spec): Promise<void> {
    for (const name of Object.keys(spec.queues)) {
      for (const subject of [`${name}.a`, `${name}.b.1`]) await lab.publish(subject, 2).catch(() => {});
    }
  }

  const removed = async (text: string) => {
    const context = contextFor(server, text);
    await destroyOperation(context, { specs: ['-'], yes: true, dryRun: false, lockWaitMs: 0, show() {} });
  };

  test(
    'applied, planned, exported, changed and destroyed, whatever it is made of',
    async () => {
      const before = withoutConsumerCount(await foreign());
      const lives = fc.constant(0).chain(() => {
        const system = `t${count++}`;
        return fc.tuple(specs(system, server.version), specs(system, server.version));
      });
      let whole = 0;
      const live = async (first: Spec, second: Spec): Promise<void> => {
        if (!(await isValid(first)) || !(await isValid(second))) return;
        const [one, two] = [printSpec(first), printSpec(second)];
        try {
          await touch(one, none);
          expect(await differences(one)).toEqual([]);
          expect((await touch(one, none)).flatMap(({ changes }) => changes)).toEqual([]);
          await work(first);
          const exported = await exportOperation(contextFor(server), { names: [first.name] }).catch(nothingLive(first));
          if (exported) {
            expect(exported.leftOut).toEqual([]);
            expect(await differences(exported.text)).toEqual([]);
          }
          const changed = await touch(two, ALL).catch(refusedBeforehand);
          if (changed) {
            expect(await differences(two)).toEqual([]);
            whole++;
          }
        } finally {
          await removed(two);
        }
        const left = (await streamNames()).filter((name) => name.replace('KV_', '').startsWith(first.name));
        expect(left).toEqual([]);
      };
      const property = fc.asyncProperty(lives, (pair) => live(...pair));
      const end = performance.now() + SECONDS * 1000;
      // On a busy machine the seconds may be too few for any life to be whole.
      do await fc.assert(property, { numRuns: 1 });
      while (performance.now() < end || whole < 3);
      expect(withoutConsumerCount(await foreign())).toEqual(before);
    },
    SECONDS * 1000 + 60_000,
  );

  /** What the server would refuse is found before anything is touched; a server's own refusal is a fault of the plan. */
  function refusedBeforehand(error: unknown): undefined {
    if (error instanceof OpsError && error.code === 'PLAN_REFUSED') return undefined;
    throw error;
  }

  const nothingLive =
    ({ queues, streams, buckets }: Spec) =>
    (error: unknown): undefined => {
      const isEmpty = [queues, streams, buckets].every((each) => Object.keys(each).length === 0);
      if (isEmpty && !(error instanceof Refused)) return undefined;
      throw error;
    };
});
