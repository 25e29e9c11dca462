import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fitsHeader,
  fromHeaderValue,
  headerValue,
  parseHeaderLines,
  parseHeaders,
  printHeaders,
  toHeaderValue,
  withHeader,
} from '../../../src/lib/nats/raw-headers.ts';

const block = (...lines: string[]): Buffer =>
  Buffer.from(`NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1');

describe('stored headers', () => {
  test.each([['a: b'], ['a:b'], ['a:  b  '], ['a:\tb\t'], ['a:'], ['a: '], ['a: b: c'], ['a: \xe9\xff']])(
    '%j is the same to the byte in a copy',
    (line) => {
      expect(printHeaders(parseHeaders(block(line, 'z: 1')))).toEqual(block(line, 'z: 1'));
    },
  );

  test.each([['no colon'], ['Nats-Msg-Id'], [' '], ['\xff']])('%j is no header, and in a copy all the same', (line) => {
    const bytes = block('a: b', line, 'z: 1');
    expect(printHeaders(parseHeaderLines(bytes))).toEqual(bytes);
    expect(parseHeaders(bytes)).toEqual(parseHeaders(block('a: b', 'z: 1')));
    expect(headerValue(parseHeaderLines(bytes), line)).toBeUndefined();
  });

  test('whatever lines there are, a copy is the same', () => {
    const char = fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code));
    const value = fc.string({ unit: fc.oneof(char, fc.constantFrom(' ', '\t')), maxLength: 12 });
    const name = fc.string({ unit: char.filter((each) => each !== ':'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 6 }), (lines) => {
        const bytes = block(...lines.map(([left, right]) => `${left}:${right}`));
        expect(Buffer.from(printHeaders(parseHeaders(bytes)))).toEqual(bytes);
      }),
    );
  });

  test('a value is read without its outer blanks, by its name to the letter', () => {
    const lines = parseHeaders(block('Nats-Msg-Id:   x y \t', 'nats-msg-id: z'));
    expect(headerValue(lines, 'Nats-Msg-Id')).toBe('x y');
    expect(headerValue(lines, 'NATS-MSG-ID')).toBeUndefined();
  });

  test.each([
    ['', []],
    ['NATS/1.0 404 none\r\na: b\r\n\r\n', [{ name: 'a', value: 'b' }]],
    ['no status\r\na:b\r\nno colon\r\n\r\n', [{ name: 'a', value: 'b', tight: true }]],
    ['x: NATS/1.0\r\n\r\n', [{ name: 'x', value: 'NATS/1.0' }]],
    ['NATS/1.0: y\r\n\r\n', []],
    [': b\r\n\r\n', [{ name: '', value: 'b' }]],
  ])('%j are these lines', (text, want) => expect(parseHeaders(Buffer.from(text, 'latin1'))).toEqual(want));

  test('of no lines there is no block', () => {
    expect(printHeaders([]).byteLength).toBe(0);
  });

  test.each([
    ['', ['c: d']],
    ['a: b', ['a: b', 'c: d']],
    ['a:b', ['a:b', 'c: d']],
  ])('%j with one line more are %j', (line, want) => {
    const before = line === '' ? new Uint8Array(0) : block(line);
    expect(Buffer.from(withHeader(before, { name: 'c', value: 'd' }))).toEqual(block(...want));
  });

  test.each([
    ['grün €', 'grÃ¼n â\x82¬'],
    ['two\r\nlines\0', 'two lines '],
  ])('%j is written as %j, and what stays of it is read again', (text, want) => {
    expect(toHeaderValue(text)).toBe(want);
    expect(fromHeaderValue(want)).toBe(text.replace(/[\r\n\0]+/g, ' '));
  });

  test.each([
    ['words', true],
    ['grün €', true],
    ['', true],
    [' words', false],
    ['words ', false],
    ['two\nlines', false],
    ['a\0b', false],
    ['\ud800', false],
  ])('%j is read as it was written: %p', (text, want) => expect(fitsHeader(text)).toBe(want));
});
