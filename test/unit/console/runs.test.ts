import { describe, expect, test } from '@jest/globals';
import { lineOf } from '../../../src/lib/console/answer.ts';
import { Hub } from '../../../src/lib/console/hub.ts';
import { Runs, readAnswer } from '../../../src/lib/console/runs.ts';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import type { Io } from '../../../src/lib/model/io.ts';
import { until } from '../../support/until.ts';

const make = () => {
  const hub = new Hub();
  return { hub, runs: new Runs(hub, { now: () => new Date('2026-01-02T03:04:05Z'), connection: { server: 'b:1' } }) };
};
const begin = (runs: Runs, work: (io: Io) => Promise<unknown>) =>
  runs.start({
    verb: 'replay',
    line: lineOf(['osapi-ops']),
    work: async (io) => ({ result: await work(io), exit: 0 }),
  });
const forever = (io: Io) =>
  new Promise((_, reject) => io.signal.addEventListener('abort', () => reject(io.signal.reason)));

describe('a run', () => {
  test('asks, and goes on with the answer', async () => {
    const { runs } = make();
    const { id } = begin(runs, async (io) => {
      const first = await io.ask({ type: 'confirm', text: 'Sure?', fallback: false });
      return [io.interactive, first, await io.ask({ type: 'typed-name', text: 'Which?', name: 'osapi', fallback: '' })];
    });
    await until(() => runs.one(id).state === 'asking', 'it asks');
    expect(runs.one(id).question).toEqual({ type: 'confirm', text: 'Sure?', fallback: false, n: 1 });
    runs.answer(id, 1, true);
    await until(() => runs.one(id).question?.n === 2, 'it asks again');
    expect(() => runs.answer(id, 1, true)).toThrow(expect.objectContaining({ code: 'CONSOLE_EXPIRED' }));
    runs.answer(id, 2, 'osapi');
    await until(() => runs.one(id).state === 'done', 'it ends');
    expect(runs.one(id)).toMatchObject({
      exit: 0,
      result: [true, true, 'osapi'],
      ended_at: '2026-01-02T03:04:05.000Z',
    });
    expect(runs.one(id).question).toBeUndefined();
  });

  test('that is stopped while it asks ends without an answer', async () => {
    const { runs } = make();
    const { id } = begin(runs, (io) => io.ask({ type: 'confirm', text: 'Sure?', fallback: true }));
    await until(() => runs.one(id).state === 'asking', 'it asks');
    runs.stop(id);
    await until(() => runs.one(id).state === 'stopped', 'it ends');
    expect(runs.one(id)).toMatchObject({ exit: 130, error: { code: 'INTERRUPTED' } });
  });

  test('that fails says so, with what was done until then', async () => {
    const { runs } = make();
    const { id } = begin(runs, async () => {
      throw new OpsError('DLQ_UNFINISHED', 'half', {
        hints: ['again'],
        why: 'See `osapi-ops doctor`.',
        result: { replayed: 1, entries: [{ id: 'a' }] },
      });
    });
    await until(() => runs.one(id).state === 'failed', 'it ends');
    expect(runs.one(id)).toMatchObject({
      exit: 1,
      // A line in its words leads to the same server.
      error: {
        code: 'DLQ_UNFINISHED',
        message: 'half',
        why: 'See `osapi-ops doctor --server b:1`.',
        hint: 'again',
        hints: ['again'],
      },
      result: { replayed: 1, entries: [{ id: 'a' }] },
    });
    // A list of all tells figures, and not one for each message.
    expect(runs.all()[0]!.result).toEqual({ replayed: 1 });
  });

  test('keeps the last hundred that it was told, and the newest progress', async () => {
    const { runs } = make();
    const { id } = begin(runs, async ({ tell }) => {
      for (let count = 1; count <= 100; count++) tell({ type: 'note', text: `${count}` });
      tell({ type: 'note', text: '`osapi-ops status`' });
      tell({ type: 'tasks', title: 'Apply', tasks: ['a', 'b'] });
      tell({ type: 'task', index: 0, state: 'done' });
      tell({ type: 'task', index: 7, state: 'done' });
      tell({ type: 'progress', title: 'Replaying', done: 3, total: 4 });
    });
    await until(() => runs.one(id).state === 'done', 'it ends');
    const { tells, progress, tasks } = runs.one(id);
    expect([tells.length, tells[0]!.text, tells.at(-1)!.text]).toEqual([100, '2', '`osapi-ops status --server b:1`']);
    expect(progress).toEqual({ title: 'Replaying', done: 3, total: 4 });
    expect(tasks).toEqual([
      { title: 'a', state: 'done' },
      { title: 'b', state: 'waiting' },
    ]);
  });

  test('is told of seldom while it speaks often, and for certain at its end', async () => {
    const { hub, runs } = make();
    let told = 0;
    hub.listen(() => {
      told += 1;
    });
    const { id } = begin(runs, async ({ tell }) => {
      for (let done = 1; done <= 1000; done++) tell({ type: 'progress', title: 'x', done });
    });
    await until(() => runs.one(id).state === 'done', 'it ends');
    expect(told).toBeLessThan(5);
    expect(JSON.parse(hub.since(0)[0]!.data)).toMatchObject({ state: 'done', progress: { done: 1000 } });
  });

  test('beyond sixteen at once is refused; the last fifty are remembered', async () => {
    const { runs, hub } = make();
    for (let count = 0; count < 16; count++) begin(runs, forever);
    expect(() => begin(runs, forever)).toThrow(expect.objectContaining({ code: 'CONSOLE_LIMIT' }));
    await runs.end(new OpsError('INTERRUPTED', 'the console ends'));
    expect(runs.all().every(({ state }) => state === 'stopped')).toBe(true);
    for (let count = 0; count < 60; count++) {
      const { id } = begin(runs, async () => count);
      await until(() => runs.one(id).state === 'done', 'it ends');
    }
    expect(runs.all()).toHaveLength(50);
    expect(hub.since(0)).toHaveLength(50);
  });
});

test.each([
  { type: 'confirm', value: true, want: true },
  { type: 'confirm', value: 'true', want: undefined },
  { type: 'confirm', value: 1, want: undefined },
  { type: 'typed-name', value: 'x', want: 'x' },
  { type: 'typed-name', value: true, want: undefined },
  { type: 'text', value: '', want: '' },
  { type: 'choice', value: 'a', want: 'a' },
  { type: 'choice', value: 'b', want: undefined },
] as const)('an answer $value to a question of the kind $type', ({ type, value, want }) => {
  const question = { type, text: '?', fallback: '', name: 'x', choices: [{ value: 'a', label: 'A' }] } as never;
  const read = () => readAnswer(question, value);
  if (want === undefined) expect(read).toThrow(expect.objectContaining({ code: 'USAGE' }));
  else expect(read()).toBe(want);
});
