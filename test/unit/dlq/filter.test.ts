import { describe, expect, test } from '@jest/globals';
import {
  endsBefore,
  isHidden,
  matches,
  mayMatch,
  wantsOnlyOrphans,
  wantsOrphans,
} from '../../../src/lib/dlq/filter.ts';
import {
  idsIn,
  isAmong,
  matchesId,
  meantBy,
  parseId,
  parseIds,
  reachBack,
  requireIds,
} from '../../../src/lib/dlq/id.ts';
import { parseJsonPath, valueAt } from '../../../src/lib/dlq/json-path.ts';
import { agree, compareTimes, isTime } from '../../../src/lib/dlq/time.ts';
import { alone } from '../../../src/lib/dlq/told.ts';
import type { Entry, EntryState } from '../../../src/lib/model/entry.ts';
import type { EntryFilter } from '../../../src/lib/model/entry-filter.ts';
import { filterFrom } from '../../../src/lib/ui/dlq-flags.ts';
import { at, death, entry, record, stored } from './builders.ts';

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

  const id = (text: string) => parseId(text)!;
  const T = Date.parse(at(60));
  /** What only the records tell is judged by the same rules: `both` are asked of them too. */
  test.each<{ name: string; filter: EntryFilter; want: boolean; both?: true }>([
    { name: 'of no ids', filter: { ids: [] }, want: true, both: true },
    { name: 'of its id among others', filter: { ids: [id('8'), id('7')] }, want: true, both: true },
    { name: 'of other ids', filter: { ids: [id('8'), id('other/7')] }, want: false, both: true },
    { name: 'of no queues', filter: { queues: [] }, want: true, both: true },
    { name: 'of another queue', filter: { queues: ['OTHER'] }, want: false, both: true },
    { name: 'of its consumer', filter: { consumers: ['other', 'worker'] }, want: true, both: true },
    { name: 'of another consumer', filter: { consumers: ['other'] }, want: false, both: true },
    { name: 'of its reason', filter: { reasons: ['rejected', 'max_deliveries'] }, want: true, both: true },
    { name: 'of another reason', filter: { reasons: ['rejected'] }, want: false, both: true },
    { name: 'since a millisecond later', filter: { since: T + 1 }, want: false, both: true },
    { name: 'since its death', filter: { since: T }, want: true, both: true },
    { name: 'until a millisecond later', filter: { until: T + 1 }, want: true, both: true },
    { name: 'until its death', filter: { until: T }, want: false, both: true },
    { name: 'since and until around it', filter: { since: T, until: T + 1 }, want: true, both: true },
    { name: 'since and until before it', filter: { since: T - 9, until: T }, want: false, both: true },
    { name: 'of its state', filter: { states: ['gone', 'replayable'] }, want: true },
    { name: 'of another state', filter: { states: ['gone'] }, want: false },
    { name: 'of no subjects', filter: { subjects: [] }, want: true },
    { name: 'of its subject among others', filter: { subjects: ['mail', 'requests.dns'] }, want: true },
    { name: 'of no requests', filter: { requestIds: [] }, want: true },
    { name: 'of its request among others', filter: { requestIds: ['r8', 'r7'] }, want: true },
    { name: 'of other requests', filter: { requestIds: ['r8'] }, want: false },
  ])('$name', ({ filter, want, both }) => {
    expect(matches(filter, entry())).toBe(want);
    if (both) expect(mayMatch(filter, alone(death()))).toBe(want);
  });

  test('of a reason that one of several records gives may match', () => {
    const deaths = [death(), death({ record: record({ reason: 'rejected' }) })];
    expect(mayMatch({ reasons: ['rejected'] }, { deaths })).toBe(true);
    expect(mayMatch({ reasons: ['terminated'] }, { deaths })).toBe(false);
  });

  const { message: _message, original: _original, ...inner } = entry().inner;
  const nothing = entry({ subject: null, request_id: null, inner });
  test.each<{ name: string; filter: EntryFilter; of?: Entry; want: boolean }>([
    { name: 'a subject', filter: { subjects: ['>'] }, want: false },
    { name: 'a request', filter: { requestIds: ['null'] }, want: false },
    { name: 'a text', filter: { match: '' }, want: false },
    { name: 'none of these', filter: {}, want: true },
    {
      name: 'a time, where nobody knows one',
      filter: {},
      of: entry({ died_at: null, published_at: null }),
      want: true,
    },
    { name: 'since', filter: { since: 0 }, of: entry({ died_at: null, published_at: null }), want: false },
    { name: 'until', filter: { until: T }, of: entry({ died_at: null, published_at: null }), want: false },
    {
      name: 'since, where only its publishing is known',
      filter: { since: Date.parse(at(0)) },
      of: entry({ died_at: null }),
      want: true,
    },
    { name: 'since later', filter: { since: Date.parse(at(0)) + 1 }, of: entry({ died_at: null }), want: false },
  ])('of an entry of which nothing is left: $name', ({ filter, of = nothing, want }) => {
    expect(matches(filter, of)).toBe(want);
  });

  test.each<{ states?: EntryState[]; want: boolean }>([
    { want: false },
    { states: [], want: false },
    { states: ['orphan'], want: true },
    { states: ['orphan', 'gone'], want: false },
    { states: ['gone'], want: false },
  ])('of states $states wants orphans alone: $want', ({ states, want }) => {
    expect(wantsOnlyOrphans({ states })).toBe(want);
  });

  test.each<{ filter: EntryFilter; want: boolean }>([
    { filter: { until: 1 }, want: false },
    { filter: { until: 1, states: ['gone', 'orphan'] }, want: true },
    { filter: { until: 1, states: ['gone'] }, want: false },
    { filter: { states: ['gone'] }, want: true },
    { filter: { states: ['gone', 'parked'], recorded: true }, want: false },
    { filter: { states: ['replayable', 'parked'] }, want: false },
    { filter: { reasons: ['max_deliveries'] }, want: true },
    { filter: { reasons: [], states: [] }, want: true },
  ])('$filter can have orphans: $want', ({ filter, want }) => {
    expect(wantsOrphans(filter)).toBe(want);
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
    for (const wrong of [
      { since: 'soon' },
      { 'older-than': '7' },
      { until: '24.11.2026' },
      { since: '2h', until: '3h' },
      { since: '2h', until: '2h' },
      { since: '2h', 'older-than': '3h' },
    ]) {
      expect(() => filterFrom(wrong, now)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });
});

describe('what was removed while a worker had it', () => {
  const removed = entry({ state: 'gone', inner: { ...entry().inner, cause: 'removed_in_flight' } });
  test.each<{ name: string; of?: Entry; filter: EntryFilter; raw?: boolean; want: boolean }>([
    { name: 'is hidden', filter: {}, want: true },
    { name: 'is hidden where other states are asked for', filter: { ids: [], states: ['orphan'] }, want: true },
    { name: 'is shown by its id', filter: { ids: [parseId('7')!] }, want: false },
    { name: 'is shown among what is gone', filter: { states: ['orphan', 'gone'] }, want: false },
    { name: 'is written down', filter: {}, raw: true, want: false },
    { name: 'is not hidden where it went otherwise', of: entry({ state: 'gone' }), filter: {}, want: false },
  ])('$name', ({ of = removed, filter, raw, want }) => {
    expect(isHidden(of, filter, raw)).toBe(want);
  });
});

test.each([
  { name: 'before since', since: Date.parse(at(0)) + 1, last: stored({ time: at(0) }), want: true },
  { name: 'at since', since: Date.parse(at(0)), last: stored({ time: at(0) }), want: false },
  { name: 'after since', since: Date.parse(at(0)) - 1, last: stored({ time: at(0) }), want: false },
  { name: 'without since', since: undefined, last: stored({ time: at(0) }), want: false },
  { name: 'without a message', since: 0, last: undefined, want: false },
])('reading, newest first, ends $name: $want', ({ since, last, want }) => {
  expect(endsBefore({ since }, last)).toBe(want);
});

describe('the originals of ids', () => {
  const [a, b] = ['A', 'B'].map((queue) => ({ queue, dlq: undefined, dlqs: [], consumers: [] }));
  test.each([
    { ids: ['A/w/1', 'A/v/1'], want: ['A/1'] },
    { ids: ['A/w/1', 'A/w/2'], want: ['A/1', 'A/2'] },
    { ids: ['w/1'], want: ['A/1', 'B/1'] },
    { ids: ['C/w/1'], want: [] },
  ])('$ids can mean $want', ({ ids, want }) => {
    expect(meantBy(parseIds(ids), [a!, b!]).map(({ queue, seq }) => `${queue}/${seq}`)).toEqual(want);
  });

  const original = (stream: string, seq: number, seconds: number) => stored({ stream, seq, time: at(seconds) });
  test.each([
    {
      name: 'a second before the oldest',
      ids: ['A/w/1', 'B/w/2'],
      there: [original('A', 1, 60), original('B', 2, 30)],
      want: 29,
    },
    {
      name: 'to the beginning where one is not there',
      ids: ['A/w/1', 'B/w/2'],
      there: [original('A', 1, 60)],
      want: undefined,
    },
    {
      name: 'to the beginning where another sequence is',
      ids: ['A/w/1'],
      there: [original('A', 2, 60)],
      want: undefined,
    },
    {
      name: 'to the beginning where another queue’s is',
      ids: ['A/w/1'],
      there: [original('B', 1, 60)],
      want: undefined,
    },
    {
      name: 'to the beginning where an id leaves its queue open',
      ids: ['w/1'],
      there: [original('A', 1, 60)],
      want: undefined,
    },
  ])('let records be read back $name', ({ ids, there, want }) => {
    expect(reachBack(parseIds(ids), there)).toBe(want && Date.parse(at(want)));
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

  test.each([
    { id: 'A/w/17', queues: ['A'], message: 'there is no dead letter A/w/17' },
    { id: 'A/w/17', queues: ['B', 'C'], message: 'there is no dead letter A/w/17 in B, C' },
    { id: 'w/17', queues: ['B'], message: 'there is no dead letter w/17 in B' },
    { id: 'w/17', queues: [], message: 'there is no dead letter w/17' },
  ])('$id that is not in $queues is said to be missing where it was looked for', ({ id, queues, message }) => {
    const want = { code: 'NOT_FOUND', message, hints: [expect.any(String)] };
    expect(() => requireIds(parseIds([id]), [], queues)).toThrow(expect.objectContaining(want));
  });
});

test.each([
  { id: 'A/w/17', text: ' 17 ', want: true },
  { id: 'A/w/17', text: '7', want: false },
  { id: 'A/w/17', text: 'w/17', want: true },
  { id: 'A/xw/17', text: 'w/17', want: false },
  { id: 'A/w/18', text: 'w/17', want: false },
  { id: 'A/w/17', text: 'A/w/17', want: true },
  { id: 'B/w/17', text: 'A/w/17', want: false },
  { id: 'B/A/w/17', text: 'A/w/17', want: false },
  { id: 'A/w/9007199254740991', text: '9007199254740991', want: true },
])('$text means $id: $want', ({ id, text, want }) => {
  expect(matchesId(parseId(text)!, id)).toBe(want);
});

test.each(['9007199254740992', 'a.b/1', 'a/b\\c/1', 'A.B/w/1', '01', 'x1', '1x'])('%s is no id', (text) => {
  expect(parseId(text)).toBeUndefined();
});

describe('what is said of ids', () => {
  const all = (count: number) => Array.from({ length: count }, (_, index) => `${index}/w/17`);
  test.each([
    { name: 'none', ids: ['A/w/18'], want: { code: 'NOT_FOUND', where: '17', message: expect.stringContaining('17') } },
    {
      name: 'five',
      ids: [...all(5), 'A/w/18'],
      want: {
        code: 'USAGE',
        where: '17',
        message: '17 could be 5 dead letters',
        why: `They are ${all(5).join(', ')}.`,
      },
    },
    {
      name: 'six',
      ids: all(6),
      want: { message: '17 could be 6 dead letters', why: `They are ${all(5).join(', ')}, ….` },
    },
  ])('where $name of that number are there', ({ ids, want }) => {
    const fault = expect.objectContaining({ ...want, hints: [expect.any(String)] });
    expect(() => requireIds(parseIds(['17']), ids)).toThrow(fault);
  });

  test('that are none, with the word as it was written', () => {
    const want = { message: expect.stringContaining('"a.b/1"'), where: 'ID', hints: [expect.any(String)] };
    expect(() => parseIds(['17', 'a.b/1'])).toThrow(expect.objectContaining(want));
  });

  test('that are none, and may be those of requests', () => {
    const hints = [
      '`osapi-ops dlq ls` prints the ids',
      "where it is the id of a request: `osapi-ops request show 'r$12'` tells its life",
      "`osapi-ops dlq ls --request-id 'r$12'` finds its dead letter",
    ];
    expect(() => parseIds(['17', 'r$12'])).toThrow(expect.objectContaining({ hints }));
  });

  test('that are none, behind a condition: its value was not quoted', () => {
    const hints = ["quote a value that has blanks: --where 'detail=db is down'"];
    const want = { message: expect.stringContaining('"is"'), hints };
    expect(() => parseIds(['is', 'down'], ['subject=a', 'detail=db'])).toThrow(expect.objectContaining(want));
  });
});

test.each([
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z', 0],
  ['2026-01-01T00:00:00.000000001Z', '2026-01-01T00:00:00Z', 1],
  ['2026-01-01T00:00:00.1Z', '2026-01-01T00:00:00.09Z', 1],
  ['2026-01-01T00:00:00.09Z', '2026-01-01T00:00:00.1Z', -1],
  ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.5Z', 0],
  ['2026-01-01T00:00:01Z', '2026-01-01T00:00:00.9Z', 1],
  ['2026-01-01T00:00:00.9Z', '2026-01-01T00:00:01Z', -1],
  ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00Z', 0],
  ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00.001Z', -1],
  ['2026-01-01T00:00:00.001Z', '2026-01-01T02:00:00+02:00', 1],
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456789Z', -1],
])('%s is to %s as %i to 0', (a, b, want) => {
  expect(Math.sign(compareTimes(a, b))).toBe(want);
});

test.each([
  ['2026-01-01T00:00:00Z', true],
  ['2026-01-01T00:00:00.123456789+02:00', true],
  [`2026-01-01T00:00:00.${'0'.repeat(19)}Z`, true],
  [`2026-01-01T00:00:00.${'0'.repeat(20)}Z`, false],
  ['2026-13-01T00:00:00Z', false],
  ['2026-01-01', false],
  ['1 January 2026', false],
  [' 2026-01-01T00:00:00Z', false],
  ['', false],
  [5, false],
  [undefined, false],
])('%s is a time: %s', (text, want) => {
  expect(isTime(text)).toBe(want);
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
  expect(valueAt(value, parseJsonPath('.')!)).toBe(value);
  expect(valueAt({ a: [...Array(11).keys()] }, parseJsonPath('.a[10]')!)).toBe(10);
  expect(valueAt({ 'a"b': 1 }, parseJsonPath('["a\\"b"]')!)).toBe(1);
  expect(valueAt({ 0: 1 }, parseJsonPath('[0]')!)).toBeUndefined();
  expect(valueAt({ a: null }, parseJsonPath('.a.b')!)).toBeUndefined();
  expect(valueAt(value, parseJsonPath('.a.b')!)).toBeUndefined();
  expect(valueAt(value, parseJsonPath('.constructor')!)).toBeUndefined();
  expect(['', 'a b', '.a[', '.a..b', '.[x]'].map(parseJsonPath)).toEqual(Array(5).fill(undefined));
});

test('ids are read a line each, bare or as JSON that has one', () => {
  const text = '# of last night\nA/w/1\r\n\n  17 \n{"id":"A/w/2","seq":9}\n #A/w/3';
  expect(idsIn(text, 'ids.txt')).toEqual(parseIds(['A/w/1', '17', 'A/w/2']));
  expect(idsIn(' \n', 'ids.txt')).toEqual([]);
});

const TABLE = 'ID                         STATE       REASON          DIED  WHY';
test.each([
  { line: TABLE, quoted: `${TABLE.slice(0, 60)}…`, hint: 'a table holds more than ids' },
  { line: 'x'.repeat(60), quoted: 'x'.repeat(60), hint: 'prints the ids' },
  { line: 'x'.repeat(61), quoted: `${'x'.repeat(60)}…`, hint: 'prints the ids' },
  { line: '{"seq":1}', quoted: '{"seq":1}', hint: 'prints the ids' },
  { line: '{"id":"a.b"}', quoted: 'a.b', hint: 'prints the ids' },
  { line: '{', quoted: '{', hint: 'prints the ids' },
])('$line in a file is no id, and is told with its line', ({ line, quoted, hint }) => {
  const want = { code: 'USAGE', message: `"${quoted}" is no id of a dead letter`, where: 'ids.txt:3' };
  expect(() => idsIn(`A/w/1\n\n${line}\n`, 'ids.txt')).toThrow(
    expect.objectContaining({ ...want, hints: [expect.stringContaining(hint)] }),
  );
});

test('one of many ids is found by all that it says', () => {
  const patterns = parseIds(['A/w/1', 'w/2', '3']);
  const among = ['A/w/1', 'B/w/1', 'B/w/2', 'B/v/2', 'C/x/3', 'A/w/4'];
  expect(among.filter((id) => isAmong(patterns, id))).toEqual(['A/w/1', 'B/w/2', 'C/x/3']);
});

test.each([
  { a: '2026-01-02T03:04:05.123456Z', b: '2026-01-02T03:04:05.123456789Z', want: true },
  { a: '2026-01-02T03:04:05.123456Z', b: '2026-01-02T03:04:05.123455999Z', want: false },
  { a: '2026-01-02T03:04:05Z', b: '2026-01-02T03:04:05.9Z', want: true },
  { a: '2026-01-02T03:04:05Z', b: '2026-01-02T03:04:06Z', want: false },
  { a: '2026-01-02T04:04:05.1+01:00', b: '2026-01-02T03:04:05.1Z', want: true },
  { a: '2026-01-02T04:04:05.2+01:00', b: '2026-01-02T03:04:05.1Z', want: false },
])('$a and $b may be one time: $want', ({ a, b, want }) => {
  expect([agree(a, b), agree(b, a)]).toEqual([want, want]);
});
