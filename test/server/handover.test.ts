import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Override } from '../../src/lib/model/plan.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { planOperation } from '../../src/lib/operations/plan.ts';
import { contextFor } from '../support/context.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { Lab } from './fields-lab.ts';

const queues = (subjects: Record<string, string>): string =>
  [
    'version: 1',
    'name: hand',
    'queues:',
    ...Object.entries(subjects).map(([name, of]) => `  ${name}: {subjects: [${of}]}`),
  ].join('\n');

const workers = (filters: Record<string, string>): string =>
  [
    'version: 1\nname: hand\nqueues:\n  JOBS:\n    subjects: [job.a, job.b]\n    consumers:',
    ...Object.entries(filters).map(([name, of]) => `      ${name}: {filter_subjects: [${of}]}`),
  ].join('\n');

describe.each(availableVersions())('what one hands over to another, nats-server %s', (line) => {
  let server: TestServer;
  let lab: Lab;
  beforeAll(async () => {
    server = await startServer({ version: line });
    lab = await Lab.open(server.url);
  });
  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const apply = (text: string, ...given: Override[]) =>
    applyOperation(contextFor(server, text), {
      specs: ['-'],
      given: new Set(given),
      yes: false,
      dryRun: false,
      lockWaitMs: 0,
      show() {},
    });
  const plan = async (text: string) => (await planOperation(contextFor(server, text), { specs: ['-'] })).plans[0]!;
  const names = ['A', 'B', 'C', 'D'];
  const wipe = async () => {
    for (const name of [...names, 'JOBS', 'KV_osapi_ops']) await lab.api(`STREAM.DELETE.${name}`).catch(() => {});
  };
  const stored = async (stream: string): Promise<Record<string, number>> => {
    const { state } = (await lab.api(`STREAM.INFO.${stream}`, { subjects_filter: '>' })) as {
      state: { subjects?: Record<string, number> };
    };
    return state.subjects ?? {};
  };

  /** Publishes on every subject again and again; tells how many were confirmed and how many were told that nobody listens. */
  function publisher(subjects: readonly string[]) {
    const confirmed: Record<string, number> = {};
    let refused = 0;
    let lost = 0;
    let isOn = true;
    const loops = subjects.map(async (subject) => {
      while (isOn) {
        await lab.nc.request(subject, 'x', { timeout: 5_000 }).then(
          () => {
            confirmed[subject] = (confirmed[subject] ?? 0) + 1;
          },
          (error: Error) => {
            if (/no responders/i.test(error.message)) refused++;
            else lost++;
          },
        );
      }
    });
    return {
      answers: () => refused + Object.values(confirmed).reduce((sum, count) => sum + count, 0),
      stop: async () => {
        isOn = false;
        await Promise.all(loops);
        return { confirmed, refused, lost };
      },
    };
  }

  test.each([
    { name: 'two streams exchange their subjects', from: { A: 's.1', B: 's.2' }, to: { A: 's.2', B: 's.1' } },
    {
      name: 'a subject moves to another stream',
      from: { A: '"s.1", "s.2"', B: 's.3' },
      to: { A: 's.1', B: '"s.3", "s.2"' },
    },
    { name: 'a subject moves to a new stream', from: { A: '"s.1", "s.2"' }, to: { A: 's.1', B: 's.2' } },
    {
      name: 'three go round in a circle',
      from: { A: 's.1', B: 's.2', C: 's.3' },
      to: { A: 's.2', B: 's.3', C: 's.1' },
    },
    {
      name: 'a chain moves up',
      from: { A: 's.1', B: 's.2', C: 's.3' },
      to: { A: 's.2', B: 's.3', C: 's.4', D: 's.1' },
    },
    { name: 'a wide one is split', from: { A: '"s.>"', B: 't.1' }, to: { A: '"s.1", t.1', B: '"s.2", "s.3"' } },
  ])('$name under traffic: what was confirmed is stored', async ({ from, to }) => {
    await wipe();
    await apply(queues(from as Record<string, string>));
    const { stop, answers } = publisher(['s.1', 's.2', 's.3']);
    await until(() => answers() > 10, 'it is published');
    const after = queues(to as Record<string, string>);
    const told = await plan(after);
    expect(told.findings.filter(({ severity }) => severity === 'refuse')).toEqual([]);
    expect(told.findings.some(({ code }) => code === 'RISK_SUBJECTS')).toBe(true);
    await apply(after);
    const { confirmed, lost } = await stop();
    expect(lost).toBe(0);
    expect((await plan(after)).changes).toEqual([]);
    const all: Record<string, number> = {};
    for (const name of names) {
      for (const [subject, count] of Object.entries(await stored(name).catch(() => ({})))) {
        all[subject] = (all[subject] ?? 0) + count;
      }
    }
    expect(all).toEqual(confirmed);
  });

  const pull = async (consumer: string, batch: number): Promise<string[]> => {
    const inbox = `_INBOX.pull.${Math.random().toString(36).slice(2)}`;
    const got: string[] = [];
    const sub = lab.nc.subscribe(inbox);
    const request = JSON.stringify({ batch, expires: 300e6 });
    lab.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.JOBS.${consumer}`, request, { reply: inbox });
    for await (const message of sub) {
      if (message.headers?.code) break;
      got.push(message.subject);
      message.respond('+ACK');
      if (got.length === batch) break;
    }
    sub.unsubscribe();
    await lab.nc.flush();
    return got;
  };

  test('two workers exchange their filters, and each then gets what is its own', async () => {
    await wipe();
    await apply(workers({ w: 'job.a', v: 'job.b' }));
    await lab.publish('job.a', 2);
    await lab.publish('job.b', 2);
    expect([await pull('w', 2), await pull('v', 2)].flat()).toHaveLength(4);
    await apply(workers({ w: 'job.b', v: 'job.a' }));
    expect((await plan(workers({ w: 'job.b', v: 'job.a' }))).changes).toEqual([]);
    await lab.publish('job.a', 3);
    await lab.publish('job.b', 4);
    expect(await pull('v', 9)).toEqual(Array(3).fill('job.a'));
    expect(await pull('w', 9)).toEqual(Array(4).fill('job.b'));
  });

  test('messages behind what a consumer has delivered are counted and not left without a worker unsaid', async () => {
    await wipe();
    await apply(workers({ w: 'job.a', v: 'job.b' }));
    await lab.publish('job.a', 3);
    await lab.publish('job.b', 2);
    expect(await pull('v', 2)).toHaveLength(2);
    const swapped = workers({ w: 'job.b', v: 'job.a' });
    const { findings } = await plan(swapped);
    expect(findings).toMatchObject([
      { code: 'RISK_STRANDED', resource: 'consumer JOBS/v', count: 3, needs: 'allow-data-loss' },
    ]);
    await expect(apply(swapped)).rejects.toMatchObject({ code: 'RISK_REFUSED' });
    await apply(swapped, 'allow-data-loss');
    // The server's own word for it: they wait for nobody.
    expect(await pull('v', 9)).toEqual([]);
    expect(await stored('JOBS')).toEqual({ 'job.a': 3 });
  });

  test('nothing is refused where what lies on the gained subject is still ahead, or goes to a new consumer', async () => {
    await wipe();
    await apply(workers({ w: 'job.a' }));
    await lab.publish('job.a', 2);
    expect(await pull('w', 2)).toHaveLength(2);
    await lab.publish('job.b', 3);
    await apply(workers({ w: 'job.a, job.b' }));
    expect(await pull('w', 3)).toEqual(Array(3).fill('job.b'));
    await lab.publish('job.b', 2);
    await apply(workers({ w: 'job.a', v: 'job.b' }));
    expect(await pull('v', 2)).toEqual(Array(2).fill('job.b'));
  });

  test('a filter that is dropped and that nobody takes over leaves its messages, and that is said', async () => {
    await wipe();
    await apply(workers({ w: 'job.a, job.b' }));
    await lab.publish('job.b', 3);
    await expect(apply(workers({ w: 'job.a' }))).rejects.toMatchObject({ code: 'RISK_REFUSED' });
    const { findings } = await plan(workers({ w: 'job.a' }));
    expect(findings).toMatchObject([
      { code: 'RISK_STRANDED', count: 3, message: expect.stringContaining('no consumer') },
    ]);
  });
});
