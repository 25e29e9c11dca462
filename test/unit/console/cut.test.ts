import { expect, test } from '@jest/globals';
import { cutBytes, cutText, SHOWN_BYTES } from '../../../src/lib/console/cut.ts';

test.each([SHOWN_BYTES - 1, SHOWN_BYTES])('%s bytes are whole', (size) => {
  expect(cutText('payload', 'x'.repeat(size))).toEqual({ payload: 'x'.repeat(size) });
  const base64 = Buffer.alloc(size).toString('base64');
  expect(cutBytes('payload', base64)).toEqual({ payload_base64: base64 });
});

test('one more is cut, and says how many there are', () => {
  const size = SHOWN_BYTES + 1;
  expect(cutText('payload', 'x'.repeat(size))).toEqual({
    payload: 'x'.repeat(SHOWN_BYTES),
    payload_cut: true,
    payload_size: size,
  });
  const cut = cutBytes('payload', Buffer.alloc(size, 7).toString('base64'));
  expect(cut).toMatchObject({ payload_cut: true, payload_size: size });
  const bytes = Buffer.from(String(cut.payload_base64), 'base64');
  expect([bytes.length <= SHOWN_BYTES, bytes.length > SHOWN_BYTES - 3, bytes.every((byte) => byte === 7)]).toEqual([
    true,
    true,
    true,
  ]);
});

test('a pair of surrogates is not parted', () => {
  const { payload } = cutText('payload', `${'x'.repeat(SHOWN_BYTES - 1)}😀x`);
  expect(payload).toBe('x'.repeat(SHOWN_BYTES - 1));
});
