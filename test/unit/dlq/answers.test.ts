import { describe, expect, test } from '@jest/globals';
import { answeredBy, requestsOf, responseSubjects, withAnswers } from '../../../src/lib/dlq/answers.ts';
import { entry, stored } from './builders.ts';

describe('responses', () => {
  test('are looked for under each id that can be a key, once', () => {
    expect(responseSubjects('b', ['r1', 'r2', 'r1', 'no key', 'a.b', ''])).toEqual([
      '$KV.b.r1',
      '$KV.b.r2',
      '$KV.b.a.b',
    ]);
  });

  const value = (name: string, subject = '$KV.b.r1') => stored({ subject, headers: [{ name, value: 'x' }] });
  test.each([
    { name: 'a value', found: [value('A')], want: ['r1'] },
    { name: 'a value without headers', found: [stored({ subject: '$KV.b.r1' })], want: ['r1'] },
    { name: 'a deletion', found: [value('KV-Operation')], want: [] },
    { name: 'an expiry', found: [value('Nats-Marker-Reason')], want: [] },
    { name: 'one of two', found: [value('A'), value('KV-Operation', '$KV.b.r2')], want: ['r1'] },
  ])('answer their request: $name', ({ found, want }) => {
    expect([...answeredBy('b', found)]).toEqual(want);
  });

  const entries = [
    entry({ id: '1', request_id: 'r1' }),
    entry({ id: '2', request_id: 'r2', state: 'orphan' }),
    entry({ id: '3', request_id: 'r3', state: 'gone' }),
    entry({ id: '4', request_id: null }),
    entry({ id: '5', request_id: 'r1', queue: 'OTHER' }),
  ];

  test('are asked for what is dead and has an id, queue by queue', () => {
    expect([...requestsOf(entries)]).toEqual([
      ['REQUESTS', ['r1', 'r2']],
      ['OTHER', ['r1']],
    ]);
  });

  test.each([
    { name: 'none', answered: new Map(), want: [] as string[] },
    { name: 'of one queue', answered: new Map([['REQUESTS', new Set(['r1', 'r3', ''])]]), want: ['1'] },
    { name: 'of an orphan', answered: new Map([['REQUESTS', new Set(['r2'])]]), want: ['2'] },
    { name: 'of another queue', answered: new Map([['OTHER', new Set(['r1', 'r2'])]]), want: ['5'] },
  ])('make entries answered: $name', ({ answered, want }) => {
    const after = withAnswers(entries, answered);
    expect(after.map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
    expect(after.filter(({ inner }) => inner.cause === 'answered').map(({ id }) => id)).toEqual(want);
    for (const [index, one] of after.entries()) if (!want.includes(one.id)) expect(one).toBe(entries[index]);
  });
});
