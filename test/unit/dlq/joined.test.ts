import { describe, expect, test } from '@jest/globals';
import { alone, joinDeaths, keyOfDeath } from '../../../src/lib/dlq/told.ts';
import { at, death, record, stored } from './builders.ts';

const reject = (seq: number, payload: string, subject = 'requests.dns') =>
  death({
    record: record({ seq, kind: 'rejected', reason: 'rejected', time: at(seq) }),
    carried: stored({ payload, subject }),
  });

describe('records of one id', () => {
  test.each([
    { name: 'the same message told twice goes as one', of: [reject(1, 'a'), reject(2, 'a')], goes: [1, 2] },
    { name: 'another payload stays: it is the only copy', of: [reject(1, 'old'), reject(2, 'new')], goes: [2] },
    { name: 'so does another subject', of: [reject(1, 'a', 'requests.x'), reject(2, 'a')], goes: [2] },
    {
      name: 'an advisory goes with what it tells of',
      of: [death({ record: record({ seq: 1, time: at(1) }) }), reject(2, 'a')],
      goes: [1, 2],
    },
  ])('$name', ({ of, goes }) => {
    expect(joinDeaths(of).records.map(({ seq }) => seq)).toEqual(goes);
  });
});

describe('records of one id, as one', () => {
  const told = (fields: Parameters<typeof record>[0]) => death({ record: record(fields) });
  const removal = { reason: 'terminated', detail: 'Message deleted by stream limits' } as const;
  test.each([
    {
      name: 'the newest by time',
      of: [told({ seq: 2, time: at(1) }), told({ seq: 1, time: at(2) })],
      speaks: 1,
      order: [2, 1],
    },
    { name: 'at one time, the one stored later', of: [told({ seq: 2 }), told({ seq: 1 })], speaks: 2, order: [1, 2] },
    {
      name: 'that it went later says nothing',
      of: [told({ seq: 1, time: at(1) }), told({ seq: 2, time: at(2), ...removal })],
      speaks: 1,
      order: [1, 2],
    },
    {
      name: 'unless nothing else is told',
      of: [1, 2, 3].map((seq) => told({ seq, time: at(seq), ...removal })),
      speaks: 3,
      order: [1, 2, 3],
    },
  ])('speak by $name', ({ of, speaks, order }) => {
    const joined = joinDeaths(of);
    expect(joined.death.record.seq).toBe(speaks);
    expect(joined.records.map(({ seq }) => seq)).toEqual(order);
  });

  test('keep the newest copy, where the newest of them has none', () => {
    const newest = told({ seq: 3, time: at(3) });
    const joined = joinDeaths([reject(1, 'old'), reject(2, 'new'), newest]);
    expect(joined.death).toEqual({ ...newest, carried: stored({ payload: 'new' }) });
    expect(joinDeaths([told({ seq: 1 })]).death).not.toHaveProperty('carried');
    expect(joinDeaths([reject(1, 'old'), reject(2, 'new')]).death.carried).toEqual(stored({ payload: 'new' }));
  });

  test('of another header are another message', () => {
    const other = death({
      record: record({ seq: 1, kind: 'rejected', time: at(1) }),
      carried: stored({ payload: 'a', headers: [{ name: 'A', value: '1' }] }),
    });
    expect(joinDeaths([other, reject(2, 'a')]).records.map(({ seq }) => seq)).toEqual([2]);
  });

  test('are of one message by stream and consumer, or by where they lie', () => {
    expect(keyOfDeath(death())).toBe('REQUESTS/worker');
    expect(keyOfDeath(death({ pointsAtOriginal: false }))).toBe('dlq//');
    expect(alone(death())).toEqual({ death: death(), records: [record()] });
  });
});
