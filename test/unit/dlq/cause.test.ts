import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { causeOf, formsOf } from '../../../src/lib/dlq/cause.ts';

describe('the cause in words of a worker', () => {
  test.each([
    ['timeout after 3021ms', 'timeout after #ms'],
    ['took 2.5 s', 'took # s'],
    ['took=3021ms', 'took=#ms'],
    ['after:3021ms', 'after:#ms'],
    ['1m30s went by', '#m#s went by'],
    ['93% full, 1.5GiB of 2 GiB', '#% full, #GiB of # GiB'],
    ['read 1,024 bytes', 'read # bytes'],
    ['user 17 not found', 'user # not found'],
    ['line 3, column 7', 'line #, column #'],
    ['(17) -5 left: 12.', '(#) # left: #.'],
    ['399 and 600 but 400 and 599', '# and # but 400 and 599'],
    ['request 3f2504e0-4f89-41d3-9a0c-0305e82c3301 is unknown', 'request # is unknown'],
    ['at 2026-11-28T22:00:01.123Z it broke', 'at # it broke'],
    ['at 2026-11-28 22:00:01+01:00 it broke', 'at # it broke'],
    ['500ms', '#ms'],
  ])('%s: numbers that differ go', (words, cause) => {
    expect(causeOf(words)).toBe(cause);
  });

  test.each([
    'connect ECONNREFUSED db-7:5432',
    'connect 10.0.0.7:5432',
    'resolver-2 does not answer',
    'HTTP 404',
    'HTTP/1.1 503 Service Unavailable',
    'got 503 from the registry',
    'status=429',
    'exit code 137',
    'exited with 3',
    'no (the command exited 1)',
    'the command exited 1',
    'err_code 10077',
    'errno: 110',
    'port 5432 is closed',
    'version 2.15.1, v2',
    'ticket #5',
    'attempt 3/5',
    '',
    '#',
  ])('%s: what names a cause stays', (words) => {
    expect(causeOf(words)).toBe(words);
  });

  test.each([
    [3999, true],
    [4000, true],
    [4001, false],
  ])('in %i characters', (length, isFolded) => {
    const words = `took 7 ${'x'.repeat(length - 7)}`;
    expect(causeOf(words)).toBe(isFolded ? words.replace('7', '#') : words);
  });

  // Workers up to 0.1.0 wrote how the command ended before its words: records of both are one group, chosen by either.
  test.each([
    ['the command exited 7: no route', 'no route (the command exited 7)'],
    ['the command was ended by SIGKILL: no route', 'no route (the command was ended by SIGKILL)'],
    ['the command exited 7: took 5ms', 'took #ms (the command exited 7)'],
  ])('%s: what an older worker wrote is of the same cause', (older, cause) => {
    const now = cause.replace('#', '5');
    expect([older, now].map(causeOf)).toEqual([cause, cause]);
    expect(formsOf(now)).toEqual(expect.arrayContaining([older, now, cause]));
    expect(formsOf(older)).toEqual(expect.arrayContaining([older, cause]));
  });

  test.each(['the command exited 7', 'the command exited 7: ', 'the commander exited 7: x', 'x (the command exited)'])(
    '%s: nothing of it changes places',
    (words) => {
      expect(formsOf(words)).toEqual([words]);
      expect(causeOf(words)).toBe(words);
    },
  );

  test('has itself as its cause: what is shown of a group chooses it', () => {
    const pieces = [
      ...'0123456789',
      '5',
      '45',
      '503',
      ' ',
      '  ',
      '.',
      ',',
      ':',
      '-',
      '%',
      '#',
      '(',
      '=',
      'ms',
      's',
      'm',
      'h',
      'B',
      'x',
      'T',
    ].concat([
      'code ',
      'status',
      'port',
      'HTTP/1.1 ',
      '2026-11-28T22:00:01Z',
      '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      'µs',
      '３',
      'the command exited 1: ',
      ' (the command exited 1)',
    ]);
    const words = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(words, (text) => {
        const cause = causeOf(text);
        return causeOf(cause) === cause;
      }),
      { numRuns: 5000 },
    );
  });

  test.each(['1,', '1 ', '1ms', '1', 'code ', '1m', ' ', '5%', '1.'])(
    'takes no time that grows with the square of %j',
    (piece) => {
      const start = performance.now();
      causeOf(piece.repeat(4000 / piece.length));
      expect(performance.now() - start).toBeLessThan(500);
    },
  );
});
