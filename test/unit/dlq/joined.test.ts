import { describe, expect, test } from '@jest/globals';
import { joinDeaths } from '../../../src/lib/dlq/index-pass.ts';
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
