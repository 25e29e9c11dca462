import { describe, expect, test } from '@jest/globals';
import { fromHeaderValue } from '../../../src/lib/nats/raw-headers.ts';
import { parseHeader } from '../../../src/lib/requests/header.ts';

describe('a header of a request', () => {
  test.each([
    { text: 'Tenant:acme', want: ['Tenant', 'acme'] },
    { text: 'Trace: a:b ', want: ['Trace', 'a:b'] },
    { text: 'Empty:', want: ['Empty', ''] },
    { text: 'Ort: Köln', want: ['Ort', 'Köln'] },
    { text: 'nats-ttl: 5m', want: ['Nats-TTL', '5m'] },
  ])('$text is sent', ({ text, want }) => {
    const { name, value } = parseHeader(text);
    expect([name, fromHeaderValue(value)]).toEqual(want);
  });

  test.each([
    'no colon',
    ':value',
    'two words: x',
    'A: b\r\nNats-Rollup: all',
    'Nats-Msg-Id: x',
    'nats-msg-id: x',
    'Nats-Rollup: all',
    'Nats-Expected-Last-Sequence: 3',
    'Osapi-Replay-Of: x',
  ])('%j is refused', (text) => {
    expect(() => parseHeader(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
