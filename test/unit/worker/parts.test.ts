import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDeath, readDeath } from '../../../src/lib/dlq/advisory.ts';
import { parseFailure } from '../../../src/lib/ledger/failure.ts';
import { headerValue, parseHeaders } from '../../../src/lib/nats/raw-headers.ts';
import { createBuiltin } from '../../../src/lib/worker/builtin.ts';
import { splitCommand } from '../../../src/lib/worker/command-line.ts';
import { readJob } from '../../../src/lib/worker/job.ts';
import { rejectHeaders } from '../../../src/lib/worker/reject.ts';
import { createTally, metricsText } from '../../../src/lib/worker/tally.ts';
import { ackWaitMs, readTiming, retryDelayMs } from '../../../src/lib/worker/timing.ts';
import { delivered } from './delivery.ts';

describe('the waits of a consumer', () => {
  const backoff = readTiming({ max_deliver: 5, ack_wait: 1e9, backoff: [1e9, 2e9, 7e9] });
  const plain = readTiming({ max_deliver: -1, ack_wait: 3e9 });

  test('are its backoff, the last step for all that follow', () => {
    expect([1, 2, 3, 4, 5].map((delivery) => ackWaitMs(backoff, delivery))).toEqual([1000, 2000, 7000, 7000, 7000]);
    expect([1, 9].map((delivery) => ackWaitMs(plain, delivery))).toEqual([3000, 3000]);
  });

  test('are those of a failure too, which a bare nak would not heed', () => {
    expect([1, 2, 3, 4].map((delivery) => retryDelayMs(backoff, delivery))).toEqual([1000, 2000, 7000, 7000]);
    expect(retryDelayMs(plain, 100)).toBe(3000);
  });

  test('are over after the last delivery: it is dead at once', () => {
    expect(retryDelayMs(backoff, 5)).toBe(0);
  });
});

describe('a command line', () => {
  test.each([
    { line: './answer --fast x', want: ['./answer', '--fast', 'x'] },
    { line: `jq -c '{id, r: "a b"}'`, want: ['jq', '-c', '{id, r: "a b"}'] },
    { line: 'a "b c" d\\ e ""', want: ['a', 'b c', 'd e', ''] },
    { line: String.raw`"a\"b\n" 'c\d'`, want: ['a"b\\n', 'c\\d'] },
    { line: `echo '$HOME' "|" 'cat;' \\| rm *`, want: ['echo', '$HOME', '|', 'cat;', '|', 'rm', '*'] },
    { line: 'curl a?b&c x=>y 5 -d{;}', want: ['curl', 'a?b&c', 'x=>y', '5', '-d{;}'] },
  ])('$line is parted as a shell would, and nothing in it is carried out', ({ line, want }) => {
    expect(splitCommand(line)).toEqual(want);
  });

  test.each(['', '  ', 'a "b', "it's"])('%p is refused', (line) => {
    expect(() => splitCommand(line)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test.each([
    'a | b',
    'a || b',
    'a && b',
    'a &',
    'a ; b',
    'a; b',
    'a > b',
    'a >>b',
    'a 2>&1',
    'a < b',
    'a $(b)',
    'a $B',
    'a `b`',
  ])('%p needs a shell', (line) => {
    expect(() => splitCommand(line)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/is for a shell, and none runs/) }),
    );
  });

  test('of quoted words gives them back, whatever they are', () => {
    const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(splitCommand(words.map(quoted).join(' '))).toEqual(words);
      }),
    );
  });
});

describe('the copy of a reject', () => {
  const headers = [
    { name: 'Nats-Msg-Id', value: 'abc' },
    { name: 'nats-rollup', value: 'all' },
    { name: 'Team', value: 'shop' },
    { name: 'team', value: 'two' },
    { name: 'Osapi-Reject-Seq', value: '999' },
    { name: 'osapi-import-published', value: '2001-01-01T00:00:00Z' },
  ];
  const delivery = delivered('not json', {
    headers,
    delivery: 2,
    publishedUs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) * 1000 + 12,
  });
  const block = rejectHeaders(delivery, 'not JSON:\r\nEvil: yes', new Date('2026-01-02T04:00:00Z'));
  const lines = parseHeaders(block);

  test('carries nothing that a server acts on, and no line that the reason smuggles in', () => {
    expect(lines.filter(({ name }) => /^nats-/i.test(name))).toEqual([]);
    expect(headerValue(lines, 'Evil')).toBeUndefined();
    expect(lines.filter(({ name }) => name === 'Osapi-Reject-Seq')).toEqual([{ name: 'Osapi-Reject-Seq', value: '7' }]);
  });

  test('is read as a dead letter that has the original again', () => {
    const death = readDeath({
      stream: 'requests_dlq',
      seq: 3,
      subject: 'osapi-ops.rejected.REQUESTS.request-worker',
      time: '2026-01-02T04:00:00Z',
      headers: block,
      payload: delivery.payload,
    });
    if (!isDeath(death)) throw new Error(death.why);
    expect(death).toMatchObject({ id: 'REQUESTS/request-worker/7', record: { reason: 'rejected', deliveries: 2 } });
    expect(death.record.detail).toBe('not JSON: Evil: yes');
    expect(death.carried!.time).toBe('2026-01-02T03:04:05.678012Z');
    expect(Buffer.from(death.carried!.payload).toString()).toBe('not json');
    const restored = parseHeaders(death.carried!.headers).map(({ name, value }) => [name, value]);
    expect(restored).toEqual([
      ['Nats-Msg-Id', 'abc'],
      ['nats-rollup', 'all'],
      ['Team', 'shop'],
      ['team', 'two'],
    ]);
  });
});

describe('a built-in', () => {
  const run = async (name: 'dns' | 'echo', payload: unknown) => {
    const job = readJob(delivered(payload), 0);
    if ('reject' in job) throw new Error(job.reject);
    return createBuiltin(name).run(job);
  };

  test('echo answers byte for byte as the bash loop of the nats CLI does', async () => {
    const want = '{"id": "r1", "query": "example.com", "response": "Success"}';
    expect(await run('echo', { id: 'r1', query: 'example.com' })).toEqual({ type: 'answer', value: want });
  });

  test('echo keeps a query that would break a text of that bash loop', async () => {
    const outcome = await run('echo', { id: 'r1', query: 'a"b\n' });
    expect(JSON.parse((outcome as { value: string }).value)).toEqual({ id: 'r1', query: 'a"b\n', response: 'Success' });
  });

  test('dns finds this machine without any network', async () => {
    const outcome = await run('dns', { id: 'r1', query: 'localhost' });
    const { response } = JSON.parse((outcome as { value: string }).value);
    expect([...response.A, ...response.AAAA].some((address) => ['127.0.0.1', '::1'].includes(address))).toBe(true);
  });

  test.each([{ query: 42 }, {}, { query: '' }, { query: 'a b' }, { query: 'x'.repeat(300) }])(
    'dns can never handle %j',
    async (fields) => {
      expect(await run('dns', { id: 'r1', ...fields })).toMatchObject({ type: 'reject' });
    },
  );
});

test('metrics are what Prometheus reads, hostile names included', () => {
  const tally = createTally();
  tally.add('taken');
  tally.add('answered');
  const text = metricsText(tally, { queue: 'a"b\\c\nd' }, { in_hand: { help: 'Now.', value: 3 } });
  expect(text).toContain('osapi_ops_worker_answered_total{queue="a\\"b\\\\c\\nd"} 1\n');
  expect(text).toContain('# TYPE osapi_ops_worker_in_hand gauge\nosapi_ops_worker_in_hand{');
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{.*\} \d+)$/);
});

test.each([
  '',
  'x',
  '[]',
  '{}',
  '{"reason":1}',
  '{"reason":"x","at":"never","delivery":1,"published_at":"2026-01-01T00:00:00Z"}',
])('a failure record that reads %p is none', (text) => {
  expect(parseFailure(text)).toBeUndefined();
});
