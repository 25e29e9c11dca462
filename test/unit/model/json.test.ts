import { describe, expect, test } from '@jest/globals';
import { jsonIn, parseExact, printJson } from '../../../src/lib/model/json.ts';

describe('JSON as every reader takes it', () => {
  test.each([
    { name: 'half a pair at its end', value: 'a\ud800', want: '"a\ufffd"' },
    { name: 'the other half', value: '\udfff.', want: '"\ufffd."' },
    { name: 'half a pair in a key', value: { '\udbff': 1 }, want: '{"\ufffd":1}' },
    { name: 'halves in the wrong order', value: '\udc00\ud800', want: '"\ufffd\ufffd"' },
    { name: 'a whole pair', value: '\ud83d\ude00', want: '"\ud83d\ude00"' },
    { name: 'what only looks like an escape', value: '\\ud800', want: '"\\\\ud800"' },
    { name: 'a backslash before half a pair', value: '\\\ud800', want: '"\\\\\ufffd"' },
    { name: 'other escapes', value: '\n"\u0001\ud800', want: '"\\n\\"\\u0001\ufffd"' },
    { name: 'the letters around the halves', value: '\ud7ff\ue000', want: '"\ud7ff\ue000"' },
  ])('$name', ({ value, want }) => {
    expect(printJson(value)).toBe(want);
    expect(JSON.parse(printJson([value], 2))).toEqual([JSON.parse(want)]);
  });
});

test.each([
  ['an object', '{"a":1}', { a: 1 }],
  ['null, which is JSON', 'null', null],
  ['bytes', new TextEncoder().encode('["é"]'), ['é']],
  ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), '\ufffd'],
  ['half of an object', '{"a":', undefined],
  ['nothing', '', undefined],
])('what is read as JSON where it may be none: %s', (_, written, value) => {
  expect(jsonIn(written)).toEqual(value);
});

test('it is read by another parser where one is given', () => {
  expect(jsonIn('9007199254740993', parseExact)).toBe('9007199254740993');
  expect(jsonIn('9007199254740993,', parseExact)).toBeUndefined();
});
