import { describe, expect, test } from '@jest/globals';
import { afterFailure, afterReject, needsConfirming } from '../../../src/lib/worker/after.ts';
import type { Timing } from '../../../src/lib/worker/timing.ts';

const three: Timing = { ackWaitMs: 9000, backoffMs: [1000, 5000], maxDeliver: 3 };
const endless: Timing = { ackWaitMs: 9000, backoffMs: [], maxDeliver: 0 };

describe('a delivery that failed', () => {
  test.each([
    { timing: three, delivery: 1, delayMs: 1000, dies: false },
    { timing: three, delivery: 2, delayMs: 5000, dies: false },
    { timing: three, delivery: 3, delayMs: 0, dies: true },
    { timing: three, delivery: 4, delayMs: 0, dies: true },
    { timing: endless, delivery: 1, delayMs: 9000, dies: false },
    { timing: endless, delivery: 999, delayMs: 9000, dies: false },
  ])('for the $delivery. time of $timing.maxDeliver comes again after $delayMs ms', ({ timing, delivery, ...want }) => {
    expect(afterFailure(timing, delivery, { kind: 'failed', reason: 'no', id: 'r1' })).toEqual({
      delayMs: want.delayMs,
      note: { kind: 'failed', reason: 'no', id: 'r1', ...(!want.dies && { nextInMs: want.delayMs }) },
      told: {
        level: want.dies ? 'error' : 'warn',
        event: 'failed',
        message: want.dies ? 'failed, for the last time: it is dead' : 'failed',
        reason: 'no',
        request_id: 'r1',
        ...(!want.dies && { retry_in_ms: want.delayMs }),
      },
    });
  });

  test('is told by its kind; what could not be stored is an error from the first time on', () => {
    const told = (kind: 'retry' | 'unstored', delivery: number) =>
      afterFailure(three, delivery, { kind, reason: 'no', id: 'r1' }).told;
    expect(told('retry', 1)).toMatchObject({ level: 'warn', event: 'retry', message: 'put off' });
    expect(told('unstored', 1)).toMatchObject({ level: 'error', message: 'its response could not be stored' });
    expect(told('unstored', 3)).toMatchObject({
      level: 'error',
      message: 'its response could not be stored, for the last time: it is dead',
    });
  });

  test('comes again when the handler asks for it, at once as well', () => {
    const again = (delayMs: number) => afterFailure(three, 2, { kind: 'retry', reason: 'no', id: 'r1', delayMs });
    expect(again(70)).toMatchObject({ delayMs: 70, note: { nextInMs: 70 }, told: { retry_in_ms: 70 } });
    expect(again(0)).toMatchObject({ delayMs: 0, note: { nextInMs: 0 }, told: { retry_in_ms: 0 } });
  });
});

describe('a reject without a copy', () => {
  const of = (timing: Timing, delivery: number, keepsRejects: boolean) =>
    afterReject(timing, delivery, { reason: 'no id', id: undefined, why: 'no stream captures rejects', keepsRejects });
  const note = { kind: 'rejected', reason: 'no id' };

  test.each([
    {
      name: 'hurries to its end, told once',
      timing: three,
      delivery: 1,
      keeps: false,
      delayMs: 0,
      level: 'error',
      note,
    },
    {
      name: 'says nothing again',
      timing: three,
      delivery: 2,
      keeps: false,
      delayMs: 0,
      level: 'debug',
      note: undefined,
    },
    {
      name: 'waits where a copy may succeed',
      timing: three,
      delivery: 2,
      keeps: true,
      delayMs: 5000,
      level: 'error',
      note,
    },
    {
      name: 'waits where there is no end',
      timing: endless,
      delivery: 7,
      keeps: false,
      delayMs: 9000,
      level: 'error',
      note,
    },
  ])('$name', ({ timing, delivery, keeps, name: _, ...want }) => {
    const { delayMs, note, told } = of(timing, delivery, keeps);
    expect({ delayMs, level: told.level, note }).toEqual(want);
  });

  test('says why there is none, and which request it was where that is known', () => {
    expect(of(three, 1, false).told).toEqual({
      level: 'error',
      event: 'rejected',
      message: 'rejected, and left in the queue to die: no stream captures rejects',
      reason: 'no id',
    });
    const known = afterReject(three, 1, { reason: 'x', id: 'r1', why: 'y', keepsRejects: false });
    expect(known).toMatchObject({ note: { id: 'r1' }, told: { request_id: 'r1' } });
  });
});

test.each([
  { maxDeliver: 0, delivery: 1, want: false },
  { maxDeliver: 0, delivery: 2, want: true },
  { maxDeliver: 2, delivery: 1, want: false },
  { maxDeliver: 1, delivery: 1, want: true },
])('the ack of delivery $delivery of $maxDeliver must be confirmed: $want', ({ maxDeliver, delivery, want }) => {
  expect(needsConfirming({ ...three, maxDeliver }, delivery)).toBe(want);
});
