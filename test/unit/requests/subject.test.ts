import { describe, expect, test } from '@jest/globals';
import { chooseSubject, subjectUnder } from '../../../src/lib/requests/subject.ts';

describe('the subject of a kind', () => {
  test.each([
    { pattern: 'requests.*', kind: 'dns', want: 'requests.dns' },
    { pattern: 'requests.*', kind: 'requests.dns', want: 'requests.dns' },
    { pattern: 'requests.*', kind: 'a.b', want: undefined },
    { pattern: 'requests.>', kind: 'a.b', want: 'requests.a.b' },
    { pattern: 'requests.>', kind: 'requests.a', want: 'requests.a' },
    { pattern: '*.requests.*', kind: 'eu.dns', want: 'eu.requests.dns' },
    { pattern: '*.requests.*', kind: 'dns', want: undefined },
    { pattern: 'requests.dns', kind: 'dns', want: 'requests.dns' },
    { pattern: 'requests.dns', kind: 'http', want: undefined },
    { pattern: 'requests.dns', kind: 'ns', want: undefined },
    { pattern: 'jobs', kind: 'jobs', want: 'jobs' },
    { pattern: '>', kind: 'dns', want: 'dns' },
  ])('$kind under $pattern', ({ pattern, kind, want }) => {
    expect(subjectUnder(pattern, kind)).toBe(want);
  });

  const queues = [
    { queue: 'A', subjects: ['a.*', 'shared.*'] },
    { queue: 'B', subjects: ['b.dns', 'b.http'] },
  ];

  test('is found in the only queue that takes it', () => {
    expect(chooseSubject(queues.slice(1), 'http')).toEqual({ queue: 'B', subject: 'b.http' });
    expect(chooseSubject(queues, 'b.dns')).toEqual({ queue: 'B', subject: 'b.dns' });
  });

  test('is not guessed between several', () => {
    expect(() => chooseSubject(queues, 'dns')).toThrow(
      expect.objectContaining({ code: 'USAGE', why: 'They are a.dns (A), shared.dns (A), b.dns (B).' }),
    );
  });

  test('that no queue takes is refused with the subjects there are, and the kind that was meant', () => {
    expect(() => chooseSubject(queues.slice(1), 'htp')).toThrow(
      expect.objectContaining({
        code: 'REQUEST_UNKNOWN_KIND',
        why: 'The subjects here are b.dns, b.http.',
        hints: expect.arrayContaining(['did you mean http?']),
      }),
    );
  });

  test.each(['', ' ', 'a b', '*', '>', 'a.*', 'a..b', '.a', 'a.', 'a\r\nPUB x'])('cannot be %j', (kind) => {
    expect(() => chooseSubject(queues, kind)).toThrow(expect.objectContaining({ code: 'REQUEST_UNKNOWN_KIND' }));
  });
});
