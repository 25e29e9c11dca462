import { describe, expect, test } from '@jest/globals';
import { deepText, parseExact, stableText } from '../../../src/lib/model/json.ts';
import { parseDuration } from '../../../src/lib/model/units.ts';

describe('a length of time', () => {
  test.each([
    ['0', 0],
    ['1', undefined],
    ['30', undefined],
    ['999999', undefined],
    ['1000000', 1e6],
    ['5000000000', 5e9],
    ['-30', undefined],
    ['-1000000', -1e6],
    ['1ns', 1],
    ['999us', 999e3],
    ['1h30m', 5400e9],
    ['30 s', undefined],
  ])('%s: a bare number is nanoseconds, and none below a millisecond', (text, nanos) => {
    expect(parseDuration(text)).toBe(nanos);
  });
});

describe('JSON with long numbers', () => {
  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740992', '-9007199254740992'],
    ['12345678901234567891', '12345678901234567891'],
    ['12345678901234567892', '12345678901234567892'],
    ['0.1234567890123456789', 0.12345678901234568],
    ['"12345678901234567891"', '12345678901234567891'],
    ['1e3', 1000],
  ])('%s is kept to the digit', (written, value) => {
    expect(parseExact(`{"id":${written},"pad":"0000000000000000"}`)).toMatchObject({ id: value });
  });

  test.each([
    ['1e308', '1e308'],
    ['1e309', '1e309'],
    ['-1E+400', '-1E+400'],
    ['1e-400', 0],
    ['null', null],
    ['"1e400"', '1e400'],
  ])('%s is no other value', (written, value) => {
    expect(parseExact(written)).toBe(value);
  });

  test.each([
    '{12345678901234567890:1}',
    '{12345678901234567890 :1}',
    '012345678901234567890',
    '12345678901234567890.',
    '--12345678901234567890',
    '"a"12345678901234567890',
    '1e400e1',
    '+1e400',
  ])('%s is no JSON', (written) => {
    expect(() => parseExact(written)).toThrow(SyntaxError);
  });

  test.each([3000, 20_000, 200_000])('%i deep it is read and printed', (depth) => {
    const text = `${'{"b":['.repeat(depth)}"9007199254740993"${']}'.repeat(depth)}`;
    const value = parseExact(text.replaceAll('"9007199254740993"', '9007199254740993'));
    expect(deepText(value) === text).toBe(true);
    expect(stableText(value) === text).toBe(true);
  });
});
