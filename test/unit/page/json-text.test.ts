import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DEEPEST,
  type JsonNode,
  MOST_NODES,
  occurrences,
  parseJsonText,
  pathStep,
} from '../../../src/console/json-text.ts';
import { hexLines } from '../../../src/lib/model/hex.ts';

/** The value that a tree stands for. */
function standsFor(node: JsonNode): unknown {
  if (node.kind === 'object') return Object.fromEntries(node.entries.map(([key, value]) => [key, standsFor(value)]));
  if (node.kind === 'array') return node.items.map(standsFor);
  return node.kind === 'string' ? node.text : node.kind === 'plain' ? JSON.parse(node.text) : null;
}

describe('JSON as it was written', () => {
  test('is what every other reader has of it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(standsFor(parseJsonText(text)!))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test.each(['', '{', '[1,]', '{"a":1,}', '01', '+1', "'a'", '1 2', '{"a" 1}', 'nul', '"\n"', '[1', '"a'])(
    '%j is none, here as elsewhere',
    (text) => {
      expect(() => JSON.parse(text)).toThrow();
      expect(parseJsonText(text)).toBeUndefined();
    },
  );

  test('keeps every digit, the order of keys, and a key that is there twice', () => {
    expect(parseJsonText('{"b":12345678901234567890,"1":1.50,"b":2}')).toEqual({
      kind: 'object',
      cut: false,
      entries: [
        ['b', { kind: 'plain', text: '12345678901234567890' }],
        ['1', { kind: 'plain', text: '1.50' }],
        ['b', { kind: 'plain', text: '2' }],
      ],
    });
  });

  test('is bounded in breadth and depth, and says so', () => {
    const flat = (n: number) => parseJsonText(`[${Array(n).fill(0).join(',')}]`);
    expect(flat(MOST_NODES - 1)).toMatchObject({ cut: false });
    expect(flat(MOST_NODES)).toMatchObject({ cut: true });
    let node = parseJsonText(`${'['.repeat(DEEPEST + 1)}${']'.repeat(DEEPEST + 1)}`)!;
    let depth = 0;
    for (; node.kind === 'array'; depth += 1) node = node.items[0]!;
    expect([node.kind, depth]).toEqual(['deep', DEEPEST]);
    expect(parseJsonText(`${'['.repeat(5000)}${']'.repeat(5000)}`)).toBeUndefined();
  });
});

test.each([
  ['json:', 'a', 'json:.a'],
  ['json:.a', 0, 'json:.a[0]'],
  ['json:', 'a b"c', 'json:["a b\\"c"]'],
] as const)('the path from %s to %j is %s', (path, key, want) => {
  expect(pathStep(path, key)).toBe(want);
});

test('a word is found wherever it is, whatever its case, up to a bound', () => {
  expect(occurrences('Ab ab AB', 'ab')).toBe(3);
  expect(occurrences('aaaa', 'a', 2)).toBe(2);
  expect(occurrences('abc', '')).toBe(0);
});

test('bytes are shown as hex with what of them is ASCII, up to a bound', () => {
  expect(hexLines(new Uint8Array([0, 0x41, 0x7f, 0xff]), 4)).toEqual([`00000000  00 41 7f ff${' '.repeat(36)}  .A..`]);
  expect([31, 32, 33].map((most) => hexLines(new Uint8Array(40), most).length)).toEqual([2, 2, 3]);
  expect(hexLines(new Uint8Array(40), 33).at(-1)).toMatch(/^00000020 {2}00 {2,}/);
});
