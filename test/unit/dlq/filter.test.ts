import { describe, expect, test } from '@jest/globals';
import { matches, wantsOrphans } from '../../../src/lib/dlq/filter.ts';
import { matchesId, parseId, parseIds, requireIds } from '../../../src/lib/dlq/id.ts';
import { parseJsonPath, valueAt } from '../../../src/lib/dlq/json-path.ts';
import { createStats, parseDimensions } from '../../../src/lib/dlq/stats.ts';
import { compareTimes } from '../../../src/lib/dlq/time.ts';
import { lifeOf } from '../../../src/lib/dlq/timeline.ts';
import type { EntryFilter } from '../../../src/lib/model/entry-filter.ts';
import { filterFrom } from '../../../src/lib/ui/dlq-flags.ts';
import { at, consumer, entry, stored } from './builders.ts';

describe('a filter', () => {
  test.each<{ name: string; filter: EntryFilter; want: boolean }>([
    { name: 'of nothing', filter: {}, want: true },
    { name: 'of its queue among others', filter: { queues: ['OTHER', 'REQUESTS'] }, want: true },
    { name: 'of another queue', filter: { queues: ['OTHER'] }, want: false },
    { name: 'of a subject with a wildcard', filter: { subjects: ['requests.*'] }, want: true },
    { name: 'of another subject', filter: { subjects: ['mail.>'] }, want: false },
    { name: 'since the moment it died', filter: { since: Date.parse(at(60)) }, want: true },
    { name: 'until the moment it died, which is not within', filter: { until: Date.parse(at(60)) }, want: false },
    { name: 'of its text', filter: { match: '"kind":"dns"' }, want: true },
    { name: 'of a text in other letters', filter: { match: '"KIND"' }, want: false },
    { name: 'of its request', filter: { requestIds: ['r7'] }, want: true },
    { name: 'of two kinds, of which one does not hold', filter: { requestIds: ['r7'], states: ['gone'] }, want: false },
  ])('$name', ({ filter, want }) => {
    expect(matches(filter, entry())).toBe(want);
  });

  test('by time leaves out orphans, for nobody knows when they died, unless they are asked for', () => {
    expect(wantsOrphans({})).toBe(true);
    expect(wantsOrphans({ since: 1 })).toBe(false);
    expect(wantsOrphans({ since: 1, states: ['orphan'] })).toBe(true);
    expect(wantsOrphans({ reasons: ['rejected'] })).toBe(false);
  });

  test('takes times as people write them', () => {
    const now = new Date('2026-11-24T10:00:00Z');
    expect(filterFrom({ since: '2h' }, now)).toEqual({ since: Date.parse('2026-11-24T08:00:00Z') });
    expect(filterFrom({ since: '2026-11-24' }, now)).toEqual({ since: Date.parse('2026-11-24T00:00:00Z') });
    expect(filterFrom({ until: '2026-11-24T08:30:00Z', 'older-than': '7d' }, now)).toEqual({
      until: Date.parse('2026-11-17T10:00:00Z'),
    });
    for (const wrong of [{ since: 'soon' }, { 'older-than': '7' }, { until: '24.11.2026' }]) {
      expect(() => filterFrom(wrong, now)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });
});

describe('an id', () => {
  test.each([
    { text: 'REQUESTS/worker/17', want: { queue: 'REQUESTS', consumer: 'worker', seq: 17 } },
    { text: 'worker/17', want: { consumer: 'worker', seq: 17 } },
    { text: '17', want: { seq: 17 } },
    { text: 'OLD/NAME/worker/17', want: { queue: 'OLD/NAME', consumer: 'worker', seq: 17 } },
  ])('$text is read from its end', ({ text, want }) => {
    expect(parseId(text)).toEqual({ text, ...want });
    expect(matchesId(parseId(text)!, `${want.queue ?? 'REQUESTS'}/worker/17`)).toBe(true);
    expect(matchesId(parseId(text)!, 'OTHER/other/17')).toBe(want.consumer === undefined);
  });

  test.each(['', 'worker/', 'worker/0', '-1', '1.5', '1e3', '//1', 'a.b/worker/1', '99999999999999999'])(
    '%j is none',
    (text) => {
      expect(parseId(text)).toBeUndefined();
      expect(() => parseIds([text])).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  test('that is short has to be clear, and has to exist', () => {
    const patterns = parseIds(['17']);
    expect(() => requireIds(patterns, ['A/w/17'])).not.toThrow();
    expect(() => requireIds(patterns, ['A/w/17', 'B/w/17'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => requireIds(patterns, [])).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});

test('times are ordered to the nanosecond, however many digits they have', () => {
  const sorted = [
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.1Z',
    '2026-01-01T00:00:00.100000001Z',
    '2026-01-01T00:00:01Z',
  ];
  expect([...sorted].reverse().sort(compareTimes)).toEqual(sorted);
});

test('a path leads into JSON by names, indexes and quoted names, and never to what is inherited', () => {
  const value = { a: { 'b c': [10, { d: 'x' }] } };
  expect(valueAt(value, parseJsonPath('.a["b c"][1].d')!)).toBe('x');
  expect(valueAt(value, parseJsonPath('.a.b')!)).toBeUndefined();
  expect(valueAt(value, parseJsonPath('.constructor')!)).toBeUndefined();
  expect(['', 'a b', '.a[', '.a..b', '.[x]'].map(parseJsonPath)).toEqual(Array(5).fill(undefined));
});

test('groups have their counts, the first and the last death, and the last one as sample', () => {
  const stats = createStats(parseDimensions('subject,json:.kind'));
  const inner = { ...entry().inner, message: stored({ payload: 'no json' }) };
  stats.add(entry({ id: 'Q/w/1', died_at: at(20) }));
  stats.add(entry({ id: 'Q/w/2', died_at: at(30) }));
  stats.add(entry({ id: 'Q/w/3', died_at: at(10) }));
  stats.add(entry({ id: 'Q/w/4', inner }));
  expect(stats.result()).toEqual({
    total: 4,
    groups: [
      {
        by: { subject: 'requests.dns', 'json:.kind': 'dns' },
        count: 3,
        first_seen: at(10),
        last_seen: at(30),
        sample: 'Q/w/2',
      },
      {
        by: { subject: 'requests.dns', 'json:.kind': null },
        count: 1,
        first_seen: at(60),
        last_seen: at(60),
        sample: 'Q/w/4',
      },
    ],
  });
  expect(() => parseDimensions('colour')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('a life is told in order, the deliveries computed from the waits', () => {
  const events = lifeOf(entry(), consumer({ waits: [5e9, 10e9] }));
  expect(events.map(({ at: time, event, computed }) => `${time} ${event}${computed ? '?' : ''}`)).toEqual([
    `${at(0)} published`,
    `${at(0)} delivered?`,
    `${at(5)} delivered?`,
    `${at(15)} delivered?`,
    `${at(60)} died`,
  ]);
});
