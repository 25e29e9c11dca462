import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRequestId, timeOfId, uuidV7 } from '../../../src/lib/requests/id.ts';

const RANDOM = new Uint8Array(10).fill(0xff);

describe('a fresh id', () => {
  test('is a UUID of version 7 that carries its time', () => {
    expect(uuidV7(Date.UTC(2022, 1, 22, 19, 22, 22), RANDOM)).toBe('017f22e2-79b0-7fff-bfff-ffffffffffff');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (ms, random) => {
          const id = uuidV7(ms, random);
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(timeOfId(id)).toBe(ms);
          expect(isRequestId(id)).toBe(true);
        },
      ),
    );
  });

  test('sorts after one that was made a millisecond earlier', () => {
    expect(uuidV7(1_700_000_000_000, RANDOM) < uuidV7(1_700_000_000_001, new Uint8Array(10))).toBe(true);
  });

  test('is not taken for one where it is of another version', () => {
    expect(timeOfId('3f2504e0-4f89-41d3-9a0c-0305e82c3301')).toBeUndefined();
  });
});
