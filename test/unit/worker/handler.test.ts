import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endedAlone, tookTooLong, tookTooMuch } from '../../../src/lib/worker/endings.ts';
import { readJob } from '../../../src/lib/worker/job.ts';
import { createLineCutter } from '../../../src/lib/worker/lines.ts';
import { taskOf } from '../../../src/lib/worker/task.ts';
import { delivered } from './delivery.ts';

describe('what a handler prints', () => {
  const cutAll = (...parts: string[]): string[] => {
    const lines: string[] = [];
    const cut = createLineCutter((line) => lines.push(line));
    for (const part of parts) cut(part);
    cut('');
    return lines;
  };

  test.each([
    { name: 'whole lines', parts: ['a\nb\n'], want: ['a', 'b'] },
    { name: 'a line in pieces', parts: ['a', 'b', 'c\nd\n'], want: ['abc', 'd'] },
    { name: 'a last line without its end', parts: ['a\nb'], want: ['a', 'b'] },
    { name: 'blank lines', parts: ['\n \n\ta\n\n'], want: ['\ta'] },
    { name: 'nothing', parts: [], want: [] },
  ])('is passed on line by line: $name', ({ parts, want }) => {
    expect(cutAll(...parts)).toEqual(want);
  });

  test.each([1999, 2000, 2001])('is cut after 2000 characters: %i in one piece and in two', (length) => {
    const want = ['x'.repeat(Math.min(length, 2000))];
    expect(cutAll(`${'x'.repeat(length)}\n`)).toEqual(want);
    expect(cutAll('x'.repeat(length))).toEqual(want);
    expect(cutAll('x'.repeat(length - 1), 'x')).toEqual(want);
  });

  test('is the same however it comes in pieces', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', ' ', '\n'), minLength: 1 });
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        expect(cutAll(...parts)).toEqual(cutAll(...(parts.length > 0 ? [parts.join('')] : [])));
      }),
    );
  });
});

test('the ways in which a handler ends are told apart', () => {
  const memory = 128 * 1024 * 1024;
  const outOfMemory = Object.assign(new Error('x'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
  expect([
    tookTooLong(2500),
    tookTooMuch(memory),
    endedAlone(outOfMemory, 1, memory),
    endedAlone(new RangeError('too far'), 1, memory),
    endedAlone(undefined, 3, memory),
  ]).toEqual(
    [
      'took longer than 2.5s',
      'used more than 128MiB of memory (--handler-memory)',
      'used more than 128MiB of memory (--handler-memory)',
      'outside of its own call it threw RangeError: too far',
      'the handler ended its process (exit code 3)',
    ].map((reason) => ({ type: 'failure', reason })),
  );
});

test('a handler is told all of a request, with its headers by name, and bytes of its own', () => {
  const headers = [
    { name: 'Team', value: 'a' },
    { name: 'team', value: 'b' },
    { name: 'Team', value: 'c' },
    { name: 'constructor', value: 'd' },
    { name: '__proto__', value: 'e' },
  ];
  const job = readJob(delivered({ id: 7 }, { headers, delivery: 2 }), 10);
  if ('reject' in job) throw new Error(job.reject);
  const task = taskOf(job, 3, 1_790_000_000_000);
  const { headers: told, ...facts } = task.facts;
  expect({ ...task, facts }).toEqual({
    run: 3,
    id: '7',
    payload: new Uint8Array(Buffer.from('{"id":7}')),
    facts: {
      subject: 'requests.dns',
      delivery: 2,
      maxDeliver: 10,
      stream: 'REQUESTS',
      consumer: 'request-worker',
      seq: 7,
      publishedAt: '2026-01-02T03:04:05.678Z',
      deadline: 1_790_000_000_000,
    },
  });
  expect(Object.entries(told)).toEqual([
    ['Team', ['a', 'c']],
    ['team', ['b']],
    ['constructor', ['d']],
    ['__proto__', ['e']],
  ]);
  expect(task.payload.buffer).not.toBe(job.delivery.payload.buffer);
});
