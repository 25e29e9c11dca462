import { describe, expect, test } from '@jest/globals';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { printHeaders } from '../../../src/lib/nats/raw-headers.ts';
import { createMatcher, idOf } from '../../../src/lib/requests/identify.ts';

function message(payload: string, headers: Record<string, string> = {}): StoredMessage {
  return {
    stream: 'REQUESTS',
    seq: 1,
    subject: 'requests.dns',
    time: '2026-11-24T08:00:00Z',
    headers: printHeaders(Object.entries(headers).map(([name, value]) => ({ name, value }))),
    payload: Buffer.from(payload),
  };
}

describe('the id of a stored request', () => {
  test.each([
    { name: 'its payload’s before all others', of: message('{"id":"p"}', { 'Nats-Msg-Id': 'h' }), want: 'p' },
    {
      name: 'its header’s, as the original publishes it',
      of: message('{"query":"x"}', { 'Nats-Msg-Id': 'h' }),
      want: 'h',
    },
    {
      name: 'of a replayed one, the application’s',
      of: message('raw', { 'Nats-Msg-Id': 'osapi-ops.replay.1', 'Osapi-Original-Msg-Id': 'h' }),
      want: 'h',
    },
    { name: 'none', of: message('raw'), want: undefined },
  ])('is $name', ({ of, want }) => {
    expect(idOf(of)).toBe(want);
  });

  test.each([
    { name: 'by payload', ids: ['p'], want: 'p' },
    { name: 'by header', ids: ['h'], want: 'h' },
    { name: 'not by a part of an id', ids: ['q-1'], want: undefined },
    { name: 'not by another field', ids: ['other'], want: undefined },
    { name: 'among many', ids: ['a', 'b', 'c', 'd', 'e', 'h'], want: 'h' },
  ])('is matched $name', ({ ids, want }) => {
    const one = message('{"id":"p","note":"other","x":"q-12"}', { 'Nats-Msg-Id': 'h' });
    expect(createMatcher(ids)(one)).toBe(want);
  });

  test('is matched where JSON writes it with escapes', () => {
    expect(createMatcher(['a/b'])(message('{"id":"a\\/b"}'))).toBe('a/b');
  });
});
