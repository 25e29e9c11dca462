import { describe, expect, test } from '@jest/globals';
import { isBroken, readTransformed, transformChanges, transformInput } from '../../../src/lib/replay/transformed.ts';
import { stored } from '../dlq/builders.ts';

const header = (name: string, value: string) => ({ name, value });
const before = stored({
  payload: '{"id":"r7","n":1,"at":{"a b":[1]}}',
  headers: [header('Trace', 'a'), header('Trace', 'b'), header('Text', 'Ã¤'), header('Odd', '\u00ff')],
});
const given = () => transformInput('Q/w/7', before);

test('a module gets its own copy of a message: text where it is text', () => {
  expect(given()).toEqual({
    id: 'Q/w/7',
    subject: 'requests.dns',
    headers: Object.assign(Object.create(null), { Trace: ['a', 'b'], Text: ['ä'], Odd: ['\ufffd'] }),
    payload: '{"id":"r7","n":1,"at":{"a b":[1]}}',
  });
  expect(transformInput('x', stored({ payload: '\ufeffa' })).payload).toBe('\ufeffa');
  expect(transformInput('x', stored({ payload: Uint8Array.of(0xff) })).payload).toEqual(Uint8Array.of(0xff));
});

describe('what a module gives back', () => {
  test('as it was is the message, byte for byte', () => {
    const made = readTransformed(given(), before);
    expect(made).toMatchObject({ subject: 'requests.dns', payload: before.payload });
    expect((made as { headers: unknown }).headers).toEqual([
      header('Trace', 'a'),
      header('Trace', 'b'),
      header('Text', 'Ã¤'),
      header('Odd', '\u00ff'),
    ]);
    expect(transformChanges(before, made as never)).toEqual([]);
    expect(readTransformed({}, before)).toMatchObject({ subject: 'requests.dns', payload: before.payload });
  });

  test('keeps the bytes of headers that stay, and of no others', () => {
    const tight = (value: string) => ({ ...header('Tight', value), tight: true });
    const old = stored({ headers: [tight('a'), tight('b'), header('One', 'ab')] });
    const read = (headers: object) => (readTransformed({ headers }, old) as { headers: unknown }).headers;
    expect(read({ Tight: ['a', 'b'] })).toEqual([tight('a'), tight('b')]);
    expect(read({ One: ['a', 'b'] })).toEqual([header('One', 'a'), header('One', 'b')]);
  });

  test('that was no JSON is told as a whole', () => {
    const text = stored({ payload: 'no json' });
    expect(transformChanges(text, readTransformed({ payload: '{"a":1}' }, text) as never)).toEqual([
      { path: 'payload', from: 'no json', to: '{"a":1}' },
    ]);
  });

  test('as null is skipped', () => expect(readTransformed(null, before)).toBeNull());

  test.each<{ payload: unknown; want: string }>([
    { payload: 'text ä', want: 'text ä' },
    { payload: Uint8Array.of(0x41), want: 'A' },
  ])('with the payload $payload', ({ payload, want }) => {
    const made = readTransformed({ ...given(), payload }, before) as { payload: Uint8Array };
    expect(Buffer.from(made.payload).toString()).toBe(want);
  });

  test.each<{ name: string; value: unknown; want: RegExp }>([
    { name: 'nothing', value: undefined, want: /returned nothing/ },
    { name: 'a text', value: 'x', want: /returned a string/ },
    { name: 'a wildcard', value: { subject: 'a.*' }, want: /subject/ },
    { name: 'no subject', value: { subject: 5 }, want: /subject/ },
    { name: 'headers that are none', value: { headers: 'x' }, want: /headers/ },
    { name: 'a header that is a number', value: { headers: { A: 5 } }, want: /header A/ },
    {
      name: 'a header of which one value is a number',
      value: { headers: { A: ['x', 5] } },
      want: /header A is no text/,
    },
    { name: 'a header with a blank', value: { headers: { 'A B': 'x' } }, want: /"A B"/ },
  ])('as $name is a fault', ({ value, want }) => {
    expect(readTransformed(value, before)).toMatch(want);
  });

  test('is told by what differs: of JSON by its paths', () => {
    const made = readTransformed(
      {
        subject: 'requests.mx',
        headers: { Trace: 'c\nd', New: ['x'] },
        payload: '{"id":"r7","n":2,"at":{"a b":[1,2]}}',
      },
      before,
    );
    expect(transformChanges(before, made as never)).toEqual([
      { path: 'subject', from: 'requests.dns', to: 'requests.mx' },
      { path: 'header:Trace', from: 'a, b', to: 'c d' },
      { path: 'header:Text', from: 'ä', to: null },
      { path: 'header:Odd', from: '\ufffd', to: null },
      { path: 'header:New', from: null, to: 'x' },
      { path: 'json:.n', from: '1', to: '2' },
      { path: 'json:.at["a b"]', from: '[1]', to: '[1,2]' },
    ]);
  });

  test.each([
    { payload: 'no json', want: { path: 'payload', to: 'no json' } },
    { payload: Uint8Array.of(0xff), want: { path: 'payload', to: '1 bytes' } },
    { payload: '[]', want: { path: 'json:.', to: '[]' } },
  ])('that is no such JSON as a whole: $payload', ({ payload, want }) => {
    const made = readTransformed({ ...given(), payload }, before);
    expect(transformChanges(before, made as never)).toMatchObject([want]);
  });

  test.each([19, 20, 21])('with %i changes tells 20 at most', (count) => {
    const payload = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));
    const made = readTransformed({ payload: JSON.stringify(payload) }, stored({ payload: '{}' }));
    expect(transformChanges(stored({ payload: '{}' }), made as never)).toHaveLength(Math.min(count, 20));
  });

  test.each([
    ['199', '9007199254740993'],
    ['9007199254740993', '9007199254740994'],
    ['9007199254740993', '"9007199254740993"'],
    ['1', '1.00000000000000000001'],
  ])('that is the number %s, then %s, is told as it is written', (from, to) => {
    const old = stored({ payload: `{"n":${from}}` });
    const made = readTransformed({ payload: `{"n":${to}}` }, old);
    expect(transformChanges(old, made as never)).toEqual([{ path: 'json:.n', from, to }]);
  });

  test.each([
    ['{"n":199}', '{"n":199, nope', true],
    ['[1]', 'text', true],
    ['{"n":199}', '5', false],
    ['text', '{', false],
    ['7', 'text', false],
  ])('of %s makes %s: broken is %s', (from, to, want) => {
    const old = stored({ payload: from });
    expect(isBroken(old, readTransformed({ payload: to }, old) as never)).toBe(want);
  });
});
