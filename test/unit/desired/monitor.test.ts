import { describe, expect, test } from '@jest/globals';
import { deriveDesired } from '../../../src/lib/desired/derive.ts';
import { withoutMonitor } from '../../../src/lib/desired/monitor.ts';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { loadText } from '../spec/support.ts';

const BACKLOG = 'io.nats.monitor.unprocessed-critical';
const ON = { 'io.nats.monitor.enabled': 'true' };
const PEERS = 'io.nats.monitor.peer-expect';

const specOf = (queue: string) => `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
${queue}`;
const worker = (name: string, more = '') => `      ${name}: {filter_subject: "requests.${name}"${more}}\n`;

async function load(text: string) {
  const { loaded, problems } = await loadText(text);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return loaded!;
}

/** The labels of each resource, without the owner's mark. */
async function labels(text: string): Promise<Record<string, object>> {
  const { resources } = deriveDesired(await load(text));
  return Object.fromEntries(
    resources.map(({ name, config }) => {
      const { 'osapi-ops.owner': _, ...rest } = config.metadata as Record<string, string>;
      return [name, rest];
    }),
  );
}

/** The spec as an export finds it: every label of the server among the fields. */
async function exported(text: string): Promise<Spec> {
  const { spec } = await load(text);
  const found = await labels(text);
  const [name, queue] = Object.entries(spec.queues)[0]!;
  const consumers = Object.entries(queue.consumers).map(([each, config]) => [
    each,
    { ...config, metadata: found[`${name}/${each}`]! },
  ]);
  const live = {
    ...queue,
    config: { ...queue.config, metadata: found[name]! },
    consumers: Object.fromEntries(consumers),
  };
  return { ...spec, queues: { [name]: live } } as Spec;
}

describe('the labels that `nats server check` goes by', () => {
  test.each([
    { name: 'by default', health: '', want: { ...ON, [BACKLOG]: '10000' } },
    { name: 'by the spec', health: '    health: {backlog: {critical: 500}}\n', want: { ...ON, [BACKLOG]: '500' } },
    { name: 'not where the limit is off', health: '    health: {backlog: {critical: off}}\n', want: {} },
  ])('are written to a consumer $name', async ({ health, want }) => {
    expect(await labels(specOf(`    consumers:\n${worker('a')}${health}`))).toMatchObject({ 'REQUESTS/a': want });
    expect((await labels(specOf(`    consumers:\n${worker('a')}${health}`)))['REQUESTS/a']).toEqual(want);
  });

  test('stand back where the spec writes them itself', async () => {
    const own = worker('a', `, metadata: {${BACKLOG}: "7"}`);
    expect(await labels(specOf(`    num_replicas: 3\n    metadata: {${PEERS}: "5"}\n    consumers:\n${own}`))).toEqual({
      REQUESTS: {
        ...ON,
        [PEERS]: '5',
        'io.nats.monitor.peer-lag-critical': '200',
        'io.nats.monitor.peer-seen-critical': '10s',
      },
      'REQUESTS/a': { ...ON, [BACKLOG]: '7' },
    });
  });
});

describe('a spec made from what is live', () => {
  const labelsLeft = (spec: Spec) =>
    Object.values(spec.queues).flatMap(({ config, consumers }) =>
      [config, ...Object.values(consumers)].map((one) => one.metadata),
    );

  test('has no label that is derived anew', async () => {
    const spec = withoutMonitor(
      await exported(specOf(`    num_replicas: 3\n    consumers:\n${worker('a')}`)),
      undefined,
    );
    expect(labelsLeft(spec)).toEqual([{}, {}]);
    expect(spec.queues.REQUESTS?.health.backlog).toEqual({ warn: 1000, critical: 10_000 });
  });

  test('takes the threshold that its consumers share as the queue’s, unless it was written as a label', async () => {
    const text = specOf(`    consumers:\n${worker('a', `, metadata: {${BACKLOG}: "7"}`)}`);
    const live = await exported(text);
    const taken = withoutMonitor(live, undefined);
    expect(taken.queues.REQUESTS?.health.backlog).toEqual({ warn: 1000, critical: 7 });
    expect(labelsLeft(taken)).toEqual([{}, {}]);
    const kept = withoutMonitor(live, (await load(text)).spec);
    expect(kept.queues.REQUESTS?.health.backlog.critical).toBe(10_000);
    expect(labelsLeft(kept)).toEqual([{}, { [BACKLOG]: '7' }]);
  });

  test('keeps as labels what its consumers do not share', async () => {
    const live = await exported(
      specOf(`    consumers:\n${worker('a', `, metadata: {${BACKLOG}: "7"}`)}${worker('b')}`),
    );
    expect(labelsLeft(withoutMonitor(live, undefined))).toEqual([{}, { [BACKLOG]: '7' }, {}]);
  });
});
