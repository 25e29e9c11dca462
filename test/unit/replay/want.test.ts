import { describe, expect, test } from '@jest/globals';
import type { Move } from '../../../src/lib/replay/protocol.ts';
import { givingOf } from '../../../src/lib/replay/want.ts';

const seen = { stream: 'REQUESTS', created: '2026-01-01T00:00:00Z', seq: 1, time: '2026-01-02T00:00:00Z' };
const move = (msgId: string, more: Partial<Move> = {}): Move => ({
  id: `REQUESTS/request-worker/${msgId}`,
  msgId,
  subject: 'requests.dns',
  headers: new Uint8Array(),
  payload: new Uint8Array(),
  kind: 'stored',
  original: seen,
  records: [{ ...seen, stream: 'requests_dlq' }],
  ...more,
});
const { original: _, ...carried } = move('carried');

describe('records are given up for room', () => {
  test.each<{ name: string; open: Move[]; given?: string[]; count?: number; want: string[] }>([
    { name: 'by none where none are left', open: [], want: [] },
    { name: 'by those that would be found dead without', open: [move('a'), move('b')], want: ['a', 'b'] },
    {
      name: 'never by one that its consumer does not take: nothing else says that it died',
      open: [move('a', { untaken: true }), move('b')],
      want: ['b'],
    },
    { name: 'nor by one that only its record carries', open: [carried, move('b')], want: ['b'] },
    { name: 'nor by one that has none', open: [move('a', { records: [] }), move('b')], want: ['b'] },
    { name: 'nor twice', open: [move('a'), move('b')], given: ['a'], want: ['b'] },
    { name: 'by one fewer than there are', open: [move('a'), move('b')], count: 1, want: ['a'] },
    { name: 'by as many as there are', open: [move('a'), move('b')], count: 2, want: ['a', 'b'] },
    { name: 'by all where more were asked for', open: [move('a'), move('b')], count: 3, want: ['a', 'b'] },
    {
      name: 'by so many of those that may',
      open: [move('a', { untaken: true }), move('b'), move('c')],
      count: 1,
      want: ['b'],
    },
  ])('$name', ({ open, given = [], count = 8, want }) => {
    expect(givingOf(open, new Set(given), count).map(({ msgId }) => msgId)).toEqual(want);
  });
});
