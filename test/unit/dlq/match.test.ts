import { describe, expect, test } from '@jest/globals';
import { payloadHas } from '../../../src/lib/dlq/match.ts';

describe('a text is found in a payload', () => {
  test.each<{ name: string; payload: string; text: string; want: boolean }>([
    { name: 'to the letter', payload: 'no json: at all', text: 'json: at', want: true },
    { name: 'not with other blanks where it is no JSON', payload: 'no json:at all', text: 'json: at', want: false },
    {
      name: 'in JSON with blanks that are not stored',
      payload: '{"kind":"poison"}',
      text: '"kind": "poison"',
      want: true,
    },
    {
      name: 'in JSON without blanks that are stored',
      payload: '{ "kind" :\n "poison" }',
      text: '"kind":"poison"',
      want: true,
    },
    { name: 'of another value', payload: '{"kind":"dns"}', text: '"kind": "poison"', want: false },
    {
      name: 'of a value and one that begins with it',
      payload: '{"kind":"poisoned"}',
      text: '"kind": "poison"',
      want: false,
    },
    { name: 'cut off within a string', payload: '{"kind":"poison"}', text: '"kind": "poi', want: true },
    { name: 'that begins within a string', payload: '{"kind":"poison","n":1}', text: 'son", "n": 1', want: true },
    { name: 'with blanks in a string as they are', payload: '{"a":"x  y"}', text: '"a": "x  y"', want: true },
    { name: 'not with other blanks in a string', payload: '{"a":"x y"}', text: '"a": "x  y"', want: false },
    { name: 'not with a sign of JSON that is a letter there', payload: '{"a":"x,y"}', text: 'x, y', want: false },
    { name: 'not across numbers', payload: '[12]', text: '1 2', want: false },
    { name: 'across the parts of a list', payload: '[1,2,3]', text: '2, 3', want: true },
    {
      name: 'as a whole object in another order',
      payload: '[{"a":1,"b":[2]}]',
      text: '{"b": [2], "a": 1}',
      want: true,
    },
    { name: 'not as an object that has more', payload: '{"a":1,"b":2}', text: '{"a": 1}', want: false },
    { name: 'not as a value in a string', payload: '{"a":"[1,2]"}', text: '[1, 2]', want: false },
    { name: 'with a letter that is stored as an escape', payload: '{"a":"caf\\u00e9"}', text: 'café', want: true },
    {
      name: 'with an escape of a letter that is stored',
      payload: '{"a":"café"}',
      text: '"a": "caf\\u00e9"',
      want: true,
    },
    { name: 'with a backslash as people write it', payload: '{"a":"C:\\\\tmp"}', text: 'C:\\tmp', want: true },
    { name: 'with a quote in a string', payload: '{"a":"say \\"hi\\""}', text: 'say "hi"', want: true },
    {
      name: 'beside a hostile string that holds signs',
      payload: '{"a":"\\u0007\\u0005\\u0007b"}',
      text: '"": "b',
      want: false,
    },
    {
      name: 'in numbers of 64 bits, each digit',
      payload: '{"id":9007199254740993}',
      text: '"id": 9007199254740993',
      want: true,
    },
    {
      name: 'not in a number beside it',
      payload: '{"id":9007199254740992}',
      text: '"id": 9007199254740993',
      want: false,
    },
    { name: 'not where only blanks are looked for', payload: '{"a":1}', text: '  ', want: false },
    { name: 'not in nothing', payload: '', text: 'x', want: false },
  ])('$name', ({ payload, text, want }) => {
    expect(payloadHas(Buffer.from(payload), text)).toBe(want);
  });

  test('in JSON of 4 MiB, and beyond that to the letter only', () => {
    const json = (bytes: number) => Buffer.from(`{"a":1,"b":"${'x'.repeat(bytes - 14)}"}`.padEnd(bytes));
    const most = 4 * 1024 * 1024;
    expect(json(most).byteLength).toBe(most);
    expect(payloadHas(json(most), '"a": 1')).toBe(true);
    expect(payloadHas(json(most + 1), '"a": 1')).toBe(false);
    expect(payloadHas(json(most + 1), '"a":1')).toBe(true);
    const escapes = `{"b":"${'\\\\n'.repeat(1_000_000)}","a":1}`;
    expect(payloadHas(Buffer.from(escapes), '"a": 1')).toBe(true);
  });

  test.each([3000, 20_000, 200_000])('in JSON that is %i deep', (depth) => {
    const deep = Buffer.from(`{"b":1,"a":${'{"a":'.repeat(depth)}9007199254740993${'}'.repeat(depth)}}`);
    expect(payloadHas(deep, 'zzz')).toBe(false);
    expect(payloadHas(deep, '"a": 9007199254740993')).toBe(true);
    expect(payloadHas(deep, '"a": 9007199254740992')).toBe(false);
    expect(payloadHas(deep, `${'[ '.repeat(depth)}${']'.repeat(depth)}`)).toBe(false);
  });

  test('in JSON with a run of blanks, in a time that grows with it', () => {
    const begin = performance.now();
    expect(payloadHas(Buffer.from(`{"a":1,${' '.repeat(1_000_000)}"b":2}`), '1, "b": 3')).toBe(false);
    expect(performance.now() - begin).toBeLessThan(5000);
  });
});
