import { expect, test } from '@jest/globals';
import { renderStats } from '../../../src/lib/ui/render/dlq-stats.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const now = new Date('2026-01-02T04:00:00Z');
const shown = (detail: string, width: number): string => {
  const group = {
    by: { detail },
    count: 2,
    first_seen: '2026-01-02T03:00:00Z',
    last_seen: '2026-01-02T03:00:00Z',
    sample: 'REQUESTS/request-worker/2',
    where: [],
    replay: null,
  };
  return renderStats({ total: 2, groups: [group] }, { theme: createTheme({ colour: false }), width, now }).split(
    '\n',
  )[1]!;
};
const CAUSE = 'resolver timed out after # ms';
const LONG = 'x'.repeat(200);

test.each([
  {
    name: 'all of it where there is room',
    detail: CAUSE,
    width: 76,
    want: /^ {4}2 {2}resolver timed out after # ms {2}1h {5}1h {4}REQUESTS\/request-worker\/2$/,
  },
  {
    name: 'the sample goes first',
    detail: CAUSE,
    width: 60,
    want: /^ {4}2 {2}resolver timed out after # ms {2}1h {5}1h$/,
  },
  { name: 'then the times', detail: CAUSE, width: 36, want: /^ {4}2 {2}resolver timed out after # ms$/ },
  { name: 'then it is cut', detail: CAUSE, width: 30, want: /^ {4}2 {2}resolver timed out aft…$/ },
  {
    name: 'a long one leaves the others where it keeps forty columns',
    detail: LONG,
    width: 87,
    want: /^ {4}2 {2}x{39}… {2}1h {5}1h {4}REQUESTS\/request-worker\/2$/,
  },
  { name: 'and no others where it would not', detail: LONG, width: 86, want: /^ {4}2 {2}x+… {2}1h {5}1h$/ },
])('why they died stays on a narrow terminal: $name', ({ detail, width, want }) => {
  const row = shown(detail, width);
  expect(row).toMatch(want);
  expect(row.length).toBeLessThanOrEqual(width);
});

test('a value of which little fits is cut to the least', () => {
  expect(shown(LONG, 10)).toBe('    2  xxxxxxxxxxx…');
});

test('keys that differ in their letters alone are told apart', () => {
  const group = {
    by: { subject: 'a', 'json:.n': '1', 'json:.N': '2', 'header:Trace-Id': 'x' },
    count: 1,
    first_seen: null,
    last_seen: null,
    sample: 'Q/w/1',
    where: [],
    replay: null,
  };
  const text = renderStats({ total: 1, groups: [group] }, { theme: createTheme({ colour: false }), width: 90, now });
  expect(text.split('\n')[0]).toMatch(/^COUNT {2}SUBJECT {2}json:\.n {2}json:\.N {2}header:Trace-Id {2}FIRST/);
});

test('what all rows have goes first on a narrow terminal, but for the last of it', () => {
  const group = (reason: string, detail: string) => ({
    by: { subject: 'requests.dns', reason, detail },
    count: 1,
    first_seen: null,
    last_seen: null,
    sample: 'Q/w/1',
    where: [],
    replay: 'osapi-ops dlq replay',
  });
  const headOf = (width: number, ...details: string[]) => {
    const groups = details.map((detail) => group('rejected', detail));
    return renderStats({ total: 2, groups }, { theme: createTheme({ colour: false }), width, now })
      .split('\n')[0]!
      .replace(/ +/g, ' ');
  };
  const two = ['a', 'b'.repeat(20)];
  expect(headOf(72, ...two)).toBe('COUNT SUBJECT REASON DETAIL FIRST LAST SAMPLE');
  expect(headOf(71, ...two)).toBe('COUNT DETAIL FIRST LAST SAMPLE');
  expect(headOf(71, 'b'.repeat(20), 'b'.repeat(20))).toBe('COUNT SUBJECT REASON DETAIL FIRST LAST');
});
