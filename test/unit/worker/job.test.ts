import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAckSubject } from '../../../src/lib/nats/consume.ts';
import { microsOf, readJob } from '../../../src/lib/worker/job.ts';
import { anyText } from '../../support/any-text.ts';
import { delivered } from './delivery.ts';

describe('a request', () => {
  test.each([
    {
      name: 'a UUID',
      payload: { id: '0b5f3a9e-6c1d-4f5b-9a51-0d1f8a0a3c55', query: 'x' },
      want: '0b5f3a9e-6c1d-4f5b-9a51-0d1f8a0a3c55',
    },
    { name: 'a number, as jq -r prints it', payload: { id: 42 }, want: '42' },
    {
      name: 'a number of 64 bits',
      payload: '{"id":12345678901234567891}',
      want: '12345678901234567891',
    },
    { name: 'a path', payload: { id: 'team/a.b=c_d' }, want: 'team/a.b=c_d' },
  ])('with $name as id is answered under it', ({ payload, want }) => {
    const job = readJob(delivered(payload), 10);
    expect(job).toMatchObject({ id: want, body: { id: want }, maxDeliver: 10 });
  });

  test.each([
    { name: 'text that is no JSON', payload: 'hello', want: /^not JSON: / },
    { name: 'nothing', payload: '', want: /^not JSON: / },
    { name: 'a list', payload: [1], want: /^not a JSON object/ },
    { name: 'null', payload: 'null', want: /^not a JSON object/ },
    { name: 'no id', payload: { query: 'x' }, want: /^no id$/ },
    { name: 'an empty id', payload: { id: '' }, want: /^no id$/ },
    { name: 'null as id', payload: { id: null }, want: /^no id$/ },
    { name: 'an object as id', payload: { id: {} }, want: /neither a text nor a number/ },
    { name: 'a number that is not whole', payload: { id: 1.5 }, want: /neither a text nor a number/ },
    { name: 'a wildcard', payload: { id: 'a.*' }, want: /cannot be the key/ },
    { name: 'a blank', payload: { id: 'a b' }, want: /cannot be the key/ },
    { name: 'a dot at the end', payload: { id: 'a.' }, want: /cannot be the key/ },
    { name: 'two dots', payload: { id: 'a..b' }, want: /cannot be the key/ },
    { name: 'a line break', payload: { id: 'a\r\nPUB x 0' }, want: /cannot be the key/ },
    { name: 'a kilobyte', payload: { id: 'x'.repeat(1024) }, want: /cannot be the key/ },
  ])('with $name can never be handled', ({ payload, want }) => {
    expect(readJob(delivered(payload), 10)).toEqual({ reject: expect.stringMatching(want) });
  });

  test('of any bytes is a job or has a reason', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), anyText()), (text) => {
        const job = readJob(delivered(text), 10);
        return 'reject' in job ? job.reject.length > 0 : /^[-/_=.a-zA-Z0-9]{1,512}$/.test(job.id);
      }),
    );
  });
});

describe('an ack subject', () => {
  const facts = {
    stream: 'REQUESTS',
    consumer: 'w',
    delivery: 3,
    seq: 41,
    publishedUs: 1_790_000_000_123_456,
    pending: 9,
  };
  test.each([
    { name: 'in its short form', subject: '$JS.ACK.REQUESTS.w.3.41.77.1790000000123456789.9' },
    { name: 'with domain and account', subject: '$JS.ACK.hub.AbC123.REQUESTS.w.3.41.77.1790000000123456789.9' },
    { name: 'with its random end', subject: '$JS.ACK._.AbC123.REQUESTS.w.3.41.77.1790000000123456789.9.xyz' },
  ])('$name tells all of a delivery', ({ subject }) => {
    expect(parseAckSubject(subject)).toEqual(facts);
  });

  test.each(['_INBOX.a.b', '$JS.ACK.a.b', '$JS.API.INFO', ''])('is not %p', (subject) => {
    expect(parseAckSubject(subject)).toBeUndefined();
  });
});

test.each([
  ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5) * 1000],
  ['2026-01-02T03:04:05.5Z', Date.UTC(2026, 0, 2, 3, 4, 5, 500) * 1000],
  ['2026-01-02T03:04:05.123456789Z', Date.UTC(2026, 0, 2, 3, 4, 5, 123) * 1000 + 456],
  ['2026-01-02T03:04:05.000001+01:00', Date.UTC(2026, 0, 2, 2, 4, 5) * 1000 + 1],
])('%s is told to the microsecond', (time, want) => {
  expect(microsOf(time)).toBe(want);
});
