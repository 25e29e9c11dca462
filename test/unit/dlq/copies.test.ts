import { describe, expect, test } from '@jest/globals';
import { copiedTo, heldFor, toStanding } from '../../../src/lib/dlq/standing.ts';
import { isServersOwn } from '../../../src/lib/facts/names.ts';
import type { ConsumerInfo } from '../../../src/lib/nats/info.ts';
import { consumer, standing } from './builders.ts';

describe('the server’s own consumers', () => {
  test.each([
    ['JS_MIRROR_ih8eMwqr', {}, true],
    ['JS_SRC_ih8eMwqr', {}, true],
    ['JS_MIRROR_short', {}, false],
    ['JS_MIRROR_ih8eMwqrX', {}, false],
    ['request-worker', { ack_policy: 'explicit' }, false],
    ['copier', { ack_policy: 'flow_control' }, true],
    ['copier', { sourcing: true }, true],
  ])('%s %j: %s', (name, config, want) => {
    expect(isServersOwn(name, config)).toBe(want);
  });

  test('are no workers of a queue', () => {
    const info = (name: string): ConsumerInfo =>
      ({ name, config: {}, created: '', bound: false, figures: {} }) as unknown as ConsumerInfo;
    const found = toStanding('Q', undefined, [info('w'), info('JS_MIRROR_ih8eMwqr')], 0);
    expect([found.consumers, found.copies].map((all) => all.map(({ name }) => name))).toEqual([
      ['w'],
      ['JS_MIRROR_ih8eMwqr'],
    ]);
  });
});

describe('what a copy holds', () => {
  const of = (...copies: Parameters<typeof consumer>[0][]) =>
    standing({ copies: copies.map((copy) => consumer(copy)) });
  test.each([
    { name: 'no copy', of: of(), to: Number.POSITIVE_INFINITY, held: 0 },
    { name: 'one that has all', of: of({ ackFloor: 3 }), to: Number.POSITIVE_INFINITY, held: 0 },
    { name: 'one that waits for a message', of: of({ ackFloor: 3, pending: 1 }), to: 3, held: 1 },
    { name: 'one that has not acked', of: of({ ackFloor: 3, ackPending: 2, pending: 1 }), to: 3, held: 3 },
    { name: 'the slower of two', of: of({ ackFloor: 9, pending: 1 }, { ackFloor: 4, pending: 6 }), to: 4, held: 6 },
  ])('$name', ({ of: queue, to, held }) => {
    expect([copiedTo(queue), heldFor(queue)]).toEqual([to, held]);
  });
});
