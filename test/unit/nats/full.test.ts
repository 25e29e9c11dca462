import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { ApiError } from '../../../src/lib/nats/api-error.ts';
import { accountFull, bucketOf, refusalIn, streamFull } from '../../../src/lib/nats/full.ts';
import { parseStreamInfo } from '../../../src/lib/nats/info.ts';

const MIB = 1024 ** 2;

describe('what has no room', () => {
  const refusal = new ApiError('x', { err_code: 10002 });
  test('is found below what was made of the refusal', () => {
    expect(refusalIn(refusal)).toBe(refusal);
    expect(refusalIn(new OpsError('NO_ROOM', 'x', { cause: new Error('y', { cause: refusal }) }))).toBe(refusal);
    expect(refusalIn(new OpsError('NO_ROOM', 'x', { cause: new ApiError('x', { err_code: 10058 }) }))).toBeUndefined();
    expect(refusalIn({ cause: refusal })).toBeUndefined();
  });

  test.each([
    ['$KV.jobs.a.b', 'jobs'],
    ['$JS.hub.API.$KV.jobs.a', 'jobs'],
    ['$KV.jobs', undefined],
    ['KV.jobs.a', undefined],
  ])('on %s is the bucket %s', (subject, want) => expect(bucketOf(subject)).toBe(want));

  const account = (storage: number, max_storage: number, max_memory: number) => ({
    storage,
    memory: MIB,
    reserved_storage: 0,
    reserved_memory: 0,
    streams: 1,
    consumers: 1,
    limits: { max_storage, max_memory, max_streams: -1, max_consumers: -1 },
  });
  test.each([
    [undefined, ''],
    [account(1, -1, -1), ''],
    [account(0, 0, -1), ': it uses 0B of 0B of file storage'],
    [account(2 * MIB, 2 * MIB, 0), ': it uses 2MiB of 2MiB of file storage, and 1MiB of 0B of memory'],
    [account(0, -1, MIB), ': it uses 1MiB of 1MiB of memory'],
  ])('is an account, and says of it what is known: %j', (usage, figures) => {
    expect(accountFull('OSAPI', usage)).toEqual({ why: `The storage of account OSAPI is used up${figures}.` });
  });

  const stream = (config: object, messages: number, bytes: number) =>
    parseStreamInfo('x', { config: { name: 'Q', ...config }, state: { messages, bytes } });
  test.each([
    [{}, 1, 2 * MIB, '', '--max-msgs=-1'],
    [{ max_msgs: 0, max_bytes: 0 }, 1, 2 * MIB, '', '--max-msgs=-1'],
    [{ max_msgs: 1 }, 1, 5, ': it holds 1 of its max_msgs 1', '--max-msgs=-1'],
    [{ max_bytes: 1 }, 3, 1, ': it holds 1B of its max_bytes 1B', '--max-bytes=1048576'],
    [{ max_bytes: MIB }, 3, 5, ': it holds 5B of its max_bytes 1MiB', '--max-bytes=2097152'],
    [
      { max_bytes: MIB, max_msgs: 9 },
      9,
      3 * MIB,
      ': it holds 3MiB of its max_bytes 1MiB, and 9 of its max_msgs 9',
      '--max-bytes=6291456',
    ],
  ])('is a stream of %j with %i messages of %i bytes', (config, messages, bytes, figures, more) => {
    expect(streamFull(stream(config, messages, bytes), ['raise it', 'or empty it'])).toEqual({
      why: `Stream Q is full${figures}.`,
      hints: [`raise its limit: nats stream edit ${more} Q`, 'or empty it'],
    });
  });
});
