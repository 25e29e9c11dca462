import { describe, expect, test } from '@jest/globals';
import { sendStep } from '../../../src/lib/apply/step.ts';
import { createTeller } from '../../../src/lib/apply/tell.ts';
import type { Plan } from '../../../src/lib/model/plan.ts';
import type { ResourceKey } from '../../../src/lib/model/resource.ts';
import type { Nats } from '../../../src/lib/nats/connect.ts';
import { recordingIo } from '../../support/io.ts';

describe('the request of a step', () => {
  const table: readonly { resource: ResourceKey; verb: 'create' | 'update'; want: unknown }[] = [
    { resource: 'stream S', verb: 'create', want: { subject: 'STREAM.CREATE.S', body: { a: 1 } } },
    { resource: 'stream S', verb: 'update', want: { subject: 'STREAM.UPDATE.S', body: { a: 1 } } },
    { resource: 'bucket b', verb: 'update', want: { subject: 'STREAM.UPDATE.KV_b', body: { a: 1 } } },
    {
      resource: 'consumer S/c',
      verb: 'create',
      want: { subject: 'CONSUMER.CREATE.S.c', body: { stream_name: 'S', config: { a: 1 }, action: 'create' } },
    },
    {
      resource: 'consumer S/c',
      verb: 'update',
      want: { subject: 'CONSUMER.CREATE.S.c', body: { stream_name: 'S', config: { a: 1 }, action: 'update' } },
    },
  ];
  test.each(table)('$verb $resource', async ({ resource, verb, want }) => {
    const asked: unknown[] = [];
    const api = async (subject: string, body?: object) => {
      asked.push({ subject, ...(body && { body }) });
      return { name: 'c', config: { name: 'S', b: 2 } };
    };
    const nats = { api, settings: { apiPrefix: '$JS.API' } } as unknown as Nats;
    const answer = await sendStep(nats, { resource, verb }, { a: 1 }, {});
    expect({ asked, answer: answer.config }).toEqual({ asked: [want], answer: { name: 'S', b: 2 } });
  });
});

describe('what a host is told', () => {
  const planOf = (count: number) =>
    ({
      system: 's',
      changes: Array.from({ length: count }, (_, i) => ({ action: 'create', kind: 'stream', name: `S${i}` })),
    }) as unknown as Plan;

  test('few changes are a line each, and what was not reached is said to be skipped', () => {
    const io = recordingIo();
    const teller = createTeller(planOf(3), io);
    teller.begin();
    teller.started(0);
    teller.started(0);
    teller.done(0);
    teller.started(1);
    teller.failed(1, 'no');
    teller.end();
    expect(io.events.map((event) => (event.type === 'task' ? `${event.index} ${event.state}` : event.type))).toEqual([
      'tasks',
      '0 started',
      '0 done',
      '1 started',
      '1 failed',
      '2 skipped',
      'tasks-end',
    ]);
  });

  test('many changes are one figure that grows', () => {
    const io = recordingIo();
    const teller = createTeller(planOf(100), io);
    teller.begin();
    for (let index = 0; index < 100; index++) teller.done(index);
    teller.end();
    expect(io.events.at(-1)).toEqual({ type: 'progress', title: 'Applying s', done: 100, total: 100 });
  });
});
