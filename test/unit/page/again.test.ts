import { describe, expect, test } from '@jest/globals';
import { againIn } from '../../../src/console/again.ts';

describe('what the page asks again by itself', () => {
  test.each([
    ['nobody answers', 0, 'CONSOLE_AWAY', 2000],
    ['the server is away', 503, 'CONN_UNREACHABLE', 2000],
    ['too much at once', 429, 'CONSOLE_LIMIT', 2000],
    ['the server refused it', 422, 'SERVER_REFUSED', 2000],
    ['it was asked wrongly', 400, 'USAGE', undefined],
    ['the key is over', 401, 'CONSOLE_SESSION', undefined],
    ['it is not there', 404, 'NOT_FOUND', undefined],
    ['it may not', 403, 'DENIED_API', undefined],
  ])('%s', (_, status, code, want) => {
    expect(againIn({ status, code }, 0)).toBe(want);
  });

  test.each([
    [1, 4000],
    [2, 8000],
    [3, 15_000],
    [30, 15_000],
  ])('after %d tries it waits %d ms', (tries, want) => {
    expect(againIn({ status: 503, code: 'CONN_TIMEOUT' }, tries)).toBe(want);
  });
});
