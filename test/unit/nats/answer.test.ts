import { describe, expect, test } from '@jest/globals';
import type { Code } from '../../../src/lib/errors/codes.ts';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { answerOf, ifFound, orElse, orThrow, orUndefined } from '../../../src/lib/nats/answer.ts';
import { ApiError } from '../../../src/lib/nats/api-error.ts';

const api = (err_code: number) => new ApiError('S', { err_code });
const ops = (code: Code) => new OpsError(code, 'x');
const failed = (error: unknown) => answerOf<number>(Promise.reject(error));

describe('an answer', () => {
  test.each([
    ['missing', api(10059)],
    ['missing', api(10014)],
    ['missing', api(10149)],
    ['missing', api(10037)],
    ['missing', ops('NOT_FOUND')],
    ['denied', ops('DENIED_SUBJECT')],
    ['silent', api(10008)],
    ['silent', ops('CONN_NO_LEADER')],
    ['silent', ops('CONN_TIMEOUT')],
  ])('is %s for %s', async (is, error) => {
    expect(await failed(error)).toEqual({ is, error });
  });

  test.each([
    api(10058),
    ops('CONN_UNREACHABLE'),
    ops('CONN_NO_JETSTREAM'),
    ops('SERVER_REFUSED'),
    ops('INTERRUPTED'),
    new TypeError('a fault of ours'),
  ])('is none for %s: that is thrown', async (error) => {
    await expect(failed(error)).rejects.toBe(error);
  });

  test('is what stands for it, else it is thrown', async () => {
    const error = ops('DENIED_SUBJECT');
    const missing = ops('NOT_FOUND');
    expect(await orElse(answerOf(Promise.resolve(1)), { denied: 2 })).toBe(1);
    expect(await orElse(failed(error), { denied: 2 })).toBe(2);
    expect(await orElse(failed(error), { denied: undefined })).toBe(undefined);
    expect(await orUndefined(failed(missing))).toBe(undefined);
    await expect(orElse(failed(error), { missing: 2, silent: 3 })).rejects.toBe(error);
    await expect(orUndefined(failed(error))).rejects.toBe(error);
    await expect(orThrow(failed(missing))).rejects.toBe(missing);
  });

  test('is made into something else only where something was found', async () => {
    const error = ops('NOT_FOUND');
    expect(ifFound({ is: 'found', value: 2 }, (value) => value * 2)).toEqual({ is: 'found', value: 4 });
    expect(ifFound({ is: 'missing', error }, () => 0)).toEqual({ is: 'missing', error });
  });
});
