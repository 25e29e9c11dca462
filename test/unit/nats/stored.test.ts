import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/lib/model/json.ts';
import {
  fromHeaderValue,
  headerValue,
  parseHeaders,
  printHeaders,
  toHeaderValue,
} from '../../../src/lib/nats/raw-headers.ts';
import { cleanText } from '../../../src/lib/nats/redact.ts';
import { isOfBatch, parseApiMessage, parseStored, replyStatus } from '../../../src/lib/nats/stored.ts';

describe('a message of the API', () => {
  test('has its bytes as they are stored', () => {
    const hdrs = Buffer.from('NATS/1.0\r\nA: \xff\r\n\r\n', 'latin1');
    const data = Buffer.from([0, 255, 10]);
    const message = { seq: 7, subject: 'a.b', time: '2026-01-02T03:04:05.000000006Z' };
    const answer = { message: { ...message, hdrs: hdrs.toString('base64'), data: data.toString('base64') } };
    expect(parseApiMessage('Q', 'S', answer)).toEqual({ stream: 'Q', ...message, headers: hdrs, payload: data });
  });

  test.each<[Json]>([[1], [2 ** 53 - 1]])('has a sequence that a stream can have: %j', (seq) => {
    const empty = Buffer.alloc(0);
    const want = { stream: 'Q', seq, subject: '', time: '', headers: empty, payload: empty };
    expect(parseApiMessage('Q', 'S', { message: { seq, hdrs: 5, data: null } })).toEqual(want);
  });

  test.each<[Json]>([[0], [-1], [1.5], [2 ** 53], ['7'], [null]])('is none with a sequence of %j', (seq) => {
    const refused = { code: 'SERVER_REFUSED', where: 'S', why: 'Its answer has no message.' };
    expect(() => parseApiMessage('Q', 'S', { message: { seq } })).toThrow(expect.objectContaining(refused));
    expect(() => parseApiMessage('Q', 'S', { message: seq })).toThrow(expect.objectContaining(refused));
  });
});

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const reply = (headers: string, data = '') => ({ headers: bytes(headers), data: bytes(data) }) as never;
const ADDED = 'Nats-Stream: S\r\nNats-Subject: a.b\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2030-01-01T00:00:00Z\r\n';

describe('a text of the server', () => {
  test.each([
    ['a \t\r\n b', 'a b'],
    [' a ', 'a'],
    ['a\u0000\u001b\u200b\u202eb', 'ab'],
    ['x'.repeat(500), 'x'.repeat(500)],
    ['x'.repeat(501), `${'x'.repeat(500)}…`],
  ])('%j becomes %j', (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });
});

describe('a header block', () => {
  test.each([
    ['', []],
    ['NATS/1.0\r\n\r\n', []],
    ['NATS/1.0 404 Gone\r\nA: b\r\n\r\n', [{ name: 'A', value: 'b' }]],
    ['A: b\r\n', [{ name: 'A', value: 'b' }]],
    [
      'NATS/1.0\r\nA:b\r\nno colon\r\nA:  c\r\n: d\r\n\r\n',
      [
        { name: 'A', value: 'b', tight: true },
        { name: 'A', value: ' c' },
        { name: '', value: 'd' },
      ],
    ],
  ])('%j has the lines %j', (block, lines) => {
    expect(parseHeaders(bytes(block))).toEqual(lines);
  });

  test('is printed as it was read', () => {
    expect(printHeaders([]).byteLength).toBe(0);
    const lines = [
      { name: 'A', value: 'b', tight: true as const },
      { name: 'B', value: ' c' },
    ];
    expect(Buffer.from(printHeaders(lines)).toString('latin1')).toBe('NATS/1.0\r\nA:b\r\nB:  c\r\n\r\n');
    expect(headerValue(lines, 'B')).toBe('c');
    expect(headerValue(lines, 'b')).toBeUndefined();
  });

  test('holds a text of ours on one line, and gives it back', () => {
    expect(fromHeaderValue(toHeaderValue('grün\r\n\u0000ist\rgut'))).toBe('grün ist gut');
    expect(toHeaderValue('ü')).toBe('Ã¼');
  });
});

describe('an answer of a direct get', () => {
  test.each([
    ['NATS/1.0 404 Message Not Found\r\n\r\n', 404],
    ['NATS/1.0\t204\r\n', 204],
    ['NATS/1.0  408 Request Timeout\r\n', 408],
    ['NATS/1.0\r\nA: 404\r\n', 0],
    ['x NATS/1.0 404', 0],
    ['NATS/1.0 40', 0],
    ['', 0],
  ])('%j has the status %d', (headers, status) => {
    expect(replyStatus(reply(headers))).toBe(status);
  });

  test.each([
    [`NATS/1.0\r\n${ADDED}Nats-Num-Pending: 5\r\n\r\n`, true],
    [`NATS/1.0\r\n${ADDED}\r\n`, false],
    // What a message says of itself stands before the server's own lines.
    [`NATS/1.0\r\nA: b\r\nNats-Num-Pending: 5\r\n${ADDED}\r\n`, false],
    ['NATS/1.0\r\n\r\n', false],
  ])('%j is one of a batch: %s', (headers, is) => {
    expect(isOfBatch(reply(headers))).toBe(is);
  });

  const message = { stream: 'S', seq: 7, subject: 'a.b', time: '2030-01-01T00:00:00Z' };
  test.each([
    [`NATS/1.0\r\n${ADDED}\r\n`, ''],
    [`NATS/1.0\r\nA: b\r\n${ADDED}\r\n`, 'NATS/1.0\r\nA: b\r\n\r\n'],
    // A line of the message's own that looks like the server's is the message's.
    [
      `NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: x\r\nNats-Sequence: 1\r\n${ADDED}\r\n`,
      'NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: x\r\nNats-Sequence: 1\r\n\r\n',
    ],
    [`NATS/1.1\r\n${ADDED}\r\n`, 'NATS/1.1\r\n\r\n'],
  ])('%j has the stored headers %j', (headers, stored) => {
    const parsed = parseStored('S', reply(headers, 'hi'))!;
    expect({
      ...parsed,
      headers: Buffer.from(parsed.headers).toString('latin1'),
      payload: String(parsed.payload),
    }).toEqual({
      ...message,
      headers: stored,
      payload: 'hi',
    });
  });

  test.each([['NATS/1.0\r\n\r\n'], [`NATS/1.0\r\n${ADDED.replace(': S', ': T')}\r\n`]])(
    '%j is no message of S',
    (headers) => {
      expect(parseStored('S', reply(headers))).toBeUndefined();
    },
  );
});
