import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/lib/model/json.ts';
import { parseApiMessage } from '../../../src/lib/nats/stored.ts';

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
